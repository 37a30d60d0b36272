"""Fills as cases: an empty mask is a control, whose image is copied."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..errors import EmptyMaskError, ParameterError
from ..jobs.fill import FillJob
from ..options import FillOptions
from ..progress import Progress
from ..report import FillReport
from .case import CONTROL, DONE, FAILED, CaseKind, facts_of_warnings
from .networks import files_of_model, networks


class Fill(CaseKind[FillJob]):
    """Fills, see :func:`MedInpaintLib.inpaint`."""

    job = FillJob
    reads: tuple[str, ...] = ("image", "mask", "guides", "exemplars")
    writes: tuple[str, ...] = ("output", "report", "uncertainty", "filled_mask", "page")
    without_effect = ("workers",)
    columns: tuple[str, ...] = (
        "method",
        "voxels",
        "volume_ml",
        "parts",
        "warned_parts",
        "deepest_mm",
        "warnings",
        "first_warning",
    )
    counted: ClassVar = {DONE: "filled", CONTROL: "copied with an empty mask", FAILED: "failed"}

    def check(self, job: FillJob) -> None:
        from ..pipeline import NO_MASK

        if job.mask is None and not job.fill_missing_slices:
            raise ParameterError(NO_MASK)
        check_fill(job, (job.output, job.uncertainty, job.filled_mask))

    def outputs(self, job: FillJob) -> dict[str, str]:
        """Return the paths that a job writes, those of its samples included."""
        return {**super().outputs(job), **job.sample_files()}

    def further_inputs(self, job: FillJob) -> tuple[list[Path], dict[str, Any]]:
        from ..io.label_names import tables_of

        files = files_of_model(job.parameters)
        if job.mask is not None and job.labels is not None:
            files += tables_of(job.mask)
        return files, networks(job.method, job.self_check, str(job.parameters.get("model", "auto")))

    def of_row(self, fields: dict[str, Any]) -> tuple[CaseKind[Any], dict[str, Any]]:
        """Return the kind for a row: one with several images and as many outputs is filled together."""
        from .fill_together import FillTogether, split_lists

        lists = split_lists(fields)
        return (self, fields) if lists is None else (FillTogether(), lists)

    def run(self, job: FillJob, progress: Progress) -> tuple[str, FillReport]:
        try:
            return DONE, job.run(progress)
        except EmptyMaskError as error:
            return CONTROL, copy(job, str(error), progress)

    def facts(self, report: FillReport) -> dict[str, Any]:
        return {
            "method": report["method"],
            "voxels": report["hole"]["voxels"],
            "volume_ml": report["hole"]["volume_ml"],
            "parts": report["hole"]["components"],
            "warned_parts": sum(bool(part["warnings"]) for part in report["parts"]),
            "deepest_mm": max((part["depth_mm"] or 0.0 for part in report["parts"]), default=None),
            **facts_of_warnings(report["warnings"]),
        }

    def describe(self, status: str, facts: Mapping[str, Any]) -> str:
        if status == CONTROL:
            return "copied, its mask is empty"
        parts = f"{facts['parts']} part{'s' if facts['parts'] != 1 else ''}"
        return f"filled by {facts['method']}, {facts['voxels']} voxels in {parts}"


def check_fill(options: FillOptions, images: Iterable[str | None]) -> None:
    """Check the options of a fill and the formats of the images that it writes.

    Args:
        options: of the fill.
        images: paths of the images; None for those that are not asked for.

    Raises:
        InputError: with the reason.
    """
    from ..io.formats import format_of, names_folder

    for path in images:
        if path is not None and not names_folder(path):
            format_of(Path(path))
    _check_options(json.dumps(options.keywords(), sort_keys=True))


@functools.lru_cache(1024)
def _check_options(options: str) -> None:
    """Check options, as JSON, once for all cases that share them.

    Raises:
        ParameterError: with the reason.
    """
    from ..methods import registry
    from ..parameters import parse

    checked = FillOptions(**json.loads(options))
    checked.check()
    if checked.method != "auto":
        info = registry.get(checked.method)
        parse(info.parameters, checked.parameters, method=checked.method)


def copy(job: FillJob, reason: str, progress: Progress) -> FillReport:
    """Write an image whose mask is empty as it is, with the other outputs of its job; return the report."""
    from ..jobs.fill_volumes import fill_volumes
    from ..jobs.unfilled import unfilled
    from ..missing_slices import with_missing_slices
    from ..volume import Volume

    start = time.perf_counter()
    progress.update(0.0, "Copying")
    if job.is_4d():
        return fill_volumes(job, progress, also_without_hole=True)
    image = Volume.read(job.image, **job.reading())
    if image.missing:
        with_missing_slices(image, None, fill=False)  # refuses it: those slices are no copy of anything
    result = unfilled(job, image, reason)
    result.report["seconds"] = {"total": round(time.perf_counter() - start, 4)}
    result.save(
        job.output, job.report, job.filled_mask, uncertainty=job.uncertainty, page=job.page, compress=job.compress
    )
    progress.update(1.0, "Done")
    return result.report
