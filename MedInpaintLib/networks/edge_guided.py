"""A network that completes edges first, then the image."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from .feed_forward import FeedForward, Inputs, check_halvings, start_at_the_fill
from .unet import Body


class EdgeGuided(FeedForward):
    """Two U-Nets: one completes the map of edges, the other fills the image from the slices and those edges.

    After Nazeri et al.: EdgeConnect: Structure guided image inpainting using edge prediction, ICCVW 2019, but trained
    together, so the gradient of the image's loss also reaches the edges.

    Args:
        pixels, inputs: see :class:`.feed_forward.Inputs`.
        width, levels: see :class:`.unet.Body`; the part for the edges has half the width.
    """

    EXTRA: ClassVar[str | None] = "edges"

    def __init__(
        self,
        *,
        pixels: int = 64,
        width: int = 64,
        levels: int = 5,
        **inputs: Any,
    ) -> None:
        seen = Inputs(pixels, **inputs)
        super().__init__(seen)
        check_halvings(pixels, levels - 1)
        self.edges = Body(2 * seen.slices + self.beside, 1, width=max(1, width // 2), levels=levels)
        self.image = Body(2 * seen.slices + self.beside + 1, self.outputs - 1, width=width, levels=levels)
        start_at_the_fill(self.image.head, self)

    def predict(self, images: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        seen = torch.cat([images, mask, beside], dim=1)
        logits = self.edges(seen)
        return torch.cat([self.image(torch.cat([seen, logits.sigmoid()], dim=1)), logits], dim=1)
