"""The study `rfr-losses`: what the published losses and phases do for recurrent feature reasoning on chest films."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .shared.comparison import BASE, Comparison
from .shared.study import RELEASED, Arm, Condition, Study

OURS, PIXELS, PUBLISHED = "our losses", "published, without features", "published"
#: The losses on pixels as Li et al. and Liu et al. have them: L1, means over the frame.
_PIXELS: dict[str, Any] = {
    "valid": 1.0,
    "hole": 6.0,
    "power": 1,
    "per": "frame",
    "rmse": 0.0,
    "ssim": 0.0,
    "fresh": True,
}
#: Label -> options of the training, where they differ from the recipe's.
LOSSES: dict[str, dict[str, Any]] = {
    OURS: {},
    PIXELS: _PIXELS,
    PUBLISHED: {**_PIXELS, "perceptual": 0.05, "style": 120.0, "variation": 0.1},
}
CONDITIONS = {"Squares of 32 px": "squares:32px:2", "Strips of 16 px": "strips:16px"}


def arms(encoder: str) -> tuple[Arm, ...]:
    """Return an arm for each set of losses; ``encoder`` is the model whose features they compare."""
    return tuple(
        Arm(label, "rfr", holes=(), task=tuple({**losses, **({"features": encoder} if losses else {})}.items()))
        for label, losses in LOSSES.items()
    )


def comparisons(conditions: Iterable[str]) -> tuple[Comparison, ...]:
    """Compare each network with the thin plate, and the published losses with fewer and with ours."""
    pairs = (*((label, BASE) for label in LOSSES), (PUBLISHED, PIXELS), (PUBLISHED, OURS), (PIXELS, OURS))
    return tuple(Comparison(condition, first, second) for condition in conditions for first, second in pairs)


STUDY = Study(
    name="rfr-losses",
    title="Do the published losses help recurrent feature reasoning?",
    question="Three networks learn from the same films in as many steps: one with the losses of our recipe, one with "
    "the published ones (hole, known pixels, perceptual, style, total variation; a second phase with frozen "
    "normalisation and a new optimizer), one with these but without features and total variation. Step sizes are "
    "those of our recipe. Features are of a small encoder that learned from the same films. The released model is the "
    "first, and all have its size, not the published one.",
    arms=arms("chest-film-features"),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    comparisons=comparisons(CONDITIONS),
    hint=True,
    encoder="chest-film-features",
    sizes=RELEASED,
)
