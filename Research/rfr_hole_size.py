"""The study `rfr-hole-size`: :mod:`.hole_size` with recurrent feature reasoning in place of a U-Net."""

from __future__ import annotations

from .hole_size import STUDY as UNET
from .shared.study import with_network

STUDY = with_network(
    UNET,
    "rfr",
    name="rfr-hole-size",
    title="How large may the hole be? With recurrent feature reasoning",
)
