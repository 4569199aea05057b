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
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import small_training  # noqa: E402

STEPS = 6  # in an epoch


def train(arguments, ranks, compression):
    return small_training.run(
        arguments.programs, images=STEPS * ranks * arguments.batch, size=arguments.size, batch=ranks * arguments.batch,
        defence=arguments.loss, precision=arguments.precision, threads=1, device=arguments.device, ranks=ranks,
        batch_norm=arguments.batch_norm, compression=compression)


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/scaling/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--loss", choices=list(small_training.DEFENCES), default="L_n 1 + L_a 10")
    parser.add_argument("--batch-norm", choices=["synchronised", "local"], default="synchronised")
    parser.add_argument("--size", type=int, default=64, help="pixels, default 64")
    parser.add_argument("--batch", type=int, default=32, help="images of each rank, default 32")
    parser.add_argument("--precision", default="float32", choices=["float32", "tf32", "bf16"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each, default 3")
    parser.add_argument("--programs", type=pathlib.Path, default=small_training.PROJECT / "build/bin", metavar="DIR")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE.json")
    arguments = parser.parse_args()
    cases = [(ranks, compression) for ranks in arguments.ranks
             for compression in (("none", "bf16") if ranks > 1 else ("none",))]
    turns = {case: [] for case in cases}
    for _ in range(arguments.rounds):
        for case in cases:
            turns[case].append(train(arguments, *case))
    cores = os.cpu_count() if arguments.device == "cpu" else max(arguments.ranks)
    alone = statistics.median(turn.images_per_second for turn in turns[1, "none"]) if (1, "none") in turns else None
    results = []
    print("| ranks | gradients travel as | images/s (range) | efficiency | MB of a step and rank | during the backward pass |")
    print("|---|---|---|---|---|---|")
    for (ranks, compression), trainings in turns.items():
        speeds = [turn.images_per_second for turn in trainings]
        median = statistics.median(speeds)
        efficiency = median / (alone * min(ranks, cores)) if alone else None
        step_bytes, overlapped = trainings[0].gradient_bytes / (small_training.EPOCHS * STEPS), trainings[0].overlapped
        results.append({"ranks": ranks, "compression": compression, "images_per_second": speeds, "efficiency": efficiency,
                        "bytes_per_step": step_bytes, "overlapped_percent": overlapped})
        print(f"| {ranks} | {'float32' if compression == 'none' else compression} | {median:.1f} ({min(speeds):.1f} - "
              f"{max(speeds):.1f}) | {'' if efficiency is None else f'{100 * efficiency:.0f} %'} | {step_bytes / 1e6:.1f} | "
              f"{overlapped:.0f} % |")
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
