"""Fills as cases: an empty mask is a control, whose image is copied."""

from __future__ import annotations

import functools
import importlib.util
import json
import time
from pathlib import Path
from typing import Any

from ..errors import EmptyMaskError, ParameterError
from ..jobs.fill import FillJob
from ..jobs.outputs import model_folder
from ..progress import Progress
from ..report import FillReport, now, software
from .case import CONTROL, DONE, CaseKind


class Fill(CaseKind[FillJob]):
    """Fills, see :func:`MedInpaintLib.inpaint`."""

    job = FillJob
    reads = ("image", "mask", "guides", "exemplars")
    writes = ("output", "report", "uncertainty", "filled_mask")
    without_effect = ("workers",)
    columns = ("method", "voxels", "volume_ml", "parts", "warnings", "first_warning")

    def check(self, job: FillJob) -> None:
        from ..io.formats import format_of, names_folder
        from ..pipeline import NO_MASK

        if job.mask is None and not job.fill_missing_slices:
            raise ParameterError(NO_MASK)
        for path in (job.output, job.uncertainty, job.filled_mask):
            if path is not None and not names_folder(path):
                format_of(Path(path))
        check_options(json.dumps(job.keywords(), sort_keys=True))

    def further_inputs(self, job: FillJob) -> tuple[list[Path], dict[str, Any]]:
        from ..io.label_names import tables_of

        model = model_folder(job.parameters)
        files = sorted(Path(model).iterdir()) if model else []
        if job.mask is not None and job.labels is not None:
            files += tables_of(job.mask)
        return files, _networks(job.method, job.self_check, str(job.parameters.get("model", "auto")))

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
        warnings = report["warnings"]
        return {
            "method": report["method"],
            "voxels": report["hole"]["voxels"],
            "volume_ml": report["hole"]["volume_ml"],
            "parts": report["hole"]["components"],
            "warnings": len(warnings),
            "first_warning": warnings[0] if warnings else "",
        }


@functools.lru_cache(1024)
def check_options(options: str) -> None:
    """Check options, as JSON, once for all cases that share them.

    Raises:
        ParameterError: with the reason.
    """
    from ..methods import registry
    from ..options import FillOptions
    from ..parameters import parse

    checked = FillOptions(**json.loads(options))
    checked.check()
    if checked.method != "auto":
        info = registry.get(checked.method)
        parse(info.parameters, checked.parameters, method=checked.method)


@functools.lru_cache(1024)
def _networks(method: str, self_check: bool, model: str) -> dict[str, Any]:
    """Return what a fill's networks depend on beyond the version of MedInpaint: the user's own models, and PyTorch."""
    from ..methods import registry
    from ..models.store import is_released, models

    architecture = None if method == "auto" else registry.get(method).architecture
    if method != "auto" and not self_check and architecture is None:
        return {}
    own = {
        bundle.name: bundle.weights_file["sha256"]
        for bundle in models().values()
        if not is_released(bundle)
        and (model == bundle.name if model != "auto" else self_check or architecture in (None, bundle.architecture))
    }
    return {"models": own, "torch": importlib.util.find_spec("torch") is not None}


def copy(job: FillJob, reason: str, progress: Progress) -> FillReport:
    """Write an image whose mask is empty as it is, with the other outputs of its job; return the report."""
    import numpy as np

    from ..inputs import facts_of, name_of
    from ..mask import Hole
    from ..missing_slices import with_missing_slices
    from ..result import Result
    from ..volume import Volume

    start = time.perf_counter()
    progress.update(0.0, "Copying")
    image = Volume.read(job.image, **job.reading())
    if image.missing:
        with_missing_slices(image, None, fill=False)  # refuses it: those slices are no copy of anything
    nothing = (slice(0, 0),) * image.array.ndim
    hole = Hole(np.zeros((0,) * image.array.ndim, dtype=bool), nothing, image.array.shape)
    report = FillReport(
        software=software(),
        date=now(),
        method="none",
        reason=reason,
        parameters={},
        blend="paste",
        seed=job.seed,
        device="cpu",
        modality=job.modality or "",
        modality_reason="",
        image={**facts_of(job.image, image), "dtype": str(image.array.dtype)},
        mask={} if job.mask is None else {"name": name_of(job.mask), "kind": "empty", "rule": "nothing is filled"},
        hole={"voxels": 0, "volume_ml": 0.0 if image.array.ndim == 3 else None, "components": 0, "regions": 0},
        parts=[],
        grain=job.grain,
        self_check=None,
        uncertainty=None,
        filled_together=None,
        notes={},
        warnings=list(image.warnings),
        seconds={},
        trust="Nothing was filled: the image is a copy.",
    )
    report["seconds"] = {"total": round(time.perf_counter() - start, 4)}
    Result(image, hole, (), report).save(
        job.output, job.report, job.filled_mask, uncertainty=job.uncertainty, compress=job.compress
    )
    progress.update(1.0, "Done")
    return report
