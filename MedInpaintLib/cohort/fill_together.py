"""Fills of several images with one hole as cases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..errors import EmptyMaskError
from ..jobs.fill import FillJob
from ..jobs.fill_together import FillTogetherJob
from ..progress import Progress
from ..report import FillReport
from .case import CONTROL, DONE, CaseKind
from .cells import BETWEEN
from .fill import Fill, check_fill, copy

_LISTS = ("image", "output", "report", "uncertainty", "page")
_FILL = Fill()


class FillTogether(CaseKind[FillTogetherJob]):
    """Fills of several images with one hole, see :func:`MedInpaintLib.inpaint_together`."""

    job = FillTogetherJob
    reads = ("image", "mask", "guides")
    writes = ("output", "report", "uncertainty", "page", "filled_mask")
    without_effect = _FILL.without_effect
    columns = _FILL.columns
    counted: ClassVar = _FILL.counted

    def check(self, job: FillTogetherJob) -> None:
        job.check()
        check_fill(job, (*job.output, *job.uncertainty, job.filled_mask))

    def further_inputs(self, job: FillTogetherJob) -> tuple[list[Path], dict[str, Any]]:
        return _FILL.further_inputs(_alone(job, 0))

    def run(self, job: FillTogetherJob, progress: Progress) -> tuple[str, FillReport]:
        try:
            return DONE, job.run(progress)
        except EmptyMaskError as error:
            reports = [copy(_alone(job, number), str(error), progress) for number in range(len(job.image))]
            return CONTROL, reports[0]

    def facts(self, report: FillReport) -> dict[str, Any]:
        return _FILL.facts(report)

    def describe(self, status: str, facts: Mapping[str, Any]) -> str:
        return _FILL.describe(status, facts)


def split_lists(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Return the fields of a row with several images or outputs as those of a fill together; None for another row."""
    if not any(isinstance(each, str) and BETWEEN in each for each in (fields.get("image"), fields.get("output"))):
        return None
    # What the command leaves out is None; with a value, the job refuses what it has not.
    kept = {name: value for name, value in fields.items() if not (name == "exemplars" and value is None)}
    for name in _LISTS:
        if isinstance(kept.get(name), str):
            kept[name] = [entry.strip() for entry in kept[name].split(BETWEEN) if entry.strip()]
    return kept


def _alone(job: FillTogetherJob, number: int) -> FillJob:
    """Return the fill of one of the images; the mask of the voxels is written with the first one."""
    return FillJob(
        job=FillJob.KIND,
        image=job.image[number],
        mask=job.mask,
        output=job.output[number],
        report=job.report[number] if job.report else None,
        uncertainty=job.uncertainty[number] if job.uncertainty else None,
        page=job.page[number] if job.page else None,
        filled_mask=job.filled_mask if number == 0 else None,
        guides=job.guides,
        compress=job.compress,
        **job.keywords(),
    )
