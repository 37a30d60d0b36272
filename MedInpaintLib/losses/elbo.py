"""The evidence lower bound of a variational auto-encoder."""

from __future__ import annotations

import dataclasses
import math

import torch


@dataclasses.dataclass(frozen=True)
class Elbo:
    """``L = d/2 log(2 pi e s) + beta KL``: the negative bound in nats per image, for a decoder with normal noise.

    The variance s of the noise is the batch's mean squared error, its maximum-likelihood value (Rybkin et al.: Simple
    and effective VAE training with calibrated decoders, ICML 2021, eq. 4), so no weight needs tuning.

    ``KL = 1/2 sum (mean^2 + variance - log variance - 1)`` to the standard normal (Kingma, Welling, ICLR 2014, appendix
    B). Its weight beta grows from 0 to 1, so that the decoder first learns to use the latents (Bowman et al., CoNLL
    2016).

    Attributes:
        warm_up: steps until beta is 1.
    """

    warm_up: int = 0

    def beta(self, step: int) -> float:
        """Return the weight of KL at a step, 0..1."""
        return 1.0 if self.warm_up <= 0 else min(1.0, step / self.warm_up)

    def kl(self, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
        """Return ``(B,)`` nats from ``(B, n)`` each."""
        return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1)

    def noise(self, decoded: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """Return s, the mean squared error, a scalar."""
        return (decoded - images).square().mean()

    def __call__(
        self,
        decoded: torch.Tensor,
        images: torch.Tensor,
        mean: torch.Tensor,
        log_variance: torch.Tensor,
        step: int,
    ) -> torch.Tensor:
        """Return a scalar, the mean over the batch."""
        values = images[0].numel()
        likelihood = 0.5 * values * torch.log(2 * math.pi * math.e * self.noise(decoded, images))
        return likelihood + self.beta(step) * self.kl(mean, log_variance).mean()
