"""A network learns to estimate any contrast from any other one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional

from ...losses.adversarial import LeastSquaresGan
from ...networks.contrast_discriminator import ContrastDiscriminator
from ...networks.imputer import one_hot
from ...networks.stargan import StarGan
from .imputation import adam, anneal, answer, ask, check_options, check_side


@dataclasses.dataclass
class StarGanTask:
    """``adversarial L_GAN + domain L_cls + cycle mean |G(G(s; t); s) - s|``.

    Choi et al., CVPR 2018, eq. 1 to 6, with least squares in place of the Wasserstein distance, as the GANs that it is
    compared with have it. Pairs are not used: of the target only its name is known.

    Attributes:
        network: the generator.
        rate, half_life: as in :class:`.CollaGanTask`.
        cycle, domain, adversarial: weights; published 10, 1 and 1.
        discriminator_width: channels of the discriminator's first layer.
    """

    network: StarGan
    rate: float = 1e-4
    half_life: int = 0
    cycle: float = 10.0
    domain: float = 1.0
    adversarial: float = 1.0
    discriminator_width: int = 4

    def __post_init__(self) -> None:
        check_options(self, ("cycle", "domain", "adversarial"))
        check_side(self.network)
        device = next(self.network.parameters()).device
        discriminator = ContrastDiscriminator(self.network.contrasts, width=self.discriminator_width).to(device)
        self.helpers = nn.ModuleDict({"discriminator": discriminator})
        self.optimizers = {
            "discriminator": adam([discriminator], self.rate),
            "network": adam([self.network], self.rate),
        }

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        anneal(self.optimizers, self.rate, step, self.half_life)
        asked = ask(batch[0], batch[1], noise, dropout=1.0)  # one other contrast stays
        discriminator, gan = self.helpers["discriminator"], LeastSquaresGan()
        source = asked.present.int().argmax(dim=1)
        image = (asked.images * asked.present[:, :, None, None]).sum(dim=1, keepdim=True)
        made = self._made(image, asked.target)
        (real, named), (fake, _) = discriminator(image), discriminator(made.detach())
        loss = self.adversarial * gan.discriminator(real, fake)
        yield "discriminator", loss + self.domain * functional.cross_entropy(named, source), {}
        fake, named = discriminator(made)
        parts = {
            "adversarial": gan.generator(fake),
            "domain": functional.cross_entropy(named, asked.target),
            "cycle": functional.l1_loss(self._made(made, source), image),
        }
        total = sum((getattr(self, name) * loss for name, loss in parts.items()), start=made.new_zeros(()))
        yield "network", total, {f"part/{name}": loss.detach() for name, loss in parts.items()}

    def fill(self, network: StarGan, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return answer(network, images, known)

    def _made(self, image: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.network.unet(image, one_hot(target, self.network.contrasts).to(image.dtype))
