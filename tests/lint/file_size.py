"""Checks that no file is too long for a newcomer to find the place to change."""

import sources

LIMITS = {".cpp": 500, ".cu": 500, ".hpp": 250, ".cuh": 250, ".py": 500}


def main():
    root = sources.parse_root(__doc__.splitlines()[0])
    files = sources.project_files(root, tuple(LIMITS))
    findings = []
    for name in files:
        lines = len((root / name).read_text(encoding="utf-8").splitlines())
        limit = LIMITS[name.suffix]
        if lines > limit:
            findings.append(f"{name}: {lines} lines (more than {limit}); split it by what its parts are for")
    sources.report("file_size", len(files), findings)


if __name__ == "__main__":
    main()
