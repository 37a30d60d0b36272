"""How far a predicted frame is from the truth, in the hole or where it is known; and what all losses of fills share.

Frames are ``(B, 1, H, W)``, -1..1; ``known`` is bool of that shape, True where known. The composite is what a user
gets: the truth where it is known, the prediction in the hole.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import torch

Where = Literal["hole", "known", "frame"]
Per = Literal["frame", "region"]


def composite(predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """``(B, 1, H, W)``: the truth where known, the prediction in the hole."""
    return torch.where(known, truth, predicted)


def region(known: torch.Tensor, where: Where) -> torch.Tensor:
    """Bool, of ``known``'s shape: the hole, what is known, or all of the frame."""
    return {"hole": ~known, "known": known, "frame": torch.ones_like(known)}[where]


def precise(values: torch.Tensor) -> torch.Tensor:
    """As they are, or float32 where they are in half precision, which is too coarse for sums, squares and roots."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def average(values: torch.Tensor, inside: torch.Tensor, per: Per) -> torch.Tensor:
    """Return a scalar: the sum over a region, divided by the pixels of the frame or by those of the region.

    Args:
        values: ``(B, 1, H, W)``.
        inside: bool, of that shape: the region.
        per: ``"frame"``: ``sum of the region's values / (B H W)``. ``"region"``: the mean over the region, for each
            frame, 0 where it is empty; then the mean over frames.
    """
    values = torch.where(inside, precise(values), 0.0)
    if per == "frame":
        return values.mean()
    return (values.sum(dim=(1, 2, 3)) / inside.sum(dim=(1, 2, 3)).clamp(min=1)).mean()


def mean_squares(predicted: torch.Tensor, truth: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """``(B,)``: the mean squared error of each frame over a region, 0 where it is empty.

    Args:
        predicted, truth: ``(B, 1, H, W)``.
        inside: bool, of that shape: the region.
    """
    error = torch.where(inside, (precise(predicted) - truth).square(), 0.0).sum(dim=(1, 2, 3))
    return error / inside.sum(dim=(1, 2, 3)).clamp(min=1)


@dataclasses.dataclass(frozen=True)
class ReconstructionLoss:
    """``L = sum over i in R of |p_i - t_i|^power / N``, of prediction p and truth t.

    Liu et al.: Image inpainting for irregular holes using partial convolutions, ECCV 2018, eq. 1 and 2: ``L_hole`` has
    the hole for R, ``L_valid`` what is known, and N are all elements of the frame in both. So with the published
    weights, 6 and 1, a pixel of the hole counts six times a known one, however large the hole is; and the smaller the
    hole, the smaller is ``L_hole``.

    Attributes:
        where: R: ``"hole"``, ``"known"`` or ``"frame"``.
        power: 1 as published, or 2.
        per: N: ``"frame"`` as published; or ``"region"`` for the mean over R, in which small holes count as much as
            large ones: a mean absolute or mean squared error that can be compared.
    """

    where: Where = "hole"
    power: int = 1
    per: Per = "frame"

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Scalar; all arguments are ``(B, 1, H, W)``."""
        difference = precise(predicted) - truth
        error = difference.abs() if self.power == 1 else difference.square()
        return average(error, region(known, self.where), self.per)


@dataclasses.dataclass(frozen=True)
class DecibelLoss:
    """``L = mean over frames of 10 log10(MSE_R + e)``, in dB: PSNR at a range of 1 with the other sign.

    What fills are judged by. A frame with large errors, of bright fluid say, weighs no more than another one: the
    gradient of each is divided by its own error. e = 1e-5 keeps an error of 0.003 from being made smaller at all cost.

    Attributes:
        where: R: ``"hole"``, ``"known"`` or ``"frame"``.
    """

    where: Where = "hole"

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Scalar; all arguments are ``(B, 1, H, W)``."""
        return 10 * torch.log10(mean_squares(predicted, truth, region(known, self.where)) + 1e-5).mean()


@dataclasses.dataclass(frozen=True)
class RootMeanSquareLoss:
    """``L = mean over frames of sqrt(MSE_R + e)``: between mean squares, in which few rough frames count for all, and
    :class:`DecibelLoss`, in which those count most that are right already. e = 1e-6.

    Attributes:
        where: R: ``"hole"``, ``"known"`` or ``"frame"``.
    """

    where: Where = "hole"

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Scalar; all arguments are ``(B, 1, H, W)``."""
        return (mean_squares(predicted, truth, region(known, self.where)) + 1e-6).sqrt().mean()
