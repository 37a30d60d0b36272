"""What networks that make one contrast from one other have in common."""

from __future__ import annotations

import torch

from ..errors import ParameterError
from .imputer import Imputer, one_hot


class Translator(Imputer):
    """One contrast to one other, whatever else is there.

    Args:
        pixels, contrasts, levels: see :class:`.Imputer`.
        source, target: numbers of the contrasts; whatever target is asked for, this one is given.

    Raises:
        ParameterError: they are the same, or there is none of that number.
    """

    def __init__(self, *, pixels: int, contrasts: int, levels: int, source: int, target: int) -> None:
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels)
        if source == target or not {source, target} <= set(range(contrasts)):
            raise ParameterError(
                f"'source' and 'target' must be two numbers from 0 to {contrasts - 1}; found {source} and {target}."
            )
        self.source, self.target = source, target

    def sources(self, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return super().sources(present, target) & one_hot(torch.full_like(target, self.source), self.contrasts)

    def pairs(self, images: torch.Tensor, there: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Source and target, each ``(n, 1, H, W)``, of the slices that have both.

        Args:
            images: ``(B, contrasts, H, W)``.
            there: bool ``(B, contrasts)``.
        """
        both = images[there[:, self.source] & there[:, self.target]]
        return both[:, self.source, None], both[:, self.target, None]
