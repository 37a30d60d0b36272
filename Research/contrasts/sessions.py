"""The images of the study: all contrasts of a subject at one time."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from MedInpaintLib.errors import InputError
from MedInpaintLib.frames import Pose, pose
from MedInpaintLib.imputation.core import fit_core_scaling
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.training.contrasts import brain, sessions
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.volume import Volume

from .arms import FLAIR, MAIN, RECIPE

#: Slices with fewer pixels of brain than this are neither scored nor learned from by the segmenter.
LEAST_PIXELS = 500


@dataclasses.dataclass(frozen=True)
class Session:
    """The images of a subject at one time, on one grid.

    Attributes:
        name, subject: of the session.
        volumes: contrast -> image.
        scaled: contrast -> float32, on the scale of :mod:`MedInpaintLib.imputation.core`.
        inside: bool, the brain.
        turned: to (slice, row, column).
    """

    name: str
    subject: str
    volumes: dict[str, Volume]
    scaled: dict[str, np.ndarray]
    inside: np.ndarray
    turned: Pose


def read_sessions(data: Path, split: str) -> list[Session]:
    """Return the sessions of a split that have the contrasts of the main question.

    Raises:
        InputError: there is none.
    """
    recipe = read_recipe(RECIPE)
    entries = [entry for entry in read_manifest(data, split) if entry.modality == "MR"]
    usable = []
    for images, mask in sessions(entries, recipe.data.contrasts, recipe.data.inside):
        if {MAIN[0], *MAIN[1]} <= images.keys():
            usable.append(_session(images, mask))
    if not usable:
        raise InputError(f"The data in '{data}' have no session with {', '.join((MAIN[0], *MAIN[1]))} in {split}.")
    return usable


def _session(images: dict[str, Entry], mask: Entry | None) -> Session:
    """Read a session; its name is that of its folder, with the visit where the file's name has one."""
    volumes = {contrast: Volume.of(entry.path) for contrast, entry in images.items()}
    scaled = {name: fit_core_scaling(each.array, each.spacing).forward(each.array) for name, each in volumes.items()}
    first = images[FLAIR]
    folder, _, stem = first.name.rpartition("/")
    when = stem[: -len(FLAIR)].strip("_-") if stem.lower().endswith(FLAIR.lower()) else ""
    return Session(
        f"{folder.rpartition('/')[2]}{f' {when}' if when else ''}",
        first.subject,
        volumes,
        scaled,
        brain(volumes, mask),
        pose(volumes[FLAIR], "axial"),
    )
