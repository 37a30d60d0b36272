"""Patch fill: texture copied from elsewhere in the scan."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..initial_fill import initial_fill
from ..parameters import parameter
from ..patches.synthesis import Settings, fill_region
from ..prediction import Cost, Prediction, Run, method
from ..region import Region


@dataclasses.dataclass(frozen=True)
class Parameters:
    size: float = parameter(
        3.0,
        unit="mm",
        minimum=0.1,
        maximum=50,
        help="Size of a patch, kept within 3 to 5 voxels (5 in thick slices, 7 to 9 in films); large is smoother.",
    )
    search: float = parameter(
        10.0, unit="mm", minimum=1, maximum=200, help="How far around the hole to look for patches; at most 40 voxels."
    )
    matches: int = parameter(
        4, minimum=1, maximum=32, help="How many matches of each patch are averaged: more are smoother and slower."
    )
    sharpness: float = parameter(
        4.0, minimum=0, maximum=10, help="How much patches next to known tissue lead: high is rougher, low errs less."
    )
    effort: int = parameter(10, minimum=1, maximum=50, help="Rounds of the search: more find better matches.")


@method(
    name="patch",
    title="Patches",
    family="patch",
    summary="Small patches of tissue that fit, copied from around the hole; the guides, where given, help to choose.",
    trust="Believable texture that was copied from elsewhere in this scan: what was unique inside the hole is lost.",
    reference="Barnes et al.: PatchMatch, SIGGRAPH 2009; Wexler et al.: Space-time completion of video, PAMI 2007",
    parameters=Parameters,
    blend="poisson",
    uses_guides=True,
    shares_sources=True,
    cost=Cost(0.12, 0.33),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Search and vote from coarse to fine, started from the biharmonic fill; see :mod:`..patches.synthesis`."""
    smooth = [initial_fill(each, run.progress.part(0.0, 0.1)).astype(np.float32) for each in region.images]
    settings = Settings(parameters.size, parameters.search, parameters.matches)
    settings = dataclasses.replace(settings, sharpness=parameters.sharpness, rounds=parameters.effort)
    synthesis = fill_region(region, smooth, settings, run.rng(), run.progress.part(0.1, 1.0))
    if synthesis is None:
        warning = "The image has no patch without a hole; the biharmonic fill was taken."
        return Prediction(smooth[0], warnings=(warning,), instead="biharmonic")
    notes = {"patch, voxels": " x ".join(map(str, synthesis.patch)), "distance of the matches": synthesis.distance}
    first, *companions = (
        Prediction(each.values, each.spread, notes, warnings=each.warnings) for each in synthesis.images
    )
    return dataclasses.replace(first, companions=tuple(companions))
