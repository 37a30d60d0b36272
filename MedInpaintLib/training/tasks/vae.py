"""Task of variational auto-encoders: compress images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import torch

from ...latent.search import Settings, search
from ...losses.elbo import Elbo
from ...losses.prior import VaePrior
from ...networks.vae import Vae


@dataclasses.dataclass
class VaeTask:
    """The negative evidence lower bound, per pixel.

    Attributes:
        rate: Adam's step size.
        warm_up: steps until the KL term has its full weight.
    """

    network: Vae
    rate: float = 1e-3
    warm_up: int = 1000

    def __post_init__(self) -> None:
        self.helpers = torch.nn.ModuleDict()
        self.optimizers = {"vae": torch.optim.Adam(self.network.parameters(), lr=self.rate)}

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        (images,) = batch
        elbo = Elbo(self.warm_up)
        mean, log_variance = self.network.posterior(images)
        chance = torch.randn(mean.shape, generator=noise, device=mean.device)
        decoded = self.network.decode(mean + chance * (0.5 * log_variance).exp())
        loss = elbo(decoded, images, mean, log_variance, step) / images[0].numel()
        log = {
            "part/rmse": elbo.noise(decoded, images).sqrt(),
            "part/kl": elbo.kl(mean, log_variance).mean(),
        }
        yield "vae", loss, log

    def fill(self, network: Vae, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        settings = Settings(steps=40, prior=0.1)
        prior = VaePrior()
        result = search(
            network.decode, images, known, network.encode(images), settings, lambda latents, _: prior(latents)
        )
        return result.images
