"""OpenCV's two inpainting algorithms, slice by slice (OpenCV is an optional package)."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from ..errors import MissingDependencyError
from ..parameters import parameter
from ..prediction import Prediction, Run, method
from ..progress import Progress
from ..region import Region
from ..slices import fill_slices


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Parameters of both methods."""

    radius: float = parameter(
        3.0, unit="mm", minimum=0.5, maximum=20.0, help="How far around a voxel known voxels are looked at."
    )


def _fill(algorithm: str, region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Fill each slice by an algorithm of ``cv2.inpaint``."""
    return Prediction(inpaint_slices(region, algorithm, parameters.radius, run.progress))


def _register(name: str, title: str, algorithm: str, *, summary: str, reference: str) -> None:
    """Register an algorithm of ``cv2.inpaint`` as a method."""
    register = method(
        name=name,
        title=title,
        family="PDE",
        summary=summary,
        trust="Streaks towards the middle of larger holes; slices do not know of each other.",
        reference=reference,
        parameters=Parameters,
        dimensions="2-D",
        requires=("opencv-python-headless",),
    )
    register(functools.partial(_fill, algorithm))


_register(
    "telea",
    "Telea (fast marching)",
    "INPAINT_TELEA",
    summary="Marches inwards from the edge, averaging along the way; slice by slice. Keeps edges a little.",
    reference="Telea: An image inpainting technique based on the fast marching method, J. Graphics Tools 2004",
)
_register(
    "navier-stokes",
    "Navier-Stokes",
    "INPAINT_NS",
    summary="Continues lines of equal intensity into the hole like a fluid; slice by slice.",
    reference="Bertalmio, Bertozzi, Sapiro: Navier-Stokes, fluid dynamics, and image and video inpainting, CVPR 2001",
)


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
