"""CollaGAN: any contrast from all the rest."""

from __future__ import annotations

import torch

from .contrast_unet import ContrastUNet
from .imputer import Imputer, one_hot


class CollaGan(Imputer):
    """One generator for all contrasts, conditioned on the target contrast and the present ones.

    Lee, Kim, Moon, Ye: CollaGAN: Collaborative GAN for missing image data imputation, CVPR 2019. There only the target
    is missing, and is the whole condition; here the condition also names the present ones, so any may be missing.

    Args:
        pixels, contrasts: see :class:`.Imputer`.
        width, levels, branches, linear: see :class:`.ContrastUNet`; the published size is width 16, 5 levels, branches,
            not linear.
    """

    def __init__(
        self,
        *,
        pixels: int,
        contrasts: int,
        width: int = 16,
        levels: int = 5,
        branches: bool = True,
        linear: bool = False,
    ) -> None:
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels)
        self.unet = ContrastUNet(contrasts, 2 * contrasts, width=width, levels=levels, branches=branches, linear=linear)

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        condition = torch.cat([one_hot(target, self.contrasts), present], dim=1)
        return self.unet(images, condition.to(images.dtype))
