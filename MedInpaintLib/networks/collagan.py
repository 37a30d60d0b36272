"""CollaGAN: any contrast from all the rest."""

from __future__ import annotations

import torch

from ..errors import ParameterError
from .contrast_unet import LAYOUTS, ContrastUNet
from .imputer import Imputer, one_hot


class CollaGan(Imputer):
    """One generator for all contrasts, conditioned on the target contrast and the present ones.

    Lee, Kim, Moon, Ye: CollaGAN: Collaborative GAN for missing image data imputation, CVPR 2019. There only the target
    is missing, and is the whole condition; in the layout ``compact`` the condition also names the present contrasts, so
    any may be missing.

    Args:
        pixels, contrasts: see :class:`.Imputer`.
        width, levels, branches, linear: see :class:`.ContrastUNet`.
        layout: a name of :data:`.contrast_unet.LAYOUTS`. With ``published`` and all other defaults, the network is the
            generator of the authors' MR training.

    Raises:
        ParameterError: there is no such layout.
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
        layout: str = "compact",
    ) -> None:
        if layout not in LAYOUTS:
            raise ParameterError(f"There is no layout '{layout}' of CollaGAN; choose one of {', '.join(LAYOUTS)}.")
        super().__init__(pixels=pixels, contrasts=contrasts, levels=levels)
        self.names_present = LAYOUTS[layout].names_present
        self.unet = ContrastUNet(
            contrasts,
            (1 + self.names_present) * contrasts,
            width=width,
            levels=levels,
            branches=branches,
            linear=linear,
            layout=LAYOUTS[layout],
        )

    def predict(self, images: torch.Tensor, present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        condition = one_hot(target, self.contrasts)
        if self.names_present:
            condition = torch.cat([condition, present], dim=1)
        return self.unet(images, condition.to(images.dtype))
