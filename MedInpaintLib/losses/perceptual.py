"""Losses on features of a fill and of the truth.

Features are a list of maps ``(B, C, H, W)``, one per level, that an extractor (any callable, such as those of
``networks.features``) computes from frames ``(B, 1, H, W)``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import torch

from .reconstruction import composite, precise

Features = Sequence[torch.Tensor]
Extractor = Callable[[torch.Tensor], Features]


def gram(features: torch.Tensor) -> torch.Tensor:
    """Return the co-occurrence of features at any position, ``G_ab = sum over pixels of F_a F_b / (C H W)``.

    Gatys et al.: Image style transfer using convolutional neural networks, CVPR 2016; divided as by Johnson et al.,
    ECCV 2016. Never in half precision, where sums overflow or differences are rounded away.

    Shapes: ``(B, C, H, W)`` to ``(B, C, C)``.
    """
    with torch.autocast(features.device.type, enabled=False):
        flat = precise(features).flatten(2)
        return flat @ flat.mT / flat[0].numel()


@dataclasses.dataclass(frozen=True)
class PerceptualLoss:
    """``L = sum over levels of mean |F(x) - F(t)|``, of Liu et al., ECCV 2018, eq. 3, for one image x."""

    def __call__(self, found: Features, truth: Features) -> torch.Tensor:
        """Return a scalar from the features of both."""
        return sum(
            ((precise(each) - precise(true)).abs().mean() for each, true in zip(found, truth, strict=True)),
            start=found[0].new_zeros((), dtype=torch.float32),
        )


@dataclasses.dataclass(frozen=True)
class StyleLoss:
    """``L = sum over levels of mean |G(F(x)) - G(F(t))|``, the mean over the C x C entries of :func:`gram`.

    Liu et al., ECCV 2018, eq. 4 and 5, for one image x.
    """

    def __call__(self, found: Features, truth: Features) -> torch.Tensor:
        """Return a scalar from the features of both."""
        return PerceptualLoss()([gram(each) for each in found], [gram(each) for each in truth])


@dataclasses.dataclass(frozen=True)
class FeatureLosses:
    """The perceptual and the style loss of Liu et al.: each is the prediction's plus the composite's.

    Attributes:
        extractor: from frames to features; frozen, in eval mode, so that frames of a batch do not mix.
    """

    extractor: Extractor

    def __call__(
        self, predicted: torch.Tensor, truth: torch.Tensor, known: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return perceptual and style loss, scalars, from ``(B, 1, H, W)``."""
        with torch.no_grad():
            true = self.extractor(truth)
        both = self.extractor(torch.cat([predicted, composite(predicted, truth, known)]))
        of_prediction, of_composite = ([each.chunk(2)[half] for each in both] for half in (0, 1))
        perceptual, style = (
            loss(of_prediction, true) + loss(of_composite, true) for loss in (PerceptualLoss(), StyleLoss())
        )
        return perceptual, style
