"""Estimates of a missing contrast as cases; a table can have a column for each contrast."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..errors import ParameterError
from ..jobs.impute import ImputeJob
from ..progress import Progress
from ..report import ImputeReport
from .case import DONE, FAILED, CaseKind, facts_of_warnings
from .networks import files_of_model, networks


class Impute(CaseKind[ImputeJob]):
    """Estimates of a contrast, see :func:`MedInpaintLib.impute`."""

    job = ImputeJob
    reads = ("images", "like")
    writes = ("output", "report")
    columns = ("target", "model", "images", "registered", "units", "warnings", "first_warning")
    counted: ClassVar = {DONE: "estimated", FAILED: "failed"}

    def entries(self) -> Sequence[str]:
        return _contrasts()

    def entry_of(self, heading: str) -> tuple[str, str] | None:
        contrast = next((each for each in _contrasts() if each.lower() == heading.strip().lower()), None)
        return None if contrast is None else ("images", contrast)

    def check(self, job: ImputeJob) -> None:
        from ..devices import check_device
        from ..io.formats import format_of

        format_of(Path(job.output))
        check_device(job.device)
        if not any(name.lower() != job.target.strip().lower() for name in job.images):
            raise ParameterError(
                f"To estimate {job.target}, name images of other contrasts: in columns {', '.join(_contrasts())}, or "
                "as NAME=path in the column images."
            )

    def further_inputs(self, job: ImputeJob) -> tuple[list[Path], dict[str, Any]]:
        from ..imputation.estimate import ARCHITECTURE

        return files_of_model({"model": job.model}), networks(ARCHITECTURE, False, job.model)

    def run(self, job: ImputeJob, progress: Progress) -> tuple[str, ImputeReport]:
        return DONE, job.run(progress)

    def facts(self, report: ImputeReport) -> dict[str, Any]:
        return {
            "target": report["target"],
            "model": report["model"],
            "images": ", ".join(report["images"]),
            "registered": "yes" if report["registered"] else "no",
            "units": report["units"],
            **facts_of_warnings(report["warnings"]),
        }

    def describe(self, status: str, facts: Mapping[str, Any]) -> str:
        return f"{facts['target']} estimated from {facts['images']} by {facts['model']}"


@functools.lru_cache(1)
def _contrasts() -> tuple[str, ...]:
    """Return the contrasts that the models here can tell apart, each once."""
    from ..imputation.estimate import ARCHITECTURE
    from ..models.store import models

    bundles = (bundle for bundle in models().values() if bundle.architecture == ARCHITECTURE)
    return tuple({contrast: None for bundle in bundles for contrast in bundle.contrasts})
