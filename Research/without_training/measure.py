"""Scores of every fill that needs no training, and of peers, on every kind of hole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.errors import MaskError
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.evaluation.report import Table
from MedInpaintLib.manifest import Entry

from ..shared.cases import Case, Task, score, summary
from ..shared.conventions import finite

TASKS = (
    Task("mr-5mm", "MR, 15 lesions of 5 mm", "MR", False, "spheres:5mm:15"),
    Task("mr-10mm", "MR, 4 spheres of 10 mm", "MR", False, "spheres:10mm:4"),
    Task("mr-20mm", "MR, a sphere of 20 mm", "MR", False, "spheres:20mm:1", (0, 1)),
    Task("mr-40mm", "MR, a sphere of 40 mm", "MR", False, "spheres:40mm:1"),
    Task("mr-strips", "MR, strips of 16 px on 10 slices", "MR", False, "strips:16px:1:slab=10px"),
    Task("ct-squares", "CT volumes, squares of 32 px on one slice", "CT", False, "squares:32px:4"),
    Task("ct-slices-squares", "CT slices, squares of 32 px", "CT", True, "squares:32px:2"),
    Task("ct-slices-strips", "CT slices, strips of 16 px", "CT", True, "strips:16px:1"),
    Task("film-squares", "Chest films, squares of 64 px", "film", True, "squares:64px:2", most=12),
    Task("film-strips", "Chest films, strips of 32 px", "film", True, "strips:32px:1", most=12),
)

#: Label -> options of the engine.
ENGINE: dict[str, dict[str, Any]] = {
    "nearest": {"method": "nearest"},
    "harmonic": {"method": "harmonic"},
    "biharmonic": {"method": "biharmonic"},
    "telea (OpenCV)": {"method": "telea"},
    "navier-stokes (OpenCV)": {"method": "navier-stokes"},
    "patch-regression": {"method": "patch-regression"},
    "patch": {"method": "patch"},
    "hybrid": {"method": "hybrid"},
    "auto": {"method": "auto"},
    "auto --self-check": {"method": "auto", "self_check": True},
}
#: The same, for volumes only.
VOLUMES: dict[str, dict[str, Any]] = {"linear-z": {"method": "linear-z"}}
#: The same, for heads only.
HEADS: dict[str, dict[str, Any]] = {
    "mirror": {"method": "mirror"},
    "mirror, as it is": {"method": "mirror", "parameters": {"detail": "all"}},
    "hybrid of the mirror": {"method": "hybrid", "parameters": {"structure": "mirror"}},
}
AUTO = ("auto", "auto --self-check")
METRICS = ("psnr", "ssim", "mae", "gradient_energy")
#: The best single method of a case is chosen among these.
SINGLE = ("biharmonic", "harmonic", "linear-z", "patch-regression", "patch", "hybrid", "mirror")


def skimage_slices(voided: np.ndarray, hole: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Fill by scikit-image's biharmonic method, slice by slice: in 3-D it takes minutes and gigabytes."""
    from skimage.restoration import inpaint_biharmonic

    slices = voided if voided.ndim == 3 else voided[np.newaxis]
    holes = hole if hole.ndim == 3 else hole[np.newaxis]
    filled = slices.astype(np.float64)
    for number in np.flatnonzero(holes.any(axis=(1, 2))):
        filled[number] = inpaint_biharmonic(filled[number], holes[number], split_into_regions=True)
    return filled.reshape(voided.shape)


def run_case(task: Task, entry: Entry, seed: int) -> Case | None:
    """Return the scores of one image with one set of holes; None where the holes do not fit."""
    image = task.load(entry)
    engine = dict(ENGINE) | (VOLUMES if image.array.ndim == 3 else {})
    if task.modality == "MR":
        engine |= HEADS
    methods: list[Any] = [(label, options) for label, options in engine.items()]
    methods.insert(5, ("scikit-image biharmonic, 2-D", skimage_slices))
    try:
        table = evaluate(
            image, task.holes, methods, seed=seed, modality=entry.modality, name=entry.name, split=entry.split
        )
    except MaskError:
        return None
    return _summary(table, task, entry, seed)


def _summary(table: Table, task: Task, entry: Entry, seed: int) -> Case:
    """Return what the page needs of a table, ready for JSON."""
    checked = table.reports["auto --self-check"]["self_check"]
    aside = _off_midline(table) if task.modality == "MR" else {}
    return {
        **summary(task, entry, seed, table),
        "scores": [
            {
                "method": row.method,
                "hole": row.hole,
                "off_midline_mm": aside.get(row.hole),
                **{metric: finite(metric, row.scores[metric]) for metric in METRICS},
            }
            for row in table.rows
        ],
        "took": {label: table.reports[label]["method"] for label in AUTO},
        "expected": checked and {table.reports["auto --self-check"]["method"]: _expected(checked)},
        "warnings": table.reports["mirror"]["warnings"] if task.modality == "MR" else [],
    }


def _expected(checked: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the PSNR that the self-check expects, averaged over the parts of the hole."""
    parts = [len(kind["parts"]) for kind in checked]
    return {"mean": float(np.average([kind["expected"]["psnr"]["mean"] for kind in checked], weights=parts))}


def _off_midline(table: Table) -> dict[int, float]:
    """Return each hole's distance to the head's mid-sagittal plane, mm; empty where the image has none."""
    from MedInpaintLib.intensity import fit_scaling, sample_known
    from MedInpaintLib.mask import Hole
    from MedInpaintLib.modality import MR
    from MedInpaintLib.registration import find_symmetry, frame
    from MedInpaintLib.subject import Subject

    hole = table.labels > 0
    whole = Hole(hole, tuple(slice(0, size) for size in hole.shape), hole.shape)
    scaling = fit_scaling(sample_known(table.image.array, hole, whole.box), MR)
    subject = Subject(table.image, whole, scaling, MR)
    symmetry = find_symmetry(subject)
    if symmetry is None:
        return {}
    steps, _ = frame(subject)
    centres = {row.hole: row.centre for row in table.rows}
    return {
        number: abs(float(symmetry.normal @ (steps @ np.array(centre)) - symmetry.distance))
        for number, centre in centres.items()
    }


def run(data: Path, out: Path, **selection: Any) -> list[Case]:
    """Score all cases; arguments as for :func:`Research.shared.cases.score`."""
    return score(TASKS, run_case, data, out, **selection)
