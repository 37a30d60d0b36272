"""The study `rfr-disease`: :mod:`.disease` with recurrent feature reasoning in place of a U-Net."""

from __future__ import annotations

from .disease import STUDY as UNET
from .shared.study import with_network

STUDY = with_network(
    UNET,
    "rfr",
    name="rfr-disease",
    title="Does disease in the training data matter? With recurrent feature reasoning",
)
