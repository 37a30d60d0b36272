"""OpenCV's two inpainting methods, for the methods that are made of them (an optional package)."""

from __future__ import annotations

import numpy as np

from .errors import MissingDependencyError
from .progress import Progress
from .region import Region
from .slices import fill_slices


def inpaint_slices(region: Region, algorithm: str, radius_mm: float, progress: Progress) -> np.ndarray:
    """Fill slice by slice with ``cv2.inpaint``.

    Args:
        region: 2-D or 3-D.
        algorithm: ``"INPAINT_TELEA"`` or ``"INPAINT_NS"``.
        radius_mm: neighbourhood that is looked at around each voxel.
        progress: reports and cancels.

    Raises:
        MissingDependencyError: OpenCV is not installed.
    """
    try:
        import cv2
    except ImportError:
        raise MissingDependencyError(
            "This method needs OpenCV, which is not installed; install it with: pip install opencv-python-headless"
        ) from None
    radius = max(1.0, radius_mm / min(region.spacing))
    flag = getattr(cv2, algorithm)
    known = region.values[~region.hole]
    low, width = float(known.min()), float(np.ptp(known)) or 1.0

    def fill(values: np.ndarray, hole: np.ndarray) -> np.ndarray:
        # OpenCV rounds Telea's result to whole numbers even for floats, so it is given whole numbers of 16 bits.
        grey = np.clip((values - low) / width, 0.0, 1.0) * 65535
        filled = cv2.inpaint(np.rint(grey).astype(np.uint16), hole.astype(np.uint8), radius, flag)
        return np.where(hole, filled.astype(np.float32) / 65535 * width + low, values)

    return fill_slices(region, fill, progress)
