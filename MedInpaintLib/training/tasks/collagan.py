"""Task of networks that estimate any contrast from any of the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional

from ...losses.adversarial import LeastSquaresGan
from ...losses.structural import LogSsimLoss
from ...networks.collagan import CollaGan
from ...networks.contrast_discriminator import ContrastDiscriminator
from ...networks.imputer import one_hot
from .imputation import Question, adam, anneal, answer, ask, check_options, check_side, pick

#: The options that weigh losses.
WEIGHTS = ("direct", "direct_ssim", "cycle", "cycle_ssim", "adversarial", "domain")


@dataclasses.dataclass
class CollaGanTask:
    """A weighted sum of losses; a weight of 0 leaves one out. The default weights are those of the published MR
    training, whose discriminator also judges the second estimates; here it judges only the first ones.

    Of the contrasts a, b, ..., a is estimated from others, ``a' = G(others; a)``. Then a' replaces a, and each other
    present contrast is estimated in turn: ``b'' = G(a' and others but b; b)``.

    Lee et al.: CollaGAN, CVPR 2019, eq. 4 to 9 (multiple cycle consistency, SSIM loss, least-squares GAN, domain
    classification).

    Attributes:
        rate: Adam's initial step size.
        half_life: steps until the rate has halved; 0 for never. Published are 0.99 every 400 steps: 27,600.
        dropout: share of the other contrasts left out, so that any subset may be missing; published 0.
        direct: weight of ``mean |a' - a|``.
        direct_ssim: weight of :class:`.LogSsimLoss` of a' and a.
        cycle: weight of ``mean |b'' - b|`` over all b; as published, without a term of a itself.
        cycle_ssim: weight of :class:`.LogSsimLoss` of all b'' and b.
        adversarial: weight of :class:`.LeastSquaresGan` on a'.
        domain: weight of the cross entropy of the contrast that the discriminator sees in a'; with it, the
            discriminator learns the contrasts from real images.
        range: of the images, for the similarities.
        discriminator_width: channels of the discriminator's first layer.
    """

    network: CollaGan
    rate: float = 1e-5
    half_life: int = 27_600
    dropout: float = 0.0
    direct: float = 0.0
    direct_ssim: float = 0.0
    cycle: float = 10.0
    cycle_ssim: float = 1.0
    adversarial: float = 1.0
    domain: float = 1.0
    range: float = 1.0
    discriminator_width: int = 4

    def __post_init__(self) -> None:
        check_options(self, WEIGHTS)
        device = next(self.network.parameters()).device
        self.helpers = nn.ModuleDict()
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        if self.adversarial or self.domain:
            check_side(self.network)
            self.helpers["discriminator"] = ContrastDiscriminator(
                self.network.contrasts, width=self.discriminator_width
            ).to(device)
            self.optimizers["discriminator"] = adam([self.helpers["discriminator"]], self.rate)
        self.optimizers["network"] = adam([self.network], self.rate)

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        anneal(self.optimizers, self.rate, step, self.half_life)
        question = ask(batch[0], batch[1], noise, self.dropout)
        estimate = self.network(question.images, question.present, question.target)
        similar = LogSsimLoss(self.range)
        parts = {"direct": functional.l1_loss(estimate, question.truth)}
        if self.direct_ssim:
            parts["direct_ssim"] = similar(estimate, question.truth)
        if self.cycle or self.cycle_ssim:
            second_estimates, truth = self._resynthesised(question, estimate)
            parts["cycle"] = functional.l1_loss(second_estimates, truth)
            if self.cycle_ssim:
                parts["cycle_ssim"] = similar(second_estimates, truth)
        if "discriminator" in self.helpers:
            discriminator, gan = self.helpers["discriminator"], LeastSquaresGan()
            real, contrast_logits = discriminator(question.truth)
            fake, _ = discriminator(estimate.detach())
            loss = self.adversarial * gan.discriminator(real, fake)
            yield "discriminator", loss + self.domain * functional.cross_entropy(contrast_logits, question.target), {}
            fake, contrast_logits = discriminator(estimate)
            parts["adversarial"] = gan.generator(fake)
            parts["domain"] = functional.cross_entropy(contrast_logits, question.target)
        total = sum((getattr(self, name) * loss for name, loss in parts.items()), start=estimate.new_zeros(()))
        yield "network", total, {f"part/{name}": loss.detach() for name, loss in parts.items()}

    def fill(self, network: CollaGan, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return answer(network, images, known)

    def _resynthesised(self, question: Question, estimate: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return every other contrast, estimated from the estimate and the rest, and its truth: ``(n, 1, H, W)``."""
        count = self.network.contrasts
        is_target = one_hot(question.target, count)
        images = torch.where(is_target[:, :, None, None], estimate, question.images)
        rows, targets = question.present.nonzero(as_tuple=True)
        second_estimates = self.network(images[rows], (question.present | is_target)[rows], targets)
        return second_estimates, pick(question.images[rows], targets)
