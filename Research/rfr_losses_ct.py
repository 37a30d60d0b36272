"""The study `rfr-losses-ct`: what the published losses and phases do for recurrent feature reasoning on CT slices."""

from __future__ import annotations

import dataclasses

from .rfr_losses import CONDITIONS, arms, comparisons
from .shared.study import RELEASED, Condition, Study

STUDY = Study(
    name="rfr-losses-ct",
    title="The published losses of recurrent feature reasoning on CT slices",
    question="The three networks of [the study on films](../rfr-losses/README.md), with our losses, the published "
    "ones, and these without features and total variation, learn from CT slices. Features are of a small encoder that "
    "learned from the same slices. Is it as on films?",
    arms=arms("body-ct-features"),
    conditions=tuple(Condition(label, holes) for label, holes in CONDITIONS.items()),
    comparisons=comparisons(CONDITIONS),
    base="body-ct",
    across=0,
    hint=True,
    encoder="body-ct-features",
    sizes={
        name: dataclasses.replace(size, cases=min(size.cases, 800), seeds=(0, 1)) for name, size in RELEASED.items()
    },
    pictured=("Squares of 32 px",),
)
