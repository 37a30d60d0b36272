"""pix2pix: one contrast from fixed others, learned from pairs."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from MedInpaintLib.losses.adversarial import LeastSquaresGan
from MedInpaintLib.networks.contrast_discriminator import ContrastDiscriminator

from .task import Losses
from .translator import Translator, TranslatorTask


class Pix2Pix(Translator):
    """The generator of Isola et al.: Image-to-image translation with conditional adversarial networks, CVPR 2017."""


@dataclasses.dataclass
class Pix2PixTask(TranslatorTask):
    """The loss ``adversarial L_GAN(D(sources, estimate)) + direct mean |estimate - truth|``.

    Isola et al., CVPR 2017, eq. 1 to 4, with least squares in place of the cross entropy, as in the GANs that it is
    compared with. The discriminator sees all sources beside the image that it judges.

    Attributes:
        direct, adversarial: weights; published 100 and 1.
    """

    WEIGHTS: ClassVar = ("direct", "adversarial")

    direct: float = 100.0

    def discriminators(self) -> dict[str, nn.Module]:
        inputs = len(self.network.inputs) + 1
        width, pixels = self.discriminator_width, self.network.pixels
        return {"discriminator": ContrastDiscriminator(1, inputs=inputs, width=width, pixels=pixels)}

    def steps_of_pairs(self, sources: torch.Tensor, target: torch.Tensor) -> Losses:
        gan = LeastSquaresGan()
        estimate = self.network.unet(sources)
        real, fake = (self._judged(sources, each) for each in (target, estimate.detach()))
        yield "discriminator", gan.discriminator(real, fake), {}
        yield self.weigh(
            direct=functional.l1_loss(estimate, target),
            adversarial=gan.generator(self._judged(sources, estimate)),
        )

    def _judged(self, sources: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        return self.helpers["discriminator"](torch.cat([sources, image], dim=1))[0]
