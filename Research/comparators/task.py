"""How comparators learn: a generator against discriminators, by a weighted sum of losses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from MedInpaintLib.networks.imputer import Imputer
from MedInpaintLib.training.tasks.imputation import adam, anneal, answer, check_options

Losses = Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]


@dataclasses.dataclass
class ComparatorTask:
    """Base class: two optimizers, annealed alike. A subclass has :meth:`discriminators` and :meth:`steps`.

    Attributes:
        network: all generators.
        rate, half_life: as in :class:`~MedInpaintLib.training.tasks.collagan.CollaGanTask`.
        adversarial: weight of the adversarial loss.
        discriminator_width: channels of the discriminators' first layers.
    """

    #: The options that weigh losses.
    WEIGHTS: ClassVar[tuple[str, ...]]

    network: Any
    rate: float = 2e-4
    half_life: int = 0
    adversarial: float = 1.0
    discriminator_width: int = 4

    def __post_init__(self) -> None:
        check_options(self, self.WEIGHTS)
        device = next(self.network.parameters()).device
        self.helpers = nn.ModuleDict(self.discriminators()).to(device)
        self.optimizers = {
            "discriminator": adam([*self.helpers.values()], self.rate),
            "network": adam([self.network], self.rate),
        }

    def discriminators(self) -> dict[str, nn.Module]:
        """Return the discriminators by name."""
        raise NotImplementedError

    def losses(self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator) -> Losses:
        anneal(self.optimizers, self.rate, step, self.half_life)
        yield from self.steps(batch[0], batch[1], noise)

    def steps(self, images: torch.Tensor, present: torch.Tensor, noise: torch.Generator) -> Losses:
        """Yield as :meth:`losses`, for ``images`` and bool ``present``."""
        raise NotImplementedError

    def weigh(self, **parts: torch.Tensor) -> tuple[str, torch.Tensor, dict[str, torch.Tensor]]:
        """Return the step of the network: the sum of its losses, and the losses for the log."""
        total = sum((getattr(self, name) * loss for name, loss in parts.items()), start=torch.zeros(()))
        return "network", total, {f"part/{name}": loss.detach() for name, loss in parts.items()}

    def fill(self, network: Imputer, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return answer(network, images, known)
