"""Samples: several plausible fills of one hole, for users who propagate the uncertainty of a fill.

A sample is ``fill + deviation * z``. The deviation is the uncertainty, and z a Gaussian random field of mean 0 and
variance 1: the noise that the fill lacks, with the scan's own spectrum (:mod:`.grain`), and for the rest of the
variance a field that is as smooth as the errors of fills are. So the mean of many samples is the fill and their
standard deviation the uncertainty, but for what is clipped to the range of the known voxels. Regions vary independently
of each other.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from . import grain
from .dtypes import to_dtype
from .mask import Box, bounding_box, grow, relative, shift
from .subject import Subject

#: The errors without the noise correlate at a distance of r mm with ``sum(share * exp(-(r / (2 * width)) ** 2))``. In
#: 20 mm balls in heads of six val people, errors over their standard deviation correlate at 1 to 6 mm with .84, .60,
#: .42, .28, .18 and .11 (biharmonic) and .78, .50, .32, .19, .11 and .05 (consensus), by ``python -m Research
#: error-correlation``. With 14 % of noise it is .76, .54, .33, .19, .11 and .07 here. In discs in CT slices, too, it
#: falls as in heads at first (.79, .55, .40, .32, .23 and .15 in 9 of them).
SHARES, WIDTHS = (0.7, 0.3), (1.25, 2.6)
#: The same of films, where shadows are wide: in 24 discs of 40 pixels in 6 films of 512 x 512, errors of biharmonic
#: correlate at 1 to 6 pixels with .84, .71, .61, .52, .44 and .37.
SHARES_FILM, WIDTHS_FILM = (0.4, 0.6), (1.5, 5.0)
#: mm. Where the deepest voxel is less deep, the widths are less in proportion: in 33 balls of 10 mm, errors of
#: biharmonic correlate at 1 to 4 mm with .62, .37, .20 and .09, and by this rule with .68, .36, .17 and .09.
DEEP = 7.0
#: Gaussians end at so many widths.
TRUNCATE = 3.0


@dataclasses.dataclass(frozen=True, eq=False)
class Draws:
    """The samples of one region of a fill; sample k depends on the seed, on k and on the region's place alone.

    Attributes:
        box: of the image.
        hole: bool of the box's shape, True = filled. What follows is 1-D, in the order of these voxels.
        fill: in the image's own dtype.
        deviation: the standard deviation of each, 0 or more, in the image's units.
        noise: kernel of the noise that the fill lacks, in the image's units; None where it could not be measured.
        axes: of the image, those along which it has several voxels.
        shares: of the variance without the noise, of each Gaussian.
        widths: voxels, of each along each of these axes.
        limits: least and greatest intensity of a sample.
        seed: for chance.
    """

    box: Box
    hole: np.ndarray
    fill: np.ndarray
    deviation: np.ndarray
    noise: np.ndarray | None
    axes: tuple[int, ...]
    shares: tuple[float, ...]
    widths: tuple[tuple[float, ...], ...]
    limits: tuple[float, float]
    seed: int

    def sample(self, number: int) -> np.ndarray:
        """Return the intensities of a sample, counted from 0, in the image's own dtype."""
        values = self.fill.astype(np.float64) + self.deviation * self.field(number)
        values = to_dtype(np.clip(values, *self.limits), self.fill.dtype)
        # Large integers lose digits as float64.
        return np.where(self.deviation > 0, values, self.fill)

    def field(self, number: int) -> np.ndarray:
        """Return the random field of a sample, of mean 0 and variance 1."""
        rng = np.random.default_rng([self.seed, number, *(side.start for side in self.box)])
        shape = [self.hole.shape[axis] for axis in self.axes]
        marked = self.hole.reshape(shape)
        smooth = sum(
            math.sqrt(share) * gaussian_field(shape, widths, rng)[marked]
            for share, widths in zip(self.shares, self.widths, strict=True)
        )
        strength = 0.0 if self.noise is None else math.sqrt(np.square(self.noise).sum())
        if self.noise is None or strength == 0:
            return np.asarray(smooth)
        share = np.minimum(np.square(strength / np.maximum(self.deviation, 1e-30)), 1.0)
        fine = grain.draw(self.noise / strength, shape, rng)[marked]
        return np.sqrt(share) * fine + np.sqrt(1 - share) * smooth


def draws_of(subject: Subject, box: Box, hole: np.ndarray, fill: np.ndarray, deviation: np.ndarray, seed: int) -> Draws:
    """Return the samples of a region of a fill, from its surroundings.

    Args:
        subject: the image that was filled.
        box: of the image.
        hole: bool of the box's shape, True = filled, at least one voxel.
        fill: of these voxels, in the image's own dtype.
        deviation: the standard deviation of each, in the image's units.
        seed: for chance.
    """
    film = subject.modality.is_projection
    if subject.modality.air is None and not film:
        # The background of a stripped head, from which programs read where the brain is.
        deviation = np.where(fill == 0, 0.0, deviation)
    inner = bounding_box(hole)
    assert inner is not None  # a region has filled voxels
    place, own = shift(inner, box), hole[inner]
    shares, widths_mm = (SHARES_FILM, WIDTHS_FILM) if film else (SHARES, WIDTHS)
    scale = min(_deepest(own, subject.image.spacing) / DEEP, 1.0)
    widths = tuple(tuple(scale * width / step for step in subject.spacing) for width in widths_mm)
    low, high = subject.cached(_known_limits, lambda: _known_limits(subject))
    limits = min(low, float(fill.min())), max(high, float(fill.max()))
    noise = _missing_noise(subject, place, own, fill)
    return Draws(place, own, fill, deviation.astype(np.float64), noise, subject.axes, shares, widths, limits, seed)


def gaussian_field(shape: Sequence[int], widths: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """Draw white noise under a Gaussian, scaled to variance 1: two voxels correlate with ``exp(-(r / (2 width))**2)``.

    Args:
        shape: of the field.
        widths: voxels along each axis, above 0.
        rng: for the noise.
    """
    from scipy import ndimage

    kernels = [_kernel(width) for width in widths]
    values = rng.standard_normal([size + len(kernel) - 1 for size, kernel in zip(shape, kernels, strict=True)])
    for axis, kernel in enumerate(kernels):
        values = ndimage.correlate1d(values, kernel, axis, mode="constant")
        # Only whole sums are kept: near the edge the variance is less.
        values = values.take(range(len(kernel) // 2, values.shape[axis] - len(kernel) // 2), axis)
    return values


def _kernel(width: float) -> np.ndarray:
    """Return a Gaussian whose squares sum to 1."""
    reach = math.ceil(TRUNCATE * width)
    kernel = np.exp(-np.square(np.arange(-reach, reach + 1) / width) / 2)
    return kernel / math.sqrt(np.square(kernel).sum())


def _deepest(hole: np.ndarray, spacing: Sequence[float]) -> float:
    """Return the largest distance of a filled voxel to the outside, mm."""
    from scipy import ndimage

    inside = ndimage.distance_transform_edt(np.pad(hole, [(int(size > 1),) * 2 for size in hole.shape]), spacing)
    return float(inside.max())


def _known_limits(subject: Subject) -> tuple[float, float]:
    """Return the least and the greatest intensity of the known voxels."""
    known = subject.image.array[subject.known]
    return float(known.min()), float(known.max())


def _missing_noise(subject: Subject, place: Box, own: np.ndarray, fill: np.ndarray) -> np.ndarray | None:
    """Return the kernel of the noise that a fill lacks, see :func:`.grain.missing_noise`."""
    wide = grow(place, [grain.REACH[len(subject.axes)]] * len(place), subject.whole.shape)
    known = ~subject.whole.crop(wide)
    if subject.no_data is not None:
        known &= ~subject.no_data[wide]
    image, filled = np.where(known, subject.image.array[wide], 0).astype(np.float64), np.zeros(known.shape, dtype=bool)
    within = relative(place, wide)
    image[within][own] = fill
    filled[within] = own
    image, filled, known = (subject.squeeze(each) for each in (image, filled, known))
    return grain.missing_noise(image, filled, known, subject.spacing)
