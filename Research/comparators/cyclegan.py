"""CycleGAN: one contrast from fixed others and back, learned without pairs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
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
    """Generators there and back. Zhu et al.: Unpaired image-to-image translation using cycle-consistent adversarial
    networks, ICCV 2017. The way back from the target to several sources is a U-Net for each of them.

    Args:
        pixels, contrasts, sources, target, width, levels, linear: see :class:`.translator.Translator`.
    """

    def __init__(
        self,
        *,
        pixels: int,
        contrasts: int,
        sources: Sequence[int],
        target: int,
        width: int = 16,
        levels: int = 5,
        linear: bool = False,
    ) -> None:
        super().__init__(
            pixels=pixels,
            contrasts=contrasts,
            sources=sources,
            target=target,
            width=width,
            levels=levels,
            linear=linear,
        )
        self.to_sources = nn.ModuleList(
            ContrastUNet(1, 0, width=width, levels=levels, linear=linear) for _ in self.inputs
        )

    def back(self, target: torch.Tensor) -> torch.Tensor:
        """Return the sources, ``(B, sources, H, W)``, made from the target, ``(B, 1, H, W)``."""
        return torch.cat([unet(target) for unet in self.to_sources], dim=1)


@dataclasses.dataclass
class CycleGanTask(TranslatorTask):
    """The loss ``adversarial (L_GAN(there) + L_GAN(back)) + cycle (mean |back(there(s)) - s| + mean |there(back(t)) -
    t|)``.

    Zhu et al., ICCV 2017, eq. 1 to 3, with least squares as in their section 4. No term compares sources with the
    target of the same slice, so unpaired images would do as well. Several sources are one image of several channels:
    one discriminator judges them together, and the mean is over all of them.

    Attributes:
        cycle, adversarial: weights; published 10 and 1.
    """

    WEIGHTS: ClassVar = ("cycle", "adversarial")

    cycle: float = 10.0

    def discriminators(self) -> dict[str, nn.Module]:
        inputs = {"sources": len(self.network.inputs), "target": 1}
        return {
            name: ContrastDiscriminator(1, inputs=count, width=self.discriminator_width, pixels=self.network.pixels)
            for name, count in inputs.items()
        }

    def steps_of_pairs(self, sources: torch.Tensor, target: torch.Tensor) -> Losses:
        network, gan = self.network, LeastSquaresGan()
        estimate, back = network.unet(sources), network.back(target)
        judged = (("target", target, estimate), ("sources", sources, back))
        loss = sum(
            (gan.discriminator(self._real(name, real), self._real(name, fake.detach())) for name, real, fake in judged),
            start=estimate.new_zeros(()),
        )
        yield "discriminator", loss, {}
        yield self.weigh(
            adversarial=gan.generator(self._real("target", estimate)) + gan.generator(self._real("sources", back)),
            cycle=functional.l1_loss(network.back(estimate), sources) + functional.l1_loss(network.unet(back), target),
        )

    def _real(self, name: str, image: torch.Tensor) -> torch.Tensor:
        return self.helpers[name](image)[0]
