"""Scores of latent search by GAN and VAE, with kernel 3 and 7, and with one part of the search changed at a time."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from MedInpaintLib.errors import MaskError
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.foreground import body
from MedInpaintLib.frames import along, pose, sample
from MedInpaintLib.manifest import Entry
from MedInpaintLib.modality import Modality
from MedInpaintLib.volume import Volume

from ..shared.cases import Case, Task, score, summary
from ..shared.conventions import finite
from ..shared.models import require_models

#: One contrast, so that each person has one image; the released models have learned it among others.
CONTRASTS = ("T1",)
#: Pixels of the released models. A loss in finer pixels would leave them nothing: each of theirs would mix in a hole.
PIXEL_MM = 1.5


@dataclasses.dataclass(frozen=True)
class Slices(Task):
    """Holes in one axial slice of each image, seen alone, as in the sources of latent search."""

    def load(self, entry: Entry) -> Volume:
        """Read the axial slice with the largest section of the head, in pixels of :data:`PIXEL_MM`."""
        volume = Volume.read(entry.path)
        turned = pose(volume, "axial")
        areas = turned.turn(body(volume.array, Modality.of(self.modality), None)).sum(axis=(1, 2))
        stack = turned.turn(volume.array)[[areas.argmax()]]
        ratio = [PIXEL_MM / volume.spacing[axis] for axis in turned.order[1:]]
        rows, columns = (
            along((size - 1) / 2, round(size / each), each) for size, each in zip(stack.shape[1:], ratio, strict=True)
        )
        return Volume(sample(stack, rows, columns, ratio)[0], (PIXEL_MM, PIXEL_MM))


@dataclasses.dataclass(frozen=True)
class RandomLoss(Slices):
    """Single pixels of the head are lost at random, all over the slice.

    Yeh et al. (CVPR 2017) use such images with a loss of 80 %.

    Attributes:
        share: of the head's pixels, 0..1.
    """

    share: float = 0.8

    def cut(self, image: Volume, seed: int) -> np.ndarray:
        """Return the hole, bool ``(rows, columns)``: the pixels that are lost.

        Diagonal neighbours count as connected; the few pixels that are not connected with the rest are kept, because
        each would be scored as a hole of its own.
        """
        inside = body(image.array, Modality.of(self.modality), None)
        lost = inside & (np.random.default_rng(seed).random(inside.shape) < self.share)
        parts, _ = ndimage.label(lost, structure=np.ones((3, 3)))
        return np.asarray(parts == 1 + np.bincount(parts.ravel())[1:].argmax())


ABLATED = "mr-slices"
TASKS: tuple[Task, ...] = (
    Task("mr-10mm", "Small holes: a sphere of 10 mm", "MR", False, "spheres:10mm:1", contrasts=CONTRASTS),
    Task("mr-20mm", "Large holes: a sphere of 20 mm", "MR", False, "spheres:20mm:1", contrasts=CONTRASTS),
    # Two minutes an image, so six people have to do.
    Task("mr-40mm", "Very large holes: a sphere of 40 mm", "MR", False, "spheres:40mm:1", most=6, contrasts=CONTRASTS),
    Slices(ABLATED, "One slice: 2 discs of 20 mm", "MR", False, "spheres:20mm:2", contrasts=CONTRASTS),
    RandomLoss(
        "mr-80", "One slice: random loss of 80 %", "MR", False, "80 % of pixels", contrasts=CONTRASTS, share=0.8
    ),
    RandomLoss(
        "mr-95", "One slice: random loss of 95 %", "MR", False, "95 % of pixels", contrasts=CONTRASTS, share=0.95
    ),
)
#: Label -> method and model.
MODELS = {
    "VAE-3": ("vae-latent", "brain-mr-vae-3"),
    "VAE-7": ("vae-latent", "brain-mr-vae-7"),
    "GAN-3": ("gan-latent", "brain-mr-gan-3"),
    "GAN-7": ("gan-latent", "brain-mr-gan-7"),
}
#: Those that were measured and no longer come with MedInpaint; the page says why. Their recipes do.
WITHDRAWN = ("brain-mr-vae-7", "brain-mr-gan-7")
#: Label -> what is changed in the search: parameters, and options of the engine.
SWITCHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no prior": ({"prior": 0.0}, {}),
    "no weighting": ({"weighting": False}, {}),
    "no blending": ({}, {"blend": "paste"}),
    "no context": ({"context": "off"}, {}),
    "no search": ({"steps": 0}, {}),
}
SOURCE, UNWEIGHTED = "L1 weighted as in the source", "L1 without weighting"
#: The context loss of Yeh et al. (CVPR 2017, eq. 3 and 4), and the same without its weights.
CONTEXTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    SOURCE: ({"context": "L1", "far": 0.0, "window": 7}, {}),
    UNWEIGHTED: ({"context": "L1", "weighting": False}, {}),
}
CHANGES = SWITCHES | CONTEXTS
METRICS = ("psnr", "ssim", "rmse", "gradient_energy")


def variants(task: Task) -> dict[str, dict[str, Any]]:
    """Return label -> options of the engine: every model as it is, and on one task with every change of its search."""
    fills: dict[str, dict[str, Any]] = {}
    for label, (method, model) in MODELS.items():
        fills[label] = {"method": method, "parameters": {"model": model}}
        for change, (parameters, options) in CHANGES.items() if task.name == ABLATED else ():
            changed = {"method": method, "parameters": {"model": model, **parameters}, **options}
            fills[f"{label}, {change}"] = changed
    return fills


def run_case(task: Task, entry: Entry, seed: int) -> Case | None:
    """Return the scores of one image with one set of holes; None where the holes do not fit."""
    methods: list[Any] = ["biharmonic", *variants(task).items()]
    image = task.load(entry)
    try:
        table = evaluate(image, task.cut(image, seed), methods, seed=seed, modality="MR", name=entry.name)
    except MaskError:
        return None
    return {
        **summary(task, entry, seed, table),
        "scores": [
            {
                "method": row.method,
                "hole": row.hole,
                **{metric: finite(metric, row.scores[metric]) for metric in METRICS},
            }
            for row in table.rows
        ],
    }


def run(data: Path, out: Path, **selection: Any) -> list[Case]:
    """Score all cases; arguments as for :func:`Research.shared.cases.score`.

    Raises:
        ModelError: a model is missing; two of the four are to be trained first, see :data:`WITHDRAWN`.
    """
    names = [name for _, name in MODELS.values()]
    require_models(names)
    return score(TASKS, run_case, data, out, names, **selection)
