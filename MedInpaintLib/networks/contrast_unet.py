"""The U-Net from contrasts to a contrast, used by CollaGAN and the translators compared with it."""

from __future__ import annotations

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class Layout:
    """The details in which two U-Nets of the same width and levels may differ.

    Attributes:
        wide_decoder: whether the decoder has as many channels as all encoders together, or as many as one of them.
        joint_bottleneck: whether the convolutions of the smallest size mix the features of all encoders.
        attention_from: the largest size with channel attention: 0 is full size, 1 half size. It goes down from there
            over ``levels - 1`` sizes, so with 0 the smallest size, with 1 full size has none.
        attention_slope: of the leaky ReLU in the attention's hidden layers; 0 is a ReLU.
        bias: whether the convolutions that halve the size, and the last one, add a bias.
        epsilon: added to the variances of instance normalisation.
        names_present: whether CollaGAN's condition names the present contrasts, too, beside the target.
    """

    wide_decoder: bool
    joint_bottleneck: bool
    attention_from: int
    attention_slope: float
    bias: bool
    epsilon: float
    names_present: bool


#: ``published`` is the generator of the authors' MR training (``UnetINDiv4_CCAM``); with four contrasts, width 16 and 5
#: levels it has 34,123,520 parameters. ``compact`` is the one of the released model, a quarter of that.
LAYOUTS = {
    "compact": Layout(
        wide_decoder=False,
        joint_bottleneck=False,
        attention_from=0,
        attention_slope=0.0,
        bias=True,
        epsilon=1e-5,
        names_present=True,
    ),
    "published": Layout(
        wide_decoder=True,
        joint_bottleneck=True,
        attention_from=1,
        attention_slope=SLOPE,
        bias=False,
        epsilon=1e-6,
        names_present=False,
    ),
}


class ContrastUNet(nn.Module):
    """Network from some contrasts of a slice to another contrast of it.

    Each size has two blocks of convolution, instance normalisation and leaky ReLU; convolutions of 2 x 2 with stride 2
    (transposed on the way up) change the size. Encoders of single contrasts are groups of one convolution; skip
    connections and bottleneck hold the features of all. The condition enters as planes beside each contrast, and
    through channel attention, by default of each decoder block.

    Lee et al.: CollaGAN: Collaborative GAN for missing image data imputation, CVPR 2019, and the authors' code for MR
    (https://github.com/jongcye/CollaGAN_MRI).

    Args:
        contrasts: input channels.
        condition: length of the condition vector; 0 for none, which also removes the attention.
        width: channels of each encoder at full size; each smaller size has twice as many.
        levels: sizes, full size included.
        branches: whether each contrast has its own encoder, or one encoder sees all.
        linear: whether to add a weighted sum of the contrasts, with weights from the condition; otherwise the output
            passes a ReLU. With few subjects a regression is hard to beat, so the network starts from one.
        layout: see :class:`Layout`; of :data:`LAYOUTS`.

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
        layout: Layout = LAYOUTS["compact"],
    ) -> None:
        super().__init__()
        for name, value in (("contrasts", contrasts), ("width", width), ("levels", levels)):
            if value < 1:
                raise ParameterError(f"A network needs 1 or more {name}; found {value}.")
        self.contrasts, self.condition, self.linear = contrasts, condition, linear
        self.groups, self.layout = contrasts if branches else 1, layout
        encoder = [width * 2**level for level in range(levels)]
        all_encoders = [self.groups * channels for channels in encoder]
        decoder = all_encoders if layout.wide_decoder else [*encoder[:-1], all_encoders[-1]]
        groups = [self.groups] * levels
        if layout.joint_bottleneck:
            groups[-1] = 1
        before = [contrasts + self.groups * condition, *all_encoders[1:]]
        self.down = nn.ModuleList(map(self._block, before, all_encoders, groups))
        self.shrink = nn.ModuleList(
            nn.Conv2d(a, b, 2, stride=2, groups=self.groups, bias=layout.bias)
            for a, b in itertools.pairwise(all_encoders)
        )
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in itertools.pairwise(decoder))
        self.up = nn.ModuleList(self._block(a + b, a, 1) for a, b in zip(decoder[:-1], all_encoders[:-1], strict=True))
        first = layout.attention_from
        self.attend = nn.ModuleList(
            ConditionalChannelAttention(channels, condition, slope=layout.attention_slope)
            for channels in (decoder[first : first + levels - 1] if condition else [])
        )
        self.head = nn.Conv2d(decoder[0], 1, 1, bias=layout.bias)
        if self.head.bias is not None:
            # A ReLU that begins below 0 learns nothing, so it begins at the level of tissue.
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
        features = self._attended(features, len(self.up), condition)
        for level in reversed(range(len(self.up))):
            features = self.up[level](torch.cat([self.enlarge[level](features), skips[level]], dim=1))
            features = self._attended(features, level, condition)
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

    def _attended(self, features: torch.Tensor, level: int, condition: torch.Tensor | None) -> torch.Tensor:
        """Return the features of a level weighed by its attention, or as they are where it has none."""
        number = level - self.layout.attention_from
        if not 0 <= number < len(self.attend):
            return features
        return self.attend[number](features, condition)

    def _block(self, before: int, after: int, groups: int) -> nn.Sequential:
        """Return two layers of convolution, instance normalisation and leaky ReLU."""
        layers: list[nn.Module] = []
        for inputs in (before, after):
            layers += [
                nn.Conv2d(inputs, after, 3, padding=1, groups=groups),
                nn.InstanceNorm2d(after, eps=self.layout.epsilon, affine=True),
                nn.LeakyReLU(SLOPE),
            ]
        return nn.Sequential(*layers)
