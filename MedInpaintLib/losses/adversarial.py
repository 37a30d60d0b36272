"""Adversarial losses on logits."""

from __future__ import annotations

import dataclasses

import torch
from torch.nn import functional


@dataclasses.dataclass(frozen=True)
class CrossEntropyGan:
    """``L_D = mean BCE(D(x), smooth) + mean BCE(D(G(z)), 0)`` and, non-saturating, ``L_G = mean BCE(D(G(z)), 1)``.

    Goodfellow et al.: Generative adversarial nets, NIPS 2014; one-sided label smoothing: Salimans et al., NIPS 2016.
    With logits a: ``BCE(sigmoid(a), t) = softplus(a) - t a``.

    Attributes:
        smooth: target for real images, in (0.5, 1].
    """

    smooth: float = 1.0

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Scalar, of the logits of real and of generated images."""
        return (functional.softplus(real) - self.smooth * real).mean() + functional.softplus(fake).mean()

    def generator(self, fake: torch.Tensor) -> torch.Tensor:
        """Scalar, of the logits of generated images."""
        return functional.softplus(-fake).mean()
