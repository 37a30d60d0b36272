"""What a network is given in the hole: nothing, a thin plate, another fill, the other side of the body; trained alike.

``python -m MedInpaintLib.evaluation.experiments.given --data ../shared/data --out docs/feed-forward`` trains each
released recipe for some steps with each of them, and writes the validation's gain over the thin plate to ``given.csv``.
All learn from the same holes.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.progress import Progress
from MedInpaintLib.training.loop import HISTORY
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.run import run as train
from .shared.cases import whole

RECIPES = ("brain-mr-unet", "brain-mr-pconv", "brain-mr-rfr")
CURVES = "given.csv"
#: Label -> arguments of the network.
GIVEN: dict[str, dict[str, Any]] = {
    "nothing": {"given": "nothing", "hint": False, "other_side": False},
    "a thin plate": {"given": "fill", "hint": False, "other_side": False},
    "a thin plate and another fill": {"given": "fill", "hint": True, "other_side": False},
    "these and the other side": {"given": "fill", "hint": True, "other_side": True},
}


def changed(recipe: Recipe, given: str, steps: int) -> Recipe:
    """A recipe with another thing given, for so many steps."""
    return shortened(dataclasses.replace(recipe, arguments={**recipe.arguments, **GIVEN[given]}), steps)


def shortened(recipe: Recipe, steps: int) -> Recipe:
    """A recipe for so many steps; validated four times, with a short average of weights."""
    # After few steps a long average would still hold much of the first weights.
    schedule = dataclasses.replace(recipe.schedule, steps=steps, check_every=max(1, steps // 4), ema=0.99)
    return dataclasses.replace(recipe, schedule=schedule)


def curve(folder: Path) -> Iterator[tuple[int, float, float]]:
    """Of each validation of a training: step, gain over the thin plate and over what is corrected, dB."""
    for line in (folder / HISTORY).read_text(encoding="utf-8").splitlines():
        numbers = json.loads(line)
        if "gain" in numbers:
            yield numbers["step"], numbers["gain"], numbers["gain over what is corrected"]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv")
    parser.add_argument("--out", type=Path, default=Path("docs/feed-forward"), help="folder for the page")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for trainings and damaged images")
    parser.add_argument("--recipe", action="append", default=[], help="only this one; repeatable")
    parser.add_argument("--steps", type=whole, default=600, help="of each training")
    chosen = parser.parse_args(arguments)
    rows = []
    for name in chosen.recipe or RECIPES:
        recipe = read_recipe(name)
        for number, given in enumerate(GIVEN):
            folder = chosen.runs / f"given-{recipe.architecture}-{number}"
            train(
                changed(recipe, given, chosen.steps),
                chosen.data,
                folder,
                accelerator="cpu",
                cache=chosen.runs / "cases",
                progress=Progress(),
            )
            for step, gain, over in curve(folder):
                rows.append([recipe.architecture, given, step, f"{gain:.4f}", f"{over:.4f}"])
                print(*rows[-1], flush=True)
    make_folder(chosen.out)
    write_rows(chosen.out / CURVES, [["network", "given", "step", "gain", "over"], *rows])


def write_rows(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """As a CSV file."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    write_text(path, out.getvalue())


if __name__ == "__main__":
    main()
