"""The faults of the campaign. Each function does one thing to a run and says what in words."""

import errno
import os
import resource
import signal
import subprocess
import time

import small_sweep

ERRORS = {
    "open": ["EMFILE", "ENFILE", "EROFS", "EIO", "ENOSPC", "EACCES"],
    "write": ["EIO", "ENOSPC", "EDQUOT", "EFBIG", "half"],
    "fsync": ["EIO", "ENOSPC", "EDQUOT"],
    "rename": ["EIO", "ENOSPC", "EROFS", "EDQUOT"],
    "close": ["EIO", "EDQUOT"],
    "ftruncate": ["EIO", "EROFS"],
    "mkdir": ["ENOSPC", "EROFS", "EDQUOT"],
    "unlink": ["EROFS", "EIO"],
    "read": ["EIO"],
}
# Calls that a run makes only a few times in each process.
RARE = {"ftruncate": 3, "mkdir": 12, "unlink": 4, "read": 12, "rename": 16}
REFUSED = "is in use by another run"


def victims(process, wanted):
    """Process ids of the run that have this role."""
    below = small_sweep.processes_below(process.pid)
    return [pid for pid, role in small_sweep.roles(process.pid, below).items() if role == wanted]


def signal_at_random(case, process, wanted, number, longest):
    """At a random moment, to a random process of the role. -> pid or None when the run was faster."""
    end = time.monotonic() + case.random.uniform(0.02, longest)
    while process.poll() is None:
        found = victims(process, wanted) if time.monotonic() >= end else []
        if found:
            pid = case.random.choice(found)
            try:
                os.kill(pid, number)
                return pid
            except ProcessLookupError:
                return None
        time.sleep(0.005)
    return None


def kill(case):
    """kill -9, and again in the run that goes on from there."""
    ranks = case.random.choice([0, 2, 2, 4])
    roles = ["executor", "coordinator"] if ranks == 0 else ["executor", "agent", "coordinator", "mpirun", "launcher"]
    for _ in range(case.random.randint(2, 4)):
        wanted = case.random.choice(roles)
        process = case.start(ranks)
        if signal_at_random(case, process, wanted, signal.SIGKILL, case.longest) is not None:
            case.happened(f"kill {wanted}")
        # The process that the user started can't say a word about its own end.
        outermost = wanted == ("coordinator" if ranks == 0 else "launcher")
        case.finish(process, also=[-signal.SIGKILL] if outermost else [])
        case.wait_for_the_end_of_all()


def pause(case):
    """SIGSTOP, and SIGCONT half a second later."""
    ranks = case.random.choice([0, 2, 4])
    roles = ["executor", "coordinator"] if ranks == 0 else ["executor", "agent", "coordinator", "mpirun"]
    wanted = case.random.choice(roles)
    process = case.start(ranks)
    pid = signal_at_random(case, process, wanted, signal.SIGSTOP, case.longest)
    if pid is not None:
        time.sleep(0.5)
        case.happened(f"pause {wanted}")
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
    case.finish(process)


def hang(case):
    """SIGSTOP of an executor for good: run.hang_timeout ends it."""
    process = case.start(case.random.choice([0, 2]), options=["--set", "run.hang_timeout=1"])
    if signal_at_random(case, process, "executor", signal.SIGSTOP, case.longest) is not None:
        case.happened("hang executor")
    case.finish(process)


def silent(case):
    """SIGSTOP of an agent for good, once all ranks are there: lost after 30 s."""
    process = case.start(2)
    end = time.monotonic() + 20
    while sum(event.get("event") == "rank" for event in small_sweep.journal(case.folder)) < 2:
        case.expect(time.monotonic() < end and process.poll() is None, "the ranks do not come up")
        time.sleep(0.01)
    if signal_at_random(case, process, "agent", signal.SIGSTOP, 0.3) is not None:
        case.happened("silent agent")
    case.finish(process, patience=120)


def inject(case):
    """One call fails, or it and all that follow."""
    call = case.random.choice(list(ERRORS))
    error = case.random.choice(ERRORS[call])
    lasting = error != "half" and case.random.random() < 0.4
    program = case.random.choice(["sweep_runner", case.programs.executor_name])
    nth = int(2 ** case.random.uniform(0, 6)) if call not in RARE else case.random.randint(1, RARE[call])
    case.inject({"FAULT_CALL": call, "FAULT_NTH": nth, "FAULT_PROGRAM": program,
                 "FAULT_ERRNO": 0 if error == "half" else getattr(errno, error),
                 **({"FAULT_LASTING": 1} if lasting else {})},
                f"{call} {error}{' lasting' if lasting else ''}", ranks=case.random.choice([0, 0, 2]))


def slow(case):
    """A file system that takes its time."""
    call = case.random.choice(["write", "fsync", "rename", "open"])
    case.inject({"FAULT_CALL": call, "FAULT_DELAY_US": case.random.choice([2000, 20000])}, f"slow {call}",
                ranks=case.random.choice([0, 2]), always=True)


def clock(case):
    """The time of day jumps."""
    seconds = case.random.choice([-10**8, -3600, 3600, 10**8])
    case.inject({"FAULT_CLOCK": seconds, "FAULT_NTH": case.random.randint(1, 60)},
                f"clock {'back' if seconds < 0 else 'ahead'}", ranks=case.random.choice([0, 2]))


def limited(case):
    """Few descriptors, little memory, small files."""
    what, number, value = case.random.choice([
        ("descriptors", resource.RLIMIT_NOFILE, case.random.randint(4, 24)),
        ("memory", resource.RLIMIT_AS, case.random.randint(20, 300) << 20),
        ("file size", resource.RLIMIT_FSIZE, case.random.randint(1, 1200) << 10)])
    process = case.start(0, before=lambda: resource.setrlimit(number, (value, value)))
    case.happened(f"limit {what}")
    # The loader, or the kernel, ends a program that can't even start: 127, or a signal.
    case.finish(process, also=[127, -signal.SIGKILL, -signal.SIGXFSZ] if what != "descriptors" else [127])


def mounted(case):
    """A disk of a few MiB that gets full, or is read-only from some moment on."""
    if os.geteuid() != 0:
        return case.skip("mount needs root")
    (case.folder / "out").mkdir()
    size = case.random.choice(["1100k", "1500k", "2m", "64m"])
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(case.folder / "out")],
                           capture_output=True, check=False)
    if mount.returncode != 0:
        return case.skip("mount is not allowed: " + mount.stderr.decode().strip())
    try:
        if size != "64m":
            (case.folder / "out/ballast").write_bytes(b"x" * case.random.randint(0, 400 << 10))
        process = case.start(0)
        if size == "64m":
            time.sleep(case.random.uniform(0.02, case.longest))
            # Fails while a file is open for writing; that is tried until it can be done.
            while process.poll() is None and subprocess.run(
                    ["mount", "-o", "remount,ro", str(case.folder / "out")], capture_output=True,
                    check=False).returncode != 0:
                time.sleep(0.002)
        case.happened("disk full" if size != "64m" else "read-only remount")
        case.finish(process)
        subprocess.run(["mount", "-o", "remount,rw,size=64m", str(case.folder / "out")], check=True)
        case.settle()
    finally:
        subprocess.run(["umount", "-l", str(case.folder / "out")], check=False)
    return case.settled()


def damage(path, random):
    """A bit flipped, or the end gone."""
    data = bytearray(path.read_bytes())
    if not data or random.random() < 0.3:
        path.write_bytes(bytes(data[:random.randrange(len(data))]) if data else b"?")
        return "truncated"
    at = random.randrange(len(data))
    data[at] ^= 1 << random.randrange(8)
    path.write_bytes(bytes(data))
    return "flipped"


def damaged(case):
    """A file of the folder, of any kind, after a whole or a stopped run."""
    if case.random.random() < 0.5:
        case.finish(case.start(case.random.choice([0, 2])))
    else:
        process = case.start(0)
        signal_at_random(case, process, "coordinator", signal.SIGTERM, case.longest)
        case.finish(process)
    out = case.folder / "out"
    kinds = {}
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.suffix != ".log":
            kinds.setdefault(path.parent.name if path.suffix == ".h5" else path.name, []).append(path)
    if not kinds:
        return
    kind = case.random.choice(sorted(kinds))
    victim = case.random.choice(kinds[kind])
    how = damage(victim, case.random)
    case.happened(f"{how} {kind}")
    case.damage_is_noticed(victim)


def request(case):
    """Damaged requests in control/."""
    folder = case.folder / "out/runs/small/control"
    folder.mkdir(parents=True)
    for number in range(3):
        path = folder / f"2026-{number}.json"
        path.write_text('{"command": "set-priority", "tasks": ["00"], "priority": 5, "id": "a"}')
        damage(path, case.random)
    case.happened("damaged request")
    case.finish(case.start(0))


def second_run(case):
    """Two runs on one folder: the second is refused."""
    first = case.start(case.random.choice([0, 2]), seconds=0.1)
    deadline = time.monotonic() + 20
    while not (case.folder / "out/runs/small/journal.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    second = subprocess.run(case.programs.run_command(case.folder), capture_output=True, check=False, text=True)
    case.happened("second run")
    case.expect(second.returncode == 2 and REFUSED in second.stderr + second.stdout,
                f"the second run ended with {second.returncode}: {second.stderr[-300:]}")
    case.finish(first)


def stale_lock(case):
    """The lock file of a host that is gone, and temporary files of its processes."""
    out = case.folder / "out"
    (out / "artifacts/model").mkdir(parents=True)
    (out / "lock").write_text("process 4711 on a host that is gone")
    (out / "epoch").write_text("41\n")
    (out / "artifacts/model/0123.h5.4711-0.tmp").write_bytes(b"half a file")
    case.happened("stale lock")
    case.finish(case.start(0))
    case.expect((out / "epoch").read_text() == "42\n", "the number of the run does not go on")


def late_publish(case):
    """An executor of an older run wakes up when a newer run has the folder."""
    process = case.start(0, seconds=0.3)
    pid = signal_at_random(case, process, "executor", signal.SIGSTOP, 0.3)
    if pid is None:
        return case.finish(process)
    (case.folder / "out/epoch").write_text("77\n")  # what a newer run does first: it is the only member
    for member in (case.folder / "out/members").glob("[0-9]*"):
        member.unlink()
    os.kill(pid, signal.SIGCONT)
    case.happened("late publish")
    before = {path for path in (case.folder / "out/artifacts").rglob("*.h5")}
    case.finish(process)
    after = {path for path in (case.folder / "out/artifacts").rglob("*.h5")}
    return case.expect(after == before, f"published by an old run: {sorted(after - before)}")


KINDS = {"kill": kill, "pause": pause, "hang": hang, "silent": silent, "inject": inject, "slow": slow,
         "clock": clock, "limited": limited, "mounted": mounted, "damaged": damaged, "request": request,
         "second_run": second_run, "stale_lock": stale_lock, "late_publish": late_publish}
