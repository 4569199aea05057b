"""The comparisons: an attack with our options, and the same attack of other libraries."""
import dataclasses
from typing import Callable

import foolbox
import torchattacks
from foolbox.attacks import (L2CarliniWagnerAttack, LinfBasicIterativeAttack, LinfFastGradientAttack,
                             LinfMomentumIterativeFastGradientMethod, LinfPGD)


@dataclasses.dataclass
class Peer:
    name: str
    run: Callable           # (model, images, labels) -> adversarial images
    judged: bool = True     # it is the same algorithm; otherwise `note` says how it differs
    note: str = ""


@dataclasses.dataclass
class Case:
    name: str
    ours: list              # arguments of `sweep_runner attack`
    peers: list
    minimal: bool = False   # looks for the smallest change (C&W)


def of_foolbox(attack, epsilon=None):
    def run(model, images, labels):
        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device=images.device)
        return attack(wrapped, images, labels, epsilons=epsilon)[1]

    return run


def of_torchattacks(kind, **options):
    return lambda model, images, labels: getattr(torchattacks, kind)(model, **options)(images, labels)


def fgsm(e):
    eps = e / 255
    return Case(f"FGSM eps {e}", ["--attack", "fgsm", "--eps", f"{e}/255"],
                [Peer("torchattacks", of_torchattacks("FGSM", eps=eps)),
                 Peer("foolbox", of_foolbox(LinfFastGradientAttack(), eps))])


def iterated(name, e, relative):
    """BIM, PGD without a random start and MI-FGSM: 10 steps of 1/255, or of a tenth of epsilon."""
    eps = e / 255
    alpha = eps * 0.1 if relative else 1 / 255
    own = {"BIM": ["ifgsm"], "PGD": ["pgd", "--set", "random_start=false"], "MI-FGSM": ["mifgsm"]}[name]
    torch_options = {"BIM": {}, "PGD": {"random_start": False}, "MI-FGSM": {"decay": 1.0}}[name]
    kind = {"BIM": LinfBasicIterativeAttack, "PGD": LinfPGD, "MI-FGSM": LinfMomentumIterativeFastGradientMethod}[name]
    theirs = of_foolbox(kind(abs_stepsize=alpha, steps=10, random_start=False), eps)
    other_momentum = name == "MI-FGSM"
    return Case(f"{name} eps {e} alpha {'eps/10' if relative else '1/255'}",
                ["--attack", *own, "--eps", f"{e}/255", "--steps", "10",
                 *(["--alpha-rel", "0.1"] if relative else ["--alpha", "1/255"])],
                [Peer("torchattacks", of_torchattacks(name.replace("-", ""), eps=eps, alpha=alpha, steps=10,
                                                      **torch_options)),
                 Peer("foolbox", theirs, judged=not other_momentum,
                      note="foolbox's momentum adds gradients as they are, Dong et al. divide each by its L1 norm"
                      if other_momentum else "")])


def carlini_wagner(steps):
    options = {"binary_search_steps": 5, "steps": steps, "stepsize": 0.01, "confidence": 0, "initial_const": 1e-2}
    return Case(f"C&W 5 x {steps}",
                ["--attack", "cw", "--confidence", "0", "--set", f"iterations={steps}", "--set", "learning_rate=0.01",
                 "--set", "binary_search_steps=5", "--set", "initial_const=0.01"],
                [Peer("foolbox", of_foolbox(L2CarliniWagnerAttack(**options, abort_early=False))),
                 Peer("foolbox, early abort", of_foolbox(L2CarliniWagnerAttack(**options, abort_early=True)),
                      judged=False, note="stops a whole batch at once"),
                 Peer("torchattacks", of_torchattacks("CW", c=1, kappa=0, steps=steps, lr=0.01), judged=False,
                      note="torchattacks has no binary search of the constant")], minimal=True)


def cases(long):
    chosen = [fgsm(e) for e in (4, 8)]
    chosen += [iterated(name, e, relative) for name in ("BIM", "PGD", "MI-FGSM") for e in (4, 8)
               for relative in (False, True)]
    chosen.append(carlini_wagner(100))
    if long:
        chosen.append(carlini_wagner(1000))
    return chosen
