"""Atlas fill: what an average healthy head shows there, in this scan's intensities."""

from __future__ import annotations

import numpy as np

from ..atlas.fitted import continue_inwards, fit
from ..atlas.registration import register, why_none
from ..initial_fill import initial_fill
from ..prediction import Cost, Prediction, Run, method
from ..region import Region


@method(
    name="atlas",
    title="Atlas (average head)",
    family="atlas",
    summary="What an average healthy head shows there, brought onto this head and into its contrast; for large holes.",
    trust="Anatomy of an average head: sulci and vessels of this one are lost, and nothing there is diseased.",
    reference="Fonov et al.: Unbiased average age-appropriate atlases for pediatric studies, NeuroImage 54:313, 2011",
    dimensions="3-D",
    context_mm=25.0,
    uses_guides=True,
    shares_sources=True,
    cost=Cost(0.3, 0.1, image=6.0),
    prepare=register,
)
def fill(region: Region, parameters: object, run: Run) -> Prediction:
    """Fill with the fitted maps of the average head, corrected by the misfit around the hole; see :mod:`..atlas`.

    Where the atlas cannot be brought onto the image, the biharmonic fill is taken.
    """
    registration = register(region.subject, run.progress.part(0.0, 0.5))
    reason = why_none(registration)
    if reason or registration is None:
        warning = f"All of the hole was filled by biharmonic: {reason}."
        return Prediction(initial_fill(region), warnings=(warning,), instead="biharmonic")
    predictions = []
    for each in region.images:
        fitted = fit(each, registration)
        spread = np.where(region.fill, fitted.deviation, 0.0).astype(np.float32)
        notes = {"agreement with the atlas around the hole": fitted.explained}
        predictions.append(Prediction(continue_inwards(each, fitted.values), spread, notes))
    first, *companions = predictions
    return Prediction(first.mean, first.spread, first.notes, companions=tuple(companions))
