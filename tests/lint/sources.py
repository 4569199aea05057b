"""What the lints share: the project's files, and how findings are reported."""

import argparse
import pathlib
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
CODE = (".cpp", ".hpp", ".cu", ".cuh")


def project_files(root, suffixes=None):
    """Tracked files and those that git would track; every file where there is no git. Relative to root."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    result = None
    if (root / ".git").exists():
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result and result.returncode == 0:
        names = [pathlib.PurePosixPath(name) for name in result.stdout.split("\0") if name]
    else:
        names = [
            pathlib.PurePosixPath(path.relative_to(root).as_posix())
            for path in root.rglob("*")
            if path.is_file() and path.relative_to(root).parts[0] not in (".git", ".deps", "build", "results")
        ]
    return sorted(
        name
        for name in set(names)
        if (suffixes is None or name.suffix in suffixes) and (root / name).is_file()
    )


def parse_root(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=pathlib.Path, default=PROJECT, help="folder to check (default: the project)")
    return parser.parse_args().root.resolve()


def report(what, number_of_files, findings):
    """Prints the findings and ends the program: 0 when there are none."""
    for finding in findings:
        print(finding)
    if number_of_files == 0:
        print(f"{what}: no file was found to check (is --root right?)")
        sys.exit(1)
    print(f"{what}: {number_of_files} files, {len(findings)} findings")
    sys.exit(1 if findings else 0)
