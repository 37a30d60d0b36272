"""Surroundings of a hole: the level of intensities there, and how much they change from pixel to pixel.

The error of a fill grows with the roughness around it. A network that sees every hole at the scale of its surroundings
has one task for all scales; otherwise the corrections of a smooth film are lost in the noise of training
(``python -m Research learning`` measures the gain).
"""

from __future__ import annotations

import torch
from torch.nn import functional

from .mixture import blurred

#: Sigma, in pixels, of the surroundings.
NEARBY = 5.0
#: The least scale, in the network's scale: 1/200 of its range. Smaller differences are noise.
LEAST = 0.01
#: Scale over root mean square of the gradient; errors are then of the order of the scale.
STEPS = 3.0


def surroundings(image: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return level and scale, each ``(B, 1, 1, 1)``: the mean, and a multiple of the root mean square gradient.

    Args:
        image: ``(B, 1, H, W)``; of any finite value under the hole.
        known: of that shape: 1 where the image is, 0 in the hole.
    """
    image = image * known
    down, right = image.diff(dim=2), image.diff(dim=3)
    down, right = down * known[:, :, 1:] * known[:, :, :-1], right * known[..., 1:] * known[..., :-1]
    steps = functional.pad(down.square(), (0, 0, 0, 1)) + functional.pad(right.square(), (0, 1))
    weights = known * blurred(1 - known, NEARBY)
    # If nothing is near, or nothing known, all of it counts.
    weights = weights + 1e-9
    mean, square = ((weights * each).sum(dim=(2, 3), keepdim=True) for each in (image, steps))
    total = weights.sum(dim=(2, 3), keepdim=True)
    return mean / total, STEPS * (square / total).sqrt() + LEAST
