"""Conditional channel attention: channels weighed by the condition."""

from __future__ import annotations

import torch
from torch import nn

#: The hidden layers have this many times fewer channels.
REDUCTION = 4


class ConditionalChannelAttention(nn.Module):
    """``y_c = x_c s_c`` with ``s = sigmoid(MLP([condition, mean of x over the image]))``.

    The squeeze and excitation of Hu et al. (CVPR 2018), conditioned on the target contrast: a feature that helps a T2
    image may not help a FLAIR image. Lee et al.: CollaGAN, CVPR 2019, and Assessing the importance of magnetic
    resonance contrasts using collaborative generative adversarial networks, Nat Mach Intell 2020.

    Args:
        channels, condition: numbers of features, and of entries of the condition.
        slope: of the leaky ReLU between the three layers of the MLP; 0 is a ReLU.

    Shapes: ``(B, channels, H, W)`` and ``(B, condition)`` to ``(B, channels, H, W)``.
    """

    def __init__(self, channels: int, condition: int, *, slope: float = 0.0) -> None:
        super().__init__()
        hidden = max(channels // REDUCTION, 1)
        self.weigh = nn.Sequential(
            nn.Linear(condition + channels, hidden),
            nn.LeakyReLU(slope),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(slope),
            nn.Linear(hidden, channels),
            nn.Sigmoid(),
        )

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        shares = self.weigh(torch.cat([condition, features.mean(dim=(2, 3))], dim=1))
        return features * shares[:, :, None, None]
