"""pix2pix: one contrast from one other, learned from pairs."""

from __future__ import annotations

import torch

from .contrast_unet import ContrastUNet
from .imputer import Imputer, check_pair, one_hot


class Pix2Pix(Imputer):
    """One contrast to one other. Isola et al.: Image-to-image translation with conditional adversarial networks, CVPR
    2017; with the U-Net that CollaGAN has, so that the two can be compared.

    Args:
        pixels, contrasts: see :class:`.Imputer`.
        source, target: numbers of the contrasts; whatever target is asked for, this one is given.
        width, levels, linear: see :class:`.ContrastUNet`.
    """

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
        super().__init__(pixels=pixels, contrasts=contrasts)
        self.source, self.target = check_pair(source, target, contrasts)
        self.unet = ContrastUNet(1, 0, width=width, levels=levels, linear=linear)

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.unet(images[:, self.source, None])

    def sources(self, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return super().sources(present, target) & one_hot(torch.full_like(target, self.source), self.contrasts)
