"""Errors of the volumes of tissue: against the same program's segmentation of the healthy head."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..tissue_volumes.segmentation import CSF, GREY, WHITE

TISSUES = {"grey": GREY, "white": WHITE, "csf": CSF}
#: Ending of a column on the tissue outside the lesions.
OUTSIDE = "_outside"
COLUMNS = (*TISSUES, *(f"{name}{OUTSIDE}" for name in TISSUES))


def errors(labels: np.ndarray, truth: np.ndarray, hole: np.ndarray, *, masked_as: int | None = None) -> dict[str, Any]:
    """Return the errors of the volumes in percent of the true ones: in the whole brain, and outside the lesions.

    Args:
        labels: tissue of each voxel, -1 where none was told.
        truth: the same of the healthy head.
        hole: bool, the lesions.
        masked_as: the tissue as which voxels of lesions count that were masked out; None: they count as none.
    """
    if masked_as is not None:
        labels = np.where(hole & (labels < 0), masked_as, labels)
    row = {}
    for name, tissue in TISSUES.items():
        row[name] = _error(labels == tissue, truth == tissue)
        row[f"{name}{OUTSIDE}"] = _error((labels == tissue) & ~hole, (truth == tissue) & ~hole)
    return row


def _error(measured: np.ndarray, true: np.ndarray) -> float:
    count = int(np.count_nonzero(true))
    return 100 * (int(np.count_nonzero(measured)) - count) / count if count else math.nan
