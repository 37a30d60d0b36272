"""Biharmonic fill: a thin plate."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ..errors import ConvergenceError
from ..parameters import parameter
from ..prediction import Cost, Prediction, Run, method
from ..region import Region
from ..solvers.fill import Solution, solve_biharmonic, solve_laplace

_RIDDLED = "The hole is riddled with voxels without data, which no thin plate can span; it was filled by harmonic."


@dataclasses.dataclass(frozen=True)
class Parameters:
    tolerance: float = parameter(
        1e-5, minimum=1e-9, maximum=1e-2, help="Largest error of the solver, as a share of the known intensity range."
    )
    clip: bool = parameter(
        True, help="Keep the fill within the intensities of the known voxels around it; a plate can swing beyond them."
    )


@method(
    name="biharmonic",
    title="Biharmonic (thin plate)",
    family="PDE",
    summary="A thin plate that continues values and slopes of the surroundings.",
    trust="Smooth: follows gradients into the hole but invents no texture; details inside the hole are lost.",
    reference="Damelin, Hoang: On surface completion and image inpainting by biharmonic functions, IJMMS 2018",
    parameters=Parameters,
    cost=Cost(0.001, 0.004, box=0.0025),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Solve ``laplace laplace u = 0`` in the hole, by spacing-aware second differences."""
    warnings: tuple[str, ...] = ()
    try:
        solution = _solve(solve_biharmonic, region, parameters, run)
    except ConvergenceError:
        if region.no_data is None:
            raise
        # In a flat hole of which a third has no data, the plate would be a net of bridges one voxel wide.
        solution, warnings = _solve(solve_laplace, region, parameters, run), (_RIDDLED,)
    values = solution.values
    if parameters.clip:
        known = region.values[~region.hole]
        values = np.clip(values, known.min(), known.max())
    notes = {"residual": solution.residual, "iterations": solution.iterations}
    return Prediction(values, notes=notes, warnings=warnings, instead="harmonic" if warnings else None)


def _solve(equation: Callable[..., Solution], region: Region, parameters: Parameters, run: Run) -> Solution:
    return equation(
        region.values,
        region.fill,
        region.spacing,
        no_data=region.no_data,
        accuracy=parameters.tolerance,
        progress=run.progress,
    )
