"""Small tasks on many ranks for a long time: memory, descriptors and shared memory must stay flat."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import small_sweep

TASKS_PER_TRIAL = 3
SECONDS_OF_A_TASK = 0.4


def status_value(pid, key):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    raise OSError(f"no {key}")


def sample(pid):
    """What each process of the run holds."""
    result = {}
    for number, command in small_sweep.processes_below(pid).items():
        try:
            result[number] = {"program": pathlib.Path(command.split()[0]).name,
                              "rss_kib": status_value(number, "VmRSS"),
                              "descriptors": len(os.listdir(f"/proc/{number}/fd")),
                              "segments": sorted(shared_memory_of(number))}
        except (OSError, IndexError):  # it ended meanwhile
            continue
    return result


def shared_memory_of(pid):
    """Files in /dev/shm that a process has mapped. Other runs on the machine have files there too."""
    return {line.split()[5] for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
            if " /dev/shm/" in line}


def slope(points):
    """Least squares, per hour."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    square = sum((x - mean_x) ** 2 for x, _ in points)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / square if square else 0.0


def extremes(points, chosen, parts=12):
    """The most (or least) of each twelfth of the time."""
    size = max(1, len(points) // parts)
    return [chosen(points[i:i + size], key=lambda point: point[1]) for i in range(0, len(points) - size + 1, size)]


def grows(points, key, limit):
    """-> (per hour, whether that is a leak).

    A file that is open for a moment is none: the least counts. An allocator takes and gives back memory in
    steps: what counts has to exceed the most of the first third, too.
    """
    ends = extremes(points, max if key == "rss_kib" else min)
    third = max(1, len(ends) // 3)
    higher = max(value for _, value in ends[-third:]) > max(value for _, value in ends[:third])
    per_hour = slope(ends)
    return round(per_hour, 1), per_hour > limit and higher


def judge(samples, warm_up, limits):
    """-> (lines of the report, what was not flat)."""
    late = [entry for entry in samples if entry["time"] >= warm_up]
    lines, findings = [], []
    for pid in sorted({number for entry in late for number in entry["processes"]}, key=int):
        mine = [(entry["time"], entry["processes"][pid]) for entry in late if pid in entry["processes"]]
        line = {"pid": int(pid), "program": mine[0][1]["program"], "samples": len(mine)}
        if len(mine) < len(late):
            findings.append(f"{line['program']} {pid} was seen in {len(mine)} of {len(late)} samples: "
                            "it was replaced or died")
        for key, limit in limits.items():
            values = [(at, process[key]) for at, process in mine]
            per_hour, leaks = grows(values, key, limit)
            line[key] = {"first": values[0][1], "last": values[-1][1], "most": max(value for _, value in values),
                         "per_hour": per_hour}
            if leaks:
                findings.append(f"{line['program']} {pid}: {key} grows by {line[key]['per_hour']} per hour "
                                f"(more than {limit})")
        lines.append(line)
    return lines, findings


def soak(programs, folder, arguments):
    seconds = 60 * arguments.minutes
    trials = int(seconds * arguments.ranks / SECONDS_OF_A_TASK / TASKS_PER_TRIAL) + 50
    (folder / "small.toml").write_text(programs.sweep_text(trials))
    environment = dict(os.environ, NOOP=json.dumps({"seconds": SECONDS_OF_A_TASK, "results": True}))
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(programs.run_command(folder, arguments.ranks), env=environment, stdout=output,
                                   stderr=output, start_new_session=True)
        began, samples, segments = time.monotonic(), [], set()
        while process.poll() is None and time.monotonic() - began < seconds:
            processes = sample(process.pid)
            segments |= {name for one in processes.values() for name in one["segments"]}
            for one in processes.values():
                one["segments"] = len(one["segments"])
            samples.append({"time": round(time.monotonic() - began, 1), "processes": processes})
            time.sleep(min(5.0, seconds / 40))
        early = process.poll() is not None
        if not early:
            process.send_signal(signal.SIGUSR1)
        status = process.wait(timeout=180)
    made = sum(event.get("event") == "done" for event in small_sweep.journal(folder))
    findings = []
    if early:
        findings.append(f"the run ended before the time was up, with status {status}; its output: {folder}/output")
    elif status != 75:
        findings.append(f"the stopped run ended with status {status}, not 75")
    failed = sum(event.get("event") == "failed" for event in small_sweep.journal(folder))
    if failed:
        findings.append(f"{failed} attempts failed")
    left = sorted(name for name in segments if os.path.exists(name))
    if left:
        findings.append(f"left in /dev/shm: {left}")
    return samples, made, findings


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=small_sweep.PROJECT / "build", help="folder of the build")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--ranks", type=int, default=8)
    parser.add_argument("--real", action="store_true", help="train and evaluate tiny models in place of empty tasks")
    parser.add_argument("--rss-limit", type=float, default=1024, help="KiB per hour that a process may grow by")
    parser.add_argument("--report", type=pathlib.Path, help="write all figures here, as JSON")
    arguments = parser.parse_args()
    programs = small_sweep.Programs(arguments.build, arguments.real)
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        samples, made, findings = soak(programs, pathlib.Path(name), arguments)
    warm_up = 60 * arguments.minutes / 6
    lines, growing = judge(samples, warm_up, {"rss_kib": arguments.rss_limit, "descriptors": 1, "segments": 1})
    findings += growing
    print(f"{arguments.minutes:g} minutes, {arguments.ranks} ranks: {made} tasks, {len(samples)} samples, "
          f"judged after {warm_up:.0f} s")
    for line in lines:
        print(json.dumps(line))
    for finding in findings:
        print("NOT FLAT:", finding)
    if arguments.report:
        arguments.report.write_text(json.dumps(
            {"minutes": arguments.minutes, "ranks": arguments.ranks, "tasks": made, "lines": lines,
             "findings": findings, "samples": samples}, indent=1) + "\n")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
