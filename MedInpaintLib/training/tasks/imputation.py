"""Common parts of the tasks of networks that estimate a contrast from others."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import torch

from ...errors import ParameterError
from ...networks.contrast_discriminator import LAYOUTS
from ...networks.imputer import Imputer, one_hot
from ...networks.tiles import tiled


@dataclasses.dataclass(frozen=True)
class Question:
    """Images, and the contrasts to see and to estimate.

    Attributes:
        images: ``(B, contrasts, H, W)``.
        present: bool ``(B, contrasts)``: visible to the network.
        target: int ``(B,)``: to estimate.
    """

    images: torch.Tensor
    present: torch.Tensor
    target: torch.Tensor

    @property
    def truth(self) -> torch.Tensor:
        """``(B, 1, H, W)``."""
        return pick(self.images, self.target)


def pick(images: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Return ``(B, 1, H, W)``: the numbered contrast of each of ``(B, contrasts, H, W)``."""
    return images[torch.arange(len(images), device=images.device), numbers][:, None]


def ask(images: torch.Tensor, there: torch.Tensor, noise: torch.Generator, dropout: float) -> Question:
    """Draw a random target contrast for each image, and which of the others are missing.

    Args:
        images: ``(B, contrasts, H, W)``.
        there: bool ``(B, contrasts)``; at least two of each.
        noise: source of random numbers.
        dropout: share of the others left out; one always stays.
    """
    chance = torch.rand(3, *there.shape, generator=noise, device=there.device)
    target = torch.where(there, chance[0], -1.0).argmax(dim=1)
    candidates = there & ~one_hot(target, there.shape[1])
    stays = one_hot(torch.where(candidates, chance[1], -1.0).argmax(dim=1), there.shape[1])
    return Question(images, candidates & (stays | (chance[2] >= dropout)), target)


def answer(network: Imputer, images: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """Run a network on slices for validation, tile by tile.

    Args:
        network: in eval mode.
        images: ``(B, contrasts, H, W)``.
        told: bool ``(B, 2 contrasts)``: which contrasts are present, and which one is the target.
    """
    present, is_target = told.chunk(2, dim=1)
    target = is_target.int().argmax(dim=1)
    with torch.no_grad():
        return tiled(network, images, present, target)


def adam(modules: Sequence[torch.nn.Module], rate: float) -> torch.optim.Optimizer:
    """Return Adam with the moments of all GANs here."""
    return torch.optim.Adam([each for module in modules for each in module.parameters()], lr=rate, betas=(0.5, 0.999))


def anneal(optimizers: dict[str, torch.optim.Optimizer], rate: float, step: int, half_life: int) -> None:
    """Set the step sizes from the step alone, so that a resumed training is the same."""
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = rate * 0.5 ** (step / half_life) if half_life else rate


def check_side(network: Imputer) -> None:
    """Raise ParameterError if the crops are too small for the discriminator."""
    least = LAYOUTS["compact"].least_side
    if network.pixels < least:
        raise ParameterError(f"The recipe has pixels = {network.pixels}; the discriminator needs {least} or more.")


#: Least and largest values of the options that are not weights.
_LIMITS = {
    "dropout": (0.0, 1.0),
    "range": (1e-6, math.inf),
    "discriminator_width": (1.0, math.inf),
    "rate": (0.0, math.inf),
    "half_life": (0.0, math.inf),
}


def check_options(task: object, weights: Sequence[str]) -> None:
    """Raise ParameterError unless options are within limits, and weights 0 or more, not all 0."""
    for name, (least, most) in {**_LIMITS, **dict.fromkeys(weights, (0.0, math.inf))}.items():
        value = getattr(task, name, least)
        if not least <= value <= most:
            limits = f"{least:g} or more" if math.isinf(most) else f"from {least:g} to {most:g}"
            raise ParameterError(f"The recipe's [task] has {name} = {value:g}; it must be {limits}.")
    if not any(getattr(task, name) for name in weights):
        raise ParameterError("All losses of the recipe's [task] weigh 0; give one of them a weight.")
