"""A network for the image and the boundaries of its tissues."""

from __future__ import annotations

from typing import ClassVar

from .unet import UNet


class BoundaryAware(UNet):
    """A U-Net with a second output, the boundaries between tissues: features for one output help the other.

    Multi-task learning with a shared encoder and decoder (Caruana: Multitask learning, Machine Learning 28, 1997).
    """

    EXTRA: ClassVar[str | None] = "boundary"
