"""Recurrent feature reasoning."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..errors import ParameterError
from .attention import EPSILON, ConsistentAttention, Scores
from .feed_forward import FeedForward, Inputs, check_halvings
from .partial import PartialConv2d
from .unet import Corrector

#: Halvings of a frame's side.
HALVINGS = 4


class RfrNet(FeedForward):
    """Network that fills features from the edge inwards, with the same layers in each recurrence, then makes the image.

    Li, Wang, Zhang, Du, Tao: Recurrent feature reasoning for image inpainting, CVPR 2020. At half of the frame's side,
    partial convolutions grow the known features into the hole in each recurrence, by ``2 * (kernel // 2)`` pixels,
    before reasoning. The features of a position are the mean over the recurrences that knew it. The number of
    recurrences is fixed: stopping once all is known would be faster, but change that mean.

    The same function as the published network (copied literally in ``Testing/Benchmarks/literal_rfr.py``), with slices
    in place of three colours and one channel out; but masks have one channel, and modules keep no state between calls.

    Args:
        pixels: see :class:`.feed_forward.Inputs`; a multiple of 16.
        inputs: see there. Given a fill, a small U-Net replaces the tail: only it sees pixels that are not known.
        norm: of the small U-Net, see :class:`.unet.Body`.
        width: channels at half size, a multiple of 8; 64 is the published size (31.2 million parameters).
        recurrences: 6 is published.
        kernel: side of the convolutions that grow the features, odd, 3 or more; 7 is published, 5 for small holes.

    Raises:
        ParameterError: a size that does not work.
    """

    def __init__(
        self,
        *,
        pixels: int = 256,
        norm: str = "batch",
        width: int = 64,
        recurrences: int = 6,
        kernel: int = 7,
        **inputs: Any,
    ) -> None:
        seen = Inputs(pixels, **inputs)
        super().__init__(seen)
        check_halvings(pixels, HALVINGS)
        if width < 8 or width % 8:
            raise ParameterError(f"The width must be a multiple of 8 channels; found {width}.")
        if recurrences < 1:
            raise ParameterError(f"There must be 1 recurrence or more; found {recurrences}.")
        if kernel < 3 or kernel % 2 == 0:
            raise ParameterError(f"The side of a convolution's kernel must be odd, 3 or more; found {kernel}.")
        self.recurrences = recurrences
        # Convolutions before a normalisation have no bias; nor, as published, do the last ones.
        self.look = nn.ModuleList(
            [
                _Partial(seen.slices, width, 7, stride=2, activation=nn.ReLU(inplace=True)),
                _Partial(width, width, kernel, activation=nn.ReLU(inplace=True)),
            ]
        )
        self.spread = PartialConv2d(width, width, kernel, padding=kernel // 2, bias=False)
        self.grow = _Partial(width, width, kernel, activation=nn.LeakyReLU(inplace=True))
        self.reason = Reasoning(width)
        self.enlarge = _enlarge(width, width, slope=0.01)
        self.correct = Corrector(width, self, norm) if seen.given == "fill" else None
        self.tail = Tail(seen.slices, width) if seen.given == "nothing" else None

    def predict(self, images: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        features, seen = self._reason(images, mask)
        features = self.enlarge(features)
        if self.correct:
            return self.correct(features, images, mask, beside)
        assert self.tail
        return self.tail(images, mask, features, functional.interpolate(seen, scale_factor=2.0))

    def _reason(self, images: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean features ``(B, width, H/2, W/2)`` and where there are any, ``(B, 1, H/2, W/2)``."""
        features, seen = images, mask
        for layer in self.look:
            features, seen = layer(features, seen)
        # Added up one by one: all together would take ``recurrences + 1`` times the memory.
        total, times = features * seen, seen
        scores: Scores | None = None
        for _ in range(self.recurrences):
            features, seen = self.grow(*self.spread(features, seen))
            features, scores = self.reason(features, seen, scores)
            features = features * seen
            total, times = total + features, times + seen
        return total / (times + (self.recurrences + 1) * EPSILON), seen


class Reasoning(nn.Module):
    """A U-shaped network with dilated convolutions at its bottom, and attention at a quarter of the features' side.

    Args:
        width: channels in and out; the smaller sizes have 2, 4 and 8 times as many.

    Shapes: ``(B, width, H, W)`` to the same; the sides are multiples of 8.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter, eighth = 2 * width, 4 * width, 8 * width
        self.down = nn.ModuleList(
            [
                _convolve(width, half, stride=2),
                _convolve(half, quarter, stride=2),
                _convolve(quarter, eighth, stride=2),
                *(_convolve(eighth, eighth, dilation=2) for _ in range(3)),
            ]
        )
        self.up = nn.ModuleList(
            [
                *(_convolve(2 * eighth, eighth, dilation=2, slope=0.2) for _ in range(2)),
                _enlarge(2 * eighth, eighth, slope=0.2),
                _enlarge(eighth + quarter, quarter, slope=0.2),
                _enlarge(quarter + half, width, slope=0.2),
            ]
        )
        self.attention = ConsistentAttention(eighth)

    def forward(self, features: torch.Tensor, seen: torch.Tensor, before: Scores | None) -> tuple[torch.Tensor, Scores]:
        """Return features and the attention's scores; ``seen``, ``before``: see :class:`.ConsistentAttention`."""
        skips = []
        for layer in self.down:
            features = layer(features)
            skips.append(features)
        for number, (layer, skip) in enumerate(zip(self.up, reversed(skips[:-1]), strict=True)):
            features = layer(torch.cat([features, skip], dim=1))
            if number == 2:
                features, before = self.attention(features, seen, before)
        assert before is not None
        return features, before


class Tail(nn.Module):
    """Layers from ``slices`` images and ``width`` channels of features to the output image."""

    def __init__(self, slices: int, width: int) -> None:
        super().__init__()
        self.merge = PartialConv2d(slices + width, width // 2, 3, padding=1, bias=False)
        self.bottleneck = Bottleneck(width // 2, width // 8)
        self.head = nn.Conv2d(width, 1, 3, padding=1, bias=False)

    def forward(
        self, images: torch.Tensor, mask: torch.Tensor, features: torch.Tensor, seen: torch.Tensor
    ) -> torch.Tensor:
        """Return ``(B, 1, H, W)`` from the known parts of images and features, by ``mask`` and ``seen``."""
        image, _ = self.merge(images, mask, (features, seen))
        image = functional.leaky_relu(image)
        return self.head(torch.cat([image, self.bottleneck(image)], dim=1))


class Bottleneck(nn.Module):
    """Residual block of three convolutions, 1x1, 3x3 with ``inner`` channels, and 1x1 (He et al., CVPR 2016)."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, inner, 3, padding=1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.layers(images) + images)


class _Partial(nn.Module):
    """Partial convolution, normalisation and activation, from features and mask to features and mask."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, activation: nn.Module) -> None:
        super().__init__()
        self.convolution = PartialConv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.normalisation = nn.BatchNorm2d(outputs)
        self.activation = activation

    def forward(self, features: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features, mask = self.convolution(features, mask)
        return self.activation(self.normalisation(features)), mask


def _convolve(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1, slope: float = 0.0) -> nn.Sequential:
    """Return a 3x3 convolution, normalisation and a leaky ReLU of this slope."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(slope, inplace=True),
    )


def _enlarge(inputs: int, outputs: int, *, slope: float) -> nn.Sequential:
    """Return layers that double the side: transposed 4x4 convolution, normalisation, leaky ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(slope, inplace=True),
    )
