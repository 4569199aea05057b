"""Small sweeps that the fault campaign and the soak run, and what is asked of their folders."""

import json
import os
import pathlib
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parents[2]

# Tasks without work: everything around the tasks is real, and a run takes a tenth of a second.
EMPTY = """[sweep]
name = "small"
[dataset]
name = "synthetic_lesions"
[model]
name = "resnet18"
[defence]
name = "none"
[attacker]
training.seed = 0
[attacks.fgsm]
method = "fgsm"
epsilon = "4/255"
[grid]
"training.seed" = [{seeds}]
"""

# Every kind of artifact, each for real: dataset, models, a preprocessor that learns from images and one that
# learns from adversarial sets, shards, evaluations.
REAL = """[sweep]
name = "small"
[dataset]
name = "synthetic_lesions"
image_size = 32
train_per_class = 4
test_per_class = 3
[model]
name = "resnet18"
[defence]
name = "none"
[training]
epochs = 1
batch_size = 8
[attacker]
training.seed = 0
[preprocessor.reformer]
epochs = 1
[preprocessor.hgd]
epochs = 1
width = 4
training_attacks = ["fgsm"]
[attacks.fgsm]
method = "fgsm"
epsilon = "4/255"
[grid]
"training.seed" = [{seeds}]
[[include]]
"preprocessor.name" = ["reformer", "hgd"]
[run]
threads = 1
shard_size = 8
checkpoint_seconds = 0
"""


class Programs:
    """The programs under test, and how a sweep is run with them."""

    def __init__(self, build, real=False):
        self.build = pathlib.Path(build).resolve()
        self.real = real
        self.runner = self.build / "bin/sweep_runner"
        self.noop = self.build / "tests/noop_executor"
        self.executor_name = "trial_executor" if real else self.noop.name
        self.injection = self.build / "tests/libfault_injection.so"
        for program in (self.runner, self.noop):
            if not program.exists():
                raise SystemExit(f"'{program}' is not there; build it: scripts/build")

    def sweep_text(self, trials):
        return (REAL if self.real else EMPTY).format(seeds=", ".join(str(i) for i in range(trials)))

    def run_command(self, folder, ranks=0, options=()):
        command = [str(self.runner), "run", str(folder / "small.toml"), "--out", str(folder / "out"),
                   "--progress", "plain", *options]
        if ranks:
            command += ["--np", str(ranks)]
        if not self.real:
            command += ["--executor", str(self.noop)]
        return command

    def table(self, folder):
        return subprocess.run([str(self.build / "bin/aggregate_results"), str(folder / "out"), "--format", "csv"],
                              capture_output=True, check=False)


def journal(folder):
    """Events of the run; lines that are none are left out."""
    path = folder / "out/runs/small/journal.jsonl"
    if not path.exists():
        return []
    events = []
    for line in path.read_bytes().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def processes_below(pid):
    """pid and all its descendants, as pid -> command line."""
    parents, names = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path("/proc", entry, "stat").read_text()
            names[int(entry)] = pathlib.Path("/proc", entry, "cmdline").read_bytes().replace(b"\0", b" ").decode(
                errors="replace").strip()
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if state not in "ZX":
            parents[int(entry)] = int(parent)
    found = {pid} if pid in parents else set()
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return {number: names[number] for number in sorted(found)}
        found |= more


def processes_with(text):
    """Command lines of all processes that have this in theirs."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                command = pathlib.Path("/proc", entry, "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if text in command:
                found.append(command.replace("\0", " "))
    return found


def roles(started, commands):
    """What each process of a run is. Of the ranks, the one with the lowest number is the coordinator."""
    programs = {pid: pathlib.Path(command.split()[0]).name if command else "" for pid, command in commands.items()}
    has_launcher = " --np " in commands.get(started, "")
    ranks = [pid for pid, program in programs.items()
             if program == "sweep_runner" and not (has_launcher and pid == started)]

    def role(pid, program):
        if program == "sweep_runner":
            return "launcher" if pid not in ranks else "coordinator" if pid == ranks[0] else "agent"
        return {"mpirun": "mpirun", "orterun": "mpirun", "trial_executor": "executor",
                "noop_executor": "executor"}.get(program, "other")

    return {pid: role(pid, program) for pid, program in programs.items()}
