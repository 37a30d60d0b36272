"""Scores of latent search by GAN and VAE, with kernel 3 and 7, and with each of its parts switched off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from MedInpaintLib.errors import MaskError
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.manifest import Entry

from ..shared.cases import Case, Task, score, summary
from ..shared.conventions import finite

#: The contrasts that the released models have learned.
CONTRASTS = ("T1", "T2", "FLAIR")
ABLATED = "mr-20mm"
TASKS = (
    Task("mr-10mm", "Small holes: 4 spheres of 10 mm", "MR", False, "spheres:10mm:4", contrasts=CONTRASTS),
    Task(ABLATED, "Large holes: a sphere of 20 mm", "MR", False, "spheres:20mm:1", (0, 1), contrasts=CONTRASTS),
    Task("mr-40mm", "Very large holes: a sphere of 40 mm", "MR", False, "spheres:40mm:1", contrasts=CONTRASTS),
)
#: Label -> method and model.
MODELS = {
    "VAE-3": ("vae-latent", "brain-mr-vae-3"),
    "VAE-7": ("vae-latent", "brain-mr-vae-7"),
    "GAN-3": ("gan-latent", "brain-mr-gan-3"),
    "GAN-7": ("gan-latent", "brain-mr-gan-7"),
}
#: Label -> how a part is switched off: parameters, and options of the engine.
SWITCHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no prior": ({"prior": 0.0}, {}),
    "no weighting": ({"weighting": False}, {}),
    "no blending": ({}, {"blend": "paste"}),
    "no context": ({"context": "off"}, {}),
    "no search": ({"steps": 0}, {}),
}
SWITCHED = ("VAE-3", "GAN-3")
METRICS = ("psnr", "ssim", "rmse", "gradient_energy")


def variants(task: Task) -> dict[str, dict[str, Any]]:
    """Return label -> options of the engine: every model, and on one task every switch."""
    fills: dict[str, dict[str, Any]] = {}
    for label, (method, model) in MODELS.items():
        fills[label] = {"method": method, "parameters": {"model": model}}
        if task.name == ABLATED and label in SWITCHED:
            for switch, (parameters, options) in SWITCHES.items():
                off = {"method": method, "parameters": {"model": model, **parameters}, **options}
                fills[f"{label}, {switch}"] = off
    return fills


def run_case(task: Task, entry: Entry, seed: int) -> Case | None:
    """Return the scores of one image with one set of holes; None where the holes do not fit."""
    methods: list[Any] = ["biharmonic", *variants(task).items()]
    try:
        table = evaluate(task.load(entry), task.holes, methods, seed=seed, modality="MR", name=entry.name)
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
    """Score all cases; arguments as for :func:`Research.shared.cases.score`."""
    return score(TASKS, run_case, data, out, [name for _, name in MODELS.values()], **selection)
