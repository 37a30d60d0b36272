"""The U-Net from contrasts to a contrast, used by CollaGAN and the translators compared with it."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from ..errors import ParameterError
from .contrast_attention import ConditionalChannelAttention

SLOPE = 0.2
#: Hidden units from the condition to the weights of the linear part.
HIDDEN = 16
#: Intensity of tissue, on the scale of :mod:`MedInpaintLib.imputation.core`.
LEVEL = 0.25


class ContrastUNet(nn.Module):
    """Network from some contrasts of a slice to another contrast of it.

    Each size has two blocks of convolution, instance normalisation and leaky ReLU; convolutions of 2 x 2 with stride 2
    (transposed on the way up) change the size. Encoders of single contrasts are groups of one convolution; skip
    connections and bottleneck hold the features of all. The condition (target and present contrasts) enters as planes
    beside each contrast, and through the channel attention of each decoder block.

    Lee et al.: CollaGAN: Collaborative GAN for missing image data imputation, CVPR 2019. The published generator for
    four MR contrasts has width 16 and 5 levels, and a ReLU in place of the linear part.

    Args:
        contrasts: input channels.
        condition: length of the condition vector; 0 for none, which also removes the attention.
        width: channels at full size, of each encoder and of the decoder; each smaller size has twice as many.
        levels: sizes, full size included.
        branches: whether each contrast has its own encoder, or one encoder sees all.
        linear: whether to add a weighted sum of the contrasts, with weights from the condition; otherwise the output
            passes a ReLU. With few subjects a regression is hard to beat, so the network starts from one.

    Shapes: ``(B, contrasts, H, W)`` and ``(B, condition)`` to ``(B, 1, H, W)``; the sides are multiples of
    ``2 ** (levels - 1)``.

    Raises:
        ParameterError: there is no contrast, no channel or no level.
    """

    def __init__(
        self,
        contrasts: int,
        condition: int,
        *,
        width: int,
        levels: int,
        branches: bool = False,
        linear: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (("contrasts", contrasts), ("width", width), ("levels", levels)):
            if value < 1:
                raise ParameterError(f"A network needs 1 or more {name}; found {value}.")
        self.contrasts, self.condition, self.linear = contrasts, condition, linear
        self.groups = contrasts if branches else 1
        widths = [width * 2**level for level in range(levels)]
        wide = [self.groups * each for each in widths]
        first = contrasts + self.groups * condition
        self.down = nn.ModuleList(
            _block(before, after, self.groups) for before, after in zip([first, *wide[1:]], wide, strict=True)
        )
        self.shrink = nn.ModuleList(
            nn.Conv2d(a, b, 2, stride=2, groups=self.groups) for a, b in itertools.pairwise(wide)
        )
        below = [*widths[1:-1], wide[-1]][: levels - 1]
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in zip(below, widths, strict=False))
        self.up = nn.ModuleList(_block(a + b, a, 1) for a, b in zip(widths[:-1], wide, strict=False))
        self.attend = nn.ModuleList(
            ConditionalChannelAttention(each, condition) for each in (widths[:-1] if condition else [])
        )
        self.head = nn.Conv2d(widths[0] if levels > 1 else wide[0], 1, 1)
        # A ReLU that begins below 0 learns nothing, so it begins at the level of tissue.
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, LEVEL)
        if linear:
            self.weigh = nn.Sequential(
                nn.Linear(condition or 1, HIDDEN), nn.LeakyReLU(SLOPE), nn.Linear(HIDDEN, contrasts)
            )
            for weights in (*self.head.parameters(), *self.weigh[-1].parameters()):
                nn.init.zeros_(weights)

    def forward(self, images: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        features, skips = self._beside(images, condition), []
        for level, block in enumerate(self.down):
            features = block(self.shrink[level - 1](features) if level else features)
            skips.append(features)
        for level in reversed(range(len(self.up))):
            features = self.up[level](torch.cat([self.enlarge[level](features), skips[level]], dim=1))
            if self.condition:
                features = self.attend[level](features, condition)
        output = self.head(features)
        if not self.linear:
            return torch.relu(output)
        vector = images.new_ones(len(images), 1) if condition is None else condition
        present = (images != 0).flatten(2).any(dim=2).to(images.dtype)
        weights = self.weigh(vector) + present / present.sum(dim=1, keepdim=True).clamp(min=1)
        return output + (weights[:, :, None, None] * images).sum(dim=1, keepdim=True)

    def _beside(self, images: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Return what the encoders see: each its own contrast, and the condition as planes."""
        if condition is None or not self.condition:
            return images
        planes = condition[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return torch.cat([each for some in images.chunk(self.groups, dim=1) for each in (some, planes)], dim=1)


def _block(before: int, after: int, groups: int) -> nn.Sequential:
    """Return two layers of convolution, instance normalisation and leaky ReLU."""
    layers: list[nn.Module] = []
    for inputs in (before, after):
        layers += [
            nn.Conv2d(inputs, after, 3, padding=1, groups=groups),
            nn.InstanceNorm2d(after, affine=True),
            nn.LeakyReLU(SLOPE),
        ]
    return nn.Sequential(*layers)
