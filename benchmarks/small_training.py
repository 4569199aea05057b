"""A ResNet18 that sweep_runner trains on generated images: what the benchmarks of training run."""
import dataclasses
import pathlib
import re
import subprocess
import tempfile

import h5py

PROJECT = pathlib.Path(__file__).resolve().parent.parent
EPOCHS = 3  # the figures are those of the last one; the first warms up

SWEEP = """
[sweep]
name = "benchmark"
[dataset]
name = "synthetic_lesions"
image_size = {size}
train_per_class = {per_class}
test_per_class = 2
[model]
name = "resnet18"
[defence]
{defence}
[attacker]
defence.name = "none"
[training]
epochs = {epochs}
batch_size = {batch}
precision = "{precision}"
[run]
threads = {threads}
device = "{device}"
devices_per_trial = {ranks}
batch_norm = "{batch_norm}"
gradient_compression = "{compression}"
"""

DEFENCES = {
    "cross-entropy": 'name = "none"',
    "L_n 1 + L_a 10": 'name = "denoising"\nlambda_n = 1\nlambda_a = 10',
}


@dataclasses.dataclass
class Trained:
    images_per_second: float  # clean ones, of the last epoch
    gradient_bytes: int = 0   # that a rank gave to be added up, in all
    overlapped: float = 0.0   # percent of them during the backward pass


def run(programs, images, size, batch, defence, precision, threads, device, ranks=1, batch_norm="synchronised",
        compression="none"):
    """Trains on `images` images (a multiple of 4) an epoch; with several ranks under `--np`."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "sweep.toml").write_text(SWEEP.format(
            size=size, per_class=images // 4, defence=DEFENCES[defence], epochs=EPOCHS, batch=batch, precision=precision,
            threads=threads, device=device, ranks=ranks, batch_norm=batch_norm, compression=compression))
        command = [programs / "sweep_runner", folder / "sweep.toml", "--out", folder / "out"]
        subprocess.run(command + (["--np", str(ranks)] if ranks > 1 else []), check=True, stdout=subprocess.DEVNULL)
        (model,) = (folder / "out/artifacts/model").iterdir()
        with h5py.File(model) as file:
            trained = Trained(float(file["history/images_per_second"][-1]))
        for log in folder.glob("out/runs/benchmark/logs/*.log"):
            if told := re.search(r"gave (\d+) bytes .*?([\d.]+) % of them", log.read_text()):
                trained.gradient_bytes, trained.overlapped = int(told[1]), float(told[2])
    return trained
