"""Scores of networks that fill in one pass, beside the best fills without training, on brain MR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from MedInpaintLib.errors import MaskError
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.frames import pose
from MedInpaintLib.manifest import Entry
from MedInpaintLib.metrics import slice_jump

from ..shared.cases import Case, Task, score, summary
from ..shared.conventions import finite

#: The contrasts that the released models have learned.
CONTRASTS = ("T1", "T2", "FLAIR")
MAIN = "mr-20mm"
TASKS = (
    Task("mr-10mm", "4 spheres of 10 mm", "MR", False, "spheres:10mm:4", contrasts=CONTRASTS),
    Task(MAIN, "A sphere of 20 mm", "MR", False, "spheres:20mm:1", (0, 1, 2, 3), contrasts=CONTRASTS),
    Task("mr-40mm", "A sphere of 40 mm", "MR", False, "spheres:40mm:1", contrasts=CONTRASTS),
    Task("mr-lesions", "3 lesions of 15 mm", "MR", False, "lesions:15mm:3", contrasts=CONTRASTS),
    Task("mr-strips", "Strips of 16 px on 10 slices", "MR", False, "strips:16px:1:slab=10px", contrasts=CONTRASTS),
)
#: Label -> method and model.
MODELS = {
    "unet": ("unet", "brain-mr-unet"),
    "pconv": ("pconv", "brain-mr-pconv"),
    "rfr": ("rfr", "brain-mr-rfr"),
}
#: Fills without training; a network has to be better than the best of them.
WITHOUT = ("biharmonic", "patch-regression", "patch", "mirror")
#: Label -> what changes in the first model's fill, on one task: parameters, and options of the engine.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "not mirrored": ({"mirrored": False}, {}),
    "3 directions": ({"directions": 3}, {}),
    "Poisson blending": ({}, {"blend": "poisson"}),
}
CHANGED = "unet"
METRICS = ("psnr", "ssim", "rmse", "gradient_energy", "boundary_jump", "slice_jump")


def variants(task: Task) -> dict[str, dict[str, Any]]:
    """Return label -> options of the engine: every model, and on one task every change."""
    fills: dict[str, dict[str, Any]] = {}
    for label, (method, model) in MODELS.items():
        fills[label] = {"method": method, "parameters": {"model": model}}
        if task.name == MAIN and label == CHANGED:
            for change, (parameters, others) in CHANGES.items():
                fills[f"{label}, {change}"] = {
                    "method": method,
                    "parameters": {"model": model, **parameters},
                    **others,
                }
    return fills


def run_case(task: Task, entry: Entry, seed: int) -> Case | None:
    """Return the scores of one image with one set of holes; None where the holes do not fit."""
    methods: list[Any] = [*WITHOUT, *variants(task).items()]
    image = task.load(entry)
    try:
        table = evaluate(image, task.holes, methods, seed=seed, modality="MR", name=entry.name, keep_fills=True)
    except MaskError:
        return None
    across = pose(image, "axial").order[0]
    jumps = {
        (method, row.hole): slice_jump(
            table.fills[method], image.array, table.labels == row.hole, spacing=image.spacing, axis=across
        )
        for method in table.fills
        for row in table.rows
        if row.method == method
    }
    return {
        **summary(task, entry, seed, table),
        "scores": [
            {
                "method": row.method,
                "hole": row.hole,
                **{metric: finite(metric, row.scores[metric]) for metric in METRICS if metric in row.scores},
                "slice_jump": finite("slice_jump", jumps.get((row.method, row.hole))),
            }
            for row in table.rows
        ],
    }


def run(data: Path, out: Path, **selection: Any) -> list[Case]:
    """Score all cases; arguments as for :func:`Research.shared.cases.score`."""
    return score(TASKS, run_case, data, out, [name for _, name in MODELS.values()], **selection)
