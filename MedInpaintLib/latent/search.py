"""Search for latents, many frames at once.

For every frame x with known pixels M, find ``z = argmin sum W |x - G(z)|^p / sum W + lambda P(z)`` (Yeh et al.:
Semantic image inpainting with deep generative models, CVPR 2017, eq. 6), with frozen weights and normalisation
statistics. A frame's result is the same in any batch, up to rounding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch

from ..losses.context import ContextLoss, ContextWeights
from ..progress import Progress

#: Prior of latents: ``(latents (B, n), images (B, 1, H, W)) -> (B,)``.
Prior = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Decoder = Callable[[torch.Tensor], torch.Tensor]

#: Adam's decays (Kingma, Ba, ICLR 2015) and the floor of its denominator.
_DECAYS, _FLOOR = (0.9, 0.999), 1e-8
#: Steps between checks for frames that still improve.
CHECK = 20


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a search.

    Attributes:
        steps: of Adam at most.
        rate: its step size, which falls to a tenth along a half cosine.
        polish: steps of L-BFGS afterwards; each costs about one step of Adam, or more for the line search.
        context: weight of the loss of the known pixels; 0 leaves only the prior.
        loss, weights: of the known pixels.
        prior: lambda; with 0 the prior is not computed.
        bound: largest absolute value of latents; infinity for none.
        tolerance: a frame is finished when its loss fell by less than this share in :data:`CHECK` steps.
    """

    steps: int = 200
    rate: float = 0.05
    polish: int = 0
    context: float = 1.0
    loss: ContextLoss = dataclasses.field(default_factory=ContextLoss)
    weights: ContextWeights = dataclasses.field(default_factory=ContextWeights)
    prior: float = 0.0
    bound: float = 3.0
    tolerance: float = 0.005


@dataclasses.dataclass(frozen=True)
class Found:
    """Result of a search.

    Attributes:
        latents: ``(B, n)``, the best so far.
        images: ``(B, 1, H, W)``, their images.
        losses: ``(B,)``.
        steps: ``(B,)`` int, of Adam.
    """

    latents: torch.Tensor
    images: torch.Tensor
    losses: torch.Tensor
    steps: torch.Tensor

    def cpu(self) -> Found:
        """Move the result to the CPU."""
        return Found(self.latents.cpu(), self.images.cpu(), self.losses.cpu(), self.steps.cpu())


def search(
    decode: Decoder,
    images: torch.Tensor,
    known: torch.Tensor,
    start: torch.Tensor,
    settings: Settings,
    prior: Prior | None = None,
    progress: Progress | None = None,
    inside: torch.Tensor | None = None,
) -> Found:
    """Find the latents whose images agree best with the known pixels.

    Args:
        decode: ``(B, n)`` to ``(B, 1, H, W)``; its weights must not require gradients, which would double the work.
        images: ``(B, 1, H, W)``, in the decoder's scale; only known pixels matter.
        known: bool or 0..1 of that shape.
        start: initial latents ``(B, n)``.
        settings: of the search.
        prior: of the latents; not called when ``settings.prior`` is 0.
        progress: reports and cancels.
        inside: like ``known``, where there is an image; everywhere when None.
    """
    progress = progress or Progress()
    weights = settings.weights(known, inside)
    objective = _Objective(decode, torch.where(known.bool(), images, 0.0), weights, settings, prior)
    latents = start.clamp(-settings.bound, settings.bound)
    latents, losses, steps = _adam(objective, latents, settings, progress.part(0.0, 0.8 if settings.polish else 1.0))
    if settings.polish:
        latents, losses = _polish(objective, latents, losses, settings, progress.part(0.8, 1.0))
    with torch.no_grad():
        return Found(latents, decode(latents), losses, steps)


@dataclasses.dataclass(frozen=True)
class _Objective:
    decode: Decoder
    images: torch.Tensor
    weights: torch.Tensor
    settings: Settings
    prior: Prior | None

    def __call__(self, latents: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the losses ``(len(rows),)`` of latents for these frames."""
        generated = self.decode(latents)
        loss = self.settings.context * self.settings.loss(generated, self.images[rows], self.weights[rows])
        if self.settings.prior and self.prior is not None:
            loss = loss + self.settings.prior * self.prior(latents, generated)
        return loss


def _adam(
    objective: _Objective, start: torch.Tensor, settings: Settings, progress: Progress
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Run Adam on the frames that still improve; the others leave the batch with their best latents.

    Torch's own Adam cannot drop the state of some frames.
    """
    best, lowest = start.clone(), torch.full((len(start),), float("inf"), device=start.device)
    taken = torch.zeros(len(start), dtype=torch.long, device=start.device)
    rows = torch.arange(len(start), device=start.device)
    latents = start.clone()
    first, second = torch.zeros_like(start), torch.zeros_like(start)
    before = lowest.clone()
    for step in range(1, settings.steps + 1):
        latents.requires_grad_(True)
        losses = objective(latents, rows)
        (gradient,) = torch.autograd.grad(losses.sum(), latents)
        latents, losses = latents.detach(), losses.detach()
        better = losses < lowest[rows]
        lowest[rows[better]], best[rows[better]] = losses[better], latents[better]
        taken[rows] = step
        progress.update(step / settings.steps, "Searching latents")
        if step % CHECK == 0:
            going = lowest[rows] < (1 - settings.tolerance) * before[rows]
            before[rows] = lowest[rows]
            if not going.any():
                break
            rows, latents, gradient = rows[going], latents[going], gradient[going]
            first, second = first[going], second[going]
        first = _DECAYS[0] * first + (1 - _DECAYS[0]) * gradient
        second = _DECAYS[1] * second + (1 - _DECAYS[1]) * gradient.square()
        rate = settings.rate * (0.55 + 0.45 * torch.cos(torch.tensor(torch.pi * step / settings.steps)).item())
        mean, scale = first / (1 - _DECAYS[0] ** step), second / (1 - _DECAYS[1] ** step)
        latents = (latents - rate * mean / (scale.sqrt() + _FLOOR)).clamp(-settings.bound, settings.bound)
    else:  # the latents after the last step, or the start if there is no step, have no loss yet
        with torch.no_grad():
            losses = objective(latents, rows)
        better = losses < lowest[rows]
        lowest[rows[better]], best[rows[better]] = losses[better], latents[better]
    return best, lowest, taken


def _polish(
    objective: _Objective, start: torch.Tensor, losses: torch.Tensor, settings: Settings, progress: Progress
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run L-BFGS on each frame separately: frames of a batch would share the step lengths and the end."""
    polished = start.clone()
    for number in range(len(start)):
        progress.update(number / len(start), "Polishing latents")
        rows = torch.tensor([number], device=start.device)
        polished[rows] = _minimum(objective, start[rows], rows, settings.polish)
    polished = polished.clamp(-settings.bound, settings.bound)
    with torch.no_grad():
        after = objective(polished, torch.arange(len(start), device=start.device))
    better = after < losses
    return torch.where(better[:, None], polished, start), torch.where(better, after, losses)


def _minimum(objective: _Objective, start: torch.Tensor, rows: torch.Tensor, steps: int) -> torch.Tensor:
    latents = start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([latents], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        total = objective(latents, rows).sum()
        total.backward()
        return total

    optimizer.step(closure)
    return latents.detach()
