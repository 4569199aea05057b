"""Our attacks beside those of torchattacks and foolbox, live, on the same weights and images.

Ours run as a user runs them, `sweep_runner attack`; what they make is judged by PyTorch's own model, as is what
the other libraries make. "nchw" is our plain path, in the memory order of the others; "channels_last" the fast one.
The libraries compute in float32 and NCHW on the CPU.

    benchmarks/parity/setup
    benchmarks/parity/run                          a model of its own, trained for a minute
    benchmarks/parity/run --oracle DIR             weights, images and stored results in DIR
    benchmarks/parity/run --only "C&W" --long
"""
import argparse
import math
import pathlib
import subprocess
import sys
import tempfile
import time

import h5py
import peers
import subject as subjects
import torch

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
EQUAL = 1e-6             # images and elements that differ by less are equal
PLAIN_UNEQUAL = 1 / 64   # images that may differ on the plain path
# Where sums round in another order, on the fast path or on another processor, signs of gradients near zero flip.
ROUNDED_ELEMENTS = 0.01  # elements that may differ then
ROUNDED_L2 = 2e-4        # relative difference of the mean L2 then
MINIMAL_L2 = 1.01        # C&W: our mean L2 as a part of theirs
COLUMNS = ("attack", "beside", "path", "images equal", "elements differ", "predictions equal", "mean L2", "theirs",
           "ratio", "success", "theirs", "transfer correct", "theirs", "seconds", "theirs", "verdict")


def ours(case, subject, layout, arguments):
    """Adversarial images, and the seconds of the whole program."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "adv.h5"
        start = time.monotonic()
        subprocess.run([arguments.programs / "sweep_runner", "attack", "--arch", "resnet18", "--num-classes",
                        str(subject.classes), "--weights", subject.weights, "--normalize", "none", "--images",
                        subject.images_file, "--images-key", subject.images_key, "--layout", layout, "--device", "cpu",
                        "--threads", str(arguments.threads), "--batch", "64", "--out", out, *case.ours],
                       check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        with h5py.File(out) as file:
            return torch.from_numpy(file["images"][:]), seconds


def theirs(peer, subject):
    start = time.monotonic()
    images = torch.cat([peer.run(subject.model, images, labels).detach() for images, labels in
                        zip(subject.images.split(64), subject.labels.split(64))])
    return images, time.monotonic() - start


class Seen:
    """What the models say to a set of adversarial images."""

    def __init__(self, subject, images, seconds=math.nan):
        self.images, self.seconds = images, seconds
        self.live = not math.isnan(seconds)
        self.l2 = (images.double() - subject.images.double()).flatten(1).norm(dim=1)
        with torch.no_grad():
            self.predictions = subject.model(images).argmax(1)
            self.transfer = {name: int((model(images).argmax(1) == subject.labels).sum())
                             for name, model in subject.transfer.items()}
        self.fooled = self.predictions != subject.labels

    def transfer_text(self):
        return " ".join(f"{name} {count}" for name, count in self.transfer.items())


class Comparison:
    def __init__(self, mine, other):
        difference = (mine.images - other.images).abs()
        self.images = int((difference.flatten(1).amax(1) <= EQUAL).sum())
        self.elements = float((difference > EQUAL).double().mean())
        self.predictions = int((mine.predictions == other.predictions).sum())
        self.ratio = float(mine.l2.mean() / other.l2.mean())
        self.mine, self.other = mine, other

    def verdict(self, case, same_rounding):
        """Empty, or what is beyond the tolerances."""
        count = len(self.mine.images)
        if case.minimal:
            missed = int((self.other.fooled & ~self.mine.fooled).sum())
            return [f"{missed} images not fooled"] * (missed > 0) + ["mean L2"] * (not self.ratio <= MINIMAL_L2)
        faults = ["predictions"] * (self.predictions < count)
        faults += ["transfer"] * (self.mine.transfer != self.other.transfer)
        if same_rounding:
            return faults + ["images"] * (count - self.images > math.floor(PLAIN_UNEQUAL * count))
        return faults + ["elements"] * (self.elements > ROUNDED_ELEMENTS) + ["mean L2"] * (abs(self.ratio - 1) > ROUNDED_L2)

    def row(self, case, library, layout, verdict):
        count = len(self.mine.images)
        return (case.name, library, layout, f"{self.images} of {count}", f"{100 * self.elements:.4f} %",
                f"{self.predictions} of {count}", f"{self.mine.l2.mean():.5f}", f"{self.other.l2.mean():.5f}",
                f"{self.ratio:.6f}", str(int(self.mine.fooled.sum())), str(int(self.other.fooled.sum())),
                self.mine.transfer_text(), self.other.transfer_text(), f"{self.mine.seconds:.1f}",
                f"{self.other.seconds:.1f}" if self.other.live else "-", verdict)


def stored(folder, case, subject):
    """What the folder's adversarials.h5 has of this attack: library -> images. Differences from the clean images are
    stored as 1275ths of a pixel value."""
    eps_case = {"FGSM eps 4": "FGSM_eps4", "BIM eps 4 alpha 1/255": "BIM_eps4_a1", "PGD eps 4 alpha 1/255": "PGD_eps4_a1",
                "BIM eps 8 alpha eps/10": "BIM_eps8_aeps10", "C&W 5 x 100": "CW_bss5_s100_abort_n64"}
    file = folder / "adversarials.h5"
    if case.name not in eps_case or not file.is_file():
        return {}
    found = {}
    with h5py.File(file) as opened:
        for library in opened:
            group = opened[library].get(eps_case[case.name])
            if group is None:
                continue
            if "delta_i8" in group:
                found[library] = subject.images + torch.from_numpy(group["delta_i8"][:]).float() / 1275
            else:
                found[library] = torch.from_numpy(group["adv_f32"][:])
    return found


def others_of(case, subject, arguments):
    """One after the other, because each may take minutes: library, what it made, whether it is judged, a note."""
    for peer in case.peers:
        yield peer.name, Seen(subject, *theirs(peer, subject)), peer.judged, peer.note
    if arguments.oracle:
        # Early abort makes foolbox's C&W another algorithm: the stored one is shown, not judged.
        for library, images in stored(arguments.oracle, case, subject).items():
            yield f"{library}, stored", Seen(subject, images), not case.minimal, ""


def compare(case, subject, arguments, rows):
    layouts = ["channels_last"] if case.minimal else ["nchw", "channels_last"]
    mine = {layout: Seen(subject, *ours(case, subject, layout, arguments)) for layout in layouts}
    for library, other, judged, note in others_of(case, subject, arguments):
        for layout in layouts:
            comparison = Comparison(mine[layout], other)
            faults = comparison.verdict(case, layout == "nchw" and other.live) if judged else []
            rows.append(comparison.row(case, library, layout,
                                       "FAILS: " + ", ".join(faults) if faults else "ok" if judged else "not judged"))
            print(" | ".join(rows[-1]) + (f"  ({note})" if note else ""), file=sys.stderr, flush=True)


def markdown(rows):
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oracle", type=pathlib.Path, metavar="DIR",
                        help="folder with testset.h5 (images_u8, labels), resnet18_A.safetensors, transfer_models.h5 "
                             "and, where it is there, adversarials.h5")
    parser.add_argument("--only", default="", metavar="TEXT", help="attacks whose name begins with it, such as 'BIM eps 4'")
    parser.add_argument("--long", action="store_true", help="C&W with 5 x 1000 iterations as well: hours on a CPU")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--programs", type=pathlib.Path, default=PROJECT / "build/bin", metavar="DIR",
                        help="where sweep_runner is (default: build/bin)")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE.md", help="write the table there, too")
    return parser.parse_args()


def main():
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        subject = subjects.given(arguments.oracle) if arguments.oracle else subjects.made(pathlib.Path(folder))
        with torch.no_grad():
            correct = int((subject.model(subject.images).argmax(1) == subject.labels).sum())
        print(f"{len(subject.images)} images, of which the attacked model gets {correct} right; PyTorch "
              f"{torch.__version__}, {arguments.threads} threads", file=sys.stderr)
        rows = []
        for case in peers.cases(arguments.long):
            if case.name.startswith(arguments.only):
                compare(case, subject, arguments, rows)
    table = markdown(rows)
    print(table)
    if arguments.out:
        arguments.out.write_text(table + "\n")
    failed = [row for row in rows if row[-1].startswith("FAILS")]
    judged = sum(row[-1] != "not judged" for row in rows)
    print(f"\n{judged - len(failed)} of {judged} comparisons are within the tolerances")
    return 1 if failed or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
