"""U-Net."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from ..errors import ParameterError
from .feed_forward import FeedForward, Inputs, check_halvings, start_at_the_fill

#: Sizes that a :class:`Corrector` sees, full size included.
CORRECTOR = 3
#: Normalisations of a :class:`Body`. By batch, a rough frame sets the scale of the smooth ones: networks that see
#: relative intensities learn faster by group (``python -m Research learning``).
NORMS = ("batch", "group")
#: Number of groups of channels.
GROUPS = 4


class Body(nn.Module):
    """Encoder and decoder with skip connections.

    Ronneberger, Fischer, Brox: U-Net: Convolutional networks for biomedical image segmentation, MICCAI 2015; with
    padding, batch normalisation, and enlarging in place of transposed convolutions; published with width 64 and 5
    levels. The last layer also sees the input, for outputs linear in it, such as a mean of two fills.

    Args:
        inputs, outputs: channels.
        width: channels at full size; each smaller size has twice as many.
        levels: sizes, full size included.
        norm: one of :data:`NORMS`. By group, each frame has its own scale (Wu, He: Group normalization, ECCV 2018).

    Shapes: ``(B, inputs, H, W)`` to ``(B, outputs, H, W)``; the sides are multiples of ``2 ** (levels - 1)``.
    """

    def __init__(self, inputs: int, outputs: int, *, width: int, levels: int, norm: str = "batch") -> None:
        super().__init__()
        if norm not in NORMS:
            raise ParameterError(f"A network normalises by one of {', '.join(NORMS)}; found '{norm}'.")
        widths = [width * 2**level for level in range(levels)]
        before = [inputs, *widths[:-1]]
        self.down = nn.ModuleList(_block(a, b, norm) for a, b in zip(before, widths, strict=True))
        self.up = nn.ModuleList(_block(widths[k + 1] + widths[k], widths[k], norm) for k in reversed(range(levels - 1)))
        self.head = nn.Conv2d(width + inputs, outputs, 1)
        self.pool, self.enlarge = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        skips: list[torch.Tensor] = []
        seen = images
        for level, block in enumerate(self.down):
            images = block(self.pool(images) if level else images)
            skips.append(images)
        for block, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            images = block(torch.cat([self.enlarge(images), skip], dim=1))
        return self.head(torch.cat([images, seen], dim=1))


class UNet(FeedForward):
    """A plain U-Net on slices and their masks, 2-D with one slice and 2.5-D with more.

    Args:
        pixels, inputs: see :class:`.feed_forward.Inputs`.
        norm, width, levels: see :class:`Body`.
    """

    def __init__(
        self,
        *,
        pixels: int = 64,
        norm: str = "batch",
        width: int = 64,
        levels: int = 5,
        **inputs: Any,
    ) -> None:
        seen = Inputs(pixels, **inputs)
        super().__init__(seen)
        check_halvings(pixels, levels - 1)
        self.body = Body(2 * seen.slices + self.beside, self.outputs, width=width, levels=levels, norm=norm)
        start_at_the_fill(self.body.head, self)

    def predict(self, images: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        return self.body(torch.cat([images, mask, beside], dim=1))


class Corrector(nn.Module):
    """Last part of networks that see only known pixels: a small U-Net from features and fills to the output.

    Args:
        features: channels of the features, and of the small U-Net at full size.
        network: that this part belongs to.
        norm: see :class:`Body`.
    """

    def __init__(self, features: int, network: FeedForward, norm: str) -> None:
        super().__init__()
        inputs = features + 2 * network.inputs.slices + network.beside
        self.body = Body(inputs, network.outputs, width=features, levels=CORRECTOR, norm=norm)
        start_at_the_fill(self.body.head, network)

    def forward(
        self, features: torch.Tensor, images: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor
    ) -> torch.Tensor:
        """Return what :meth:`.feed_forward.FeedForward.predict` returns; images, mask and beside as there."""
        return self.body(torch.cat([features, images, mask, beside], dim=1))


def _block(before: int, after: int, norm: str) -> nn.Sequential:
    """Return two layers of convolution, normalisation and ReLU."""
    layers: list[nn.Module] = []
    for inputs in (before, after):
        normalise = nn.BatchNorm2d(after) if norm == "batch" else nn.GroupNorm(math.gcd(GROUPS, after), after)
        layers += [nn.Conv2d(inputs, after, 3, padding=1, bias=False), normalise, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
