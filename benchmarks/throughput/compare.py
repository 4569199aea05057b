"""How fast sweep_runner trains and attacks beside what a user would pick instead.

Every comparison runs ours and theirs in turns, on the same weights, images, batch and threads. The ratio of a turn is
ours to the best of the others that compute in the same precision; printed are the median of all turns and the range.

    benchmarks/run                                 64 px, all comparisons
    benchmarks/run --only training --rounds 5
    benchmarks/run --only C --size 64 --out DIR    results.json and throughput.png in DIR
"""
import argparse
import datetime
import json
import pathlib
import platform
import statistics
import sys
import tempfile

import attacks
import torch
import training

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(BENCHMARKS), str(BENCHMARKS / "parity")]
import small_training  # noqa: E402
import subject as subjects  # noqa: E402

OURS = "sweep_runner"


class Comparison:
    """Contenders by name, each of which gives {"speed": ..., further figures}; `ours` begins with sweep_runner."""

    def __init__(self, name, unit, contenders):
        self.name, self.unit, self.contenders = name, unit, contenders
        self.turns = {contender: [] for contender in contenders}

    def turn(self, number):
        # The order alternates, so that nobody always follows the same one.
        order = list(self.contenders) if number % 2 == 0 else list(reversed(self.contenders))
        for name in order:
            figures = self.contenders[name]()
            self.turns[name].append(figures)
            print(f"  {self.name}, turn {number + 1}: {name} {figures['speed']:.2f} {self.unit}", file=sys.stderr, flush=True)

    def speeds(self, name):
        return [figures["speed"] for figures in self.turns[name]]

    def ratios(self):
        """Of every turn: ours to the best of the others."""
        ours = self.speeds(OURS)
        others = [self.speeds(name) for name in self.contenders if name != OURS]
        return [mine / max(theirs) for mine, theirs in zip(ours, zip(*others))]

    def result(self):
        ratios = self.ratios()
        return {"name": self.name, "unit": self.unit,
                "ratio": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)},
                "contenders": {name: {"median": statistics.median(self.speeds(name)), "turns": turns}
                               for name, turns in self.turns.items()}}


def trainings(arguments):
    def mine(defence, precision):
        return lambda: {"speed": training.ours(arguments, defence, precision)}

    def other(defence, precision, **options):
        return lambda: {"speed": training.pytorch(arguments, defence, precision, **options)}

    for defence in small_training.DEFENCES:
        for precision in ("float32", "tf32", "bf16") if arguments.device == "cuda" else ("float32", "bf16"):
            contenders = {OURS: mine(defence, precision)}
            if precision == "float32":
                contenders["PyTorch, as it comes"] = other(defence, precision, channels_last=False)
            contenders["PyTorch, channels_last"] = other(defence, precision)
            if arguments.compile:
                contenders["PyTorch, compiled"] = other(defence, precision, compiled=True)
            yield Comparison(f"training {defence}, {precision}", "images/s", contenders)


def attacking(arguments, subject):
    count = len(subject.images)

    def speed(figures, work):
        return {"speed": work / figures["seconds"], **figures}

    def mine(options, work):
        return lambda: speed(attacks.ours(arguments, subject, options), work)

    def other(attack, work, **options):
        return lambda: speed(attacks.theirs(arguments, subject, attack, **options), work)

    steps = count * attacks.STEPS
    yield Comparison("I-FGSM, float32", "image-steps/s", {
        OURS: mine(attacks.ifgsm("float32"), steps),
        "torchattacks, as it comes": other(attacks.TORCHATTACKS_BIM, steps, channels_last=False),
        "torchattacks, channels_last": other(attacks.TORCHATTACKS_BIM, steps, channels_last=True),
        "foolbox, channels_last": other(attacks.FOOLBOX_BIM, steps, channels_last=True)})
    yield Comparison("I-FGSM, bf16", "image-steps/s", {
        OURS: mine(attacks.ifgsm("bf16"), steps),
        "torchattacks, channels_last": other(attacks.TORCHATTACKS_BIM, steps, channels_last=True, precision="bf16")})
    yield Comparison("C&W 5 x 100, float32", "images/s", {
        OURS: mine(attacks.cw("float32"), count),
        "foolbox, as it comes": other(attacks.FOOLBOX_CW, count, channels_last=False),
        "foolbox, channels_last": other(attacks.FOOLBOX_CW, count, channels_last=True)})


def print_table(results):
    print("| | sweep_runner | others | ratio to the best (range) |\n|---|---|---|---|")
    for result in results:
        others = "; ".join(f"{name} {figures['median']:.2f}" for name, figures in result["contenders"].items() if name != OURS)
        ratio = result["ratio"]
        print(f"| {result['name']} ({result['unit']}) | {result['contenders'][OURS]['median']:.2f} | {others} | "
              f"{ratio['median']:.2f} ({ratio['min']:.2f} - {ratio['max']:.2f}) |")
        for name, figures in result["contenders"].items():
            turn = figures["turns"][-1]
            if "success" in turn:
                print(f"<!-- {result['name']}, {name}: success {turn['success']}, mean L2 {turn['mean_l2']:.4f} -->")


def plot(results, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 0.5 * len(results) + 1.2), layout="constrained")
    names = [result["name"] for result in results][::-1]
    ratios = [result["ratio"] for result in results][::-1]
    middle = [ratio["median"] for ratio in ratios]
    spread = [[ratio["median"] - ratio["min"] for ratio in ratios], [ratio["max"] - ratio["median"] for ratio in ratios]]
    axes.barh(names, middle, xerr=spread, color="#4477aa", ecolor="#222222", capsize=3)
    axes.axvline(1, color="#bb5566", linewidth=1)
    axes.set_xlabel("speed of sweep_runner, as a multiple of the best of the others (1: equal)")
    figure.savefig(path, dpi=120)


def parse():
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="comparisons whose name begins with it")
    parser.add_argument("--size", type=int, default=64, help="pixels of the images that are trained on, default 64")
    parser.add_argument("--images", type=int, default=512, help="in an epoch, default 512")
    parser.add_argument("--batch", type=int, default=64, help="default 64")
    parser.add_argument("--threads", type=int, default=2, help="of everybody, default 2")
    parser.add_argument("--rounds", type=int, default=3, help="turns of everybody, default 3")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--compile", action="store_true", help="torch.compile as well: minutes of compiling")
    parser.add_argument("--oracle", type=pathlib.Path, metavar="DIR", help="weights and images to attack, as for parity/run")
    parser.add_argument("--mirrored", action="store_true", help="attack every image in four mirror images, 256 of them")
    parser.add_argument("--programs", type=pathlib.Path, default=small_training.PROJECT / "build/bin", metavar="DIR")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR", help="writes results.json and throughput.png there")
    return parser.parse_args()


def write(results, arguments):
    """After every comparison: some take minutes, and what was measured is kept when the next one is interrupted."""
    if not arguments.out:
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    about = {"date": datetime.date.today().isoformat(), "machine": platform.processor() or platform.machine(),
             "pytorch": torch.__version__, "threads": arguments.threads, "device": arguments.device,
             "size": arguments.size, "batch": arguments.batch, "images": arguments.images, "mirrored": arguments.mirrored}
    (arguments.out / "results.json").write_text(json.dumps({**about, "results": results}, indent=1) + "\n")
    plot(results, arguments.out / "throughput.png")


def main():
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        comparisons = list(trainings(arguments))
        if any(name.startswith(arguments.only) for name in ("I-FGSM, float32", "C&W 5 x 100, float32")):
            subject = subjects.given(arguments.oracle) if arguments.oracle else subjects.made(pathlib.Path(folder))
            if arguments.mirrored:
                subject = subjects.mirrored(subject, pathlib.Path(folder))
            comparisons += attacking(arguments, subject)
        for comparison in comparisons:
            if not comparison.name.startswith(arguments.only):
                continue
            for number in range(arguments.rounds):
                comparison.turn(number)
            results.append(comparison.result())
            write(results, arguments)
    print_table(results)


if __name__ == "__main__":
    main()
