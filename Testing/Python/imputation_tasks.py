"""Tasks of networks that estimate a contrast, for tests, and their losses written as loops."""

from __future__ import annotations

import numpy as np
import torch

import Research.comparators  # noqa: F401 - registers them
from MedInpaintLib.networks import build
from MedInpaintLib.training.tasks import task_of

from .imputers import stir

SMALL = {"pixels": 32, "contrasts": 3, "width": 8, "levels": 2, "linear": True}
#: Architecture -> its own arguments.
OWN = {
    "collagan": {},
    "cyclegan": {"sources": [2], "target": 0},
    "pix2pix": {"sources": [2], "target": 0},
    "stargan": {"preferred": [1, 2, 0]},
    "stargan-stacked": {},
}
#: What may weigh 0, and what its weight is when the recipe does not say.
WEIGHTS = {
    "collagan": {"direct": 0, "direct_ssim": 0, "cycle": 10, "cycle_ssim": 1, "adversarial": 1, "domain": 1},
    "cyclegan": {"cycle": 10, "adversarial": 1},
    "pix2pix": {"direct": 100, "adversarial": 1},
    "stargan": {"cycle": 10, "domain": 1, "adversarial": 1},
    "stargan-stacked": {"cycle": 10, "domain": 1, "adversarial": 1},
}
#: Of the second one a contrast is missing, which the fourth one alone has beside another.
THERE = torch.tensor([[True, True, True], [True, True, False], [True, True, True], [False, True, True]])


def task(architecture, arguments=None, **options):
    """Return the task of a small network in float64, with weights that are not those of the start."""
    torch.manual_seed(0)
    network = build(architecture, {**SMALL, **OWN[architecture], **(arguments or {})})
    made = task_of(architecture, stir(network), options)
    made.network.double()
    made.helpers.double()
    return made


def batch(there=THERE):
    """Return random images, 0 where a contrast is not there, and ``there``."""
    chance = torch.Generator().manual_seed(1)
    images = torch.rand(len(there), 3, 32, 32, generator=chance, dtype=torch.float64)
    return torch.where(there[:, :, None, None], images, 0.0), there


def noise(seed=2):
    """Return a generator for the chance of one step."""
    return torch.Generator().manual_seed(seed)


def losses(made, given, step=0):
    """Return the losses of a step and what it logs, by the names of the optimizers."""
    return {name: (loss, log) for name, loss, log in made.losses(given, step, noise())}


def weights_of(optimizer):
    """List the weights that an optimizer changes."""
    return [each for group in optimizer.param_groups for each in group["params"]]


def literal_squares(outputs, wanted) -> float:
    """Return half the mean of squared differences."""
    values = outputs.detach().numpy().ravel()
    return 0.5 * sum((value - wanted) ** 2 for value in values) / len(values)


def literal_cross_entropy(logits, classes) -> float:
    """Return the mean negative logarithm of the softmax of the right classes."""
    rows = logits.detach().numpy()
    shares = [np.exp(row[which]) / np.exp(row).sum() for row, which in zip(rows, classes, strict=True)]
    return -np.mean(np.log(shares))
