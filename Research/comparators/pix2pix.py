"""pix2pix: one contrast from one other, learned from pairs."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from MedInpaintLib.losses.adversarial import LeastSquaresGan
from MedInpaintLib.networks.contrast_discriminator import ContrastDiscriminator
from MedInpaintLib.networks.contrast_unet import ContrastUNet

from .task import Losses
from .translator import Translator, TranslatorTask


class Pix2Pix(Translator):
    """The generator of Isola et al.: Image-to-image translation with conditional adversarial networks, CVPR 2017."""

    GENERATORS = ("unet",)
    unet: ContrastUNet


@dataclasses.dataclass
class Pix2PixTask(TranslatorTask):
    """The loss ``adversarial L_GAN(D(source, estimate)) + direct mean |estimate - truth|``.

    Isola et al., CVPR 2017, eq. 1 to 4, with least squares in place of the cross entropy, as in the GANs that it is
    compared with.

    Attributes:
        direct, adversarial: weights; published 100 and 1.
    """

    WEIGHTS: ClassVar = ("direct", "adversarial")

    direct: float = 100.0

    def discriminators(self) -> dict[str, nn.Module]:
        return {"discriminator": ContrastDiscriminator(1, inputs=2, width=self.discriminator_width)}

    def steps_of_pairs(self, source: torch.Tensor, target: torch.Tensor) -> Losses:
        gan = LeastSquaresGan()
        estimate = self.network.unet(source)
        real, fake = (self._judged(source, each) for each in (target, estimate.detach()))
        yield "discriminator", gan.discriminator(real, fake), {}
        yield self.weigh(
            direct=functional.l1_loss(estimate, target),
            adversarial=gan.generator(self._judged(source, estimate)),
        )

    def _judged(self, source: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        return self.helpers["discriminator"](torch.cat([source, image], dim=1))[0]
