"""Lesions that are put back as cases: with an empty mask, the segmentation of a control is copied and measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..jobs.lesion_back import LesionBackJob
from ..progress import Progress
from ..report import LesionBackReport
from .case import CONTROL, DONE, FAILED, CaseKind, facts_of_warnings


class LesionBack(CaseKind[LesionBackJob]):
    """Lesions that are put back, see :func:`MedInpaintLib.lesion_back`."""

    job = LesionBackJob
    reads = ("segmentation", "mask", "names", "image")
    writes = ("output", "report", "table")
    columns = ("numbering", "lesion_ml", "left_ml", "right_ml", "hit", "lost", "most_hit", "warnings", "first_warning")
    counted: ClassVar = {DONE: "put back", CONTROL: "copied with an empty mask", FAILED: "failed"}

    def check(self, job: LesionBackJob) -> None:
        from ..io.formats import format_of
        from ..segmentation.lesion import check_number
        from ..segmentation.numberings import check_choice

        format_of(Path(job.output))
        check_choice(job.numbering)
        check_number(job.number, job.cut)

    def further_inputs(self, job: LesionBackJob) -> tuple[list[Path], dict[str, Any]]:
        from ..io.label_names import tables_of

        files = [] if job.names is not None else tables_of(job.segmentation)
        return [*files, *(tables_of(job.mask) if job.labels is not None else [])], {}

    def run(self, job: LesionBackJob, progress: Progress) -> tuple[str, LesionBackReport]:
        report = dataclasses.replace(job, allow_empty=True).run(progress)
        return DONE if report["lesion"]["voxels"] else CONTROL, report

    def facts(self, report: LesionBackReport) -> dict[str, Any]:
        lesion = report["lesion"]
        most = next((row for row in report["regions"] if row["covered_ml"] > 0), None)
        return {
            "numbering": report["numbering"],
            "lesion_ml": lesion["volume_ml"],
            "left_ml": lesion["left_ml"],
            "right_ml": lesion["right_ml"],
            "hit": report["hit_regions"],
            "lost": report["lost_regions"],
            "most_hit": "" if most is None else most["name"] or str(most["label"]),
            **facts_of_warnings(report["warnings"]),
        }

    def describe(self, status: str, facts: Mapping[str, Any]) -> str:
        if status == CONTROL:
            return "copied, its mask is empty"
        return f"lesion of {facts['lesion_ml']:.2f} ml put back, {facts['hit']} region(s) hit"
