"""Task of networks that estimate any contrast from any of the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional

from ...errors import ParameterError
from ...losses.adversarial import LeastSquaresGan
from ...losses.structural import LogSsimLoss
from ...networks.collagan import CollaGan
from ...networks.contrast_discriminator import LAYOUTS, ContrastDiscriminator
from ...networks.imputer import one_hot
from .imputation import Question, adam, anneal, answer, ask, check_options, pick

#: The options that weigh losses.
WEIGHTS = ("direct", "direct_ssim", "cycle", "cycle_ssim", "adversarial", "domain")


@dataclasses.dataclass(frozen=True)
class Reduction:
    """How the losses of several estimates become one number.

    Attributes:
        sums: whether the losses of second estimates are summed over the contrasts, and averaged over the images of the
            batch only; otherwise they are averaged over all.
        judges_second: whether the discriminator also sees the second estimates and their truth; the generator's losses
            from it are then summed over the estimates of an image, its own are averaged.
        log_each: whether each image has its own logarithm in :class:`.LogSsimLoss`.
        gan: the adversarial loss.
    """

    sums: bool
    judges_second: bool
    log_each: bool
    gan: LeastSquaresGan


#: ``published`` is that of the paper and the authors' code: with the default weights and four contrasts, the parts of
#: cycle, adversary and domain weigh 30, 5 and 5 where each estimate's own is 1; with ``mean`` they weigh 10, 0.5 and 1.
REDUCTIONS = {
    "mean": Reduction(sums=False, judges_second=False, log_each=False, gan=LeastSquaresGan()),
    "published": Reduction(sums=True, judges_second=True, log_each=True, gan=LeastSquaresGan(factor=1.0)),
}


@dataclasses.dataclass(frozen=True)
class Estimates:
    """Estimates of contrasts.

    Attributes:
        images, truth: ``(n, 1, H, W)``.
        contrasts: int ``(n,)``: what each shows.
    """

    images: torch.Tensor
    truth: torch.Tensor
    contrasts: torch.Tensor

    def __len__(self) -> int:
        return len(self.images)

    def __add__(self, more: Estimates) -> Estimates:
        return Estimates(
            torch.cat([self.images, more.images]),
            torch.cat([self.truth, more.truth]),
            torch.cat([self.contrasts, more.contrasts]),
        )


@dataclasses.dataclass
class CollaGanTask:
    """A weighted sum of losses; a weight of 0 leaves one out.

    Of the contrasts a, b, ..., a is estimated from others, ``a' = G(others; a)``. Then a' replaces a, and each other
    present contrast is estimated in turn: ``b'' = G(a' and others but b; b)``.

    Lee et al.: CollaGAN, CVPR 2019, eq. 4 to 9 (multiple cycle consistency, SSIM loss, least-squares GAN, domain
    classification). The default rate, half-life and weights are those of the authors' code for MR
    (https://github.com/jongcye/CollaGAN_MRI), but they weigh as there only with the reduction ``published``. That code
    updates the discriminator twice in each step, the second time for the domain alone; here once.

    Attributes:
        rate: Adam's initial step size.
        half_life: steps until the rate has halved, smoothly; 0 for never. The authors' factor of 0.99 after every 400
            steps is 27,600.
        dropout: share of the other contrasts left out, so that any subset may be missing; the authors' is 0.
        direct: weight of ``mean |a' - a|``.
        direct_ssim: weight of :class:`.LogSsimLoss` of a' and a.
        cycle: weight of ``mean |b'' - b|`` over all b; a itself has no such term.
        cycle_ssim: weight of :class:`.LogSsimLoss` of all b'' and b.
        adversarial: weight of :class:`.LeastSquaresGan` on a'.
        domain: weight of the cross entropy of the contrast that the discriminator sees in a'; with it, the
            discriminator learns the contrasts from real images.
        range: of the images, for the similarities.
        discriminator_width: channels of the discriminator's first layer.
        discriminator: a name of :data:`MedInpaintLib.networks.contrast_discriminator.LAYOUTS`.
        reduction: a name of :data:`REDUCTIONS`. With ``published`` the discriminator judges b'', too, and a' twice: the
            authors estimate a in the second pass as well, from the same images as in the first.
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
    discriminator: str = "compact"
    reduction: str = "mean"

    def __post_init__(self) -> None:
        check_options(self, WEIGHTS)
        for name, known in (("discriminator", LAYOUTS), ("reduction", REDUCTIONS)):
            if getattr(self, name) not in known:
                raise ParameterError(
                    f"The recipe's [task] has {name} = '{getattr(self, name)}'; choose one of {', '.join(known)}."
                )
        device = next(self.network.parameters()).device
        self.helpers = nn.ModuleDict()
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        if self.adversarial or self.domain:
            self.helpers["discriminator"] = ContrastDiscriminator(
                self.network.contrasts,
                width=self.discriminator_width,
                layout=LAYOUTS[self.discriminator],
                pixels=self.network.pixels,
            ).to(device)
            self.optimizers["discriminator"] = adam([self.helpers["discriminator"]], self.rate)
        self.optimizers["network"] = adam([self.network], self.rate)

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        anneal(self.optimizers, self.rate, step, self.half_life)
        reduction = REDUCTIONS[self.reduction]
        question = ask(batch[0], batch[1], noise, self.dropout)
        estimate = self.network(question.images, question.present, question.target)
        first = judged = Estimates(estimate, question.truth, question.target)
        similar = LogSsimLoss(self.range, each=reduction.log_each)
        parts = {"direct": functional.l1_loss(first.images, first.truth)}
        if self.direct_ssim:
            parts["direct_ssim"] = similar(first.images, first.truth)
        is_judged = "discriminator" in self.helpers
        if self.cycle or self.cycle_ssim or (is_judged and reduction.judges_second):
            second = self._second(question, estimate)
            share = len(second) / len(first) if reduction.sums else 1.0
            parts["cycle"] = share * functional.l1_loss(second.images, second.truth)
            if self.cycle_ssim:
                parts["cycle_ssim"] = share * similar(second.images, second.truth)
            if reduction.judges_second:
                judged = first + first + second
        if is_judged:
            twice = len(first) if reduction.judges_second else 0
            yield "discriminator", self._discriminator_loss(judged, twice, reduction.gan, noise), {}
            fake, contrast_logits = self.helpers["discriminator"](judged.images, noise)
            share = len(judged) / len(first)
            parts["adversarial"] = share * reduction.gan.generator(fake)
            parts["domain"] = share * functional.cross_entropy(contrast_logits, judged.contrasts)
        total = sum((getattr(self, name) * loss for name, loss in parts.items()), start=estimate.new_zeros(()))
        yield "network", total, {f"part/{name}": loss.detach() for name, loss in parts.items()}

    def fill(self, network: CollaGan, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return answer(network, images, known)

    def _second(self, question: Question, estimate: torch.Tensor) -> Estimates:
        """Estimate every other contrast from the estimate and the rest."""
        count = self.network.contrasts
        is_target = one_hot(question.target, count)
        images = torch.where(is_target[:, :, None, None], estimate, question.images)
        rows, targets = question.present.nonzero(as_tuple=True)
        second_estimates = self.network(images[rows], (question.present | is_target)[rows], targets)
        return Estimates(second_estimates, pick(question.images[rows], targets), targets)

    def _discriminator_loss(
        self, judged: Estimates, twice: int, gan: LeastSquaresGan, noise: torch.Generator
    ) -> torch.Tensor:
        """Return the discriminator's loss; it learns the contrasts from the real images, each once.

        Args:
            judged: estimates and their truth.
            twice: how many of them, at the start, are there a second time.
            gan, noise: the adversarial loss, and the source of random numbers for dropout.
        """
        discriminator = self.helpers["discriminator"]
        real, contrast_logits = discriminator(judged.truth, noise)
        fake, _ = discriminator(judged.images.detach(), noise)
        named = functional.cross_entropy(contrast_logits[twice:], judged.contrasts[twice:])
        return self.adversarial * gan.discriminator(real, fake) + self.domain * named
