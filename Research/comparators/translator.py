"""What pix2pix and CycleGAN, which estimate one contrast from one other, have in common."""

from __future__ import annotations

import torch

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks.imputer import Imputer, one_hot


class Translator(Imputer):
    """A network from one contrast to one other, whatever other contrasts there are.

    Args:
        pixels, contrasts, levels: see :class:`~MedInpaintLib.networks.imputer.Imputer`.
        source, target: numbers of the contrasts; the estimate is of this target, whatever target is asked for.

    Raises:
        ParameterError: they are the same, or there is no contrast of that number.
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

    def pairs(self, images: torch.Tensor, present: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return source and target, each ``(n, 1, H, W)``, of the slices that have both.

        Args:
            images: ``(B, contrasts, H, W)``.
            present: bool ``(B, contrasts)``.
        """
        both = images[present[:, self.source] & present[:, self.target]]
        return both[:, self.source, None], both[:, self.target, None]


def zero_loss(module: torch.nn.Module) -> torch.Tensor:
    """Return a loss whose gradients are 0, for a batch without pairs: every process must take every step."""
    return torch.stack([each.sum() for each in module.parameters()]).sum() * 0
