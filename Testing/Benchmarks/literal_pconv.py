"""The U-Net of partial convolutions, literally: the truth for tests.

Liu et al., ECCV 2018: the layers of the paper's table, with as many levels as there are weights for. Masks have a
channel for each feature, every layer is written out, and normalisation is arithmetic. Other than in the paper, images
may be gray, and a stack of slices of which the middle one is filled; both change the first and the last layer alone.
"""

from __future__ import annotations

import torch
from torch.nn import functional

Weights = dict[str, torch.Tensor]


def partial_convolution(
    weight: torch.Tensor, bias: torch.Tensor | None, images: torch.Tensor, masks: torch.Tensor, stride: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Convolve what the masks (1 = known, one for each channel) let through; return images and new masks alike."""
    ones, half = torch.ones_like(weight), weight.shape[2] // 2
    count = functional.conv2d(masks, ones, stride=stride, padding=half)
    output = functional.conv2d(images * masks, weight, stride=stride, padding=half)
    known = (count > 0.5).to(images.dtype)
    output = output * weight[0].numel() / torch.where(count > 0.5, count, 1.0)
    if bias is not None:
        output = output + bias[:, None, None]
    return output * known, known


def normalise(weights: Weights, name: str, features: torch.Tensor, *, training: bool) -> torch.Tensor:
    """Apply batch normalisation by the statistics of the weights, or while training by those of the batch."""
    mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    if training:
        mean = features.mean(dim=(0, 2, 3))
        variance = (features - mean[:, None, None]).square().mean(dim=(0, 2, 3))
    normal = (features - mean[:, None, None]) / torch.sqrt(variance + 1e-5)[:, None, None]
    return normal * weights[f"{name}.weight"][:, None, None] + weights[f"{name}.bias"][:, None, None]


def twice(images: torch.Tensor) -> torch.Tensor:
    """Return images in which every pixel is a square of four."""
    return images.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def literal_pconv(
    weights: Weights, images: torch.Tensor, masks: torch.Tensor, *, training: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the features before the last layer at full size, and the image ``(B, 1, H, W)``.

    Args:
        weights: of a :class:`MedInpaintLib.networks.pconv.PConvUNet`, of which each is used. Without the last layer,
            the second output has no channels.
        images, masks: ``(B, slices, H, W)``; masks are 1 = known, 0 = hole.
        training: whether normalisation takes the statistics of the batch.
    """
    levels = len({name.split(".")[1] for name in weights if name.startswith("encoder.")})
    encoded = [(images, masks)]
    for level in range(levels):
        name = f"encoder.{level}"
        weight, bias = weights[f"{name}.convolve.convolution.weight"], weights.get(f"{name}.convolve.bias")
        features, known = partial_convolution(weight, bias, *encoded[-1], stride=2)
        if level > 0:
            features = normalise(weights, f"{name}.norm", features, training=training)
        encoded.append((features.clamp(min=0), known))
    features, known = encoded[levels]
    for number in range(levels - 1):
        name, (beside, known_beside) = f"decoder.{number}", encoded[levels - 1 - number]
        joined, known = torch.cat([twice(features), beside], dim=1), torch.cat([twice(known), known_beside], dim=1)
        weight = weights[f"{name}.convolve.convolution.weight"]
        features, known = partial_convolution(weight, None, joined, known, stride=1)
        features = normalise(weights, f"{name}.norm", features, training=training)
        features = torch.where(features < 0, 0.2 * features, features)
    features, known = twice(features), twice(known)
    if "head.convolution.weight" not in weights:
        return features, features[:, :0]
    joined, known = torch.cat([features, images], dim=1), torch.cat([known, masks], dim=1)
    return features, partial_convolution(
        weights["head.convolution.weight"], weights["head.bias"], joined, known, stride=1
    )[0]
