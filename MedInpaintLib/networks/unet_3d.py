"""A 3-D U-Net that corrects a fill: it weighs the fills in it again, adds to them, and predicts its own error."""

from __future__ import annotations

import torch
from torch import nn

from ..errors import ParameterError

#: The first intensity is the fill that is corrected, the next :data:`FILLS` are those that it weighs again.
FILLS = 4
#: Halvings of the sides: one before the first layer, two in the network.
HALVINGS = 3
#: Of the log variance of the error at the start, in the network's scale: about that of the fill that is corrected.
START = -4.0


class UNet3d(nn.Module):
    r"""Corrects a fill :math:`b` of a volume by the fills :math:`f_i` that it is made of.

    .. math:: \hat y = b + \sum_i w_i (f_i - b) + c, \qquad \log \sigma^2 = s

    The weights :math:`w_i`, the addition :math:`c` and :math:`s` are the outputs for each voxel. At the start
    :math:`w = c = 0`, so training begins at the fill. The network works on blocks of 2 x 2 x 2 voxels: detail comes
    through the fills, and the same arithmetic sees eight times the volume. Batch normalisation, whose statistics are
    fixed after training, lets a brightness mean the same in a small crop and in a whole head; without it training
    diverged at a step size of 0.002.

    Source: Çiçek et al.: 3D U-Net, MICCAI 2016; blocks with shortcuts as in He et al., CVPR 2016.

    Args:
        pixels: side of a training crop, a multiple of 8.
        intensities: input channels that are intensities, -1..1, see :data:`.volume_inputs.INTENSITIES`.
        maps: further input channels, see :data:`.volume_inputs.MAPS`.
        width: channels of the first level; the second has twice and the third three times as many.
    """

    MEMORY_FORMAT = torch.contiguous_format

    def __init__(self, pixels: int, intensities: int = 6, maps: int = 12, width: int = 32) -> None:
        super().__init__()
        if pixels % 2**HALVINGS:
            raise ParameterError(f"The side of a crop must be a multiple of {2**HALVINGS} voxels; found {pixels}.")
        if intensities <= FILLS:
            raise ParameterError(
                f"A fill and the {FILLS} it is made of are {FILLS + 1} intensities; found {intensities}."
            )
        self.intensities, self.maps = intensities, maps
        self.embed = nn.Conv3d(8 * (intensities + maps), width, 1)
        self.down = nn.ModuleList([_Block(width), _Block(2 * width)])
        self.coarser = nn.ModuleList([nn.Conv3d(width, 2 * width, 2, 2), nn.Conv3d(2 * width, 3 * width, 2, 2)])
        self.middle = nn.Sequential(_Block(3 * width), _Block(3 * width))
        self.finer = nn.ModuleList(
            [nn.ConvTranspose3d(2 * width, width, 2, 2), nn.ConvTranspose3d(3 * width, 2 * width, 2, 2)]
        )
        self.up = nn.ModuleList([_Block(width), _Block(2 * width)])
        self.head = nn.Conv3d(width, 8 * (FILLS + 2), 1)
        with torch.no_grad():
            self.head.weight.zero_()
            assert self.head.bias is not None
            self.head.bias.zero_()
            self.head.bias[8 * (FILLS + 1) :] = START

    def forward(self, images: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
        """Return ``(B, 2, D, H, W)``: the corrected fill, and the log of the variance of its error.

        Args:
            images: ``(B, intensities, D, H, W)``, sides multiples of 8, in the network's scale.
            maps: int8 ``(B, maps, D, H, W)``, -127..127 for -1..1.
        """
        within = torch.cat([images, maps.to(images.dtype) / 127.0], dim=1)
        first = self.down[0](self.embed(in_blocks(within)))
        second = self.down[1](self.coarser[0](first))
        third = self.middle(self.coarser[1](second))
        second = self.up[1](second + self.finer[1](third))
        first = self.up[0](first + self.finer[0](second))
        weights, added, variance = out_of_blocks(self.head(first)).split([FILLS, 1, 1], dim=1)
        base = images[:, :1]
        mean = base + (weights * (images[:, 1 : 1 + FILLS] - base)).sum(dim=1, keepdim=True) + added
        return torch.cat([mean, variance], dim=1)


class _Block(nn.Module):
    """Two convolutions with a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv3d(channels, channels, 3, padding=1)
        self.second = nn.Conv3d(channels, channels, 3, padding=1)
        self.norm1, self.norm2 = nn.BatchNorm3d(channels), nn.BatchNorm3d(channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        inner = nn.functional.gelu(self.norm1(self.first(features)))
        return features + self.norm2(self.second(inner))


def in_blocks(volumes: torch.Tensor) -> torch.Tensor:
    """Turn blocks of 2 x 2 x 2 voxels into channels: ``(B, C, D, H, W)`` to ``(B, 8 C, D/2, H/2, W/2)``."""
    count, channels, *sides = volumes.shape
    depth, height, width = (side // 2 for side in sides)
    parted = volumes.reshape(count, channels, depth, 2, height, 2, width, 2)
    return parted.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(count, 8 * channels, depth, height, width)


def out_of_blocks(blocks: torch.Tensor) -> torch.Tensor:
    """Turn channels back into blocks of voxels, the inverse of :func:`in_blocks`."""
    count, channels, depth, height, width = blocks.shape
    parted = blocks.reshape(count, channels // 8, 2, 2, 2, depth, height, width)
    return parted.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(count, channels // 8, 2 * depth, 2 * height, 2 * width)
