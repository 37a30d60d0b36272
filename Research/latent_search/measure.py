"""Scores of latent search by GAN and VAE, with kernel 3 and 7, and with each of its parts switched off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.errors import MaskError
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.manifest import Entry, read_manifest

from ..shared.cases import Case, Task, folder_of, go_through, list_cases

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
        "task": task.name,
        "image": entry.name,
        "subject": entry.subject,
        "seed": seed,
        "range": table.constants["R"],
        "scores": [
            {"method": row.method, "hole": row.hole, **{metric: row.scores[metric] for metric in METRICS}}
            for row in table.rows
        ],
        "seconds": table.seconds,
    }


def run(
    data: Path, out: Path, *, split: str = "test", tasks: Sequence[str] = (), match: str = "", workers: int = 2
) -> list[Case]:
    """Score all cases; those that were scored before are read from their files.

    Args:
        data: folder with MANIFEST.csv.
        out: folder for the page.
        split: of the data.
        tasks: names of tasks; all by default.
        match: only images with this in their name.
        workers: processes, each with a core of its own.
    """
    keep = folder_of(out / "cases" / split, [name for _, name in MODELS.values()])
    entries = [entry for entry in read_manifest(data, split) if match in entry.name]
    wanted = [task for task in TASKS if not tasks or task.name in tasks]
    return go_through(list_cases(entries, wanted), run_case, keep, workers=workers)
