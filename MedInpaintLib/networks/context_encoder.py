"""Context encoder."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import nn

from .convolutional import SLOPE
from .feed_forward import FeedForward, Inputs, check_halvings, start_at_the_fill

#: Channels by halving, as multiples of the width.
WIDTHS = (1, 1, 2, 4, 8)


class ContextEncoder(FeedForward):
    """Encoder and decoder with one vector as bottleneck: five halvings, a convolution of the rest, and back.

    Pathak et al.: Context encoders: Feature learning by inpainting, CVPR 2016, in the variant for holes of any shape,
    which predicts the whole frame; it also sees the mask. Training adds an adversarial loss to the squared error. Given
    nothing, tanh keeps the image within -1..1; given a fill, it predicts an unbounded correction. Without skip
    connections, fine detail comes only through the vector or from the mixed fills.

    Args:
        pixels: see :class:`.feed_forward.Inputs`; a multiple of 32.
        inputs: see there.
        width: channels after the first convolution, and before the last.
        bottleneck: length of the vector. 66 of the published size's 71 million weights lie directly around it.

    Raises:
        ParameterError: frames that cannot be halved so often.
    """

    def __init__(
        self,
        *,
        pixels: int = 128,
        width: int = 64,
        bottleneck: int = 4000,
        **inputs: Any,
    ) -> None:
        seen = Inputs(pixels, **inputs)
        super().__init__(seen)
        check_halvings(pixels, len(WIDTHS))
        side = pixels // 2 ** len(WIDTHS)
        widths = [width * times for times in WIDTHS]

        layers: list[nn.Module] = [
            nn.Conv2d(2 * seen.slices + self.beside, width, 4, 2, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
        ]
        for before, after in itertools.pairwise(widths):
            layers += _then(nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.LeakyReLU(SLOPE, inplace=True))
        layers += _then(nn.Conv2d(widths[-1], bottleneck, side, bias=False), nn.LeakyReLU(SLOPE, inplace=True))
        self.encoder = nn.Sequential(*layers)

        layers = _then(nn.ConvTranspose2d(bottleneck, widths[-1], side, bias=False), nn.ReLU(inplace=True))
        for before, after in itertools.pairwise(widths[::-1]):
            layers += _then(nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.ReLU(inplace=True))
        head = nn.ConvTranspose2d(width, self.outputs, 4, 2, 1)
        start_at_the_fill(head, self)
        self.decoder = nn.Sequential(*layers, head, nn.Tanh() if seen.given == "nothing" else nn.Identity())

    def predict(self, images: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.encoder(torch.cat([images, mask, beside], dim=1)))


def _then(convolution: nn.Conv2d | nn.ConvTranspose2d, activation: nn.Module) -> list[nn.Module]:
    """Return convolution, normalisation and activation."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels), activation]
