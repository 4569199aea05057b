"""Runs a small sweep again and again, does something bad to each run, and checks what is left of it.

After each fault: an exit status that is documented and a message; resumed without the fault, the sweep ends
in the table of an undisturbed run, byte for byte; no result lost, no number wrong, no temporary file left.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import faults
import small_sweep

DOCUMENTED = (0, 1, 2, 75)
CRASHED = re.compile(r"terminate called|Segmentation fault|AddressSanitizer|Traceback|what\(\):")
SHORT = {"kill": 8, "pause": 2, "hang": 1, "inject": 14, "slow": 1, "clock": 2, "limited": 3, "mounted": 2,
         "damaged": 6, "request": 1, "second_run": 1, "stale_lock": 1, "late_publish": 1}
# In which proportion a long campaign does them.
SHARES = {"kill": 48, "pause": 4, "hang": 2, "inject": 40, "slow": 2, "clock": 4, "limited": 6, "mounted": 4,
          "damaged": 16, "request": 1, "second_run": 1, "stale_lock": 1, "late_publish": 1}


class Problem(Exception):
    pass


class Case:
    """One fault, done to a folder of its own."""

    def __init__(self, programs, reference, kind, name, folder, trials):
        self.programs, self.reference, self.kind, self.folder = programs, reference, kind, folder
        self.random = random.Random(name)
        self.faults, self.skipped, self.outputs = [], None, []
        self.done, self.longest = False, 8.0 if programs.real else 0.9
        self.damaged = False
        (folder / "small.toml").write_text(programs.sweep_text(trials))

    def happened(self, what):
        self.faults.append(what)

    def skip(self, why):
        self.skipped = why

    def expect(self, condition, text):
        if not condition:
            raise Problem(text)

    def start(self, ranks=0, options=(), environment=None, before=None, seconds=0.02):
        behaviour = json.dumps({"seconds": seconds, "results": True})
        output = self.folder / f"output{len(self.outputs)}"
        self.outputs.append(output)
        with open(output, "wb") as file:
            return subprocess.Popen(self.programs.run_command(self.folder, ranks, options), stdout=file, stderr=file,
                                    stdin=subprocess.DEVNULL, preexec_fn=before, start_new_session=True,
                                    env=dict(os.environ, NOOP=behaviour, **(environment or {})))

    def finish(self, process, also=(), patience=60):
        """Waits for the end, and looks at how it ended."""
        text_of = self.outputs[-1].read_text
        try:
            status = process.wait(timeout=patience if not self.programs.real else 5 * patience)
        except subprocess.TimeoutExpired:
            for pid in small_sweep.processes_below(process.pid):
                os.kill(pid, 9)
            process.wait()
            raise Problem(f"it hangs; its output: {text_of(errors='replace')[-1500:]}") from None
        text = text_of(errors="replace")
        self.expect(status in DOCUMENTED or status in also, f"exit status {status}; its output: {text[-1500:]}")
        self.expect(status in also or text.strip(), f"exit status {status} without a word")
        self.expect(not CRASHED.search(text), f"a crash: {text[-1500:]}")
        return status

    def wait_for_the_end_of_all(self):
        """Of the processes that a killed one has left behind: they have to end by themselves."""
        end = time.monotonic() + 20
        while left := small_sweep.processes_with(str(self.folder)):
            self.expect(time.monotonic() < end, f"processes go on without their parents: {left}")
            time.sleep(0.05)

    def inject(self, settings, what, ranks, always=False):
        fired = self.folder / "fired"
        environment = {key: str(value) for key, value in settings.items()}
        environment.update(LD_PRELOAD=str(self.programs.injection), FAULT_UNDER=str(self.folder / "out"),
                           FAULT_FIRED=str(fired))
        status = self.finish(self.start(ranks, environment=environment), patience=120)
        if always or fired.exists():
            self.happened(f"{what} in {settings.get('FAULT_PROGRAM', 'all')} -> {status}")

    def damage_is_noticed(self, victim):
        """A table read from a damaged folder may lack cells; it never has other numbers."""
        self.damaged = True
        table = self.programs.table(self.folder)
        text = table.stdout.decode(errors="replace") + table.stderr.decode(errors="replace")
        self.expect(table.returncode in DOCUMENTED and not CRASHED.search(text),
                    f"aggregate_results ended with {table.returncode}: {text[-800:]}")
        if table.stdout == self.reference:
            return
        self.expect(text.strip(), f"aggregate_results said nothing ({table.returncode})")
        wrong = [line for line in table.stdout.decode(errors="replace").splitlines()
                 if not fits(line, self.reference.decode().splitlines())]
        self.expect(not wrong or table.returncode != 0 and not table.stdout,
                    f"wrong numbers in the table after {victim} was damaged: {wrong[:3]}")

    def settle(self):
        """Goes on without the fault until all is done, and compares."""
        for options in ([], ["--retry-failed"], ["--retry-failed"]):
            process = self.start(0, options)
            status = self.finish(process)
            output = self.outputs[-1].read_text(errors="replace")
            if status == 2 and "delete the file" in output and self.damaged:  # the message says what to do
                (self.folder / "out/epoch").unlink()
            elif status == 0:
                break
        self.expect(status == 0, f"it does not end well without the fault: status {status}: {output[-1500:]}")
        table = self.programs.table(self.folder)
        self.expect(table.stdout == self.reference, f"another table: {table.stdout.decode()[:1500]} "
                                                    f"{table.stderr.decode()[-500:]}")
        verify = subprocess.run([str(self.programs.runner), "verify", str(self.folder / "out")],
                                capture_output=True, check=False, text=True)
        left = sorted(str(path.relative_to(self.folder)) for path in (self.folder / "out").rglob("*.tmp"))
        self.expect(not left, f"temporary files are left: {left}")
        self.expect(verify.returncode == 0 or self.damaged,
                    f"verify ends with {verify.returncode}: {verify.stdout[-800:]}{verify.stderr[-300:]}")
        self.count_work()
        self.done = True

    def settled(self):
        self.done = True

    def count_work(self):
        """Made once more though the journal said done is lost; started once more is repeated."""
        made = collections.Counter(event.get("artifact") for event in small_sweep.journal(self.folder)
                                   if event.get("event") == "done")
        self.tasks = len(made)
        self.lost = 0 if self.damaged else sum(count - 1 for count in made.values())
        started = sum(event.get("event") == "started" for event in small_sweep.journal(self.folder))
        self.repeated = started - len(made)
        self.expect(self.lost == 0, f"{self.lost} results were lost and made again")

    def run(self):
        faults.KINDS[self.kind](self)
        if not self.done and not self.skipped:
            self.settle()
        return {"faults": self.faults, "skipped": self.skipped, "repeated": getattr(self, "repeated", 0),
                "lost": getattr(self, "lost", 0), "tasks": getattr(self, "tasks", 0)}


def fits(line, reference):
    """A line of the reference, perhaps with cells that are empty."""
    cells = line.split(",")
    return any(len(cells) == len(other := whole.split(",")) and
               all(mine == theirs or mine in ("", "0", "missing") for mine, theirs in zip(cells, other))
               for whole in reference)


def reference_table(programs, trials):
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        case = Case(programs, b"", "none", "reference", pathlib.Path(name), trials)
        began = time.monotonic()
        if case.finish(case.start()) != 0:
            raise SystemExit("the undisturbed run fails: " + case.outputs[-1].read_text())
        return programs.table(pathlib.Path(name)).stdout, time.monotonic() - began


def run_case(programs, reference, seed, index, kind, trials):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-"))
    case = Case(programs, reference, kind, f"{seed}/{index}/{kind}", folder, trials)
    result = {"case": index, "kind": kind}
    began = time.monotonic()
    try:
        result.update(case.run(), problem=None)
    except Problem as problem:
        result.update(faults=case.faults, problem=str(problem))
    except Exception:  # a mistake of the campaign's own
        result.update(faults=case.faults, problem=traceback.format_exc())
    result["seconds"] = round(time.monotonic() - began, 2)
    if result["problem"]:
        result["folder"] = str(folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def planned(arguments):
    """-> (index, kind) of each case."""
    if arguments.kind:
        kinds = [arguments.kind] * arguments.cases
    elif arguments.short:
        kinds = [kind for kind, count in SHORT.items() for _ in range(count)]
    else:
        shares = [kind for kind, count in SHARES.items() for _ in range(count)]
        random.Random(arguments.seed).shuffle(shares)
        kinds = ["silent"] * arguments.silent + [shares[i % len(shares)] for i in range(arguments.cases)]
    cases = list(enumerate(kinds))
    return cases if arguments.case is None else [cases[arguments.case]]


def summary(results):
    lines = []
    for kind in sorted({result["kind"] for result in results}):
        mine = [result for result in results if result["kind"] == kind]
        lines.append(f"{kind:13} {len(mine):5} runs {sum(len(r['faults']) for r in mine):5} faults "
                     f"{sum(r.get('lost', 0) for r in mine):3} lost {sum(r.get('repeated', 0) for r in mine):5} "
                     f"attempts repeated of {sum(r.get('tasks', 0) for r in mine)} tasks "
                     f"{sum(bool(r['problem']) for r in mine):4} problems")
    return lines


def report_problem(arguments, result):
    again = " ".join(["python3 tests/faults/campaign.py", f"--seed {arguments.seed}", f"--case {result['case']}",
                      "--short" if arguments.short else f"--cases {arguments.cases}",
                      *([f"--kind {arguments.kind}"] if arguments.kind else []), *(["--real"] if arguments.real else [])])
    print(f"PROBLEM {result['kind']} {result['faults']}: {result['problem']}\n  folder: {result['folder']}\n"
          f"  again: {again}", flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=small_sweep.PROJECT / "build", help="folder of the build")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--silent", type=int, default=0, help="further cases that stop an agent for good, 40 s each")
    parser.add_argument("--case", type=int, help="this one only")
    parser.add_argument("--kind", choices=faults.KINDS, help="faults of this kind only")
    parser.add_argument("--short", action="store_true", help="some of each kind, for every change")
    parser.add_argument("--minutes", type=float, default=1e9, help="start no further case after this time")
    parser.add_argument("--real", action="store_true", help="tiny trainings and attacks in place of empty tasks")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2, help="cases at once")
    parser.add_argument("--report", type=pathlib.Path, help="write all results here, as JSON")
    return parser.parse_args()


def main():
    arguments = parse()
    programs = small_sweep.Programs(arguments.build, arguments.real)
    reference, seconds = reference_table(programs, arguments.trials)
    print(f"seed {arguments.seed}; an undisturbed run takes {seconds:.1f} s", flush=True)
    end = time.monotonic() + 60 * arguments.minutes
    results = []

    def work(case):
        index, kind = case
        if time.monotonic() > end:
            return
        result = run_case(programs, reference, arguments.seed, index, kind, arguments.trials)
        results.append(result)
        if result["problem"]:
            report_problem(arguments, result)

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(work, planned(arguments)))
    for line in summary(results):
        print(line)
    for why in sorted({result["skipped"] for result in results if result.get("skipped")}):
        print("skipped:", why)
    kinds = collections.Counter(re.sub(r" in \S+ -> \d+$", "", what) for result in results for what in result["faults"])
    print("; ".join(f"{what} {count}" for what, count in sorted(kinds.items())))
    problems = sum(bool(result["problem"]) for result in results)
    print(f"{len(results)} runs, {sum(kinds.values())} faults, {problems} problems")
    if arguments.report:
        arguments.report.write_text(json.dumps({"seed": arguments.seed, "results": results}, indent=1) + "\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
