"""Losses from structural similarity, as ``metrics.structural_similarity`` measures it."""

from __future__ import annotations

import dataclasses

import torch
from torch.nn import functional

from ..metrics.structural_similarity import K1, K2, SIGMA, window_radius
from .reconstruction import Where, composite, precise, region

#: Range of images from -1 to 1.
RANGE = 2.0
#: Weights of the scales, from fine to coarse (Wang et al., 2003, section 3.2).
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_LEAST = 1e-4  # least similarity that counts: a negative one has no power


def similarity(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the maps of structural similarity S and of its contrast and structure C, without luminance: S = l C.

    Definition, window (Gaussian, 11 x 11, sigma 1.5) and mirrored borders are those of
    ``metrics.structural_similarity.ssim_map``, with images moved from -1..1 to 0..2: around 0 the luminance term would
    rate 0.01 and -0.01 as opposites. Images are ``(B, 1, H, W)``, -1..1, as are the maps, in float32 for half
    precision, which would round variances away.
    """
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    first, second = precise(first), precise(second)
    # Matrix products need no padding, and by default a GPU does not round them to TF32.
    rows, columns = (_blur(side, first) for side in first.shape[-2:])
    with torch.autocast(first.device.type, enabled=False):
        smooth = rows @ torch.stack([first, second, first * first, second * second, first * second]) @ columns.mT
    mean1, mean2, square1, square2, product = smooth
    contrast = 2 * (product - mean1 * mean2) + c2
    contrast = contrast / (square1 - mean1.square() + square2 - mean2.square() + c2)
    mean1, mean2 = mean1 + RANGE / 2, mean2 + RANGE / 2
    return (2 * mean1 * mean2 + c1) / (mean1.square() + mean2.square() + c1) * contrast, contrast


@dataclasses.dataclass(frozen=True)
class SsimLoss:
    """``L = 1 - mean over R of S``, for each frame; then the mean over frames.

    Wang, Bovik, Sheikh, Simoncelli, IEEE Trans Image Process 2004;13:600-612; as a loss: Zhao et al., IEEE Trans Comput
    Imaging 2017;3:47-57.

    Attributes:
        where: R. ``"hole"``: S of truth and composite, so that windows at the rim see what a viewer sees, as in the
            metric. ``"frame"``: S of truth and prediction, everywhere.
    """

    where: Where = "hole"

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return a scalar, 0..2, 0 without hole, from ``(B, 1, H, W)``."""
        image = _judged(predicted, truth, known, self.where)
        return _missing(similarity(image, truth)[0], region(known, self.where)).mean()


@dataclasses.dataclass(frozen=True)
class MultiScaleSsimLoss:
    """``L = 1 - mean(S_M)^w_M  product over j < M of mean(C_j)^w_j``, for each frame; then the mean over frames.

    S and C as in :func:`similarity`; each scale j halves the one before by means of 2 x 2 pixels. The means of S and C
    are over R, where a coarse pixel counts by the share of R in it.

    Wang, Simoncelli, Bovik: Multiscale structural similarity for image quality assessment, Asilomar 2003, eq. 7, with
    five scales of about 256 x 256 pixels; here as many as leave the coarsest a whole window (64 pixels: three), with
    weights divided by their sum.

    Attributes:
        where: R, as for :class:`SsimLoss`.
        scales: largest number of scales, 1..5.
    """

    where: Where = "hole"
    scales: int = len(WEIGHTS)

    def weights(self, height: int, width: int) -> list[float]:
        """Return the weights of the scales of frames of this size, from fine to coarse; their sum is 1."""
        fitting = max(1, (min(height, width) // (2 * window_radius() + 1)).bit_length())
        used = WEIGHTS[: min(fitting, self.scales)]
        return [weight / sum(used) for weight in used]

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return a scalar, 0..1, 0 without hole, from ``(B, 1, H, W)``."""
        image = precise(_judged(predicted, truth, known, self.where))
        truth, inside = truth.to(image.dtype), region(known, self.where).to(image.dtype)
        weights = self.weights(*truth.shape[-2:])
        whole = image.new_ones(len(image))
        for scale, weight in enumerate(weights):
            if scale:
                image, truth, inside = (_halved(each) for each in (image, truth, inside))
            structure, contrast = similarity(image, truth)
            last = scale == len(weights) - 1
            whole = whole * (1 - _missing(structure if last else contrast, inside)).clamp(min=_LEAST) ** weight
        return 1 - whole.mean()


@dataclasses.dataclass(frozen=True)
class LogSsimLoss:
    """``L = -log((1 + S) / 2)``, S the mean structural similarity of all images of the batch, or of each image.

    Lee et al.: CollaGAN, CVPR 2019, eq. 7, with a logarithm for each image. The authors' windows stay inside the image;
    here its borders are mirrored, as in the metric.

    Attributes:
        range: of the images, which begin at 0; at a much larger one S is close to 1 whatever they show.
        each: whether each image has its own S; L is then the mean over the images.
    """

    range: float
    each: bool = False

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return a scalar, 0 or more, from ``(B, 1, H, W)``."""
        first, second = (RANGE / self.range * each - RANGE / 2 for each in (predicted, truth))
        similar = similarity(first, second)[0].mean(dim=(1, 2, 3) if self.each else None)
        return -torch.log((1 + similar) / 2).mean()


def _judged(predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, where: Where) -> torch.Tensor:
    return composite(predicted, truth, known) if where == "hole" else predicted


def _missing(similar: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Return ``(B,)``, the mean of ``1 - similar`` over a region, bool or shares; 0 where it is empty."""
    return ((1 - similar) * inside).sum(dim=(1, 2, 3)) / inside.sum(dim=(1, 2, 3)).clamp(min=1e-6)


def _halved(images: torch.Tensor) -> torch.Tensor:
    # The last pixel of an odd side stays alone.
    return functional.avg_pool2d(images, 2, ceil_mode=True)


def _blur(side: int, like: torch.Tensor) -> torch.Tensor:
    """Return the matrix ``(side, side)`` that smoothes a column of pixels, mirrored beyond its ends."""
    reach = torch.arange(-window_radius(), window_radius() + 1, device=like.device)
    taps = torch.exp(-0.5 * (reach.to(like.dtype) / SIGMA) ** 2)
    seen = (torch.arange(side, device=like.device)[:, None] + reach) % (2 * side)
    seen = torch.minimum(seen, 2 * side - 1 - seen)
    return like.new_zeros(side, side).scatter_add_(1, seen, (taps / taps.sum()).expand(side, -1))
