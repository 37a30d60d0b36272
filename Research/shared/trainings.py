"""Short trainings: a recipe cut to some steps, and the curve of its validation."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from MedInpaintLib.training.loop import HISTORY
from MedInpaintLib.training.recipe import Recipe


def shortened(recipe: Recipe, steps: int) -> Recipe:
    """Return a recipe for so many steps, validated four times, with a short average of weights."""
    # After few steps a long average would still hold much of the first weights.
    schedule = dataclasses.replace(recipe.schedule, steps=steps, check_every=max(1, steps // 4), ema=0.99)
    return dataclasses.replace(recipe, schedule=schedule)


def validations(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the numbers of each validation of a training."""
    for line in (folder / HISTORY).read_text(encoding="utf-8").splitlines():
        numbers = json.loads(line)
        if "gain" in numbers:
            yield numbers


def curve(folder: Path) -> Iterator[tuple[int, float, float]]:
    """Yield each validation of a training: step, gain over the thin plate and over the corrected fill, dB."""
    for numbers in validations(folder):
        yield numbers["step"], numbers["gain"], numbers["gain over what is corrected"]
