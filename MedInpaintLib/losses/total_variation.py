"""Total variation: how much neighbours differ, in the hole and across its rim."""

from __future__ import annotations

import dataclasses

import torch
from torch.nn import functional

from .reconstruction import composite, precise


def near_hole(known: torch.Tensor) -> torch.Tensor:
    """Mark the hole and all pixels that touch it by a side or a corner; bool of ``known``'s shape."""
    return functional.max_pool2d((~known).float(), 3, stride=1, padding=1) > 0


@dataclasses.dataclass(frozen=True)
class TotalVariationLoss:
    """``L = (sum |c[y, x+1] - c[y, x]| + sum |c[y+1, x] - c[y, x]|) / N`` over neighbours in R.

    Liu et al., ECCV 2018, eq. 6: c is the composite, R the hole grown by one pixel, so that the seam counts, N all
    pixels of the frame.
    """

    def __call__(self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return a scalar from ``(B, 1, H, W)``."""
        image, near = precise(composite(predicted, truth, known)), near_hole(known)
        across = (image[..., 1:] - image[..., :-1]).abs() * (near[..., 1:] & near[..., :-1])
        down = (image[..., 1:, :] - image[..., :-1, :]).abs() * (near[..., 1:, :] & near[..., :-1, :])
        return (across.sum() + down.sum()) / image.numel()
