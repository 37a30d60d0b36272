"""One network for the image and for where its tissues meet."""

from __future__ import annotations

from typing import ClassVar

import torch

from .feed_forward import FeedForward, check_halvings, start_at_the_fill
from .unet import Body


class BoundaryAware(FeedForward):
    """A U-Net with two outputs, the image and the boundaries between tissues: what serves the one, serves the other.

    Multi-task learning with a shared encoder and decoder (Caruana: Multitask learning, Machine Learning 28, 1997).

    Args:
        pixels, slices, given, hint, other_side, relative, lines: see :class:`.feed_forward.FeedForward`.
        width, levels: see :class:`.unet.Body`.
    """

    EXTRA: ClassVar[str | None] = "boundary"

    def __init__(
        self,
        *,
        pixels: int = 64,
        slices: int = 1,
        given: str = "nothing",
        hint: bool = False,
        other_side: bool = False,
        relative: bool = False,
        lines: bool = False,
        width: int = 64,
        levels: int = 5,
    ) -> None:
        super().__init__(
            pixels=pixels, slices=slices, given=given, hint=hint, other_side=other_side, relative=relative, lines=lines
        )
        check_halvings(pixels, levels - 1)
        self.body = Body(2 * slices + self.beside, self.outputs, width=width, levels=levels)
        start_at_the_fill(self.body.head, self)

    def predict(self, images: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        return self.body(torch.cat([images, mask, beside], dim=1))
