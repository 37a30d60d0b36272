"""Task of generative adversarial networks: generate images that a discriminator rates as real."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import torch

from ...latent.search import Settings, search
from ...losses.adversarial import CrossEntropyGan
from ...networks.dcgan import Dcgan


@dataclasses.dataclass
class GanTask:
    """Generator against discriminator, while the encoder learns the latents of generated images.

    Attributes:
        rate: Adam's step size of the generator (Radford et al., 2016: 2e-4 with beta_1 = 0.5).
        discriminator_rate: of the discriminator.
        smooth: the discriminator's target for real images.
    """

    network: Dcgan
    rate: float = 2e-4
    discriminator_rate: float = 2e-4
    smooth: float = 0.9

    def __post_init__(self) -> None:
        self.helpers = torch.nn.ModuleDict()
        network = self.network
        self.optimizers = {
            "discriminator": _adam(network.discriminator, self.discriminator_rate),
            "generator": _adam(network.generator, self.rate),
            "encoder": torch.optim.Adam(network.encoder.parameters(), lr=1e-3),
        }

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        (images,) = batch
        network, gan = self.network, CrossEntropyGan(self.smooth)
        latents = torch.randn((len(images), network.latent), generator=noise, device=images.device)
        generated = network.decode(latents)
        real, fake = network.logits(images), network.logits(generated.detach())
        log = {"real": real.sigmoid().mean(), "fake": fake.sigmoid().mean()}
        yield "discriminator", gan.discriminator(real, fake), log
        yield "generator", gan.generator(network.logits(generated)), {}
        yield "encoder", (network.encode(generated.detach()) - latents).square().mean(), {}

    def fill(self, network: Dcgan, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return search(network.decode, images, known, network.encode(images), Settings(steps=60)).images


def _adam(module: torch.nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(module.parameters(), lr=rate, betas=(0.5, 0.999))
