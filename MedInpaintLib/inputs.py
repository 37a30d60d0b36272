"""The inputs of a job: images, masks, guides and exemplars, read and checked before any work is done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import GeometryError, ImageReadError, IntensityError, ParameterError
from .io.formats import READABLE
from .mask import Hole
from .report import ImageFacts
from .volume import Volume


def read_image(source: Any, spacing: Sequence[float] | float | None, **reading: Any) -> Volume:
    """Return an image as a volume; ``reading`` are options of :func:`.io.read`.

    Raises:
        ParameterError: a spacing is given for an image that brings its own.
        ImageReadError: it cannot be read.
    """
    if spacing is not None and has_grid(source):
        raise ParameterError("Spacing can only be given for arrays; this image brings its own.")
    if isinstance(source, (str, os.PathLike)):
        return Volume.read(source, **reading)
    return Volume.of(source, spacing)


def read_mask(source: Any, image: Volume) -> Volume:
    """Return a mask as a volume; a bare array has no grid, so it gets the image's.

    Raises:
        GeometryError: an array of another shape.
        ImageReadError: it cannot be read.
    """
    if has_grid(source):
        return Volume.of(source)
    array = np.asarray(source)
    if array.shape != image.array.shape:
        raise GeometryError(f"The mask array must have the image's shape {image.array.shape}; found {array.shape}.")
    return image.with_array(array)


def names_of_guides(sources: Any) -> list[str]:
    """Return the names of guides for messages: their files in quotation marks, or their numbers."""
    return [
        f"'{name_of(source)}'" if isinstance(source, (str, os.PathLike)) else f"{number}"
        for number, source in enumerate([sources] if _is_one(sources) else sources, start=1)
    ]


def read_guides(sources: Any, image: Volume, hole: Hole) -> tuple[tuple[Volume, ...], list[str]]:
    """Return the guides on the image's grid, and warnings.

    Raises:
        GeometryError: one does not cover the hole, or has another number of axes.
        IntensityError: one holds NaN or infinity.
    """
    if _is_one(sources):
        sources = [sources]
    guides, warnings = [], []
    for number, source in enumerate(sources, start=1):
        name = f"'{name_of(source)}'" if isinstance(source, (str, os.PathLike)) else f"{number}"
        guide = Volume.of(source) if has_grid(source) else image.with_array(np.asarray(source))
        if guide.array.ndim != image.array.ndim:
            raise GeometryError(f"Guide {name} is {guide.array.ndim}-D and the image is {image.array.ndim}-D.")
        check_finite(guide, f"Guide {name}")
        difference = image.grid_difference(guide)
        if difference:
            covered = guide.with_array(np.ones(guide.array.shape, dtype=np.uint8)).resampled_onto(image).array
            if not covered[hole.box][hole.voxels].all():
                raise GeometryError(f"Guide {name} does not cover the hole ({difference}); it cannot guide the fill.")
            guide = guide.resampled_onto(image, linear=True)
            warnings.append(
                f"Guide {name} is on another grid than the image ({difference}); it was resampled (linear)."
            )
        guides.append(guide)
    return tuple(guides), warnings


def find_exemplars(source: Any) -> tuple[Any, ...]:
    """Return the sources of the exemplars: the files of a folder, or the given list.

    Raises:
        ImageReadError: there is no such folder, or no image in it.
    """
    if source is None:
        return ()
    if not isinstance(source, (str, os.PathLike)):
        return (source,) if _is_one(source) else tuple(source)
    folder = Path(source)
    if not folder.is_dir():
        raise ImageReadError(f"There is no folder '{folder}' with exemplars.")
    # Every subfolder may be a DICOM series; notes and tables among scans are skipped.
    paths = sorted(each for each in folder.iterdir() if each.is_dir() or each.name.lower().endswith(READABLE))
    if not paths:
        raise ImageReadError(f"The folder '{folder}' holds no images to take exemplars from.")
    return tuple(paths)


def check_finite(volume: Volume, name: str) -> None:
    """Check that an image has a number at every voxel.

    Raises:
        IntensityError: it holds NaN or infinity; the message begins with ``name``.
    """
    if not is_finite(volume.array):
        raise IntensityError(f"{name} holds NaN or infinity; replace them, for example with numpy.nan_to_num.")


def check_known_finite(image: Volume, hole: Hole) -> None:
    """Check that an image has a number at every voxel outside the hole.

    Raises:
        IntensityError: it has not; the message tells how many voxels, and the first.
    """
    if is_finite(image.array):
        return
    finite = np.isfinite(image.array)
    finite[hole.box] |= hole.voxels
    count = int(finite.size - np.count_nonzero(finite))
    if count:
        first = tuple(int(index) for index in np.unravel_index(int(np.argmin(finite)), finite.shape))
        raise IntensityError(
            f"{count} known voxels are NaN or infinite, the first at [k, j, i] = {first}. "
            "Replace them (for example with numpy.nan_to_num) or mark them as part of the hole."
        )


def is_finite(array: np.ndarray) -> bool:
    """Return whether all voxels are numbers; plane by plane, without an array of the volume's size."""
    if array.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        # A sum is finite only if all of its terms are; large terms can overflow it, so such planes are checked again.
        return all(np.isfinite(plane.sum()) or np.isfinite(plane).all() for plane in array)


def name_of(source: Any) -> str:
    """Return the name of a file, or the kind of another source, for reports and messages."""
    return os.path.basename(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else type(source).__name__


def facts_of(source: Any, volume: Volume) -> ImageFacts:
    """Describe an input for the report."""
    return {"name": name_of(source), "shape": list(volume.array.shape), "spacing": list(volume.spacing)}


def has_grid(source: Any) -> bool:
    """Return whether a source knows where its voxels lie, as everything but an array does."""
    return isinstance(source, (str, os.PathLike, Volume)) or type(source).__module__.startswith("SimpleITK")


def _is_one(source: Any) -> bool:
    """Return whether this is one image and not a list of them."""
    return has_grid(source) or isinstance(source, np.ndarray)
