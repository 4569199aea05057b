"""Checks that the C++ files have the form that the pinned clang-format gives them.

Other versions of clang-format lay out differently, so without the pinned one the check is skipped (77).
"""

import re
import subprocess
import sys

import sources

SKIPPED = 77


def pinned_version():
    text = (sources.PROJECT / "scripts" / "requirements.txt").read_text(encoding="utf-8")
    return re.search(r"^clang-format==(\S+)$", text, re.MULTILINE)[1]


def version_of(program):
    if not program.is_file():
        return None
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"version (\d+\.\d+\.\d+)", text)
    return match[1] if match else None


def main():
    root = sources.parse_root(__doc__.splitlines()[0])
    program = sources.PROJECT / ".deps" / "python" / "bin" / "clang-format"
    wanted = pinned_version()
    if version_of(program) != wanted:
        print(f"format: skipped, there is no clang-format {wanted} in .deps/python; scripts/setup installs it")
        sys.exit(SKIPPED)
    files = sources.project_files(root, sources.CODE)
    findings = []
    if files:
        result = subprocess.run(
            [program, "--dry-run", "-Werror", "--style=file", *map(str, files)],
            cwd=root, capture_output=True, text=True, check=False)
        findings = sorted(set(re.findall(r"^([^\s:]+:\d+):\d+: error", result.stderr, re.MULTILINE)))
        if result.returncode != 0 and not findings:
            findings = [result.stderr]
    if findings:
        print(f"to format a file: {program.relative_to(sources.PROJECT)} -i FILE")
    sources.report("format", len(files), findings)


if __name__ == "__main__":
    main()
