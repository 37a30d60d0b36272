"""What pix2pix and CycleGAN, which estimate one contrast from fixed others, have in common."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks.contrast_unet import ContrastUNet
from MedInpaintLib.networks.imputer import Imputer

from .task import ComparatorTask, Losses


class Translator(Imputer):
    """A network from fixed contrasts, the sources, to one other, whatever other contrasts there are.

    Its generator is CollaGAN's U-Net, so that only the training differs. The generators of the papers take one image;
    of several sources, ours takes the stack, a channel for each.

    Args:
        pixels, contrasts: see :class:`~MedInpaintLib.networks.imputer.Imputer`.
        sources, target: numbers of the contrasts; the estimate is of this target, whatever target is asked for.
        width, levels, linear: see :class:`~MedInpaintLib.networks.contrast_unet.ContrastUNet`.

    Raises:
        ParameterError: there is no source, two are the same, the target is one, or there is no such contrast.
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
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels)
        numbers = [*sources, target]
        if not sources or len({*numbers}) < len(numbers) or not {*numbers} <= {*range(contrasts)}:
            raise ParameterError(
                f"'sources' and 'target' must be different numbers from 0 to {contrasts - 1}, one source or more; "
                f"found {[*sources]} and {target}."
            )
        self.inputs, self.target = [*sources], target
        self.unet = ContrastUNet(len(self.inputs), 0, width=width, levels=levels, linear=linear)

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.unet(images[:, self.inputs])

    def sources(self, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        numbers = torch.arange(self.contrasts, device=target.device)
        return super().sources(present, target) & torch.isin(numbers, torch.tensor(self.inputs, device=target.device))

    def pairs(self, images: torch.Tensor, present: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return sources ``(n, sources, H, W)`` and target ``(n, 1, H, W)`` of the slices that have all of them.

        Args:
            images: ``(B, contrasts, H, W)``.
            present: bool ``(B, contrasts)``.
        """
        complete = images[present[:, [*self.inputs, self.target]].all(dim=1)]
        return complete[:, self.inputs], complete[:, self.target, None]


class TranslatorTask(ComparatorTask):
    """Base class: learn from the pairs of a batch. A subclass has :meth:`steps_of_pairs`."""

    def steps(self, images: torch.Tensor, present: torch.Tensor, noise: torch.Generator) -> Losses:
        sources, target = self.network.pairs(images, present)
        if len(target):
            yield from self.steps_of_pairs(sources, target)
        else:  # every process must take every step
            yield "discriminator", zero_loss(self.helpers), {}
            yield "network", zero_loss(self.network), {}

    def steps_of_pairs(self, sources: torch.Tensor, target: torch.Tensor) -> Losses:
        """Yield as :meth:`losses`, for one or more pairs."""
        raise NotImplementedError


def zero_loss(module: torch.nn.Module) -> torch.Tensor:
    """Return a loss whose gradients are 0, for a batch without pairs."""
    return torch.stack([each.sum() for each in module.parameters()]).sum() * 0
