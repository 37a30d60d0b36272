"""Edges and boundaries of tissue, as maps, targets and losses."""

from __future__ import annotations

import dataclasses

import torch
from torch.nn import functional

from .reconstruction import Per, Where, average, composite, precise, region
from .total_variation import near_hole

_ROUND = 1e-3  # smooths the size of gradients: the slope of a root is infinite at 0
_FAINT = 0.02  # a gradient that is no edge even if it is a frame's largest: 1 % of the range per pixel
_BINS = 64


def edge_map(images: torch.Tensor) -> torch.Tensor:
    """Return the size of the Sobel gradient, ``|g| = sqrt(g_x^2 + g_y^2 + e^2) - e``; e = 0.001 makes it smooth.

    The Sobel kernels are divided by 8, so a ramp's gradient is its slope. A border pixel has its neighbour's gradient.

    Args:
        images: ``(B, 1, H, W)``, 3 pixels or more a side.
    """
    images = precise(images)
    across = _slope(_smooth(images, -2), -1)
    down = _slope(_smooth(images, -1), -2)
    size = (across.square() + down.square() + _ROUND**2).sqrt() - _ROUND
    return _with_border(_with_border(size, -1), -2)


@torch.no_grad()
def edges(images: torch.Tensor, percentile: float = 99.0) -> torch.Tensor:
    """Return a soft target, 0..1: :func:`edge_map` divided by a percentile of its frame, and clipped.

    A gradient below 0.02 per pixel is never a whole edge.

    Args:
        images: ``(B, 1, H, W)``, undamaged.
        percentile: of a frame's gradients, in (0, 100]: those above are whole edges.
    """
    gradients = edge_map(images)
    return (gradients / _ranked(gradients.flatten(1), percentile).clamp(min=_FAINT)[:, None, None, None]).clamp(max=1)


@torch.no_grad()
def boundaries(images: torch.Tensor) -> torch.Tensor:
    """Return a target, 0 or 1: pixels with a neighbour (by a side) of another of three classes of intensity.

    For each frame, Otsu's two thresholds have the largest variance between classes (Otsu, IEEE Trans Syst Man Cybern
    1979;9:62-66, section III) among 63 evenly spaced ones between the 1st and the 99th percentile. The frame is first
    smoothed (binomial, 3 x 3) to suppress noise.

    Args:
        images: ``(B, 1, H, W)``, undamaged, 3 pixels or more a side.
    """
    smooth = _with_border(_with_border(_smooth(_smooth(precise(images), -1), -2), -1), -2)
    low, high = _thresholds(smooth.flatten(1))
    classes = (smooth >= low[:, None, None, None]).int() + (smooth >= high[:, None, None, None]).int()
    marks = torch.zeros_like(classes, dtype=torch.bool)
    across = classes[..., 1:] != classes[..., :-1]
    down = classes[..., 1:, :] != classes[..., :-1, :]
    marks[..., 1:] |= across
    marks[..., :-1] |= across
    marks[..., 1:, :] |= down
    marks[..., :-1, :] |= down
    return marks.to(smooth.dtype)


@dataclasses.dataclass(frozen=True)
class EdgeLoss:
    """``L = sum over i in R of | |g(c)|_i - |g(t)|_i | / N``, with |g| of :func:`edge_map`, composite c and truth t.

    R is the hole grown by one pixel, so that a seam counts. The L1 norm of differences of gradients is Mathieu et al.'s
    (ICLR 2016, eq. 6, with alpha = 1), here of the gradient's size.

    Attributes:
        per: N: pixels of the frame, or of R; see :class:`.reconstruction.ReconstructionLoss`.
    """

    per: Per = "frame"

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return a scalar from ``(B, 1, H, W)``."""
        gradients = edge_map(composite(predicted, truth, known))
        return average((gradients - edge_map(truth)).abs(), near_hole(known), self.per)


@dataclasses.dataclass(frozen=True)
class EdgeCrossEntropy:
    """``L = - mean over R of (w t log s + (1 - t) log(1 - s))``, with s the sigmoid of the logits and t the target.

    The mean over R for each frame, then over frames. In logits a: ``w t softplus(-a) + (1 - t) softplus(a)``.

    Attributes:
        where: R: ``"hole"``, ``"known"`` or ``"frame"``.
        positive: w > 1 gives the few edges more weight; the best s is then ``w t / (w t + 1 - t)``.
    """

    where: Where = "frame"
    positive: float = 1.0

    def __call__(self, logits: torch.Tensor, target: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return a scalar from ``(B, 1, H, W)``, the target 0..1."""
        logits = precise(logits)
        entropy = self.positive * target * functional.softplus(-logits) + (1 - target) * functional.softplus(logits)
        return average(entropy, region(known, self.where), "region")


def _smooth(images: torch.Tensor, axis: int) -> torch.Tensor:
    """Smooth with weights 1, 2, 1 along an axis, which gets shorter by 2."""
    before, here, after = _three(images, axis)
    return (before + 2 * here + after) / 4


def _slope(images: torch.Tensor, axis: int) -> torch.Tensor:
    """Return central differences along an axis, which gets shorter by 2."""
    before, _, after = _three(images, axis)
    return (after - before) / 2


def _three(images: torch.Tensor, axis: int) -> tuple[torch.Tensor, ...]:
    inner = images.shape[axis] - 2
    return tuple(images.narrow(axis, start, inner) for start in range(3))


def _with_border(images: torch.Tensor, axis: int) -> torch.Tensor:
    """Repeat the first and the last value of an axis, which gets longer by 2."""
    last = images.shape[axis] - 1
    return torch.cat([images.narrow(axis, 0, 1), images, images.narrow(axis, last, 1)], dim=axis)


def _ranked(values: torch.Tensor, percentile: float) -> torch.Tensor:
    """Return the percentile of each row of ``(B, n)``: ``(B,)``."""
    count = values.shape[1]
    return values.kthvalue(min(count, max(1, round(count * percentile / 100))), dim=1).values


def _thresholds(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return Otsu's lower and upper threshold, ``(B,)`` each, for the rows of ``(B, n)``."""
    ordered = values.sort(dim=1).values
    low, high = _ranked(values, 1)[:, None], _ranked(values, 99)[:, None]
    share = torch.arange(1, _BINS, device=values.device) / _BINS
    levels = low + (high - low) * share
    # Counts below each level; sums of values in bins are counts times the bin's middle.
    below = functional.pad(torch.searchsorted(ordered, levels), (1, 0))
    counts = torch.diff(below, append=below.new_full((len(below), 1), values.shape[1])).to(values.dtype)
    middles = (torch.arange(_BINS, device=values.device) + 0.5) / _BINS
    ones = values.new_ones(_BINS, _BINS).triu()
    count, total = counts @ ones, (counts * middles.to(values.dtype)) @ ones
    whole, sums = count[:, -1, None, None], total[:, -1, None, None]
    first, second = (count[:, :-1, None], total[:, :-1, None]), (count[:, None, :-1], total[:, None, :-1])
    # The variance between classes is, up to constants, the sum of sums^2 / count over the three classes.
    between = (
        first[1].square() / first[0].clamp(min=1)
        + (second[1] - first[1]).square() / (second[0] - first[0]).clamp(min=1)
        + (sums - second[1]).square() / (whole - second[0]).clamp(min=1)
    )
    upper = torch.ones_like(between[0], dtype=torch.bool).triu()
    best = between.where(upper, -1.0).flatten(1).argmax(dim=1)
    rows = torch.arange(len(values), device=values.device)
    return levels[rows, best // (_BINS - 1)], levels[rows, best % (_BINS - 1)]
