"""Context loss: how far a generated image is from the known pixels, mainly those near the hole."""

from __future__ import annotations

import dataclasses

import torch
from torch.nn import functional


@dataclasses.dataclass(frozen=True)
class ContextWeights:
    """``W_i = M_i (far + mean over j in N(i) of (1 - M_j))``, with M = 1 where known and 0 in the hole.

    Yeh et al.: Semantic image inpainting with deep generative models, CVPR 2017, eq. 3, where ``far`` is 0: known
    pixels count by the share of the hole in their window. The mean is over the part of the window in the image.

    Attributes:
        window: side of the square N(i) in pixels, odd.
        far: weight of a known pixel without hole in its window.
        weighted: when False, all known pixels have equal weight: ``W = M``.

    >>> known = torch.ones(1, 1, 1, 5)
    >>> known[..., 2] = 0
    >>> [round(weight, 4) for weight in ContextWeights(window=3)(known).flatten().tolist()]
    [0.0, 0.3333, 0.0, 0.3333, 0.0]
    """

    window: int = 7
    far: float = 0.0
    weighted: bool = True

    def __call__(self, known: torch.Tensor, inside: torch.Tensor | None = None) -> torch.Tensor:
        """Return weights ``(B, 1, H, W)`` for masks of that shape, 1 or True; ``inside`` is everywhere when None."""
        known = known.float()
        if not self.weighted:
            return known
        image = torch.ones_like(known) if inside is None else inside.float()
        hole, whole = (self._mean(each) for each in (image * (1 - known), image))
        return known * (self.far + hole / whole.clamp(min=1e-6))

    def _mean(self, values: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(values, self.window, stride=1, padding=self.window // 2)


@dataclasses.dataclass(frozen=True)
class ContextLoss:
    """``L = sum_i W_i |x_i - y_i|^p / sum_i W_i``: the weighted mean over known pixels, one value per image.

    Yeh et al., CVPR 2017, eq. 4 has p = 1 and the sum. The mean is independent of the sizes of image and hole, so one
    weight of the prior suits all (the public implementations, which sum, need 0.003 to 3).

    Attributes:
        power: p, 1 or 2.
    """

    power: int = 1

    def __call__(self, generated: torch.Tensor, image: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Return ``(B,)``, 0 where nothing is known, from ``(B, 1, H, W)``."""
        difference = generated - image
        error = difference.abs() if self.power == 1 else difference.square()
        return (weights * error).sum(dim=(1, 2, 3)) / weights.sum(dim=(1, 2, 3)).clamp(min=1e-6)
