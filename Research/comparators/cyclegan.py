"""CycleGAN: one contrast from one other and back, learned without pairs."""

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


class CycleGan(Translator):
    """Two generators, there and back. Zhu et al.: Unpaired image-to-image translation using cycle-consistent
    adversarial networks, ICCV 2017; with CollaGAN's U-Net, so that only the training differs.

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
        self.there, self.back = (
            ContrastUNet(1, 0, width=width, levels=levels, linear=linear) for _ in ("there", "back")
        )

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.there(images[:, self.source, None])


@dataclasses.dataclass
class CycleGanTask:
    """The loss ``adversarial (L_GAN(there) + L_GAN(back)) + cycle (mean |back(there(s)) - s| + mean |there(back(t)) -
    t|)``.

    Zhu et al., ICCV 2017, eq. 1 to 3, with least squares as in their section 4. No term compares a source with the
    target of the same slice, so unpaired images would do as well.

    Attributes:
        network: both generators.
        rate, half_life: as in :class:`~MedInpaintLib.training.tasks.collagan.CollaGanTask`.
        cycle, adversarial: weights; published 10 and 1.
        discriminator_width: channels of the discriminators' first layers.
    """

    network: CycleGan
    rate: float = 2e-4
    half_life: int = 0
    cycle: float = 10.0
    adversarial: float = 1.0
    discriminator_width: int = 4

    def __post_init__(self) -> None:
        check_options(self, ("cycle", "adversarial"))
        check_side(self.network)
        device = next(self.network.parameters()).device
        discriminators = {
            name: ContrastDiscriminator(1, width=self.discriminator_width).to(device) for name in ("source", "target")
        }
        self.helpers = nn.ModuleDict(discriminators)
        self.optimizers = {
            "discriminator": adam([*self.helpers.values()], self.rate),
            "network": adam([self.network], self.rate),
        }

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        anneal(self.optimizers, self.rate, step, self.half_life)
        network, gan = self.network, LeastSquaresGan()
        source, target = network.pairs(batch[0], batch[1])
        if not len(source):
            yield "discriminator", zero_loss(self.helpers), {}
            yield "network", zero_loss(network), {}
            return
        estimate, back = network.there(source), network.back(target)
        judged = (("target", target, estimate), ("source", source, back))
        loss = sum(
            (gan.discriminator(self._real(name, real), self._real(name, fake.detach())) for name, real, fake in judged),
            start=estimate.new_zeros(()),
        )
        yield "discriminator", loss, {}
        parts = {
            "adversarial": gan.generator(self._real("target", estimate)) + gan.generator(self._real("source", back)),
            "cycle": functional.l1_loss(network.back(estimate), source)
            + functional.l1_loss(network.there(back), target),
        }
        total = self.adversarial * parts["adversarial"] + self.cycle * parts["cycle"]
        yield "network", total, {f"part/{name}": loss.detach() for name, loss in parts.items()}

    def fill(self, network: CycleGan, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return answer(network, images, known)

    def _real(self, name: str, image: torch.Tensor) -> torch.Tensor:
        return self.helpers[name](image)[0]
