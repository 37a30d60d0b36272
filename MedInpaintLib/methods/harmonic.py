"""Harmonic fill: Laplace's equation."""

from __future__ import annotations

import dataclasses

from ..parameters import parameter
from ..prediction import Cost, Prediction, Run, method
from ..region import Region
from ..solvers.fill import solve_laplace


@dataclasses.dataclass(frozen=True)
class Parameters:
    tolerance: float = parameter(
        1e-5, minimum=1e-9, maximum=1e-2, help="Largest error of the solver, as a share of the known intensity range."
    )


@method(
    name="harmonic",
    title="Harmonic (Laplace)",
    family="PDE",
    summary="The smoothest membrane through the surrounding voxels; never leaves their range. Very fast.",
    trust="Smooth: without texture, edges that ran through the hole are lost.",
    reference="Laplace's equation with Dirichlet data on the hole's boundary",
    parameters=Parameters,
    cost=Cost(0.003, 0.002),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Solve ``laplace u = 0`` in the hole, by spacing-aware second differences."""
    solution = solve_laplace(
        region.values,
        region.fill,
        region.spacing,
        no_data=region.no_data,
        accuracy=parameters.tolerance,
        progress=run.progress,
    )
    return Prediction(solution.values, notes={"residual": solution.residual, "iterations": solution.iterations})
