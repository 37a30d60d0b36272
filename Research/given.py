"""What a network is given in the hole: nothing, a thin plate, another fill, the other side of the body; trained alike.

Trains each released recipe for some steps with each of them, all on the same holes, and writes the validation's gain
over the thin plate to ``given.csv.gz``, which is part of the page of ``feed-forward``: ``python -m Research pages
feed-forward`` writes it there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.files import make_folder
from MedInpaintLib.progress import Progress
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.run import run as train

from .shared.cases import command, whole
from .shared.manifests import write_rows
from .shared.trainings import curve, shortened

RECIPES = ("brain-mr-unet", "brain-mr-pconv", "brain-mr-rfr")
CURVES = "given.csv.gz"
#: Label -> arguments of the network.
GIVEN: dict[str, dict[str, Any]] = {
    "nothing": {"given": "nothing", "hint": False, "other_side": False},
    "a thin plate": {"given": "fill", "hint": False, "other_side": False},
    "a thin plate and another fill": {"given": "fill", "hint": True, "other_side": False},
    "these and the other side": {"given": "fill", "hint": True, "other_side": True},
}


def changed(recipe: Recipe, given: str, steps: int) -> Recipe:
    """Return a recipe for so many steps in which the network is given something else."""
    return shortened(dataclasses.replace(recipe, arguments={**recipe.arguments, **GIVEN[given]}), steps)


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = command("given", out=Path("docs/feed-forward"))
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
