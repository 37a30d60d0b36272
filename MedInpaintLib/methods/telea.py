"""Telea's fast marching fill."""

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
    name="telea",
    title="Telea (fast marching)",
    family="PDE",
    summary="Marches inwards from the edge, averaging along the way; slice by slice. Keeps edges a little.",
    trust="Streaks towards the middle of larger holes; slices do not know of each other.",
    reference="Telea: An image inpainting technique based on the fast marching method, J. Graphics Tools 2004",
    parameters=Parameters,
    dimensions="2-D",
    requires=("opencv-python-headless",),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """OpenCV's ``INPAINT_TELEA`` on each slice."""
    return Prediction(inpaint_slices(region, "INPAINT_TELEA", parameters.radius, run.progress))
