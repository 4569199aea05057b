"""Checks that no file of the project names a folder of one person's machine."""

import re

import sources

HOME = re.compile(r"(?<![\w.$}-])/(?:home|Users)/\w+|(?<![\w.$}-])/root/")


def main():
    root = sources.parse_root(__doc__.splitlines()[0])
    files = [name for name in sources.project_files(root) if str(name) != "tests/lint/lint_test.py"]
    findings = []
    for name in files:
        text = (root / name).read_bytes().decode("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            match = HOME.search(line)
            if match and str(name) != "tests/lint/machine_paths.py":
                findings.append(f"{name}:{number}: '{match[0]}' exists on one machine only; use a relative path")
    sources.report("machine_paths", len(files), findings)


if __name__ == "__main__":
    main()
