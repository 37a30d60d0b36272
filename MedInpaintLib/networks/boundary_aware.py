"""One network for the image and for where its tissues meet."""

from __future__ import annotations

from typing import ClassVar

from .unet import UNet


class BoundaryAware(UNet):
    """A U-Net with one more output, the boundaries between tissues: features that help one output help the other.

    Multi-task learning with a shared encoder and decoder (Caruana: Multitask learning, Machine Learning 28, 1997).
    """

    EXTRA: ClassVar[str | None] = "boundary"
