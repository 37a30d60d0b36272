"""Navier-Stokes fill."""

from __future__ import annotations

import dataclasses

from ..opencv import inpaint_slices
from ..parameters import parameter
from ..prediction import Prediction, Run, method
from ..region import Region


@dataclasses.dataclass(frozen=True)
class Parameters:
    radius: float = parameter(
        3.0, unit="mm", minimum=0.5, maximum=20.0, help="How far around a voxel known voxels are looked at."
    )


@method(
    name="navier-stokes",
    title="Navier-Stokes",
    family="PDE",
    summary="Continues lines of equal intensity into the hole like a fluid; slice by slice.",
    trust="Streaks towards the middle of larger holes; slices do not know of each other.",
    reference="Bertalmio, Bertozzi, Sapiro: Navier-Stokes, fluid dynamics, and image and video inpainting, CVPR 2001",
    parameters=Parameters,
    dimensions="2-D",
    requires=("opencv-python-headless",),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """OpenCV's ``INPAINT_NS`` on each slice."""
    return Prediction(inpaint_slices(region, "INPAINT_NS", parameters.radius, run.progress))
