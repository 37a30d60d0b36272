"""Adversarial losses on the outputs of a discriminator without sigmoid."""

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
        """Return a scalar from the logits of real and generated images."""
        return (functional.softplus(real) - self.smooth * real).mean() + functional.softplus(fake).mean()

    def generator(self, fake: torch.Tensor) -> torch.Tensor:
        """Return a scalar from the logits of generated images."""
        return functional.softplus(-fake).mean()


@dataclasses.dataclass(frozen=True)
class HingeGan:
    """``L_D = mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z)))`` and ``L_G = - mean D(G(z))``.

    Lim, Ye: Geometric GAN, arXiv:1705.02894, 2017; Miyato et al.: Spectral normalization for generative adversarial
    networks, ICLR 2018, eq. 16 and 17. Images rated with enough margin have no gradient.
    """

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Return a scalar from the outputs for real and generated images."""
        return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()

    def generator(self, fake: torch.Tensor) -> torch.Tensor:
        """Return a scalar from the outputs for generated images."""
        return -fake.mean()


@dataclasses.dataclass(frozen=True)
class LeastSquaresGan:
    """``L_D = f mean (D(x) - 1)^2 + f mean D(G(z))^2`` and ``L_G = f mean (D(G(z)) - 1)^2``.

    Mao et al.: Least squares generative adversarial networks, ICCV 2017, eq. 9. The gradient does not vanish for
    generated images that are rated as real but far from real ones.

    Attributes:
        factor: f, 1/2 in that paper; CollaGAN (Lee et al., CVPR 2019) leaves it out, so there it is 1.
    """

    factor: float = 0.5

    def discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Return a scalar from the outputs for real and generated images."""
        return self.factor * ((real - 1).square().mean() + fake.square().mean())

    def generator(self, fake: torch.Tensor) -> torch.Tensor:
        """Return a scalar from the outputs for generated images."""
        return self.factor * (fake - 1).square().mean()
