"""Errors of a predicted frame, in the hole or at known pixels, and helpers of all losses of fills.

Frames are ``(B, 1, H, W)``, -1..1; ``known`` is bool of that shape. The composite is what a user gets: the truth at
known pixels, the prediction in the hole.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import torch

Where = Literal["hole", "known", "frame"]
Per = Literal["frame", "region"]


def composite(predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return ``(B, 1, H, W)``: the truth where known, the prediction in the hole."""
    return torch.where(known, truth, predicted)


def region(known: torch.Tensor, where: Where) -> torch.Tensor:
    """Mark the hole, the known pixels, or the whole frame; bool of ``known``'s shape."""
    return {"hole": ~known, "known": known, "frame": torch.ones_like(known)}[where]


def precise(values: torch.Tensor) -> torch.Tensor:
    """Convert half precision to float32: it is too coarse for sums, squares and roots."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def average(values: torch.Tensor, inside: torch.Tensor, per: Per) -> torch.Tensor:
    """Return a scalar: the sum over a region, divided by the pixels of the frame or by those of the region.

    Args:
        values, inside: ``(B, 1, H, W)``, and the region, bool of that shape.
        per: ``"frame"``: ``sum of the region's values / (B H W)``; ``"region"``: the mean over frames of the mean over
            the region, 0 where it is empty.
    """
    values = torch.where(inside, precise(values), 0.0)
    if per == "frame":
        return values.mean()
    return (values.sum(dim=(1, 2, 3)) / inside.sum(dim=(1, 2, 3)).clamp(min=1)).mean()


def mean_squares(predicted: torch.Tensor, truth: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Return ``(B,)``, the mean squared error of each frame over a region ``inside``, 0 where it is empty."""
    error = torch.where(inside, (precise(predicted) - truth).square(), 0.0).sum(dim=(1, 2, 3))
    return error / inside.sum(dim=(1, 2, 3)).clamp(min=1)


@dataclasses.dataclass(frozen=True)
class ReconstructionLoss:
    """``L = sum over i in R of |p_i - t_i|^power / N``, of prediction p and truth t.

    Liu et al.: Image inpainting for irregular holes using partial convolutions, ECCV 2018, eq. 1 and 2: R is the hole
    in ``L_hole``, the known pixels in ``L_valid``; N are all pixels of the frame in both. So with the published weights
    6 and 1, a pixel of the hole counts six times a known one, and ``L_hole`` shrinks with the hole.

    Attributes:
        where: R: ``"hole"``, ``"known"`` or ``"frame"``.
        power: 1 as published, or 2.
        per: N: ``"frame"`` as published; or ``"region"`` for the mean over R, which is comparable between holes of
            different size.
    """

    where: Where = "hole"
    power: int = 1
    per: Per = "frame"

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return a scalar from ``(B, 1, H, W)``."""
        difference = precise(predicted) - truth
        error = difference.abs() if self.power == 1 else difference.square()
        return average(error, region(known, self.where), self.per)


@dataclasses.dataclass(frozen=True)
class DecibelLoss:
    """``L = mean over frames of 10 log10(MSE_R + e)``, in dB: minus the PSNR at a range of 1 that rates fills.

    Each frame's gradient is divided by its error, so frames with large errors (e.g. bright fluid) weigh no more than
    others. e = 1e-5 keeps errors below 0.003 from dominating.

    Attributes:
        where: R: ``"hole"``, ``"known"`` or ``"frame"``.
    """

    where: Where = "hole"

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return a scalar from ``(B, 1, H, W)``."""
        return 10 * torch.log10(mean_squares(predicted, truth, region(known, self.where)) + 1e-5).mean()


@dataclasses.dataclass(frozen=True)
class RootMeanSquareLoss:
    """``L = mean over frames of sqrt(MSE_R + e)``, e = 1e-6.

    Between mean squares, which a few rough frames dominate, and :class:`DecibelLoss`, which good frames dominate.

    Attributes:
        where: R: ``"hole"``, ``"known"`` or ``"frame"``.
    """

    where: Where = "hole"

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return a scalar from ``(B, 1, H, W)``."""
        return (mean_squares(predicted, truth, region(known, self.where)) + 1e-6).sqrt().mean()
