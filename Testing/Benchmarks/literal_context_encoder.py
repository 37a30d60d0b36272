"""The context encoder for holes of any shape, literally: the truth for tests.

Pathak et al., CVPR 2016, in the variant that predicts the whole frame; layers as in the authors' recipe. By design, and
as documented, ours differs from theirs in its input: the hole is 0 and its mask is a further channel, where theirs is
filled with a constant colour. Below is ours; every layer is written out, and normalisation is arithmetic.
"""

from __future__ import annotations

import torch
from torch.nn import functional

Weights = dict[str, torch.Tensor]


def normalise(weights: Weights, name: str, features: torch.Tensor, *, training: bool) -> torch.Tensor:
    """Apply batch normalisation by the statistics of the weights, or while training by those of the batch."""
    mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    if training:
        mean = features.mean(dim=(0, 2, 3))
        variance = (features - mean[:, None, None]).square().mean(dim=(0, 2, 3))
    normal = (features - mean[:, None, None]) / torch.sqrt(variance + 1e-5)[:, None, None]
    return normal * weights[f"{name}.weight"][:, None, None] + weights[f"{name}.bias"][:, None, None]


def transposed(images: torch.Tensor, weight: torch.Tensor, stride: int, cut: int) -> torch.Tensor:
    """Add the kernel, times each pixel, at ``stride`` times the pixel's position; cut pixels off at each side."""
    batch, _, rows, columns = images.shape
    side = weight.shape[2]
    canvas = images.new_zeros(batch, weight.shape[1], (rows - 1) * stride + side, (columns - 1) * stride + side)
    for row in range(rows):
        for column in range(columns):
            stamp = torch.einsum("bi,iokl->bokl", images[:, :, row, column], weight)
            top, left = row * stride, column * stride
            canvas[:, :, top : top + side, left : left + side] += stamp
    return canvas[:, :, cut : canvas.shape[2] - cut, cut : canvas.shape[3] - cut]


def literal_context_encoder(
    weights: Weights, images: torch.Tensor, masks: torch.Tensor, *, bounded: bool = True, training: bool = False
) -> torch.Tensor:
    """Return the predicted frames ``(B, outputs, H, W)``.

    Args:
        weights: of a :class:`MedInpaintLib.networks.context_encoder.ContextEncoder`, of which each is used.
        images, masks: ``(B, slices, H, W)``; masks are 1 = known, 0 = hole; what images hold there is seen.
        bounded: whether the last layer is followed by tanh.
        training: whether normalisation takes the statistics of the batch.
    """
    features = torch.cat([images, masks], dim=1)
    features = functional.conv2d(features, weights["encoder.0.weight"], weights["encoder.0.bias"], 2, 1)
    features = torch.where(features < 0, 0.2 * features, features)
    for convolution in (2, 5, 8, 11):
        features = functional.conv2d(features, weights[f"encoder.{convolution}.weight"], None, 2, 1)
        features = normalise(weights, f"encoder.{convolution + 1}", features, training=training)
        features = torch.where(features < 0, 0.2 * features, features)
    # The bottleneck: all pixels that are left, to one vector.
    features = torch.einsum("bikl,oikl->bo", features, weights["encoder.14.weight"])[:, :, None, None]
    features = normalise(weights, "encoder.15", features, training=training)
    features = torch.where(features < 0, 0.2 * features, features)
    for convolution, stride, cut in ((0, 1, 0), (3, 2, 1), (6, 2, 1), (9, 2, 1), (12, 2, 1)):
        features = transposed(features, weights[f"decoder.{convolution}.weight"], stride, cut)
        features = normalise(weights, f"decoder.{convolution + 1}", features, training=training).clamp(min=0)
    frames = transposed(features, weights["decoder.15.weight"], 2, 1) + weights["decoder.15.bias"][:, None, None]
    return torch.tanh(frames) if bounded else frames
