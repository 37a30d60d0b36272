"""How much a network gains from more people to learn from: a learning curve.

``python -m MedInpaintLib.evaluation.experiments.people --data ../shared/data --out docs/feed-forward`` trains the
U-Net's recipe with some, more and all subjects of the split train, on equally many holes, and writes the validation's
gain to ``people.csv``.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.files import make_folder
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.progress import Progress
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.run import run as train
from .shared.cases import whole
from .given import curve, shortened, write_rows

RECIPE = "brain-mr-unet"
CURVE = "people.csv"
#: Of a manifest.
COLUMNS = ["path", "modality", "contrast", "subject_id", "split", "dataset", "licence", "citation"]
#: Shares of all subjects.
SHARES = (0.2, 0.5, 1.0)


def some(entries: Sequence[Entry], share: float) -> list[str]:
    """A share of the subjects, at least one; each share holds the smaller ones.

    One of each dataset in turn, that with the most subjects first: else a small share would be all of one scanner.
    """
    subjects: dict[str, list[str]] = {}
    for entry in entries:
        own = subjects.setdefault(entry.dataset, [])
        if entry.subject not in own:
            own.append(entry.subject)
    largest = sorted(subjects.values(), key=len, reverse=True)
    order = [subject for turn in itertools.zip_longest(*largest) for subject in turn if subject is not None]
    return order[: max(1, round(share * len(order)))]


def manifest(data: Path, recipe: Recipe, subjects: Sequence[str], folder: Path) -> None:
    """A manifest of these subjects' images, and of all for validation, where they lie."""
    rows = [
        [
            entry.path.resolve(),
            entry.modality,
            entry.contrast,
            entry.subject,
            entry.split,
            entry.dataset,
            entry.licence,
            entry.citation,
        ]
        for entry in read_manifest(data)
        if entry.modality == recipe.data.modality
        and entry.contrast in (recipe.data.contrasts or [entry.contrast])
        and (entry.split == "val" or (entry.split == "train" and entry.subject in subjects))
    ]
    make_folder(folder)
    write_rows(folder / "MANIFEST.csv", [COLUMNS, *rows])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv")
    parser.add_argument("--out", type=Path, default=Path("docs/feed-forward"), help="folder for the page")
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
        manifest(chosen.data, recipe, subjects, folder)
        images = sum(entry.subject in subjects for entry in learning)
        train(recipe, folder, folder, accelerator="cpu", cache=chosen.runs / "cases", progress=Progress())
        for step, gain, over in curve(folder):
            rows.append([len(subjects), " ".join(subjects), images, chosen.cases, step, f"{gain:.4f}", f"{over:.4f}"])
            print(*rows[-1], flush=True)
    make_folder(chosen.out)
    write_rows(chosen.out / CURVE, [["people", "who", "images", "cases", "step", "gain", "over"], *rows])


if __name__ == "__main__":
    main()
