"""What the engine, the executor and the store take of tasks that compute, but next to nothing: a ResNet18 on 16 images
of 16 pixels.

Reads the journal of a run of trial_executor. The first task's time has the start of the executor in it.

    benchmarks/sweep_overhead/real_tasks.py --seeds 10
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

from utilisation import PROJECT, SWEEP

TINY = ["dataset.image_size=16", "dataset.train_per_class=8", "dataset.test_per_class=8", "training.epochs=1",
        "training.batch_size=16"]


def done_tasks(seeds):
    """Kind and seconds of every task, in the order in which they were done."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "tiny.toml").write_text(SWEEP.format(last=seeds - 1, devices=1))
        subprocess.run([PROJECT / "build/bin/sweep_runner", "run", folder / "tiny.toml", "--out", folder / "out",
                        *(f"--set={key}" for key in TINY)], check=True, stdout=subprocess.DEVNULL)
        lines = (folder / "out/runs/noop/journal.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    return [(event["kind"], event["seconds"]) for event in events if event["event"] == "done"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="trainings; each has two evaluations")
    seeds = parser.parse_args().seeds
    (kind, first), *others = done_tasks(seeds)
    print(f"the first task ({kind}), with the start of the executor: {first:.3f} s")
    for kind in sorted({kind for kind, _ in others}):
        seconds = [1000 * value for other, value in others if other == kind]
        print(f"{kind}: {len(seconds)} tasks, median {statistics.median(seconds):.1f} ms, "
              f"{min(seconds):.1f} to {max(seconds):.1f} ms")


if __name__ == "__main__":
    main()
