"""Put contrasts of one subject on one grid and refuse images of other anatomy."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..alignment import align_rigidly
from ..errors import GeometryError, IntensityError
from ..foreground import body
from ..modality import MR
from ..no_data import find
from ..progress import Progress
from ..volume import Volume
from .agreement import SHIFT_MM, Agreement, Anatomy, agreement, flips_that_fit

#: Images with less overlap of bodies or less sharpness are refused; below the usual sharpness there is a warning.
#: :class:`.agreement.Agreement` has the measurements.
LEAST_OVERLAP, LEAST_SHARPNESS, USUAL_SHARPNESS = 0.6, 1.1, 1.6
#: Share of the body from which an image counts as complete; a few voxels may have no signal.
WHOLE = 0.95


def read(images: Mapping[str, Any]) -> dict[str, Volume]:
    """Return the images as volumes, with values shifted to 0 or more, and 0 where they have no data.

    Raises:
        ImageReadError: one cannot be read.
        IntensityError: one holds no data, or a single value.
        GeometryError: some are 2-D and some 3-D.
    """
    volumes = {name: _checked(name, Volume.of(source)) for name, source in images.items()}
    axes = {name: volume.array.ndim for name, volume in volumes.items()}
    if len(set(axes.values())) > 1:
        raise GeometryError(
            "All contrasts must have as many axes: "
            + ", ".join(f"{name} is {count}-D" for name, count in axes.items())
            + "."
        )
    return volumes


def _checked(name: str, image: Volume) -> Volume:
    """Shift negative intensities so that no signal is 0, as beyond the image; there is none without data, either.

    z-scores have their mean at 0.
    """
    no_data, remarks = find(image)
    known = image.array if no_data is None else image.array[~no_data]
    if not known.size:
        raise IntensityError(f"The {name} image holds no data (NaN or padding everywhere).")
    if known.min() == known.max():
        raise IntensityError(f"The {name} image is the same everywhere, so nothing can be learned from it.")
    low = float(np.percentile(known, 0.5)) if known.min() < 0 else 0.0
    array = image.array
    if low < 0:
        array = np.maximum(array.astype(np.float32) - np.float32(low), 0)
    if no_data is not None:
        array = np.where(no_data, array.dtype.type(0), array)
    remarks = [f"The {name} image: {remark}" for remark in remarks]
    return dataclasses.replace(image, array=array, warnings=(*image.warnings, *remarks))


def on_one_grid(
    volumes: Mapping[str, Volume],
    reference: str,
    *,
    register: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> tuple[dict[str, Volume], list[str]]:
    """Return all contrasts on the grid of one of them, and warnings.

    Args:
        volumes: contrast -> image.
        reference: the contrast with the grid.
        register: register the others to it rigidly; otherwise trust their headers.
        force: warn of an image of another anatomy or a flipped one instead of refusing it.
        progress: reports and cancels.

    Raises:
        GeometryError: one does not show the anatomy of the reference, is flipped, or cannot be registered.
    """
    progress = progress or Progress()
    fixed = volumes[reference]
    moved, warnings = {reference: fixed}, []
    moving = [name for name in volumes if name != reference]
    for number, name in enumerate(moving):
        share = progress.part(number / len(moving), (number + 1) / len(moving))
        volume = volumes[name]
        difference = fixed.grid_difference(volume)
        if register:
            registered = align_rigidly(fixed, volume, share)
            if registered is None:
                raise GeometryError(
                    f"The {name} image cannot be registered to the {reference} image: they are too small, or have no "
                    "anatomy in common; register them by hand."
                )
            moved[name] = registered
        elif difference:
            moved[name] = volume.resampled_onto(fixed, linear=True)
            warnings.append(
                f"The {name} image is on another grid than the {reference} image ({difference}); it was resampled "
                "(linear)."
            )
        else:
            moved[name] = volume
    hint = "are they of one subject?"
    if not register:
        hint += " Are they registered? If not, register them, or ask for it (--register, register=True)."
    warnings += check_one_anatomy(moved, reference, hint=hint, force=force)
    inside = body(fixed.array, MR)
    for name in moving:
        covered = float((moved[name].array[inside] != 0).mean())
        if covered < WHOLE:
            warnings.append(
                f"The {name} image covers {covered:.0%} of what the {reference} image shows; the rest is estimated "
                "without it."
            )
    return {name: moved[name] for name in volumes}, warnings


def check_one_anatomy(
    volumes: Mapping[str, Volume],
    reference: str,
    *,
    hint: str,
    hole: np.ndarray | None = None,
    called: Callable[[str], str] = "the {} image".format,
    force: bool = False,
) -> list[str]:
    """Return warnings for images that may not show the anatomy of the reference.

    With a large tumour two contrasts may have little in common, yet each fit a third one: an image belongs to the
    reference if a chain of fitting images connects them.

    Args:
        volumes: contrast -> image, all on one grid.
        reference: one of the contrasts.
        hint: advice in the messages.
        hole: bool, of the reference's shape: voxels of it to ignore.
        called: what a contrast is called in messages.
        force: warn of what is refused otherwise.

    Raises:
        GeometryError: an image shows other anatomy, or is flipped.
    """
    views = {name: Anatomy.of(each, hole if name == reference else None) for name, each in volumes.items()}
    agreements = {
        frozenset(pair): agreement(views[pair[0]], views[pair[1]])
        for pair in itertools.combinations([reference, *(name for name in volumes if name != reference)], 2)
    }
    fitting, usual = (_led_to(reference, agreements, least) for least in (LEAST_SHARPNESS, USUAL_SHARPNESS))
    faults, warnings = [], []
    for name in volumes:
        if name == reference:
            continue
        this, that = called(name), called(reference)
        overlap = agreements[frozenset((name, reference))].overlap
        flip = flips_that_fit(views[reference], views[name])
        if flip:
            faults.append(
                f"{this} fits {that} clearly better when it is flipped {_directions(volumes[reference], flip)}: "
                "its header or its array is wrong; correct it or leave it out"
            )
        elif overlap < LEAST_OVERLAP and name not in usual:
            faults.append(
                f"the images do not show the same anatomy: the bodies in {this} and {that} overlap by {overlap:.0%}; "
                f"{hint}"
            )
        elif name not in fitting:
            faults.append(
                f"the images do not show the same anatomy: {this} fits {that} no better in its place than "
                f"{SHIFT_MM:g} mm beside it; {hint}"
            )
        elif name not in usual:
            warnings.append(f"{this} fits {that} less well than is usual; {hint}")
    if faults and not force:
        raise GeometryError(f"{_sentence(faults[0])} To use it as it is, add --force (force=True).")
    return [_sentence(each) for each in (*faults, *warnings)]


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!)" else ".")


def _directions(image: Volume, axes: Iterable[int]) -> str:
    """Name the directions of array axes in the patient, by an image's header."""
    steps = np.abs(np.reshape(image.direction, (image.array.ndim, -1)))
    names = ("left-right", "front-back", "upside down") if image.array.ndim == 3 else ("left-right", "upside down")
    return " and ".join(sorted(names[int(steps[:, image.array.ndim - 1 - axis].argmax())] for axis in axes))


def _led_to(start: str, agreements: Mapping[frozenset[str], Agreement], least: float) -> set[str]:
    """Return the images connected to one of them by pairs of at least this sharpness."""
    reached, before = {start}, 0
    while len(reached) > before:
        before = len(reached)
        for pair, fit in agreements.items():
            if fit.sharpness >= least and pair & reached:
                reached |= pair
    return reached
