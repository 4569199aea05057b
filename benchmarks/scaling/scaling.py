"""How training scales with the ranks that train one model together.

Trains the same ResNet18 on 1, 2, 4, ... ranks (`--devices-per-trial`), each with its own thread or GPU, and prints the
efficiency: the speed as a part of that of as many ranks that have nothing to do with each other. Weak scaling: every
rank has `--batch` images of each step. Ranks beyond the cores of the machine share them: their efficiency is that of
the work in all.

    benchmarks/scaling/run                    1 and 2 ranks on this machine's cores
    benchmarks/scaling/run --ranks 1 2 4 8 --device cuda --size 224 --batch 64
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

import h5py

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent

SWEEP = """
[sweep]
name = "scaling"
[dataset]
name = "synthetic_lesions"
image_size = {size}
train_per_class = {per_class}
test_per_class = 2
[model]
name = "resnet18"
[defence]
{defence}
[attacker]
defence.name = "none"
[training]
epochs = 3
batch_size = {batch}
precision = "{precision}"
[run]
threads = 1
device = "{device}"
devices_per_trial = {ranks}
gradient_compression = "{compression}"
"""

DEFENCES = {"cross-entropy": 'name = "none"', "full": 'name = "denoising"\nlambda_n = 1\nlambda_a = 10'}


def train(arguments, ranks, compression):
    """Clean images/s of the last epoch; bytes that a rank gave in each step; the part that the backward pass hid."""
    steps = 6  # in an epoch
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "sweep.toml").write_text(SWEEP.format(
            size=arguments.size, per_class=steps * ranks * arguments.batch // 4, batch=ranks * arguments.batch, ranks=ranks,
            precision=arguments.precision, device=arguments.device, compression=compression,
            defence=DEFENCES[arguments.loss]))
        subprocess.run([arguments.programs / "sweep_runner", folder / "sweep.toml", "--out", folder / "out", "--np",
                        str(ranks)], check=True, stdout=subprocess.DEVNULL)
        (model,) = (folder / "out/artifacts/model").iterdir()
        with h5py.File(model) as file:
            speed = float(file["history/images_per_second"][-1])
        traffic = [(int(match[1]), float(match[2])) for log in folder.glob("out/runs/scaling/logs/*.log")
                   for match in re.finditer(r"gave (\d+) bytes .*?([\d.]+) % of them", log.read_text())]
    return speed, traffic[0][0] / (3 * steps) if traffic else 0, traffic[0][1] if traffic else 0


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/scaling/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--loss", choices=list(DEFENCES), default="full")
    parser.add_argument("--size", type=int, default=64, help="pixels, default 64")
    parser.add_argument("--batch", type=int, default=32, help="images of each rank, default 32")
    parser.add_argument("--precision", default="float32", choices=["float32", "tf32", "bf16"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each, default 3")
    parser.add_argument("--programs", type=pathlib.Path, default=PROJECT / "build/bin", metavar="DIR")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE.json")
    arguments = parser.parse_args()
    cases = [(ranks, compression) for ranks in arguments.ranks
             for compression in (("none", "bf16") if ranks > 1 else ("none",))]
    turns = {case: [] for case in cases}
    for _ in range(arguments.rounds):
        for case in cases:
            turns[case].append(train(arguments, *case))
    cores = os.cpu_count() if arguments.device == "cpu" else max(arguments.ranks)
    alone = statistics.median(speed for speed, _, _ in turns[1, "none"]) if (1, "none") in turns else None
    results = []
    print("| ranks | gradients travel as | images/s (range) | efficiency | MB of a step and rank | during the backward pass |")
    print("|---|---|---|---|---|---|")
    for (ranks, compression), figures in turns.items():
        speeds = [speed for speed, _, _ in figures]
        median = statistics.median(speeds)
        efficiency = median / (alone * min(ranks, cores)) if alone else None
        results.append({"ranks": ranks, "compression": compression, "images_per_second": speeds, "efficiency": efficiency,
                        "bytes_per_step": figures[0][1], "overlapped_percent": figures[0][2]})
        print(f"| {ranks} | {'float32' if compression == 'none' else compression} | {median:.1f} ({min(speeds):.1f} - "
              f"{max(speeds):.1f}) | {'' if efficiency is None else f'{100 * efficiency:.0f} %'} | {figures[0][1] / 1e6:.1f} | "
              f"{figures[0][2]:.0f} % |")
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
