"""Scores of flat images by three conventions: ours, the course report's, and the report's over the whole image."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from MedInpaintLib.errors import MaskError
from MedInpaintLib.evaluation.protocol import evaluate
from MedInpaintLib.manifest import Entry
from MedInpaintLib.metrics import score

from .cases import Case, Task, summary

OURS = ("psnr", "ssim", "rmse", "gradient_energy")
#: Over the hole, and over the whole image, whose scores are shown once to explain why they mislead.
REPORT = ("report_psnr", "report_ssim", "report_rmse")
IMAGE = ("image_psnr", "image_ssim")
METRICS = (*OURS, *REPORT, *IMAGE)
#: PSNR is capped at this many dB. Rounding to 8 bits alone gives 59 dB; a thin plate over a hole in pure black has an
#: infinite PSNR, of which no mean exists.
MOST = 60.0


def run_case(
    task: Task, entry: Entry, seed: int, *, without: Sequence[str], models: Mapping[str, tuple[str, str]]
) -> Case | None:
    """Return the scores of one image with one set of holes; None where the holes do not fit.

    Args:
        task: the kind of holes.
        entry: the image.
        seed: of the holes, combined with the image's name: otherwise images of one size would have their holes at the
            same position.
        without: methods without a model.
        models: label -> method and model.
    """
    methods: list[Any] = [*without]
    methods += [
        (label, {"method": method, "parameters": {"model": model}}) for label, (method, model) in models.items()
    ]
    image, seed = task.load(entry), zlib.crc32(f"{entry.name} {seed}".encode())
    try:
        table = evaluate(
            image, task.holes, methods, seed=seed, modality=task.modality, name=entry.name, keep_fills=True
        )
    except MaskError:
        return None
    width = float(table.constants["R"])
    rows = []
    for row in table.rows:
        kept: dict[str, float | None] = {name: row.scores[name] for name in OURS}
        for prefix, region in (("report", "hole"), ("image", "image")):
            if task.modality != "film":  # its PSNR is of the brightest filled pixel, which in HU may be below 0
                kept |= dict.fromkeys((*REPORT, *IMAGE), None)
                break
            scores = score(
                table.fills[row.method],
                image.array,
                table.labels == row.hole,
                convention="rfr-report",
                region=region,
                data_range=width,
            )
            kept |= {f"{prefix}_{name}": value for name, value in scores.items() if f"{prefix}_{name}" in METRICS}
        rows.append({"method": row.method, "hole": row.hole, **{name: finite(name, kept[name]) for name in METRICS}})
    return {
        **summary(task, entry, seed, table),
        "title": task.title,
        "scores": rows,
    }


def finite(metric: str, value: float | None) -> float | None:
    """Return a score as tables hold it: a PSNR of at most :data:`MOST`, and None for what has no finite value.

    Where the truth is flat, there is no ratio of textures; where a fill is black, it has no brightest pixel to which
    the report's PSNR could be relative.

    >>> finite("psnr", math.inf), finite("gradient_energy", math.inf), finite("ssim", 0.5)
    (60.0, None, 0.5)
    """
    if value is not None and metric.endswith("psnr"):
        value = min(value, MOST)
    return value if value is not None and math.isfinite(value) else None
