"""Exemplar fill: patches of other people's scans."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from ..alignment import Aligned, align
from ..errors import InputError, ParameterError
from ..initial_fill import initial_fill
from ..inputs import read_image
from ..parameters import parameter
from ..patches.synthesis import MOST_REACH, Settings, Source, synthesize
from ..prediction import Cost, Prediction, Run, method
from ..progress import Progress
from ..region import Region
from ..subject import Subject

#: Exemplars that correlate less with the scan after alignment show something else, or are tilted. Measured on T1 heads
#: of five scanners: 0.88 to 0.93 where the two fit, 0.66 for a head that was aligned tilted.
ALIKE = 0.75

_NONE_USED = "No exemplar could be used"
_NOTHING_WHOLE = "No scan has a whole patch to copy around the hole"


@dataclasses.dataclass(frozen=True)
class Parameters:
    search: float = parameter(
        10.0, unit="mm", minimum=1, maximum=40, help="How far from the same place to look for patches, in every scan."
    )
    matches: int = parameter(
        4, minimum=1, maximum=32, help="How many matches of each patch are averaged: more are smoother and slower."
    )
    own: bool = parameter(True, help="Copy from the damaged scan itself, too, where it is known.")


@method(
    name="exemplar",
    title="Patches of other scans",
    family="patch",
    summary="Patches of tissue that fit, from other scans of the same contrast that are laid over this one.",
    trust="Anatomy of other people, chosen to fit the surroundings of the hole: plausible, never this patient's.",
    reference="Guizard et al.: Non-local means inpainting of MS lesions in longitudinal image processing, Front. "
    "Neurosci. 2015; Barnes et al.: PatchMatch, SIGGRAPH 2009",
    parameters=Parameters,
    blend="poisson",
    needs_exemplars=True,
    cost=Cost(0.5, 0.45),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Search and vote as in the method ``patch``, in several scans; see :mod:`..patches.synthesis`."""
    subject = region.subject
    if not subject.exemplars:
        raise ParameterError("Method 'exemplar' copies from other scans of the same contrast; give it some exemplars.")
    aligned, warnings = subject.cached(_align_all, lambda: _align_all(subject, run.progress.part(0.0, 0.5)))
    smooth = initial_fill(region, run.progress.part(0.5, 0.55)).astype(np.float32)
    window, inside = region.wider(parameters.search, most=MOST_REACH)
    hole = np.zeros(window.hole.shape, dtype=bool)
    hole[inside] = region.fill
    start = window.values.copy() if window.no_data is None else window.nearest_known()
    start[hole] = smooth[region.fill]
    sources = [_source(window, each) for each in aligned]
    if parameters.own:
        sources.insert(0, Source(window.values[np.newaxis], ~window.hole))
    synthesis = synthesize(
        start[np.newaxis],
        hole,
        sources,
        region.spacing,
        known=~window.hole,
        no_data=window.no_data,
        settings=Settings(search=parameters.search, matches=parameters.matches),
        rng=run.rng(),
        progress=run.progress.part(0.55, 1.0),
    )
    notes = {"exemplars": len(aligned)}
    if synthesis is None:
        warnings += (f"{_NONE_USED if not sources else _NOTHING_WHOLE}; the biharmonic fill was taken.",)
        return Prediction(smooth, notes=notes, warnings=warnings, instead="biharmonic")
    instead = None if aligned else "patch"
    if instead:
        warnings += (f"{_NONE_USED}; all was copied from this scan itself, as the method 'patch' does.",)
    return Prediction(synthesis.values[inside], synthesis.spread[inside], notes, warnings, instead)


def _align_all(subject: Subject, progress: Progress) -> tuple[list[Aligned], tuple[str, ...]]:
    """Register the exemplars to the image; return those that can be used, and warnings about the rest."""
    known = subject.known
    aligned, warnings = [], []
    for number, source in enumerate(subject.exemplars):
        name = os.path.basename(source) if isinstance(source, (str, os.PathLike)) else f"number {number + 1}"
        try:
            exemplar = read_image(source, None, allow_outside_data=subject.allow_outside_data)
        except InputError as error:
            warnings.append(f"Exemplar {name} was left out: {error}")
            continue
        theirs, ours = exemplar.array.ndim, subject.image.array.ndim
        if theirs != ours:
            warnings.append(f"Exemplar {name} was left out: it is {theirs}-D and the image is {ours}-D.")
            continue
        if len(subject.axes) != ours:
            warnings.append(f"Exemplar {name} was left out: a volume of one slice cannot be aligned; give both in 2-D.")
            continue
        if not subject.image.grid_difference(exemplar) and np.array_equal(
            exemplar.array[known], subject.image.array[known]
        ):
            warnings.append(f"Exemplar {name} was left out: it is the image itself.")
            continue
        share = progress.part(number / len(subject.exemplars), (number + 1) / len(subject.exemplars))
        alignment = align(subject.image, known, exemplar, share)
        if alignment.similarity < ALIKE:
            warnings.append(
                f"Exemplar {name} was left out: laid over the image it is not alike (correlation "
                f"{alignment.similarity:.2f}). Is it the same contrast and part of the body?"
            )
            continue
        aligned.append(alignment)
    return aligned, tuple(warnings)


def _source(window: Region, aligned: Aligned) -> Source:
    """Return an exemplar in the window, its intensities fitted to the image's known ones."""
    cut: np.ndarray = window.scaling.forward(aligned.onto(window.subject.image, window.box)).reshape(window.hole.shape)
    covered = np.isfinite(cut)
    both = covered & ~window.hole
    slope, offset = _match(cut[both], window.values[both])
    return Source(np.where(covered, slope * np.nan_to_num(cut) + offset, 0).astype(np.float32)[np.newaxis], covered)


def _match(theirs: np.ndarray, ours: np.ndarray) -> tuple[float, float]:
    """Fit slope and offset that give their intensities our median and quartiles: scanners differ in units."""
    if theirs.size == 0:
        return 1.0, 0.0
    (low, middle, high), (our_low, our_middle, our_high) = (
        np.percentile(each, [25, 50, 75]) for each in (theirs, ours)
    )
    slope = (our_high - our_low) / (high - low) if high > low else 1.0
    return float(slope), float(our_middle - slope * middle)
