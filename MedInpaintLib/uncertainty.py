"""The uncertainty of a fill: what is known of each filled voxel, and from that its calibrated standard deviation.

The constants are those of the method (a model may bring its own), or the shipped ones. Trial holes of the self-check,
which show the errors in this very image, rescale them. Where there is neither, there is no standard deviation, and the
report says why.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from .calibration import Calibration, Evidence, matching_factor
from .calibration_table import HOLES, UNSCALED, calibration_of
from .filled import Filled, Filling
from .intensity import sample_known
from .mask import grow, relative
from .parts import Part
from .region import FARTHEST
from .report import UncertaintyFacts
from .subject import Subject

#: mm around a part in which the contrast of the tissue is taken.
REACH_MM = 10.0
#: With fewer known voxels there, the contrast is that of the whole image.
FEWEST = 20
#: The smallest standard deviation, as a share of the image's range.
LEAST = 0.001
#: Trial holes from which on they alone give the standard deviation of a method without constants.
FEWEST_TRIALS = 3
#: Factors of trial holes are kept within this range: in a flat background all errors are 0.
SMALLEST, LARGEST = 0.25, 4.0


@dataclasses.dataclass(frozen=True)
class Trials:
    """What the trial holes of an image say of the standard deviations of one method.

    Attributes:
        holes: how many there were.
        factor: by which the constants, or :data:`.calibration_table.UNSCALED` where there are none, must grow to cover
            the errors in them.
    """

    holes: int
    factor: float


def calibrate(
    subject: Subject, filling: Filling, trials: Sequence[Mapping[str, Trials]]
) -> tuple[Filling, list[UncertaintyFacts]]:
    """Return a filling with a calibrated standard deviation everywhere, or nowhere, and what it rests on in each image.

    Args:
        subject: the image that was filled, with its companions.
        filling: of its hole, with the methods' own spread.
        trials: for each region the methods' trial holes; those of the first image, and they say nothing of the others.
    """
    basis: list[dict[str, str]] = [{} for _ in subject.images]
    factors: dict[str, float] = {}
    regions: list[Filled] = []
    for region, tried in zip(filling.regions, trials, strict=True):
        images: list[Filled] = []
        for image, each, words in zip(subject.images, region.images, basis, strict=True):
            own = None if images else tried.get(each.method)
            calibration, rests_on = constants_for(image, each, own)
            if calibration is None:
                return filling.without_spread(), [UncertaintyFacts(basis="", reason=rests_on, factors={})] * len(basis)
            words.setdefault(each.method, rests_on)
            if own is not None:
                factors.setdefault(each.method, round(_weighted(own, image, each), 3))
            images.append(_with(each, deviation_of(image, each, calibration)))
        first, *companions = images
        regions.append(dataclasses.replace(first, companions=tuple(companions)))
    facts = [
        UncertaintyFacts(basis=_in_words(words), reason="", factors=factors if number == 0 else {})
        for number, words in enumerate(basis)
    ]
    return Filling(tuple(regions)), facts


def _in_words(basis: Mapping[str, str]) -> str:
    """Return what standard deviations rest on: once where it is the same for all methods, else method by method."""
    if len(set(basis.values())) == 1:
        return next(iter(basis.values()))
    return "; ".join(f"{name}: {words}" for name, words in basis.items())


def constants_for(subject: Subject, filled: Filled, trials: Trials | None) -> tuple[Calibration | None, str]:
    """Return the constants for a region, and what they rest on; None, and the reason, where nothing supports any.

    Args:
        subject: the image.
        filled: a region of it.
        trials: of the method in this image; None without a self-check.
    """
    shipped = _shipped(subject, filled)
    if shipped is not None:
        words = "calibrated by other people" if filled.calibration is None else "calibrated by the method"
        if trials is None:
            return shipped, words
        on = f"{trials.holes} trial hole{'s' if trials.holes > 1 else ''} of this image"
        return shipped.scaled(_weighted(trials, subject, filled)), f"{words} and {on}"
    if trials is not None and trials.holes >= FEWEST_TRIALS:
        return UNSCALED.scaled(trials.factor), f"calibrated by {trials.holes} trial holes of this image"
    kind = f"{subject.modality.name} {'volumes' if len(subject.axes) == 3 else 'images in 2-D'}"
    few = "; a self-check would measure them here"
    if trials is not None:
        few = f", and the self-check found place for only {trials.holes} of {FEWEST_TRIALS} trial holes"
    return None, f"the errors of '{filled.method}' in {kind} were never measured{few}"


def trials_of(subject: Subject, filling: Filling, truth: np.ndarray, labels: np.ndarray) -> Trials | None:
    """Return what the fill of trial holes says of the method's standard deviations; None where it filled none.

    Args:
        subject: with the trial holes.
        filling: of them, by one method; parts that another one filled instead are left out.
        truth: of the image's shape.
        labels: of the trial holes, int, of the same shape.
    """
    ratios: list[np.ndarray] = []
    numbers: list[np.ndarray] = []
    for region in filling.regions:
        if region.instead is not None:
            continue
        patch = region.patch
        deviation = deviation_of(subject, region, _shipped(subject, region) or UNSCALED)
        error = np.abs(patch.intensities.astype(np.float64) - truth[patch.box][patch.hole])
        sure = deviation > 0
        ratios.append(error[sure] / deviation[sure])
        numbers.append(labels[patch.box][patch.hole][sure])
    if not any(each.size for each in ratios):
        return None
    number = np.concatenate(numbers)
    _, index, counts = np.unique(number, return_inverse=True, return_counts=True)
    factor = matching_factor(np.concatenate(ratios), 1.0 / counts[index])
    return Trials(len(counts), min(max(factor, SMALLEST), LARGEST))


def deviation_of(subject: Subject, filled: Filled, calibration: Calibration) -> np.ndarray:
    """Return the standard deviation of each filled voxel of a region, float32; 0 in an exact-zero background."""
    deviation = calibration.deviation(evidence_of(subject, filled))
    deviation = np.hypot(deviation, filled.noise).astype(np.float32)
    if filled.background is not None:
        deviation[filled.background] = 0.0
    return deviation


def _shipped(subject: Subject, filled: Filled) -> Calibration | None:
    """Return the method's own constants, or the shipped ones."""
    return filled.calibration or calibration_of(filled.method, subject.modality.name, len(subject.axes))


def _weighted(trials: Trials, subject: Subject, filled: Filled) -> float:
    """Return the factor of trial holes, drawn towards 1 where there are other people's constants and few holes."""
    if _shipped(subject, filled) is None:
        return trials.factor
    return float(trials.factor ** (trials.holes / (trials.holes + HOLES)))


def _with(filled: Filled, spread: np.ndarray | None) -> Filled:
    return dataclasses.replace(filled, patch=dataclasses.replace(filled.patch, spread=spread))


def evidence_of(subject: Subject, filled: Filled) -> Evidence:
    """Return what is known of each filled voxel of a region.

    Args:
        subject: the image that was filled.
        filled: a region of it.
    """
    group = filled.task.group
    depth = group.distances(subject.whole, subject.no_data, subject.image.spacing)
    contrast = np.zeros(group.hole.voxels.shape)
    for part in group.parts:
        contrast[relative(part.box, group.hole.box)][part.voxels] = contrast_around(subject, part)
    spread = filled.patch.spread
    return Evidence(depth, contrast[group.hole.voxels], spread, LEAST * subject.scaling.width)


def contrast_around(subject: Subject, part: Part) -> float:
    """Return the standard deviation of the known voxels around a part, in the image's units."""
    from scipy import ndimage

    image, shape = subject.image, subject.whole.shape
    margin = [min(math.ceil(REACH_MM / mm), FARTHEST) for mm in image.spacing]
    box = grow(part.box, margin, shape)
    own = np.zeros([side.stop - side.start for side in box], dtype=bool)
    own[relative(part.box, box)] = part.voxels
    known = ~subject.whole.crop(box)
    if subject.no_data is not None:
        known &= ~subject.no_data[box]
    near = ndimage.distance_transform_edt(~own, sampling=image.spacing) <= REACH_MM
    values = image.array[box][known & near]
    if len(values) < FEWEST:
        return subject.cached((contrast_around,), lambda: _of_all(subject))
    return float(values.astype(np.float64).std())


def _of_all(subject: Subject) -> float:
    """Return the standard deviation of a sample of all known voxels."""
    sample = sample_known(subject.image.array, subject.whole.voxels, subject.whole.box, subject.no_data)
    return float(np.asarray(sample, dtype=np.float64).std())
