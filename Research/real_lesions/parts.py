"""What a study knows of each part of a hole: its size, its depth, its mirror, and the tissue around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from MedInpaintLib.mask import grow

from .heads import CSF, GREY, VENTRICLE, WHITE, Head
from .plain_flip import Plane

#: mm around a part in which its tissue is looked at.
SHELL = 3.0
#: A part is near a ventricle where it and its shell hold at least this share of it, and deep in white matter where
#: they hold at least that share of white matter; else it is at the cortex or in deep grey matter.
VENTRICULAR, WHITE_MATTER = 0.02, 0.8

VENTRICLES, DEEP_WHITE, CORTEX = "ventricle", "white matter", "cortex"


def describe(head: Head, labels: np.ndarray, plane: Plane) -> list[dict[str, Any]]:
    """Return the facts of each part, in the order of its label, ready for JSON."""
    from scipy import ndimage

    spacing = head.image.spacing
    voxel = float(np.prod(spacing)) / 1000
    width = float(np.percentile(head.image.array[head.brain], 99.5))
    rows = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        wide = grow(box, [int(np.ceil(SHELL / mm)) + 1 for mm in spacing], labels.shape)
        own = labels[wide] == number
        shell = ndimage.distance_transform_edt(~own, spacing) <= SHELL
        tissue = head.tissue[wide][shell]
        share = {name: float((tissue == code).mean()) for name, code in _CLASSES.items()}
        known = shell & (labels[wide] == 0) & head.brain[wide]
        around = head.image.array[wide][known].astype(float) / width
        # A border of known voxels: EDT would take the end of the crop for the inside.
        depth = float(ndimage.distance_transform_edt(np.pad(labels[wide] > 0, 1), spacing).max())
        rows.append(
            {
                "part": number,
                "ml": round(float(own.sum()) * voxel, 4),
                "depth_mm": round(depth, 2),
                "mirrored": round(plane.share_known(np.argwhere(own) + [side.start for side in wide], labels > 0), 3),
                **{name: round(value, 3) for name, value in share.items()},
                "around_sd": round(float(around.std()), 4) if around.size else None,
                "tissue": _place(share),
            }
        )
    return rows


_CLASSES = {"csf": CSF, "grey": GREY, "white": WHITE, "ventricle": VENTRICLE}


def _place(share: dict[str, float]) -> str:
    """Return the kind of tissue around a part."""
    if share["ventricle"] >= VENTRICULAR:
        return VENTRICLES
    return DEEP_WHITE if share["white"] >= WHITE_MATTER else CORTEX
