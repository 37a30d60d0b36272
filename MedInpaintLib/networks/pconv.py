"""U-Net of partial convolutions."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..errors import ParameterError
from .convolutional import SLOPE
from .feed_forward import FeedForward, Inputs, check_halvings
from .partial import PartialConv2d
from .unet import CORRECTOR, Corrector

#: Sides of the encoder's kernels; further ones have the last.
KERNELS = (7, 5, 5, 3)


class PConvUNet(FeedForward):
    """U-Net of partial convolutions: features are computed from known pixels only.

    Liu et al.: Image inpainting for irregular holes using partial convolutions, ECCV 2018, with one level fewer than
    the paper's 8 for 512 pixels. The encoder halves with stride 2; the decoder repeats pixels and concatenates features
    and masks, the image and its mask last. The last layer has no normalisation and no activation.

    Given a fill, all this still sees known pixels only; a small U-Net in place of the last layer sees the features, the
    filled slices, which it corrects, and the further channels.

    Args:
        pixels, inputs: see :class:`.feed_forward.Inputs`.
        width: channels after the first convolution; each further one has twice as many, up to 8 times.
        levels: halvings.
        norm: of the small U-Net, see :class:`.unet.Body`.

    Raises:
        ParameterError: no level, or frames that cannot be halved so often.
    """

    def __init__(
        self,
        *,
        pixels: int = 256,
        norm: str = "batch",
        width: int = 64,
        levels: int = 7,
        **inputs: Any,
    ) -> None:
        seen = Inputs(pixels, **inputs)
        super().__init__(seen)
        if levels < 1:
            raise ParameterError(f"A network must have 1 level or more; found {levels}.")
        check_halvings(pixels, levels if seen.given == "nothing" else max(levels, CORRECTOR - 1))
        widths = [width * min(2**level, 8) for level in range(levels)]
        #: A task may freeze the statistics of these in training: they see holes, which differ in later images.
        self.encoder = nn.ModuleList(
            _Block(before, after, KERNELS[min(level, 3)], stride=2, norm=level > 0, slope=0.0)
            for level, (before, after) in enumerate(zip([seen.slices, *widths[:-1]], widths, strict=True))
        )
        self.decoder = nn.ModuleList(
            _Block(widths[level] + widths[level - 1], widths[level - 1], 3, slope=SLOPE)
            for level in reversed(range(1, levels))
        )
        self.head = PartialConv2d(width + seen.slices, 1, 3, padding=1) if seen.given == "nothing" else None
        self.correct = Corrector(width, self, norm) if seen.given == "fill" else None
        self.enlarge = nn.Upsample(scale_factor=2)

    def predict(self, images: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        skips = [(images, mask)]
        features, known = images, mask  # partial convolutions ignore pixels that the mask excludes
        for block in self.encoder:
            features, known = block(features, known)
            skips.append((features, known))
        skips.pop()
        for block in self.decoder:
            features, known = block(self.enlarge(features), self.enlarge(known), skips.pop())
        if self.correct:
            return self.correct(self.enlarge(features), images, mask, beside)
        assert self.head
        return self.head(self.enlarge(features), self.enlarge(known), skips.pop())[0]


class _Block(nn.Module):
    """Partial convolution, normalisation, leaky ReLU; in and out as :class:`.partial.PartialConv2d`."""

    def __init__(
        self, before: int, after: int, kernel: int, *, stride: int = 1, norm: bool = True, slope: float
    ) -> None:
        super().__init__()
        self.convolve = PartialConv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=not norm)
        self.norm = nn.BatchNorm2d(after) if norm else nn.Identity()
        self.activate = nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)

    def forward(
        self, images: torch.Tensor, mask: torch.Tensor, *parts: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        features, known = self.convolve(images, mask, *parts)
        return self.activate(self.norm(features)), known
