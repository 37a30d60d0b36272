"""The study `pixel-loss`: a loss by pixels, or of structural similarity, on chest films."""

from __future__ import annotations

from typing import Any

from .shared.comparison import BASE, Comparison
from .shared.study import SMALL_BATCH, Arm, Condition, Study

CONDITIONS = {"Squares of 1/8": "squares:1/8", "Strips of 1/16": "strips:1/16"}
PIXELS, SSIM = "by pixels", "SSIM"
#: Label -> weights of losses, where they differ from the recipe's.
LOSSES: dict[str, dict[str, Any]] = {PIXELS: {"ssim": 0.0}, SSIM: {"rmse": 0.0, "valid": 0.0}}
_PAIRS = (*((label, BASE) for label in LOSSES), (SSIM, PIXELS))

STUDY = Study(
    name="pixel-loss",
    title="A loss by pixels, or by structural similarity?",
    question="Two U-Nets learn from the same squares and strips: one with the error of pixels as loss, one with "
    "structural similarity.",
    arms=tuple(
        Arm(label, holes=tuple(CONDITIONS.values()), task=tuple(losses.items())) for label, losses in LOSSES.items()
    ),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    comparisons=tuple(Comparison(condition, first, second) for condition in CONDITIONS for first, second in _PAIRS),
    sizes=SMALL_BATCH,
)
