"""Training samples and validation trial of a recipe, made from its images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from ..frames import LEFT_AND_RIGHT
from ..manifest import Entry
from ..networks import ESTIMATES, GENERATES, REFINES, has_purpose
from ..progress import Progress
from .cases import Cases
from .contrast_trial import contrast_trial
from .contrasts import ContrastCrops, read_contrast_slices
from .damage import Damages
from .loop import Samples, Trial
from .part_cases import TOGETHER, PartCases
from .part_samples import PartSamples, PartTrial
from .recipe import Recipe
from .slices import Crops, read_slices
from .undamaged import read_undamaged
from .validation import damages, discs


def prepare(
    recipe: Recipe, learning: Sequence[Entry], validation: Sequence[Entry], folder: Path, progress: Progress
) -> tuple[Samples, Trial]:
    """Read the images to learn from and those for validation, and make holes in them; ``folder`` stores the cases."""
    data, seed = recipe.data, recipe.schedule.seed
    first, second = _reading(progress.part(0.0, 0.15)), _reading(progress.part(0.15, 0.2))
    if has_purpose(recipe.architecture, ESTIMATES):
        ours, theirs = (
            read_contrast_slices(
                entries,
                data.contrasts,
                plane=data.plane,
                pixel_mm=data.pixel_mm,
                inside=data.inside,
                progress=share,
            )
            for entries, share in ((learning, first), (validation, second))
        )
        crops = ContrastCrops(ours, recipe.pixels, seed, flip=data.plane in LEFT_AND_RIGHT)
        return crops, contrast_trial(ours, theirs, recipe)
    if has_purpose(recipe.architecture, GENERATES):
        slices, validation_slices = (
            read_slices(entries, plane=data.plane, pixel_mm=data.pixel_mm, across=data.across, progress=share)
            for entries, share in ((learning, first), (validation, second))
        )
        return Crops(slices, recipe.pixels, seed, flip=data.plane in LEFT_AND_RIGHT), discs(validation_slices, recipe)
    if has_purpose(recipe.architecture, REFINES):
        return _parts(recipe, learning, validation, folder, progress)
    # For a network that sees one slice of one plane, each slice is an image of its own, like a film.
    plane = data.plane if recipe.slices == 1 and not data.also else None
    images, held_out = (
        read_undamaged(entries, share, plane=plane, across=data.across)
        for entries, share in ((learning, first), (validation, second))
    )
    cases = Cases(images, data, recipe.pixels, recipe.slices, data.cases, seed, folder)
    trial = damages(held_out, recipe, folder, progress.part(0.2, 0.3))
    cases.make(progress.part(0.3, 1.0))
    return Damages(cases, recipe.hint, recipe.other_side), trial


def _parts(
    recipe: Recipe, learning: Sequence[Entry], validation: Sequence[Entry], folder: Path, progress: Progress
) -> tuple[PartSamples, PartTrial]:
    """Make the parts that a 3-D network learns from, and those for validation."""
    data, seed, crops = recipe.data, recipe.schedule.seed, recipe.schedule.crops
    made = []
    damaged = math.ceil(1.5 * crops / TOGETHER)  # not all of an image's holes fit
    for entries, count, own, share in (
        (validation, damaged, seed + 1, progress.part(0.0, 0.1)),
        (learning, data.cases, seed, progress.part(0.1, 1.0)),
    ):
        images = read_undamaged(entries, _reading(share.part(0.0, 0.1)))
        cases = PartCases(images, data.holes, recipe.pixels, count, own, folder)
        cases.make(share.part(0.1, 1.0))
        made.append(cases.paths())
    return PartSamples(made[1], recipe.pixels, seed), PartTrial.of(made[0], recipe.pixels, crops, data)


def _reading(progress: Progress) -> Callable[[int, int], None]:
    return lambda done, of: progress.update(done / of, f"Reading image {done + 1} of {of}")
