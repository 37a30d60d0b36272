"""Priors of a latent search: how plausible an image, or its latent vector, is."""

from __future__ import annotations

import dataclasses

import torch
from torch.nn import functional


@dataclasses.dataclass(frozen=True)
class GanPrior:
    """``L = -log D(G(z)) = softplus(-logit)``, one value per image.

    The non-saturating form: Yeh et al. (CVPR 2017, eq. 5) have ``log(1 - D(G(z)))``, whose gradient vanishes where the
    discriminator is sure that the image is not real (Goodfellow et al., NIPS 2014, section 3).
    """

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """Return ``(B,)`` from the discriminator's logits ``(B,)``."""
        return functional.softplus(-logits)


@dataclasses.dataclass(frozen=True)
class VaePrior:
    """``L = ||z||^2 / n``: the latents' negative log density under the standard normal, up to constants, per latent."""

    def __call__(self, latents: torch.Tensor) -> torch.Tensor:
        """Return ``(B,)`` from latents ``(B, n)``."""
        return latents.square().mean(dim=1)
