"""The two halves of GANs and VAEs: from an image to a vector, and back."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from ..errors import ParameterError

#: Halvings of a frame's side on the way to a vector.
LEVELS = 4
SLOPE = 0.2


def check_sizes(pixels: int, kernel: int) -> None:
    """Raise ParameterError unless a frame of this side can be halved :data:`LEVELS` times and convolved unshifted."""
    if pixels < 2**LEVELS or pixels % 2**LEVELS:
        raise ParameterError(f"The side of a frame must be a multiple of {2**LEVELS} pixels; found {pixels}.")
    if kernel < 1 or kernel % 2 == 0:
        raise ParameterError(f"The side of a convolution's kernel must be odd; found {kernel}.")


class Encoder(nn.Module):
    """Network from an image to a vector: four convolutions of stride 2, then a linear layer.

    With one output, the discriminator of a DCGAN (Radford et al., ICLR 2016) without the sigmoid, as losses on logits
    do not saturate. The first convolution has no normalisation.

    Args:
        pixels, outputs: side of the image, a multiple of 16, and length of the vector.
        kernel: of the convolutions, odd.
        width: channels after the first convolution; each further one has twice as many.

    Shapes: ``(B, 1, pixels, pixels)`` to ``(B, outputs)``.
    """

    def __init__(self, pixels: int, outputs: int, *, kernel: int = 3, width: int = 16) -> None:
        super().__init__()
        check_sizes(pixels, kernel)
        layers: list[nn.Module] = []
        channels = [1, *(width * 2**level for level in range(LEVELS))]
        for level, (before, after) in enumerate(itertools.pairwise(channels)):
            layers.append(nn.Conv2d(before, after, kernel, stride=2, padding=kernel // 2, bias=level == 0))
            if level:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(SLOPE))
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels[-1] * (pixels // 2**LEVELS) ** 2, outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images).flatten(1))


class Generator(nn.Module):
    """Network from a vector to an image: a linear layer, four times enlarge and convolve, and tanh.

    A DCGAN generator without transposed convolutions, whose checkerboards remain in small networks (Odena et al.,
    Distill 2016).

    Args:
        pixels, latent: side of the image, a multiple of 16, and length of the vector.
        kernel: of the convolutions, odd.
        width: channels at half the image's size; each smaller size has twice as many.

    Shapes: ``(B, latent)`` to ``(B, 1, pixels, pixels)``, -1..1.
    """

    def __init__(self, pixels: int, latent: int, *, kernel: int = 3, width: int = 32) -> None:
        super().__init__()
        check_sizes(pixels, kernel)
        self.side = pixels // 2**LEVELS
        channels = [*(width * 2**level for level in reversed(range(LEVELS))), width // 2]
        self.foot = nn.Sequential(
            nn.Linear(latent, channels[0] * self.side**2, bias=False),
            nn.BatchNorm1d(channels[0] * self.side**2),
            nn.LeakyReLU(SLOPE),
        )
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(channels):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(SLOPE),
            ]
        layers += [nn.Conv2d(channels[-1], 1, kernel, padding=kernel // 2), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return self.layers(self.foot(latents).unflatten(1, (-1, self.side, self.side)))
