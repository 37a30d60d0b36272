"""CycleGAN: one contrast from one other and back, learned without pairs."""

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


class CycleGan(Translator):
    """Two generators, there and back. Zhu et al.: Unpaired image-to-image translation using cycle-consistent
    adversarial networks, ICCV 2017.
    """

    GENERATORS = ("there", "back")
    there: ContrastUNet
    back: ContrastUNet


@dataclasses.dataclass
class CycleGanTask(TranslatorTask):
    """The loss ``adversarial (L_GAN(there) + L_GAN(back)) + cycle (mean |back(there(s)) - s| + mean |there(back(t)) -
    t|)``.

    Zhu et al., ICCV 2017, eq. 1 to 3, with least squares as in their section 4. No term compares a source with the
    target of the same slice, so unpaired images would do as well.

    Attributes:
        cycle, adversarial: weights; published 10 and 1.
    """

    WEIGHTS: ClassVar = ("cycle", "adversarial")

    cycle: float = 10.0

    def discriminators(self) -> dict[str, nn.Module]:
        return {name: ContrastDiscriminator(1, width=self.discriminator_width) for name in ("source", "target")}

    def steps_of_pairs(self, source: torch.Tensor, target: torch.Tensor) -> Losses:
        network, gan = self.network, LeastSquaresGan()
        estimate, back = network.there(source), network.back(target)
        judged = (("target", target, estimate), ("source", source, back))
        loss = sum(
            (gan.discriminator(self._real(name, real), self._real(name, fake.detach())) for name, real, fake in judged),
            start=estimate.new_zeros(()),
        )
        yield "discriminator", loss, {}
        yield self.weigh(
            adversarial=gan.generator(self._real("target", estimate)) + gan.generator(self._real("source", back)),
            cycle=functional.l1_loss(network.back(estimate), source) + functional.l1_loss(network.there(back), target),
        )

    def _real(self, name: str, image: torch.Tensor) -> torch.Tensor:
        return self.helpers[name](image)[0]
