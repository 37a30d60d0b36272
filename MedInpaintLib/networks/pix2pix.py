"""pix2pix: one contrast from one other, learned from pairs."""

from __future__ import annotations

import torch

from .contrast_unet import ContrastUNet
from .translator import Translator


class Pix2Pix(Translator):
    """Isola et al.: Image-to-image translation with conditional adversarial networks, CVPR 2017; with the U-Net that
    CollaGAN has, so that the two can be compared.

    Args:
        pixels, contrasts, source, target: see :class:`.Translator`.
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
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels, source=source, target=target)
        self.unet = ContrastUNet(1, 0, width=width, levels=levels, linear=linear)

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.unet(images[:, self.source, None])
