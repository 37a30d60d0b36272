"""Partial convolution: convolution of known pixels only."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from .precision import full_precision


class _PartialConv(nn.Module):
    """Convolution of known pixels only, rescaled for the missing ones; the hole of its mask shrinks.

    Liu et al.: Image inpainting for irregular holes using partial convolutions, ECCV 2018. Where a window has known
    numbers, ``y = W * (X . M) * N / sum(M) + b`` with N the numbers in a whole window, and the new mask is 1; elsewhere
    both are 0. As published, pixels beyond the image's border count as hole: N is always that of the whole window.

    Args:
        inputs: channels, all parts together.
        outputs: channels.
        kernel, stride, padding, dilation: for every axis, as in torch's convolution.
        bias: whether to add one, initially 0, after scaling.
    """

    LAYER: ClassVar[type[nn.Conv2d] | type[nn.Conv3d]]

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.convolution = self.LAYER(inputs, outputs, kernel, stride, padding, dilation, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(
        self, images: torch.Tensor, mask: torch.Tensor, *parts: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ``(B, outputs, ...)`` and its mask ``(B, 1, ...)``, 0 or 1, without gradient.

        Args:
            images: ``(B, C, ...)``.
            mask: bool, or numbers 1 = known, 0 = hole: ``(B, 1, ...)`` for all channels, or ``(B, C, ...)``.
            parts: more such pairs, whose channels follow, so that concatenated features keep one mask per part.
        """
        pairs = [(images, mask), *parts]
        known = [each * where.to(each.dtype) for each, where in pairs]
        output = self.convolution(torch.cat(known, dim=1) if parts else known[0])
        scale, new_mask = self._scale(pairs)
        # In float32, then back to the convolution's dtype, which autocast may have halved.
        scaled = output * scale
        if self.bias is not None:
            scaled = scaled + self.bias.view(-1, *[1] * (images.ndim - 2)) * new_mask
        return scaled.to(output.dtype), new_mask

    @torch.no_grad()
    def _scale(self, pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ``N / sum(M)``, 0 where nothing is known, and the new mask: ``(B, 1, ...)``, float32 or more."""
        images, layer = pairs[0][0], self.convolution
        precision = torch.promote_types(images.dtype, torch.float32)
        convolve: Callable[..., torch.Tensor] = functional.conv2d if images.ndim == 4 else functional.conv3d
        # Never in half precision, which counts only to 256.
        with full_precision(images.device):
            # Summed over channels before space, many masks cost as much as one.
            counts = [
                where.to(precision).sum(dim=1, keepdim=True) * (each.shape[1] // where.shape[1])
                for each, where in pairs
            ]
            known = torch.stack(counts).sum(dim=0)
            window = known.new_ones(1, 1, *layer.kernel_size)
            # Rounded: some of torch's algorithms leave 1e-7 where nothing is known. (TF32 keeps whole numbers up to
            # 2048, more than there are channels.)
            known = convolve(known, window, None, layer.stride, layer.padding, layer.dilation).round()
            new_mask = (known > 0).to(precision)
            return new_mask * layer.weight[0].numel() / known.clamp(min=1), new_mask


class PartialConv2d(_PartialConv):
    """Partial convolution of ``(B, C, H, W)``; see the base class."""

    LAYER = nn.Conv2d
    convolution: nn.Conv2d


class PartialConv3d(_PartialConv):
    """Partial convolution of ``(B, C, D, H, W)``; see the base class."""

    LAYER = nn.Conv3d
    convolution: nn.Conv3d
