"""How busy 8 ranks are with trials of several devices each, on tasks of known length.

Reads the journal of a run of noop_executor: the time that ranks were busy, beside the shortest time in which the
same tasks could have been done (their work spread over all ranks, or the longest chain of them).

    benchmarks/sweep_overhead/utilisation.py --devices 1 2 4
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent

SWEEP = """
[sweep]
name = "noop"
[dataset]
name = "synthetic_lesions"
[model]
name = "resnet18"
[defence]
name = "none"
[attacks.fgsm]
method = "fgsm"
epsilon = "4/255"
[attacker]
training.seed = 0
[grid]
"training.seed" = {{from = 0, to = {last}, step = 1}}
[run]
devices_per_trial = {devices}
"""


def measure(devices, trials, ranks, seconds):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "noop.toml").write_text(SWEEP.format(last=trials - 1, devices=devices))
        subprocess.run([PROJECT / "build/bin/sweep_runner", "run", "--np", str(ranks), folder / "noop.toml", "--out",
                        folder / "out", "--executor", PROJECT / "build/tests/noop_executor"], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "NOOP": json.dumps({"seconds": seconds})})
        run = folder / "out/runs/noop"
        journal = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
        status = json.loads((run / "status.json").read_text())
        tasks = json.loads((run / "plan.json").read_text())["tasks"]
    width = {event["artifact"]: len(event["ranks"]) for event in journal if event["event"] == "started"}
    lengths = {event["artifact"]: event["seconds"] for event in journal if event["event"] == "done"}
    work = sum(seconds * width[artifact] for artifact, seconds in lengths.items())
    ends = []
    for task in tasks:
        ends.append(max((ends[i] for i in task["inputs"]), default=0) + lengths[task["hash"]])
    bound = max(work / ranks, max(ends))
    elapsed = status["elapsed_s"]
    print(f"{devices} device(s) per model, 1 per other task: {trials} trials, {len(lengths)} tasks on {ranks} ranks in "
          f"{elapsed:.1f} s; at best {bound:.1f} s: {100 * bound / elapsed:.0f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--ranks", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.5)
    arguments = parser.parse_args()
    for devices in arguments.devices:
        measure(devices, arguments.trials, arguments.ranks, arguments.seconds)


if __name__ == "__main__":
    main()
