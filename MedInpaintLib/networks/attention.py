"""Attention that is consistent between recurrences."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from .precision import full_precision

#: Avoids division by zero for vectors and weights of zero; as published.
EPSILON = 1e-7


class Scores(NamedTuple):
    """State passed from one recurrence to the next; N is the number of positions.

    Attributes:
        scores: ``(B, N, N)``, weights of all positions (columns) for each position (rows); rows add up to 1.
        mask: ``(B, N, 1)``, 1 where a position was known or already reasoned about.
    """

    scores: torch.Tensor
    mask: torch.Tensor


class ConsistentAttention(nn.Module):
    """Attention that combines each position with a mean over all positions that resemble it.

    The knowledge-consistent attention of Li et al.: Recurrent feature reasoning for image inpainting, CVPR 2020, as in
    their public implementation: similarity is the product of the feature with the normalised features, summed over 3x3
    neighbours; normalised features are averaged; scores of positions that were known before are blended with their
    earlier ones at a learned ratio. The module keeps no state, so calls can be interleaved.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ratio = nn.Parameter(torch.ones(1))
        self.combine = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, features: torch.Tensor, mask: torch.Tensor, before: Scores | None) -> tuple[torch.Tensor, Scores]:
        """Return the features of that shape, and the scores for the next recurrence.

        Args:
            features: ``(B, channels, H, W)``.
            mask: ``(B, 1, h, w)``, 1 = known; resampled to ``(H, W)`` by the nearest neighbour.
            before: scores of the last recurrence, with gradient; None in the first one.
        """
        attended, scores = self._attend(features, mask, before)
        return self.combine(torch.cat([attended, features], dim=1)), scores

    def _attend(self, features: torch.Tensor, mask: torch.Tensor, before: Scores | None) -> tuple[torch.Tensor, Scores]:
        # Similarities are not normalised and reach hundreds: in bfloat16 (8 bits) the softmax would be noise.
        with full_precision(features.device):
            features = features.to(torch.promote_types(features.dtype, torch.float32))
            mask = functional.interpolate(mask.to(features.dtype), features.shape[2:]).flatten(2).transpose(1, 2)
            # A sum of products over 3x3 neighbours is the product of the sum: C channels to add up, not N scores.
            sums = functional.avg_pool2d(features, 3, stride=1, padding=1, divisor_override=1)
            normalised = functional.normalize((features + EPSILON).flatten(2), dim=1)
            scores = torch.softmax(sums.flatten(2).transpose(1, 2) @ normalised, dim=2)
            if before is not None:
                ratio = self.ratio.abs() + EPSILON
                scores = (before.scores * before.mask + scores * ratio) / (before.mask + ratio)
            attended = (scores @ normalised.transpose(1, 2)).transpose(1, 2).unflatten(2, features.shape[2:])
        return attended, Scores(scores, mask)
