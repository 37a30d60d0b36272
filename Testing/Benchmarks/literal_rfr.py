"""The published network of recurrent feature reasoning, literally: the truth for tests, the peer for the benchmark.

Li et al., CVPR 2020, as their public implementation has it (https://github.com/jingyuanli001/RFR-Inpainting), step by
step: masks with a channel for each feature and the mask's convolution as dear as the features', the attention image by
image with the features as kernels, scores and masks kept on the module, all groups of features kept until the end.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

#: The parts of :class:`LiteralRfr` -> those of :class:`MedInpaintLib.networks.rfr.RfrNet`.
PARTS = {
    "partial_1": "look.0.convolution.convolution",
    "norm_1": "look.0.normalisation",
    "partial_2": "look.1.convolution.convolution",
    "norm_20": "look.1.normalisation",
    "partial_21": "spread.convolution",
    "partial_22": "grow.convolution.convolution",
    "norm_2": "grow.normalisation",
    **{f"reasoning.encode_{level + 1}": f"reason.down.{level}" for level in range(6)},
    **{f"reasoning.decode_{5 - number}": f"reason.up.{number}" for number in range(5)},
    "reasoning.attention": "reason.attention",
    "transposed": "enlarge.0",
    "norm_3": "enlarge.1",
    "tail_1": "tail.merge.convolution",
    "tail_2": "tail.bottleneck.layers",
    "out": "tail.head",
}


class LiteralPartialConv2d(nn.Conv2d):
    """The layer as published (Liu et al., ECCV 2018), masks of all channels: images and masks, to the same."""

    def forward(self, images: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            ones = torch.ones_like(self.weight)
            count = functional.conv2d(masks, ones, stride=self.stride, padding=self.padding, dilation=self.dilation)
            update = torch.clamp(count, 0, 1)
            ratio = ones[0].numel() / (count + 1e-8) * update
        return super().forward(images * masks) * ratio, update


class LiteralAttention(nn.Module):
    """One image of the batch after the other; the scores of the last call stay here, until :meth:`forget`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ratio = nn.Parameter(torch.ones(1))
        self.combine = nn.Conv2d(2 * channels, channels, 1)
        self.forget()

    def forget(self) -> None:
        self.scores = self.masks = None

    def forward(self, features: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        masks = functional.interpolate(masks, features.shape[2:])
        attended, kept = [], []
        for number, image in enumerate(features):
            kernels = image.flatten(1).T[:, :, None, None] + 1e-7
            kernels = kernels / (kernels**2).sum(dim=(1, 2, 3), keepdim=True) ** 0.5
            similar = functional.conv2d(image[None], kernels)
            scores = torch.softmax(functional.avg_pool2d(similar, 3, 1, padding=1) * 9, dim=1)
            if self.scores is not None:
                ratio = torch.abs(self.ratio) + 1e-7
                mask = self.masks[number : number + 1]
                scores = (self.scores[number : number + 1] * mask + scores * ratio) / (mask + ratio)
            kept.append(scores)
            attended.append(functional.conv_transpose2d(scores, kernels))
        self.scores, self.masks = torch.cat(kept), masks
        return self.combine(torch.cat([torch.cat(attended), features], dim=1))


class LiteralReasoning(nn.Module):
    """The module that is applied again and again."""

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = width
        for level in (1, 2, 3):
            self.add_module(
                f"encode_{level}", _layer(nn.Conv2d(channels, 2 * channels, 3, 2, 1, bias=False), nn.ReLU())
            )
            channels *= 2
        for level in (4, 5, 6):
            same = nn.Conv2d(channels, channels, 3, 1, 2, dilation=2, bias=False)
            self.add_module(f"encode_{level}", _layer(same, nn.ReLU()))
        self.attention = LiteralAttention(channels)
        for level in (5, 4):
            same = nn.Conv2d(2 * channels, channels, 3, 1, 2, dilation=2, bias=False)
            self.add_module(f"decode_{level}", _layer(same, nn.LeakyReLU(0.2)))
        for level, before, after in ((3, 16, 8), (2, 12, 4), (1, 6, 1)):
            larger = nn.ConvTranspose2d(before * width, after * width, 4, 2, 1, bias=False)
            self.add_module(f"decode_{level}", _layer(larger, nn.LeakyReLU(0.2)))

    def forward(self, features: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        encoded = [features]
        for level in range(1, 7):
            encoded.append(self.get_submodule(f"encode_{level}")(encoded[-1]))
        features = encoded[6]
        for level in (5, 4, 3, 2, 1):
            features = self.get_submodule(f"decode_{level}")(torch.cat([features, encoded[level]], dim=1))
            if level == 3:
                features = self.attention(features, masks)
        return features


class LiteralRfr(nn.Module):
    """Images ``(B, channels, H, W)`` and masks of that shape, 1 = known, to images.

    Args:
        channels: 3 as published.
        width: 64 as published.
        kernel: 7 as published, or 5 as in the variant for small holes.
    """

    def __init__(self, *, channels: int = 3, width: int = 64, kernel: int = 7) -> None:
        super().__init__()
        half = kernel // 2
        self.partial_1 = LiteralPartialConv2d(channels, width, 7, 2, 3, bias=False)
        self.norm_1 = nn.BatchNorm2d(width)
        self.partial_2 = LiteralPartialConv2d(width, width, kernel, 1, half, bias=False)
        self.norm_20 = nn.BatchNorm2d(width)
        self.partial_21 = LiteralPartialConv2d(width, width, kernel, 1, half, bias=False)
        self.partial_22 = LiteralPartialConv2d(width, width, kernel, 1, half, bias=False)
        self.norm_2 = nn.BatchNorm2d(width)
        self.reasoning = LiteralReasoning(width)
        self.transposed = nn.ConvTranspose2d(width, width, 4, 2, 1, bias=False)
        self.norm_3 = nn.BatchNorm2d(width)
        self.tail_1 = LiteralPartialConv2d(width + channels, width // 2, 3, 1, 1, bias=False)
        self.tail_2 = nn.Sequential(
            *_layer(nn.Conv2d(width // 2, width // 8, 1, bias=False), nn.ReLU()),
            *_layer(nn.Conv2d(width // 8, width // 8, 3, 1, 1, bias=False), nn.ReLU()),
            *_layer(nn.Conv2d(width // 8, width // 2, 1, bias=False)),
        )
        self.out = nn.Conv2d(width, channels, 3, 1, 1, bias=False)

    def forward(self, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        features, known = self.partial_1(images, masks)
        features = torch.relu(self.norm_1(features))
        features, known = self.partial_2(features, known)
        features = torch.relu(self.norm_20(features))
        feature_group, mask_group = [features], [known]
        self.reasoning.attention.forget()
        for _ in range(6):
            features, known = self.partial_21(features, known)
            features, known = self.partial_22(features, known)
            features = functional.leaky_relu(self.norm_2(features))
            features = self.reasoning(features, known[:, :1])
            features = features * known
            feature_group.append(features)
            mask_group.append(known)
        group, weights = torch.stack(feature_group, dim=2), torch.stack(mask_group, dim=2)
        merged = (group * weights).mean(dim=2) / (weights.mean(dim=2) + 1e-7)
        enlarged = functional.leaky_relu(self.norm_3(self.transposed(merged)))
        known = functional.interpolate(known, scale_factor=2)
        tail, _ = self.tail_1(torch.cat([images, enlarged], dim=1), torch.cat([masks, known], dim=1))
        tail = functional.leaky_relu(tail)
        refined = torch.relu(self.tail_2(tail) + tail)
        return self.out(torch.cat([tail, refined], dim=1))

    def weights_of(self, state: dict[str, torch.Tensor]) -> LiteralRfr:
        """Itself, with the weights of an :class:`RfrNet` of one slice, of which it takes every one."""
        names = {}
        for own, theirs in PARTS.items():
            for name in self.get_submodule(own).state_dict():
                names[f"{own}.{name}"] = f"{theirs}.{name}"
        if sorted(names.values()) != sorted(state):
            raise ValueError(f"These have no counterpart: {sorted(set(names.values()) ^ set(state))}.")
        self.load_state_dict({name: state[theirs] for name, theirs in names.items()})
        return self


def _layer(convolution: nn.Module, *activation: nn.Module) -> nn.Sequential:
    outputs = convolution.out_channels
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), *activation)
