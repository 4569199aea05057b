#!/usr/bin/env python3
"""Our models beside torchvision's: the same weights, the same images, the logits of both.

For every architecture torchvision draws weights, with running statistics that are not trivial, and saves them once as
safetensors and once with torch.save. `sweep_runner predict` reads each file; its logits are compared with torchvision's
in the same precision. The error is the largest difference over the largest logit.

    benchmarks/parity/setup
    .deps/parity/bin/python benchmarks/parity/models.py
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy
import safetensors.torch
import torch
import torchvision

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
MODELS = ["resnet18", "resnet34", "resnet50", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19",
          "vgg19_bn", "densenet121", "mobilenet_v2"]
# Sums in another order: rounding alone, far below what a wrong layer would do.
TOLERANCE = {"float64": 1e-10, "float32": 1e-3}
SAVE = {"safetensors": safetensors.torch.save_file, "pth": torch.save}


def torchvision_model(name, classes, seed):
    """In evaluation mode, with weights that depend on the seed alone."""
    torch.manual_seed(seed)
    model = torchvision.models.get_model(name, weights=None, num_classes=classes)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval()


def test_images(count, size):
    """Float32 values k/256, which every precision holds exactly."""
    values = numpy.random.default_rng(0).integers(0, 257, (count, 3, size, size))
    return (values / 256).astype(numpy.float32)


def our_logits(arguments, name, weights, images, folder):
    out = folder / "logits.h5"
    subprocess.run([arguments.sweep_runner, "predict", "--arch", name, "--num-classes", str(arguments.classes),
                    "--weights", weights, "--images", images, "--normalize", "none", "--dtype", arguments.dtype,
                    "--device", arguments.device, "--out", out], check=True, stdout=subprocess.DEVNULL)
    with h5py.File(out) as file:
        return file["logits"][:].astype(numpy.float64)


def compare(arguments, name, images, folder):
    """The error with each kind of file, and whether all predictions are the same."""
    model = torchvision_model(name, arguments.classes, MODELS.index(name))
    files = {kind: folder / f"weights.{kind}" for kind in SAVE}
    for kind, save in SAVE.items():
        save(model.state_dict(), files[kind])
    with torch.no_grad():
        expected = model.to(getattr(torch, arguments.dtype))(torch.tensor(images, dtype=getattr(torch, arguments.dtype)))
    expected = expected.double().numpy()
    del model  # a VGG has half a gigabyte
    errors, same = [], True
    for file in files.values():
        logits = our_logits(arguments, name, file, folder / "images.h5", folder)
        errors.append(abs(logits - expected).max() / abs(expected).max())
        same = same and (logits.argmax(1) == expected.argmax(1)).all()
        file.unlink()
    return errors, same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweep-runner", default=PROJECT / "build/bin/sweep_runner")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, metavar="NAME")
    parser.add_argument("--dtype", choices=TOLERANCE, default="float64")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--classes", type=int, default=4)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()

    print(f"torchvision {torchvision.__version__}, {arguments.dtype}, {arguments.images} images of {arguments.size} px")
    print(f"{'model':14}{'safetensors':>13}{'pth':>13}  predictions")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        images = test_images(arguments.images, arguments.size)
        with h5py.File(folder / "images.h5", "w") as file:
            file["images"] = images
            file["labels"] = numpy.zeros(len(images), numpy.int64)
        for name in arguments.models:
            errors, same = compare(arguments, name, images, folder)
            good = same and max(errors) <= TOLERANCE[arguments.dtype]
            failed += not good
            print(f"{name:14}{errors[0]:13.2e}{errors[1]:13.2e}  {'equal' if same else 'differ'}"
                  f"{'' if good else '  FAILED'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
