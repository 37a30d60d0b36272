"""StarGAN: any contrast from any other one, by one generator."""

from __future__ import annotations

import torch

from ..errors import ParameterError
from .contrast_unet import ContrastUNet
from .imputer import Imputer, one_hot


class StarGan(Imputer):
    """One contrast and the name of another to that one. Choi et al.: StarGAN: Unified generative adversarial networks
    for multi-domain image-to-image translation, CVPR 2018; with the U-Net that CollaGAN has, so that the two can be
    compared.

    Args:
        pixels, contrasts: see :class:`.Imputer`.
        preferred: numbers of the contrasts, the one to start from first; of those that are there the first one is
            looked at, or the next one where that is wanted itself.
        width, levels, linear: see :class:`.ContrastUNet`.
    """

    def __init__(
        self,
        *,
        pixels: int,
        contrasts: int,
        preferred: tuple[int, ...] = (),
        width: int = 16,
        levels: int = 5,
        linear: bool = False,
    ) -> None:
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels)
        order = list(preferred) or list(range(contrasts))
        if sorted(order) != list(range(contrasts)):
            raise ParameterError(f"'preferred' must hold each of the numbers 0 to {contrasts - 1} once; found {order}.")
        self.ranks = [order.index(each) for each in range(contrasts)]
        self.unet = ContrastUNet(1, contrasts, width=width, levels=levels, linear=linear)

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        source = self.sources(present, target).to(images.dtype)
        image = (images * source[:, :, None, None]).sum(dim=1, keepdim=True)
        return self.unet(image, one_hot(target, self.contrasts).to(images.dtype))

    def sources(self, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        ranks = torch.tensor(self.ranks, device=target.device)
        ranks = torch.where(super().sources(present, target), ranks, self.contrasts)
        return super().sources(present, target) & one_hot(ranks.argmin(dim=1), self.contrasts)
