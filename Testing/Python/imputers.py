"""Networks that estimate a contrast, for tests: CollaGAN and those that it is compared with."""

from __future__ import annotations

import itertools

import torch
from torch import nn

import Research.comparators  # noqa: F401 - registers them
from MedInpaintLib.networks import build

SMALL = {"pixels": 16, "contrasts": 4, "width": 4, "levels": 3}
#: Architecture -> its own arguments.
OWN = {
    "collagan": {},
    "cyclegan": {"sources": [3, 1], "target": 0},
    "pix2pix": {"sources": [1], "target": 2},
    "stargan": {"preferred": [2, 0, 3, 1]},
    "stargan-stacked": {},
}
#: Every set of four contrasts that may be there, once with each of them wanted.
SETS = torch.tensor(list(itertools.product([False, True], repeat=4))).repeat_interleave(4, dim=0)
WANTED = torch.arange(4).repeat(16)
#: What a network must not look at.
HIDDEN = ~SETS | nn.functional.one_hot(WANTED, 4).bool()


def made(architecture="collagan", **arguments):
    """Build a network in evaluation mode, with weights that are not those of the start."""
    return stir(fresh(architecture, **arguments))


def fresh(architecture="collagan", **arguments):
    """Build a network in evaluation mode, as a training starts with it."""
    torch.manual_seed(0)
    return build(architecture, {**SMALL, **OWN[architecture], **arguments}).eval()


def stir(network):
    """Give random values to all weights that start at 0."""
    for weights in network.parameters():
        if not weights.any():
            nn.init.normal_(weights, std=0.1)
    return network


def slices(batch=len(SETS), rows=16, columns=16, seed=0):
    """Return random slices with a signal everywhere."""
    return 0.1 + torch.rand(batch, 4, rows, columns, generator=torch.Generator().manual_seed(seed))
