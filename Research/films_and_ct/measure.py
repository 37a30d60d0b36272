"""Scores of the released networks on chest films and CT slices, beside fills without training, by three conventions."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.errors import InputError
from MedInpaintLib.manifest import read_manifest

from ..shared.cases import Case, Task, fingerprint, folder_of, go_through, list_cases
from ..shared.conventions import run_case
from ..shared.manifests import reduced
from ..shared.study import ACROSS

TASKS = (
    Task("film-squares", "Chest films, squares of 32 px", "film", True, "squares:32px:2"),
    Task("film-strips", "Chest films, strips of 16 px", "film", True, "strips:16px:1", (0, 1)),
    Task("ct-squares", "CT slices, squares of 32 px", "CT", True, "squares:32px:2", (0, 1)),
    Task("ct-strips", "CT slices, strips of 16 px", "CT", True, "strips:16px:1", (0, 1)),
)
#: Modality -> label -> method and model.
MODELS = {
    "film": {
        name: (name, f"chest-film-{name}")
        for name in ("unet", "pconv", "rfr", "context-encoder", "edge-guided", "boundary-aware")
    },
    "CT": {name: (name, f"body-ct-{name}") for name in ("unet", "pconv", "rfr")},
}
#: Fills without training.
WITHOUT = ("biharmonic", "harmonic", "telea", "patch")


def run(
    data: Path,
    out: Path,
    runs: Path,
    *,
    split: str = "test",
    only: Sequence[str] = (),
    match: str = "",
    workers: int = 2,
) -> list[Case]:
    """Score all cases; arguments as for :func:`Research.shared.cases.score`, and a folder for reduced images."""
    wanted = [task for task in TASKS if not only or task.name in only]
    cases: list[Case] = []
    for modality, models in MODELS.items():
        own = [task for task in wanted if task.modality == modality]
        if not own:
            continue
        source = fingerprint(data, modality)
        keep = folder_of(out / "cases" / split, [name for _, name in models.values()], source)
        entries = [entry for entry in read_manifest(images_of(data, runs, modality), split) if match in entry.name]
        work = functools.partial(run_case, without=WITHOUT, models=models)
        cases += go_through(list_cases(entries, own), work, keep, workers=workers)
    if not cases:
        raise InputError("There are no such tasks or images: the page stays as it is.")
    return cases


def images_of(data: Path, runs: Path, modality: str) -> Path:
    """Return the folder of the images that are filled: films at the size at which the network sees them."""
    if modality != "film":
        return data
    return reduced(data, runs / f"{modality}-{ACROSS}-{fingerprint(data, modality)}", modality, ACROSS)
