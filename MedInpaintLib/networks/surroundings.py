"""What is usual around a hole: the level of intensities there, and how much they change from pixel to pixel.

A fill is wrong by as much as what surrounds it is rough. A network that sees every hole at the scale of its
surroundings has one task, not one for each scale; without that, the corrections of a smooth film are lost in the noise
of training (``python -m Research learning`` measures the gain).
"""

from __future__ import annotations

import torch
from torch.nn import functional

from .mixture import blurred

#: Sigma, in pixels, of how far around the hole is looked.
NEARBY = 5.0
#: The least scale, in the network's: 1/200 of what it is shown. Below lies noise.
LEAST = 0.01
#: Of a scale over the root mean square of the gradient: errors are of the order of the scale then.
STEPS = 3.0


def surroundings(image: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Level and scale, each ``(B, 1, 1, 1)``: the mean, and a multiple of the root mean square gradient.

    Args:
        image: ``(B, 1, H, W)``; of any finite value under the hole.
        known: of that shape: 1 where the image is, 0 in the hole.
    """
    image = image * known
    down, right = image.diff(dim=2), image.diff(dim=3)
    down, right = down * known[:, :, 1:] * known[:, :, :-1], right * known[..., 1:] * known[..., :-1]
    steps = functional.pad(down.square(), (0, 0, 0, 1)) + functional.pad(right.square(), (0, 1))
    weights = known * blurred(1 - known, NEARBY)
    # Where nothing is near, or nothing known, all of it counts.
    weights = weights + 1e-9
    mean, square = ((weights * each).sum(dim=(2, 3), keepdim=True) for each in (image, steps))
    total = weights.sum(dim=(2, 3), keepdim=True)
    return mean / total, STEPS * (square / total).sqrt() + LEAST
