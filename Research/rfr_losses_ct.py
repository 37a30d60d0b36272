"""The study `rfr-losses-ct`: what the published losses and phases do for recurrent feature reasoning on CT slices."""

from __future__ import annotations

import dataclasses

from .rfr_losses import CONDITIONS, arms, comparisons
from .shared.study import RELEASED, Condition, Study

STUDY = Study(
    name="rfr-losses-ct",
    title="The published losses of recurrent feature reasoning on CT slices",
    question="The same three networks learn from CT slices. Is it as on films?",
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
)
