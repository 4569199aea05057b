"""Milliseconds per trial that sweep runners add, on trials that do nothing.

Every tool runs the same number of trials with the same number of workers, in turns, and its time from start to
end is divided by the trials. What is kept of a trial differs, and is said: ours syncs a journal and one artifact
file for each of a trial's two tasks (model, evaluation); Optuna commits to SQLite; Ray Tune and submitit write
their own files.

    benchmarks/sweep_overhead/run --trials 200 --rounds 3
    benchmarks/sweep_overhead/run --only ours --trials 100 1000 10000
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

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
[grid]
"training.seed" = {seeds}
[[table.column]]
label = "clean"
"""


def ours(folder, trials, workers):
    (folder / "noop.toml").write_text(SWEEP.format(seeds=list(range(trials))))
    command = [PROJECT / "build/bin/sweep_runner", "run", folder / "noop.toml", "--out", folder / "out",
               "--executor", PROJECT / "build/tests/noop_executor", "--progress", "plain"]
    if workers > 1:
        command += ["--np", str(workers)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, coordinator_memory(process.pid))
        time.sleep(0.05)
    seconds = time.perf_counter() - start
    if process.returncode != 0:
        raise SystemExit(f"sweep_runner failed with {process.returncode}")
    return seconds, {"coordinator_peak_mb": round(peak / 1e6, 1)}


def coordinator_memory(pid):
    """Bytes of the largest resident set among the process and its descendants that are sweep_runner."""
    sizes = [0]
    for path in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            text = path.read_text()
        except OSError:
            continue
        if "Name:\tsweep_runner" in text:
            sizes += [int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmHWM")]
    return max(sizes)


def in_python(code):
    """A tool that runs in a process of its own, so that its start and end count, as ours do."""
    def run(folder, trials, workers):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code, str(folder), str(trials), str(workers)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"})
        return time.perf_counter() - start, {}
    return run


OPTUNA = """
import sys, optuna
folder, trials, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(storage=f"sqlite:///{folder}/study.db", sampler=optuna.samplers.RandomSampler(seed=0))
study.optimize(lambda trial: float(trial.suggest_int("seed", 0, 10**6)), n_trials=trials, n_jobs=workers)
"""

RAY = """
import sys, ray
from ray import tune
folder, trials, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
tuner = tune.Tuner(tune.with_resources(lambda config: {"value": config["seed"]}, {"cpu": 1}),
                   param_space={"seed": tune.grid_search(list(range(trials)))},
                   run_config=tune.RunConfig(storage_path=folder, name="noop", verbose=0))
assert len(tuner.fit()) == trials
"""

SUBMITIT = """
import sys, submitit
folder, trials, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
executor = submitit.LocalExecutor(folder)
waiting = list(range(trials))
running = []
while waiting or running:
    while waiting and len(running) < workers:
        running.append(executor.submit(float, waiting.pop()))
    running[0].result()
    running.pop(0)
"""

TOOLS = {"ours": ours, "optuna": in_python(OPTUNA), "ray": in_python(RAY), "submitit": in_python(SUBMITIT)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[200])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--folder", help="where to write (default: the system's temporary folder)")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here as well")
    arguments = parser.parse_args()
    figures = []
    for trials in arguments.trials:
        times = {name: [] for name in arguments.only}
        notes = {}
        for _ in range(arguments.rounds):
            for name in arguments.only:
                with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
                    seconds, notes[name] = TOOLS[name](pathlib.Path(folder), trials, arguments.workers)
                times[name].append(1000 * seconds / trials)
        for name, values in times.items():
            figure = {"tool": name, "trials": trials, "workers": arguments.workers,
                      "ms_per_trial": round(statistics.median(values), 3), "min": round(min(values), 3),
                      "max": round(max(values), 3), **notes[name]}
            if name != "ours" and "ours" in times:
                figure["times_ours"] = round(statistics.median(values) / statistics.median(times["ours"]), 1)
            figures.append(figure)
            print("  ".join(f"{key} {value}" for key, value in figure.items()), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
