"""What pix2pix and CycleGAN, which estimate one contrast from one other, have in common."""

from __future__ import annotations

from typing import ClassVar

import torch

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks.contrast_unet import ContrastUNet
from MedInpaintLib.networks.imputer import Imputer, one_hot

from .task import ComparatorTask, Losses


class Translator(Imputer):
    """A network from one contrast to one other, whatever other contrasts there are.

    Its generators are CollaGAN's U-Net, so that only the training differs.

    Args:
        pixels, contrasts: see :class:`~MedInpaintLib.networks.imputer.Imputer`.
        source, target: numbers of the contrasts; the estimate is of this target, whatever target is asked for.
        width, levels, linear: see :class:`~MedInpaintLib.networks.contrast_unet.ContrastUNet`.

    Raises:
        ParameterError: they are the same, or there is no contrast of that number.
    """

    #: Names of the generators; the first one makes the target of the source.
    GENERATORS: ClassVar[tuple[str, ...]]

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
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels)
        if source == target or not {source, target} <= set(range(contrasts)):
            raise ParameterError(
                f"'source' and 'target' must be two numbers from 0 to {contrasts - 1}; found {source} and {target}."
            )
        self.source, self.target = source, target
        for name in self.GENERATORS:
            self.add_module(name, ContrastUNet(1, 0, width=width, levels=levels, linear=linear))

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.get_submodule(self.GENERATORS[0])(images[:, self.source, None])

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


class TranslatorTask(ComparatorTask):
    """Base class: learn from the pairs of a batch. A subclass has :meth:`steps_of_pairs`."""

    def steps(self, images: torch.Tensor, present: torch.Tensor, noise: torch.Generator) -> Losses:
        source, target = self.network.pairs(images, present)
        if len(source):
            yield from self.steps_of_pairs(source, target)
        else:  # every process must take every step
            yield "discriminator", zero_loss(self.helpers), {}
            yield "network", zero_loss(self.network), {}

    def steps_of_pairs(self, source: torch.Tensor, target: torch.Tensor) -> Losses:
        """Yield as :meth:`losses`, for one or more pairs."""
        raise NotImplementedError


def zero_loss(module: torch.nn.Module) -> torch.Tensor:
    """Return a loss whose gradients are 0, for a batch without pairs."""
    return torch.stack([each.sum() for each in module.parameters()]).sum() * 0
