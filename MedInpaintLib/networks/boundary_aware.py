"""One network for the image and for where its tissues meet."""

from __future__ import annotations

from typing import ClassVar

from .unet import UNet


class BoundaryAware(UNet):
    """A U-Net with one more output, the boundaries between tissues: what serves the one, serves the other.

    Multi-task learning with a shared encoder and decoder (Caruana: Multitask learning, Machine Learning 28, 1997).
    """

    EXTRA: ClassVar[str | None] = "boundary"
