"""StarGAN: any contrast from any other one, or from several others, by one generator."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.losses.adversarial import LeastSquaresGan
from MedInpaintLib.networks.contrast_discriminator import ContrastDiscriminator
from MedInpaintLib.networks.contrast_unet import ContrastUNet
from MedInpaintLib.networks.imputer import Imputer, one_hot
from MedInpaintLib.training.tasks.imputation import ask

from .task import ComparatorTask, Losses


class StarGan(Imputer):
    """One generator from a contrast and the name of another to that other one. Choi et al.: StarGAN: Unified generative
    adversarial networks for multi-domain image-to-image translation, CVPR 2018; with CollaGAN's U-Net, so that only the
    training differs.

    Args:
        pixels, contrasts: see :class:`~MedInpaintLib.networks.imputer.Imputer`.
        preferred: numbers of all contrasts; the network sees the first of them that is present and not the target.
        width, levels, linear: see :class:`~MedInpaintLib.networks.contrast_unet.ContrastUNet`.
    """

    def __init__(
        self,
        *,
        pixels: int,
        contrasts: int,
        preferred: tuple[int, ...] = (),
        width: int = 16,
        levels: int = 5,
        linear: bool = False,
    ) -> None:
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels)
        order = list(preferred) or list(range(contrasts))
        if sorted(order) != list(range(contrasts)):
            raise ParameterError(f"'preferred' must hold each of the numbers 0 to {contrasts - 1} once; found {order}.")
        self.ranks = [order.index(each) for each in range(contrasts)]
        self.unet = ContrastUNet(1, contrasts, width=width, levels=levels, linear=linear)

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        source = self.sources(present, target).to(images.dtype)
        image = (images * source[:, :, None, None]).sum(dim=1, keepdim=True)
        return self.unet(image, one_hot(target, self.contrasts).to(images.dtype))

    def sources(self, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        ranks = torch.tensor(self.ranks, device=target.device)
        ranks = torch.where(super().sources(present, target), ranks, self.contrasts)
        return super().sources(present, target) & one_hot(ranks.argmin(dim=1), self.contrasts)


class StackedStarGan(Imputer):
    """StarGAN with an input channel for each contrast, so that it sees all that are present; missing ones are 0.

    This is not in the paper, whose generator takes one image and is not told which contrast it is; here the channel
    tells it.

    Args:
        pixels, contrasts: see :class:`~MedInpaintLib.networks.imputer.Imputer`.
        width, levels, linear: see :class:`~MedInpaintLib.networks.contrast_unet.ContrastUNet`.
    """

    def __init__(self, *, pixels: int, contrasts: int, width: int = 16, levels: int = 5, linear: bool = False) -> None:
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels)
        self.unet = ContrastUNet(contrasts, contrasts, width=width, levels=levels, linear=linear)

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.unet(images, one_hot(target, self.contrasts).to(images.dtype))


@dataclasses.dataclass
class StarGanTask(ComparatorTask):
    """The loss ``adversarial L_GAN + domain L_cls + cycle mean |G(G(s; t); s) - s|``.

    Choi et al., CVPR 2018, eq. 1 to 6, with least squares in place of the Wasserstein distance, as in the GANs that it
    is compared with. It needs no pairs: of the target, only the name is used. Of several sources each is a real image
    for the discriminator, and each is made again from the estimate alone.

    Attributes:
        cycle, domain, adversarial: weights; published 10, 1 and 1.
        dropout: share of the contrasts that are left out; one always stays. 1, as published: the source is one.
    """

    WEIGHTS: ClassVar = ("cycle", "domain", "adversarial")

    rate: float = 1e-4
    cycle: float = 10.0
    domain: float = 1.0
    dropout: float = 1.0

    def discriminators(self) -> dict[str, nn.Module]:
        network, width = self.network, self.discriminator_width
        return {"discriminator": ContrastDiscriminator(network.contrasts, width=width, pixels=network.pixels)}

    def steps(self, images: torch.Tensor, present: torch.Tensor, noise: torch.Generator) -> Losses:
        asked = ask(images, present, noise, self.dropout)
        network, discriminator, gan = self.network, self.helpers["discriminator"], LeastSquaresGan()
        row, source = asked.present.nonzero(as_tuple=True)
        truth = images[row, source][:, None]
        estimate = network(images, asked.present, asked.target)
        (real, named), (fake, _) = discriminator(truth), discriminator(estimate.detach())
        loss = self.adversarial * gan.discriminator(real, fake)
        yield "discriminator", loss + self.domain * functional.cross_entropy(named, source), {}
        fake, named = discriminator(estimate)
        is_target = one_hot(asked.target, network.contrasts)
        again = network((is_target[:, :, None, None] * estimate)[row], is_target[row], source)
        yield self.weigh(
            adversarial=gan.generator(fake),
            domain=functional.cross_entropy(named, asked.target),
            cycle=functional.l1_loss(again, truth),
        )
