"""Grain: noise of the scan's own spectrum, added to fills that are smoother than their surroundings.

Smooth fills look like grey fields beside grainy tissue, and segmenters and registrations notice. The noise is measured
in flat tissue around the part: its variance, and the correlation between neighbors that reconstruction and resampling
leave. Noise makes the error of a fill larger, so this is an option, and no score is taken with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .mask import bounding_box
from .region import Region

#: Noise is looked for in what remains of the image without its smooth part, a Gaussian of so many voxels; along axes
#: whose voxels are more than twice as long as the shortest there is no smoothing, since slices differ in structure.
SMOOTH, FAR = 1.5, 2.0
#: It is measured in voxels as bright as the fill, give or take this share of the range around it, and not where all is
#: one value, as in a background: in narrower ranges, fills between two tissues would meet nothing but edges.
BRIGHTNESS, CONSTANT = 0.5, 1e-6
#: Of those it takes this share, which has the least slope of the smooth part around. At eight places in four heads
#: whose noise was replaced (white, or with a correlation of .43 between neighbors) the standard deviation was found
#: within 9 % in 13 of 16 cases (20 % at most). Twice the share with SMOOTH 2 found it 20 to 60 % too large in brains.
#: In 2-D, where fewer voxels are flat by chance, correlated noise is found 12 % too weak, its correlation .1 too small.
FLATTEST = 0.2
#: Remainders beyond so many robust standard deviations are structure; the variance of a Gaussian without them.
OUTLIER, WITHOUT = 3.0, 0.973
#: Correlation is measured over lags of so many voxels, on a periodic grid of this size; it fades out beyond FULL.
FULL, LAGS, GRID = 4, 6, 16
#: Spectra are compared after a blur by so many steps of the grid.
BLUR = 1.0
#: The noise is measured so many voxels around the region, in 2-D and in 3-D, and in no fewer voxels than FEWEST.
REACH, FEWEST = {2: 40, 3: 12}, 200
#: Waves of which the remainder holds less than this share are too slow to be told from structure: they get the mean
#: power of those of which it holds up to twice as much.
SHARE = 0.3


def add_grain(region: Region, values: np.ndarray, seed: int) -> np.ndarray:
    """Add the noise that a fill lacks, compared with the tissue around it.

    Args:
        region: that was filled.
        values: of the region's shape and scale, with the fill in place.
        seed: for chance; the noise depends on it and on the fill's place in the image, and on no other part.

    Returns:
        float64, ``values`` with noise where the region was filled, within the range of the region's known voxels.
    """
    out = np.array(values, dtype=np.float64)
    reach = REACH[region.hole.ndim]
    wide, within = region.wider(reach * max(region.spacing), most=reach)
    image, own = wide.values.astype(np.float64), np.zeros(wide.hole.shape, dtype=bool)
    image[within][region.fill] = out[region.fill]
    own[within] = region.fill
    kernel = missing_noise(image, own, ~wide.hole, region.spacing)
    inner = bounding_box(region.fill)
    if kernel is None or inner is None:
        return out
    place = [side.start + first.start for side, first in zip(inner, region.place, strict=True)]
    noise = draw(kernel, [side.stop - side.start for side in inner], np.random.default_rng([seed, *place]))
    known, fill = region.values[~region.hole], region.fill[inner]
    out[inner][fill] = np.clip(out[inner][fill] + noise[fill], known.min(), known.max())
    return out


def missing_noise(
    image: np.ndarray, filled: np.ndarray, known: np.ndarray, spacing: Sequence[float]
) -> np.ndarray | None:
    """Measure the noise that filled voxels lack.

    Args:
        image: real, any scale.
        filled: bool, the same shape, True = filled.
        known: bool, the same shape, True = known; what is neither is not read.
        spacing: mm, in the order of the axes.

    Returns:
        A kernel that makes that noise from white noise of variance 1; None where too little flat tissue is around.
    """
    from scipy import ndimage

    sigma = [SMOOTH if mm <= FAR * min(spacing) else 0.0 for mm in spacing]
    trusted = known | filled
    weight = ndimage.gaussian_filter(trusted.astype(np.float64), sigma, mode="nearest")
    smooth = ndimage.gaussian_filter(np.where(trusted, image, 0.0), sigma, mode="nearest") / np.maximum(weight, 1e-9)
    rest = np.where(trusted, image - smooth, 0.0)
    slope = sum(np.square(np.gradient(smooth, axis=axis)) for axis, width in enumerate(sigma) if width)
    slope = ndimage.gaussian_filter(slope, sigma, mode="nearest")
    apart = known & ~ndimage.binary_dilation(~known, iterations=2) & _interior(known.shape)
    apart &= np.abs(rest) > CONSTANT * max(np.abs(smooth[trusted]).max(), 1e-30)
    if np.count_nonzero(apart) < FEWEST:
        return None
    margin = BRIGHTNESS * np.ptp(np.percentile(smooth[apart], [5, 95]))
    low, high = np.percentile(smooth[filled], [2, 98])
    around = _flat(apart & (smooth >= low - margin) & (smooth <= high + margin), rest, slope)
    if np.count_nonzero(around) < FEWEST:
        return None
    inside = _flat(filled, rest, slope)
    noise = power(rest, around)
    missing = noise * np.clip(1 - _blurred(power(rest, inside)) / np.maximum(_blurred(noise), 1e-30), 0.0, 1.0)
    return np.real(np.fft.ifftn(np.sqrt(_whole(missing, sigma))))


def power(rest: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the power spectrum of marked voxels, on a periodic grid of :data:`GRID` voxels along each axis.

    Args:
        rest: real, of mean 0.
        where: bool, the same shape, True = counts.
    """
    from scipy import fft

    shape = [fft.next_fast_len(size + LAGS, real=True) for size in rest.shape]
    products, pairs = (
        fft.irfftn(np.square(np.abs(fft.rfftn(array, shape))), shape)
        for array in (np.where(where, rest, 0.0), where.astype(np.float64))
    )
    lags = [np.arange(-min(LAGS, size - 1), min(LAGS, size - 1) + 1) for size in rest.shape]
    at = np.ix_(*lags)
    pairs = np.rint(pairs[at])
    covariance = np.where(pairs > 0, products[at] / np.maximum(pairs, 1.0), 0.0)
    for axis, lag in enumerate(lags):
        fade = np.clip((np.abs(lag) - FULL) / (LAGS + 1 - FULL), 0.0, 1.0)
        covariance *= np.cos(np.pi / 2 * fade).reshape([-1 if other == axis else 1 for other in range(rest.ndim)]) ** 2
    grid = np.zeros((GRID,) * rest.ndim)
    grid[at] = covariance / WITHOUT
    return np.maximum(np.real(np.fft.fftn(grid)), 0.0)


def draw(kernel: np.ndarray, shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Draw noise of a shape, made of white noise by a kernel on a periodic grid."""
    from scipy import signal

    white = rng.standard_normal([size + GRID - 1 for size in shape])
    return signal.fftconvolve(white, np.fft.fftshift(kernel), mode="valid")


def _flat(candidates: np.ndarray, rest: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Mark the flattest of the candidates, without outliers of the remainder."""
    if np.count_nonzero(candidates) * FLATTEST >= FEWEST:
        candidates = candidates & (slope <= np.quantile(slope[candidates], FLATTEST))
    if not candidates.any():
        return candidates
    return candidates & (np.abs(rest) <= OUTLIER * _deviation(rest[candidates]))


def _blurred(spectrum: np.ndarray) -> np.ndarray:
    """Return a spectrum blurred, so that the ratio of two is not that of their errors."""
    from scipy import ndimage

    return ndimage.gaussian_filter(spectrum, BLUR, mode="wrap")


def _whole(missing: np.ndarray, sigma: Sequence[float]) -> np.ndarray:
    """Return the noise's power from that of its remainder, where the smooth part was taken out."""
    waves = np.meshgrid(*[np.fft.fftfreq(GRID)] * missing.ndim, indexing="ij")
    exponent = sum(np.square(width * wave) for width, wave in zip(sigma, waves, strict=True))
    share = np.square(1 - np.exp(-2 * np.pi**2 * exponent))
    slow, ring = share < SHARE, (share >= SHARE) & (share <= 2 * SHARE)
    whole = missing / np.maximum(share, SHARE)
    whole[slow] = whole[ring].mean() if ring.any() else 0.0
    return whole


def _deviation(rest: np.ndarray) -> float:
    """Return the standard deviation of values of median 0, from their median size."""
    return 1.4826 * float(np.median(np.abs(rest)))


def _interior(shape: Sequence[int]) -> np.ndarray:
    """Mark all but the four outermost voxels along each axis: beyond the border, the smooth part has no slope."""
    inside = np.zeros(shape, dtype=bool)
    inside[tuple(slice(4, -4) if size > 16 else slice(None) for size in shape)] = True
    return inside
