"""Attacks: `sweep_runner attack` beside torchattacks and foolbox, on the same weights and images."""
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "parity"))
import peers  # noqa: E402

STEPS = 20
CW = {"binary_search_steps": 5, "steps": 100, "stepsize": 0.01, "confidence": 0, "initial_const": 1e-2}


def ours(arguments, subject, options):
    """What the program tells of its attack: seconds, success, mean distance."""
    with tempfile.TemporaryDirectory() as folder:
        text = subprocess.run(
            [arguments.programs / "sweep_runner", "attack", "--arch", "resnet18", "--num-classes", str(subject.classes),
             "--weights", subject.weights, "--normalize", "none", "--images", subject.images_file, "--images-key",
             subject.images_key, "--device", arguments.device, "--threads", str(arguments.threads), "--batch", "64",
             "--json", "--out", pathlib.Path(folder) / "adv.h5", *options],
            check=True, text=True, stdout=subprocess.PIPE).stdout
    metrics = json.loads(text)
    return {"seconds": metrics["seconds"], "success": metrics["success"]["count"],
            "mean_l2": metrics["mean_l2"]["value"]}


def theirs(arguments, subject, attack, channels_last, precision="float32"):
    device = arguments.device
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    model = subject.model.to(device, memory_format=memory_format)
    autocast = torch.autocast(device, torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()

    class Rounding(torch.nn.Module):
        def forward(self, x):
            with autocast:
                return model(x).float()

    images = subject.images.to(device).contiguous(memory_format=memory_format)
    labels = subject.labels.to(device)
    attacked = Rounding().eval() if precision == "bf16" else model
    start = time.perf_counter()
    adversarial = torch.cat([attack(attacked, x, y).detach() for x, y in zip(images.split(64), labels.split(64))])
    if device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    with torch.no_grad():
        fooled = int((model(adversarial).argmax(1) != labels).sum())
    l2 = float((adversarial - images).flatten(1).norm(dim=1).mean())
    return {"seconds": seconds, "success": fooled, "mean_l2": l2}


def ifgsm(precision):
    return ["--attack", "ifgsm", "--eps", "8/255", "--alpha", "1/255", "--steps", str(STEPS), "--set",
            f"precision={json.dumps(precision)}"]


def cw(precision):
    return ["--attack", "cw", "--confidence", "0", "--set", f"iterations={CW['steps']}", "--set", "learning_rate=0.01",
            "--set", "binary_search_steps=5", "--set", "initial_const=0.01", "--set", f"precision={json.dumps(precision)}"]


TORCHATTACKS_BIM = peers.of_torchattacks("BIM", eps=8 / 255, alpha=1 / 255, steps=STEPS)
FOOLBOX_BIM = peers.of_foolbox(
    peers.LinfBasicIterativeAttack(abs_stepsize=1 / 255, steps=STEPS, random_start=False), 8 / 255)
FOOLBOX_CW = peers.of_foolbox(peers.L2CarliniWagnerAttack(**CW, abort_early=True))
