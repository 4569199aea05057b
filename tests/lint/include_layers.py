"""Checks that every #include follows the layers of docs/architecture.md.

FOLDERS says what a folder may include of the project itself, LIBRARIES where headers of third-party
libraries may appear. In both the longest matching path decides.
"""

import re

import sources

EVERYTHING = ("core/", "storage/", "cluster/", "attacks/", "trainer/", "runner/", "tests/")

FOLDERS = {
    "core/": ("core/",),
    "storage/": ("storage/", "core/"),
    "cluster/": ("cluster/", "core/"),
    "attacks/": ("attacks/", "core/"),
    "trainer/": ("trainer/", "attacks/", "cluster/", "core/"),
    # Linked into sweep_runner, which must not load LibTorch.
    "trainer/datasets/": ("trainer/datasets/", "core/"),
    "runner/plan/": (
        "runner/plan/", "runner/scheduling/", "runner/inspect/journal_reader.hpp", "runner/slurm/options.hpp",
        "storage/", "core/", "trainer/datasets/dataset.hpp"),
    "runner/scheduling/": ("runner/scheduling/", "core/"),
    "runner/slurm/": ("runner/slurm/", "core/"),
    "runner/tensorboard/": ("runner/tensorboard/", "core/"),
    "runner/engine/": (
        "runner/engine/", "runner/plan/", "runner/scheduling/", "runner/tensorboard/", "cluster/", "storage/", "core/"),
    "runner/data/": ("runner/data/", "runner/engine/", "trainer/datasets/", "cluster/", "storage/", "core/"),
    "runner/tasks/": ("runner/tasks/", "trainer/", "attacks/", "cluster/", "storage/", "core/"),
    "runner/steps/": (
        "runner/steps/", "runner/tasks/checkpoint.hpp", "runner/tasks/tensors.hpp", "trainer/", "attacks/", "cluster/", "storage/", "core/"),
    "runner/report/": ("runner/report/", "storage/", "core/"),
    # What programs say of themselves: man pages, completion.
    "runner/command_line/": ("runner/command_line/", "core/"),
    "runner/bin/step_": ("runner/bin/step_", "runner/command_line/", "runner/steps/", "trainer/", "attacks/", "core/"),
    "runner/bin/trial_executor.cpp": (
        "runner/bin/step_", "runner/command_line/", "runner/tasks/", "trainer/", "attacks/", "cluster/", "storage/", "core/"),
    # Verbs: they may use everything that sweep_runner links, which is not LibTorch.
    "runner/commands/": (
        "runner/commands/", "runner/command_line/", "runner/data/", "runner/engine/", "runner/inspect/", "runner/plan/", "runner/scheduling/",
        "runner/slurm/", "runner/upkeep/", "cluster/", "storage/", "core/"),
    # The state of a run, read from its folder; what else is done with results.
    "runner/inspect/": ("runner/inspect/", "storage/", "core/"),
    "runner/upkeep/": (
        "runner/upkeep/", "runner/inspect/", "runner/report/", "runner/plan/record.hpp", "runner/plan/run_options.hpp",
        "cluster/", "storage/", "core/"),
    "runner/bin/sweep_runner.cpp": ("runner/command_line/step_names.hpp", "runner/commands/app.hpp", "cluster/", "core/"),
    # Starts in milliseconds, without MPI and LibTorch.
    "runner/bin/aggregate_results.cpp": ("runner/report/", "runner/command_line/", "storage/", "core/"),
    "tests/": EVERYTHING,
    "benchmarks/": EVERYTHING,
}

ANYWHERE_BELOW = ("tests/", "benchmarks/")

# Pattern of the header -> where it may be included. "*.cpp" behind a folder: not in its headers.
LIBRARIES = [
    (r"nlohmann/.*", ("core/json.hpp",)),
    (r"openssl/.*", ("core/hash.cpp",)),
    (r"(spdlog|fmt)/.*", ("core/log.cpp",)),
    (r"toml\+\+/.*|toml\.hpp", ("core/document.cpp",)),
    (r"CLI/.*", ("runner/bin/", "runner/commands/*.cpp", "runner/command_line/*.cpp")),
    (r"(hdf5|H5\w*)\.h", ("storage/hdf5/",)),
    (r"mpi\.h", ("cluster/*.cpp",)),
    (r"malloc\.h", ("trainer/memory.cpp",)),
    (r"stb/stb_easy_font\.h", ("runner/data/*.cpp",)),
    (r"turbojpeg\.h|png\.h|stb/.*|libexif/.*|dcmtk/.*", ("trainer/datasets/*.cpp",)),
    (r"zip\.h", ("trainer/weights/*.cpp",)),
    # Enough for a struct that holds tensors; the whole of LibTorch takes seconds to compile.
    (r"ATen/core/Tensor\.h", ("attacks/", "trainer/", "runner/tasks/", "runner/steps/")),
    # Layers that only the models' .cpp files put into theirs.
    (r"(torch|ATen|c10)/.*", (
        "attacks/*.cpp", "attacks/device_operator.hpp", "trainer/*.cpp", "trainer/models/chain.hpp", "trainer/models/convolution.hpp",
        "trainer/models/dropout.hpp", "trainer/models/linear.hpp", "trainer/parallel/batch_norm.hpp", "trainer/preprocessors/denoising_unet.hpp",
        "runner/tasks/*.cpp", "runner/steps/*.cpp")),
    (r"(cuda_runtime|cuda_bf16)\.h", ("trainer/cuda/kernels/",)),
    (r"(gtest|gmock)/.*", ()),
]
NO_TORCH = "trainer/datasets/"

STANDARD = re.compile(r"[a-z_0-9]+")  # <vector>, <cstdint>
SYSTEM = re.compile(
    r"(sys|linux|arpa|netinet)/\w+\.h|"
    r"(unistd|fcntl|signal|time|sched|poll|pthread|dlfcn|link|termios|netdb|spawn|pwd|errno|stdlib|string|stdio)\.h")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def allowed_of_project(path):
    matching = [folder for folder in FOLDERS if path.startswith(folder)]
    return FOLDERS[max(matching, key=len)] if matching else None


def is_in(path, place):
    if place.endswith("*.cpp"):
        return path.startswith(place[: -len("*.cpp")]) and path.endswith(".cpp")
    return path.startswith(place)


def check_project_include(path, header):
    allowed = allowed_of_project(path)
    if allowed is None:
        return "the folder has no layer; add it to FOLDERS in tests/lint/include_layers.py"
    if not header.startswith(EVERYTHING):
        return f'"{header}" does not start at the project\'s folder (every #include names its layer)'
    if not header.startswith(allowed):
        return f'"{header}" is beyond its layer; allowed: {", ".join(allowed)}'
    return None


def check_library_include(path, header):
    if header.startswith(EVERYTHING):
        return f'<{header}> is a header of the project; write "{header}"'
    if STANDARD.fullmatch(header) or SYSTEM.fullmatch(header) or path.startswith(ANYWHERE_BELOW):
        return None
    for pattern, places in LIBRARIES:
        if not re.fullmatch(pattern, header):
            continue
        torch_in_datasets = path.startswith(NO_TORCH) and NO_TORCH + "*.cpp" not in places
        if any(is_in(path, place) for place in places) and not torch_in_datasets:
            return None
        return f"<{header}> may be included only in: {', '.join(places) or 'tests/'}"
    return f"<{header}> is of no library that the project knows; add it to LIBRARIES in tests/lint/include_layers.py"


def check_file(root, name):
    findings = []
    path = str(name)
    for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        check = check_project_include if match[1] == '"' else check_library_include
        problem = check(path, match[2])
        if problem:
            findings.append(f"{path}:{number}: {problem}")
    return findings


def main():
    root = sources.parse_root(__doc__.splitlines()[0])
    files = sources.project_files(root, sources.CODE)
    sources.report("include_layers", len(files), [finding for name in files for finding in check_file(root, name)])


if __name__ == "__main__":
    main()
