"""The discriminator of CollaGAN: real or generated, for each patch, and which contrast."""

from __future__ import annotations

import torch
from torch import nn

SLOPE = 0.2
#: Least side of an image, pixels: it is halved five times.
LEAST_SIDE = 32


class ContrastDiscriminator(nn.Module):
    """Network from an image to logits of being real, for each patch, and of showing each contrast.

    Three paths of different reach go down to a quarter of the size, then continue together (Lee et al., CVPR 2019,
    table of the MR discriminator; PatchGAN: Isola et al., CVPR 2017). The features for the contrast are averaged over
    the image, so any size works, and have no dropout: all random numbers of a training come from its task.

    Args:
        contrasts: how many there are.
        inputs: channels: 1, or more to also see what the image was made from.
        width: channels of the first convolution of each path; published 4.

    Shapes: ``(B, inputs, H, W)`` to ``(B, 1, H/16, W/16)`` and ``(B, contrasts)``; sides are multiples of 32.
    """

    def __init__(self, contrasts: int, *, inputs: int = 1, width: int = 4) -> None:
        super().__init__()
        out = 4 * width
        self.paths = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(inputs, out, 4, stride=4), nn.LeakyReLU(SLOPE)),
                nn.Sequential(*_halving(inputs, width), *_halving(width, out)),
                nn.Sequential(
                    nn.Conv2d(inputs, width, 3, padding=1),
                    nn.LeakyReLU(SLOPE),
                    *_halving(width, 2 * width),
                    *_halving(2 * width, out),
                ),
            ]
        )
        self.together = nn.Sequential(*_halving(3 * out, 2 * out), *_halving(2 * out, 4 * out))
        self.real_head = nn.Conv2d(4 * out, 1, 3, padding=1)
        self.domain_head = nn.Sequential(*_halving(4 * out, 8 * out), _MeanOfImage(), nn.Linear(8 * out, contrasts))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.together(torch.cat([path(images) for path in self.paths], dim=1))
        return self.real_head(features), self.domain_head(features)


def _halving(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE)]


class _MeanOfImage(nn.Module):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features.mean(dim=(2, 3))
