"""pix2pix: one contrast from one other, learned from pairs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional

from MedInpaintLib.losses.adversarial import LeastSquaresGan
from MedInpaintLib.networks.contrast_discriminator import ContrastDiscriminator
from MedInpaintLib.networks.contrast_unet import ContrastUNet
from MedInpaintLib.training.tasks.imputation import adam, anneal, answer, check_options, check_side

from .translator import Translator, zero_loss


class Pix2Pix(Translator):
    """The generator of Isola et al.: Image-to-image translation with conditional adversarial networks, CVPR 2017; with
    CollaGAN's U-Net, so that only the training differs.

    Args:
        pixels, contrasts, source, target: see :class:`.Translator`.
        width, levels, linear: see :class:`~MedInpaintLib.networks.contrast_unet.ContrastUNet`.
    """

    def __init__(
        self,
        *,
        pixels: int,
        contrasts: int,
        source: int,
        target: int,
        width: int = 16,
        levels: int = 5,
        linear: bool = False,
    ) -> None:
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels, source=source, target=target)
        self.unet = ContrastUNet(1, 0, width=width, levels=levels, linear=linear)

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.unet(images[:, self.source, None])


@dataclasses.dataclass
class Pix2PixTask:
    """The loss ``adversarial L_GAN(D(source, estimate)) + direct mean |estimate - truth|``.

    Isola et al., CVPR 2017, eq. 1 to 4, with least squares in place of the cross entropy, as in the GANs that it is
    compared with.

    Attributes:
        network: the generator.
        rate, half_life: as in :class:`~MedInpaintLib.training.tasks.collagan.CollaGanTask`.
        direct, adversarial: weights; published 100 and 1.
        discriminator_width: channels of the discriminator's first layer.
    """

    network: Pix2Pix
    rate: float = 2e-4
    half_life: int = 0
    direct: float = 100.0
    adversarial: float = 1.0
    discriminator_width: int = 4

    def __post_init__(self) -> None:
        check_options(self, ("direct", "adversarial"))
        check_side(self.network)
        device = next(self.network.parameters()).device
        self.helpers = nn.ModuleDict(
            {"discriminator": ContrastDiscriminator(1, inputs=2, width=self.discriminator_width).to(device)}
        )
        self.optimizers = {
            "discriminator": adam([self.helpers["discriminator"]], self.rate),
            "network": adam([self.network], self.rate),
        }

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        anneal(self.optimizers, self.rate, step, self.half_life)
        network, gan = self.network, LeastSquaresGan()
        seen, truth = network.pairs(batch[0], batch[1])
        if not len(seen):
            yield "discriminator", zero_loss(self.helpers), {}
            yield "network", zero_loss(network), {}
            return
        estimate = network.unet(seen)
        real, fake = (self._judged(seen, each) for each in (truth, estimate.detach()))
        yield "discriminator", gan.discriminator(real, fake), {}
        parts = {
            "direct": functional.l1_loss(estimate, truth),
            "adversarial": gan.generator(self._judged(seen, estimate)),
        }
        total = self.direct * parts["direct"] + self.adversarial * parts["adversarial"]
        yield "network", total, {f"part/{name}": loss.detach() for name, loss in parts.items()}

    def fill(self, network: Pix2Pix, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return answer(network, images, known)

    def _judged(self, seen: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        return self.helpers["discriminator"](torch.cat([seen, image], dim=1))[0]
