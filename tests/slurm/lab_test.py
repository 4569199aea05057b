"""Table 1 in small as jobs of a real SLURM: lab/up starts one with four nodes on this machine.

The tasks are done by noop_executor, whose results follow from the names of the artifacts alone: whatever happens to
a job, the table has to be the one of an undisturbed run, and what was made is not made again.
"""

import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
BINARIES = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
NODES = 4

TABLE1 = HERE.parent.parent / "sweeps/quick/table1.toml"
SLURM = """
[slurm]
nodes = 4
gpus_per_node = 2
time = "10"
requeues = 10
"""


def missing():
    """Why there can be no lab here, or nothing."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    for program in ("munged", "slurmctld", "slurmd", "sbatch", "srun", "mpirun", "unshare"):
        if shutil.which(program, path=path) is None:
            return f"{program} is not installed (scripts/setup --with-slurm)"
    return "slurmd and host names of its own need root" if os.geteuid() != 0 else None


def until(condition, what, seconds=90):
    """Its value, once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


def output_of(*command):
    return subprocess.run([str(word) for word in command], check=True, text=True, stdout=subprocess.PIPE).stdout


class Lab:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sweep_lab")
        os.environ.update(
            SWEEP_LAB=self.folder, SLURM_CONF=self.folder + "/slurm.conf", XDG_CONFIG_HOME=self.folder,
            OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_btl_tcp_if_include="lo",
            OMPI_MCA_oob_tcp_if_include="lo", SLURM_PMIX_DIRECT_CONN="false")
        self.up()

    def up(self):
        subprocess.run([HERE / "lab/up"], check=True)

    def crash(self, node):
        subprocess.run([HERE / "lab/crash", node], check=True)

    def close(self):
        subprocess.run([HERE / "lab/down"], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self, node, name):
        """Processes of the node, by its host name, whose program is called so."""
        found = []
        daemon = pathlib.Path(self.folder, "run", node + ".pid").read_text().strip()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                same = os.readlink(folder / "ns/uts") == os.readlink(f"/proc/{daemon}/ns/uts")
                if same and (folder / "comm").read_text().strip() == name:
                    found.append(int(folder.name))
        return found


class Sweep:
    """Table 1 in a folder of its own."""

    def __init__(self, seconds=0.3):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sweep lab "))  # with a space
        self.file = self.folder / "table1.toml"
        self.file.write_text(TABLE1.read_text() + SLURM)
        self.seconds = seconds

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def submit(self, *options):
        return self.submit_real("--set=run.shard_size=100000", "--executor", BINARIES.parent / "tests/noop_executor",
                                *options)

    def submit_real(self, *options):
        """The same with tasks that compute."""
        noop = json.dumps({"seconds": self.seconds, "results": True})
        command = [BINARIES / "sweep_runner", "submit", self.file, "--out", self.folder / "out", *options]
        text = subprocess.run([str(word) for word in command], check=True, text=True, stdout=subprocess.PIPE,
                              env={**os.environ, "NOOP": noop}).stdout
        return re.findall(r"\d+", text.split(":")[0])

    def run_folders(self):
        return sorted((self.folder / "out/runs").glob("quick_table1*"))

    def journal(self):
        events = []
        for folder in self.run_folders():
            with contextlib.suppress(OSError):
                for line in (folder / "journal.jsonl").read_text().splitlines():
                    with contextlib.suppress(ValueError):
                        events.append(json.loads(line))
        return events

    def events(self, kind):
        return [event for event in self.journal() if event["event"] == kind]

    def status(self):
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.folder / "out/runs/quick_table1/status.json").read_text())
        return {}

    def log(self, job):
        return "".join(path.read_text() for path in (self.folder / "out/runs/quick_table1/slurm").glob(f"{job}*.log"))

    def table(self):
        return output_of(BINARIES / "aggregate_results", self.folder / "out", "--table", "quick_table1", "--format", "csv")

    def wait_for_tasks(self, count):
        until(lambda: len(self.events("done")) >= count, f"{count} tasks done")


def job_facts(job):
    text = output_of("scontrol", "--oneliner", "show", "job", job)
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


# A job that is preempted or requeued comes back: such states are none of these.
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE")


def end_of(job, seconds=150):
    """The job's last state and exit status."""
    def ended():
        facts = job_facts(job)
        return facts if facts["JobState"] in ENDED else None
    facts = until(ended, f"the end of job {job}", seconds)
    return facts["JobState"], int(facts["ExitCode"].split(":")[0])


class LabTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        undisturbed = Sweep(seconds=0)
        cls.addClassCleanup(undisturbed.close)
        cls.undisturbed, (cls.first_job,) = undisturbed, undisturbed.submit()
        cls.first_end = end_of(cls.first_job)
        cls.expected = undisturbed.table()

    def setUp(self):
        self.lab.up()
        self.sweep = Sweep()
        self.addCleanup(self.sweep.close)

    def check(self, job, lost=0, words=()):
        """The sweep is whole. @param lost  tasks that a fault may have cost after they were done"""
        self.assertEqual(end_of(job), ("COMPLETED", 0), self.sweep.log(job))
        self.assertEqual(self.sweep.table(), self.expected)
        times = collections.Counter(event["artifact"] for event in self.sweep.events("done"))
        self.assertLessEqual(sum(times.values()) - len(times), lost, times)
        for text in words:
            self.assertIn(text, self.sweep.log(job))

    def test_undisturbed_has_one_rank_for_each_gpu(self):
        self.assertEqual(self.first_end, ("COMPLETED", 0), self.undisturbed.log(self.first_job))
        places = [(event["host"], event["device"]) for event in self.undisturbed.events("rank")]
        self.assertCountEqual(places, [(f"n{node}", f"cuda {gpu}") for node in range(1, NODES + 1) for gpu in (0, 1)])
        self.assertEqual(self.undisturbed.events("run")[0]["slurm_job"], self.first_job)

    def test_srun_starts_the_same_ranks(self):
        (job,) = self.sweep.submit("--launcher=srun")
        self.check(job, words=["the sweep is finished"])
        places = {(event["host"], event["device"]) for event in self.sweep.events("rank")}
        self.assertEqual(len(places), 2 * NODES)

    def test_requeue_in_the_middle(self):
        (job,) = self.sweep.submit()
        self.sweep.wait_for_tasks(3)
        output_of("scontrol", "requeue", job)
        self.check(job, words=["start 2"])

    def test_the_warning_saves_and_goes_back_to_the_queue(self):
        (job,) = self.sweep.submit()
        self.sweep.wait_for_tasks(3)
        output_of("scancel", "--batch", "--signal=USR1", job)
        self.check(job, words=["the end of the job is near", "it goes back to the queue (1 of 10)", "start 2"])

    def test_cancelled_and_submitted_again(self):
        (job,) = self.sweep.submit()
        self.sweep.wait_for_tasks(3)
        output_of("scancel", job)
        self.assertEqual(end_of(job)[0], "CANCELLED")
        (job,) = self.sweep.submit()
        self.check(job)

    def test_stopped_on_request_it_does_not_come_back(self):
        (job,) = self.sweep.submit()
        self.sweep.wait_for_tasks(3)
        output_of(BINARIES / "sweep_runner", "drain", self.sweep.folder / "out", "--stop")
        self.assertEqual(end_of(job), ("FAILED", 75), self.sweep.log(job))
        self.assertIn("stopped on request", self.sweep.log(job))
        (job,) = self.sweep.submit()
        self.check(job)

    def test_budget_of_requeues(self):
        (job,) = self.sweep.submit("--requeues=0")
        self.sweep.wait_for_tasks(1)
        output_of("scancel", "--batch", "--signal=USR1", job)
        self.assertEqual(end_of(job), ("FAILED", 75), self.sweep.log(job))
        self.assertIn("which is the limit (slurm.requeues)", self.sweep.log(job))

    def test_time_limit_twice(self):
        self.sweep.seconds = 2.5
        (job,) = self.sweep.submit("--time=1", "--warning=30", "--ranks-per-node=1")
        self.assertEqual(end_of(job, 400), ("COMPLETED", 0), self.sweep.log(job))
        self.check(job, words=["the end of the job is near", "start 2", "start 3"])

    def test_an_executor_is_killed(self):
        (job,) = self.sweep.submit()
        self.sweep.wait_for_tasks(2)
        os.kill(until(lambda: self.lab.processes("n2", "noop_executor"), "an executor")[0], signal.SIGKILL)
        self.check(job)

    def test_an_agent_is_killed(self):
        self.sweep.seconds = 1
        (job,) = self.sweep.submit()
        self.sweep.wait_for_tasks(2)
        os.kill(until(lambda: self.lab.processes("n3", "sweep_runner"), "an agent")[0], signal.SIGKILL)
        self.check(job)

    def test_a_node_is_lost_under_srun(self):
        self.sweep.seconds = 1
        (job,) = self.sweep.submit("--launcher=srun")
        self.sweep.wait_for_tasks(2)
        self.lab.crash("n3")
        self.check(job)

    def test_a_node_is_lost_under_mpirun(self):
        self.sweep.seconds = 1
        (job,) = self.sweep.submit()
        self.sweep.wait_for_tasks(2)
        self.lab.crash("n3")
        self.lab.up()
        self.check(job)

    def test_a_slurmd_is_killed(self):
        self.sweep.seconds = 1
        (job,) = self.sweep.submit()
        self.sweep.wait_for_tasks(2)
        os.kill(int(pathlib.Path(self.lab.folder, "run/n2.pid").read_text()), signal.SIGKILL)
        self.lab.up()
        self.check(job)

    def test_preempted_by_an_urgent_job(self):
        (job,) = self.sweep.submit("--sbatch=--partition=main")
        self.sweep.wait_for_tasks(3)
        output_of("sbatch", "--parsable", "--partition=urgent", f"--nodes={NODES}", "--exclusive",
                  f"--output={self.sweep.folder}/urgent.log", "--wrap=sleep 1")
        self.check(job, words=["start 2"])

    def test_two_jobs_at_once(self):
        (job,) = self.sweep.submit("--array=2", "--nodes=2")
        self.check(job + "_1")
        self.check(job + "_0", words=["the sweep is finished"])
        self.assertEqual(len(self.sweep.run_folders()), 2)
        self.assertEqual({event["host"] for event in self.sweep.events("rank")}, {"n1", "n2", "n3", "n4"})

    def test_of_two_jobs_at_once_one_is_cancelled(self):
        self.sweep.seconds = 1
        (job,) = self.sweep.submit("--array=2", "--nodes=2")
        until(lambda: len(self.sweep.run_folders()) == 2, "two runs")
        self.sweep.wait_for_tasks(4)
        output_of("scancel", job + "_0")
        self.check(job + "_1", words=["the sweep is finished"])

    def test_trainings_and_attacks_that_are_requeued(self):
        small = ["--set=dataset.image_size=32", "--set=dataset.train_per_class=8", "--set=dataset.test_per_class=4",
                 "--set=training.epochs=2", "--set=attacks.cw.iterations=3", "--set=run.threads=1"]
        alone = Sweep()
        self.addCleanup(alone.close)
        output_of(BINARIES / "sweep_runner", "run", alone.file, "--out", alone.folder / "out", *small)
        (job,) = self.sweep.submit_real("--ranks-per-node=1", "--gpus-per-node=0", *small)
        self.sweep.wait_for_tasks(5)
        output_of("scontrol", "requeue", job)
        self.expected = alone.table()
        self.check(job, words=["start 2", "the sweep is finished"])

    def test_a_chain_goes_on_where_the_job_before_it_stopped(self):
        jobs = self.sweep.submit("--chain=2")
        self.sweep.wait_for_tasks(3)
        output_of("scancel", "--batch", "--signal=USR1", jobs[0])
        self.assertEqual(end_of(jobs[0]), ("FAILED", 75), self.sweep.log(jobs[0]))
        self.check(jobs[1])


if __name__ == "__main__":
    reason = missing()
    if reason:
        print("skipped:", reason)
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[2:]])
