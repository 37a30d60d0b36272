"""How much a network gains from more people to learn from: a learning curve.

Trains the U-Net's recipe with some, more and all subjects of the split train, on equally many holes, and writes the
validation's gain to ``people.csv.gz``, which is part of the page of ``feed-forward``: ``python -m Research pages
feed-forward`` writes it there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.files import make_folder
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.progress import Progress
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.training.run import run as train

from .shared.cases import command, whole
from .shared.manifests import some, write_manifest, write_rows
from .shared.trainings import curve, shortened

RECIPE = "brain-mr-unet"
CURVE = "people.csv.gz"
#: Shares of all subjects.
SHARES = (0.2, 0.5, 1.0)


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = command("people", out=Path("docs/feed-forward"))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for trainings and damaged images")
    parser.add_argument("--steps", type=whole, default=1000, help="of each training")
    parser.add_argument("--cases", type=whole, default=400, help="holes to learn from")
    chosen = parser.parse_args(arguments)
    recipe = read_recipe(RECIPE)
    data = dataclasses.replace(recipe.data, cases=chosen.cases)
    recipe = shortened(dataclasses.replace(recipe, data=data), chosen.steps)
    learning = [
        entry
        for entry in read_manifest(chosen.data, "train")
        if entry.modality == data.modality and entry.contrast in (data.contrasts or [entry.contrast])
    ]
    rows = []
    for share in SHARES:
        subjects = some(learning, share)
        folder = chosen.runs / f"people-{len(subjects)}"
        write_manifest(chosen.data, recipe, subjects, folder)
        images = sum(entry.subject in subjects for entry in learning)
        train(recipe, folder, folder, accelerator="cpu", cache=chosen.runs / "cases", progress=Progress())
        for step, gain, over in curve(folder):
            rows.append([len(subjects), " ".join(subjects), images, chosen.cases, step, f"{gain:.4f}", f"{over:.4f}"])
            print(*rows[-1], flush=True)
    make_folder(chosen.out)
    write_rows(chosen.out / CURVE, [["people", "who", "images", "cases", "step", "gain", "over"], *rows])
