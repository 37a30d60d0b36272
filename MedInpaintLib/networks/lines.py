"""Fills along lines: each pixel of the hole from the nearest known pixels of its row, or of its column.

They bring the intensities on both sides of the hole to every pixel of it, so a network need not learn to carry them
across the hole (``python -m Research learning`` measures the gain).
"""

from __future__ import annotations

import torch

#: Number of fills: along rows and along columns.
LINES = 2


def along_lines(image: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Interpolate linearly between the next known pixels of the row, and of the column: ``(B, LINES, H, W)``.

    With a known pixel on one side only, its value; with none, the image's own value.

    Args:
        image: ``(B, 1, H, W)``, with some fill in the hole.
        known: of that shape: 1 where it is known, 0 in the hole.
    """
    known = known > 0
    return torch.cat([_along_rows(image, known), _along_rows(image.mT, known.mT).mT], dim=1)


def _along_rows(image: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    length = image.shape[-1]
    at = torch.arange(length, device=image.device).expand(image.shape)
    before = torch.where(known, at, -1).cummax(dim=-1).values
    behind = torch.where(known, at, length).flip(-1).cummin(dim=-1).values.flip(-1)
    first, last = before >= 0, behind < length
    left, right = (image.gather(-1, place.clamp(0, length - 1)) for place in (before, behind))
    share = (at - before).to(image.dtype) / (behind - before).clamp(min=1)
    both = left + share * (right - left)
    one = torch.where(first, left, torch.where(last, right, image))
    return torch.where(known, image, torch.where(first & last, both, one))
