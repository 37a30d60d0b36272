"""Results of fills in which there is nothing to fill: the image as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..inputs import facts_of, name_of
from ..mask import Hole
from ..report import FillReport, now, software
from ..result import Result
from ..volume import Volume

if TYPE_CHECKING:
    from .fill import FillJob


def unfilled(job: FillJob, image: Volume, reason: str) -> Result:
    """Return an image as the result of a fill without a hole, for the reason that is given."""
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
        samples=0,
        self_check=None,
        uncertainty=None,
        filled_together=None,
        notes={},
        warnings=list(image.warnings),
        seconds={"total": 0.0},
        trust="Nothing was filled: the image is a copy.",
    )
    return Result(image, hole, (), report)
