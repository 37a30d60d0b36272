"""CycleGAN: one contrast from one other and back, learned without pairs."""

from __future__ import annotations

import torch

from .contrast_unet import ContrastUNet
from .translator import Translator


class CycleGan(Translator):
    """Two generators, there and back. Zhu et al.: Unpaired image-to-image translation using cycle-consistent
    adversarial networks, ICCV 2017; with the U-Net that CollaGAN has, so that the two can be compared.

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
        self.there, self.back = (
            ContrastUNet(1, 0, width=width, levels=levels, linear=linear) for _ in ("there", "back")
        )

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.there(images[:, self.source, None])
