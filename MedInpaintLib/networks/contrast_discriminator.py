"""The discriminator of CollaGAN: real or generated, for each patch, and which contrast."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import nn

from ..errors import ParameterError

SLOPE = 0.2


@dataclasses.dataclass(frozen=True)
class Layer:
    """One convolution and what follows it.

    Attributes:
        channels: output channels, as a multiple of the discriminator's width.
        kernel, stride, padding: of the convolution, pixels.
        bias: whether it adds one.
        active: whether a leaky ReLU follows.
        pool: side of the squares of which the largest value is kept, pixels; 1 for none.
    """

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    bias: bool = True
    active: bool = True
    pool: int = 1

    def modules(self, inputs: int, width: int) -> list[nn.Module]:
        """Return the modules of this layer, from ``inputs`` channels to ``channels * width``."""
        outputs = self.channels * width
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, self.kernel, stride=self.stride, padding=self.padding, bias=self.bias)
        ]
        if self.active:
            layers.append(nn.LeakyReLU(SLOPE))
        if self.pool > 1:
            layers.append(nn.MaxPool2d(self.pool))
        return layers

    def side(self, side: int) -> int:
        """Return the side of the output from the side of the input, pixels; 0 or less is no output."""
        return ((side + 2 * self.padding - self.kernel) // self.stride + 1) // self.pool


@dataclasses.dataclass(frozen=True)
class Layout:
    """The layers of a discriminator.

    Attributes:
        paths: side by side, each from the image to a quarter of its size.
        together: after the paths, on the channels of all of them.
        real: padding of the convolution of 3 x 3 that judges patches, pixels; without padding it has no bias either.
        domain: the layer before the contrast is named.
        mean: whether the contrast is named from the mean of the features, for images of any size, or by a convolution
            as large as their map, for images of one size.
        dropout: share of the features left out before either head, while training.
    """

    paths: tuple[tuple[Layer, ...], ...]
    together: tuple[Layer, ...]
    real: int
    domain: Layer
    mean: bool
    dropout: float

    def sides(self, pixels: int) -> tuple[int, int]:
        """Return the sides of the maps of judged patches and of features for the contrast, for images of a side."""
        side = pixels
        for layer in (*self.paths[0], *self.together):
            side = layer.side(side)
        return side + 2 * self.real - 2, self.domain.side(side)

    @property
    def least_side(self) -> int:
        """Return the least side of an image, pixels."""
        return next(pixels for pixels in range(1, 1000) if min(self.sides(pixels)) > 0)


def _halving(channels: int, *, padded: bool) -> Layer:
    return Layer(channels, 4, 2, 1) if padded else Layer(channels, 4, 2, 0, bias=False)


_QUARTERED = Layer(4, 4, 4, 0, bias=False, active=False)
#: ``published`` is the discriminator of the authors' MR training: 16 convolutions, of which the three paths have 4, 3
#: and 4; with four contrasts and images of 240 pixels it has 211,872 parameters. ``compact`` takes images of any size
#: that is a multiple of 32.
LAYOUTS = {
    "compact": Layout(
        paths=(
            (Layer(4, 4, 4, 0),),
            (_halving(1, padded=True), _halving(4, padded=True)),
            (Layer(1), _halving(2, padded=True), _halving(4, padded=True)),
        ),
        together=(_halving(8, padded=True), _halving(16, padded=True)),
        real=1,
        domain=_halving(32, padded=True),
        mean=True,
        dropout=0.0,
    ),
    "published": Layout(
        paths=(
            (Layer(1), Layer(1), Layer(1), _QUARTERED),
            (Layer(1, active=False, pool=2), Layer(2, active=False, pool=2), Layer(4)),
            (_QUARTERED, Layer(4), Layer(4), Layer(4, active=False)),
        ),
        together=(_halving(8, padded=False), _halving(16, padded=False)),
        real=0,
        domain=_halving(32, padded=False),
        mean=False,
        dropout=0.5,
    ),
}


class ContrastDiscriminator(nn.Module):
    """Network from an image to logits of being real, for each patch, and of showing each contrast.

    Three paths of different reach go down to a quarter of the size, then continue together (Lee et al., CVPR 2019, and
    the authors' code for MR, https://github.com/jongcye/CollaGAN_MRI; PatchGAN: Isola et al., CVPR 2017).

    Args:
        contrasts: how many there are.
        inputs: channels: 1, or more to also see what the image was made from.
        width: channels of the narrowest convolutions.
        layout: of :data:`LAYOUTS`.
        pixels: side of the images, for a layout that names the contrast from a map of one size.

    Shapes: ``(B, inputs, H, W)`` to ``(B, 1, h, w)`` and ``(B, contrasts)``; in the layout ``compact`` sides are
    multiples of 32, h = H/16 and w = W/16; in ``published`` H = W = pixels, and h = w = 11 for 240 pixels.

    Raises:
        ParameterError: images of this side are too small for the layout.
    """

    def __init__(
        self,
        contrasts: int,
        *,
        inputs: int = 1,
        width: int = 4,
        layout: Layout = LAYOUTS["compact"],
        pixels: int = 240,
    ) -> None:
        super().__init__()
        if pixels < layout.least_side:
            raise ParameterError(
                f"Crops of {pixels} pixels are too small for the discriminator; 'pixels' must be "
                f"{layout.least_side} or more."
            )
        self.dropout = layout.dropout
        self.paths = nn.ModuleList(nn.Sequential(*_modules(path, inputs, width)) for path in layout.paths)
        joined = width * sum(path[-1].channels for path in layout.paths)
        self.together = nn.Sequential(*_modules(layout.together, joined, width))
        features = width * layout.together[-1].channels
        self.real_head = nn.Conv2d(features, 1, 3, padding=layout.real, bias=layout.real > 0)
        last = width * layout.domain.channels
        _, side = layout.sides(pixels)
        before_name = layout.domain.modules(features, width)
        name = (
            [_MeanOfImage(), nn.Linear(last, contrasts)]
            if layout.mean
            else [nn.Conv2d(last, contrasts, side, bias=False), nn.Flatten()]
        )
        self.domain_head = nn.Sequential(*before_name, *name)

    def forward(self, images: torch.Tensor, noise: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of being real and of showing each contrast.

        Args:
            images: see the class.
            noise: source of random numbers for dropout; without it nothing is left out. It is the training's own, so
                that a resumed training draws the same numbers.
        """
        features = self.together(torch.cat([path(images) for path in self.paths], dim=1))
        real = self.real_head(self._some_left_out(features, noise))
        before_name, name = self.domain_head[:2], self.domain_head[2:]
        return real, name(self._some_left_out(before_name(features), noise))

    def _some_left_out(self, features: torch.Tensor, noise: torch.Generator | None) -> torch.Tensor:
        """Apply dropout (Srivastava et al., JMLR 2014): zeros at random, and the rest larger to keep the mean."""
        if noise is None or not self.dropout:
            return features
        kept = torch.rand(features.shape, generator=noise, device=features.device) >= self.dropout
        return features * kept / (1 - self.dropout)


def _modules(layers: Sequence[Layer], inputs: int, width: int) -> list[nn.Module]:
    """Return the modules of layers that follow each other."""
    modules: list[nn.Module] = []
    for layer in layers:
        modules += layer.modules(inputs, width)
        inputs = layer.channels * width
    return modules


class _MeanOfImage(nn.Module):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features.mean(dim=(2, 3))
