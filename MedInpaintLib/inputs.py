"""The inputs of a job: images, masks, guides and exemplars, read and checked before any work is done."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import io
from .errors import GeometryError, ImageReadError, ParameterError
from .io.formats import READABLE
from .io.segments import Segments
from .mask import Hole
from .no_data import find
from .report import ImageFacts
from .texts import escaped
from .volume import Volume

#: A voxel of a resampled guide has data when all that went into it has: a share of 1, up to rounding.
COVERED = 0.999


def read_image(source: Any, spacing: Sequence[float] | float | None, **reading: Any) -> Volume:
    """Return an image as a volume; ``reading`` are options of :func:`.io.read`.

    Raises:
        ParameterError: a spacing is given for an image that brings its own, or a volume is chosen from no file.
        ImageReadError: it cannot be read.
    """
    if reading.get("volume") is not None and not isinstance(source, (str, os.PathLike)):
        raise ParameterError("A volume can only be chosen from a file; give an array or image of 3 axes without it.")
    if spacing is not None and has_grid(source):
        raise ParameterError("Spacing can only be given for arrays; this image brings its own.")
    if isinstance(source, (str, os.PathLike)):
        return Volume.read(source, **reading)
    return Volume.of(source, spacing)


def read_mask(
    source: Any, image: Volume, *, allow_outside_data: bool = False, volume: int | None = None
) -> Volume | Segments:
    """Return a mask as values or segments; a bare array has no grid, so it gets the image's; None marks nothing.

    Of a 4-D file, that is the volume of this number.

    Raises:
        GeometryError: an array of another shape.
        ImageReadError: it cannot be read.
    """
    if source is None:
        return image.of_another_quantity(np.broadcast_to(np.uint8(0), image.array.shape))
    mask: Volume | Segments | None = None
    if isinstance(source, (Volume, Segments)):
        mask = source
    elif isinstance(source, (str, os.PathLike)):
        mask = io.read_mask(source, image, allow_outside_data=allow_outside_data, volume=volume)
    elif has_grid(source):
        mask = io.itk.mask_from_sitk(source)
    if isinstance(mask, Segments):
        return mask
    if mask is not None:
        return _laid_on(image, _as_picture(mask, image), "The mask")
    array = np.asarray(source)
    if array.shape != image.array.shape:
        raise GeometryError(f"The mask array must have the image's shape {image.array.shape}; found {array.shape}.")
    return image.with_array(array)


def check_same_length(image: Any, mask: Any) -> None:
    """Check that a 4-D mask has as many volumes as its image.

    Raises:
        GeometryError: it has others.
    """
    counts = [io.volumes_in(each) if isinstance(each, (str, os.PathLike)) else 1 for each in (image, mask)]
    if counts[1] not in (1, counts[0]):
        raise GeometryError(
            f"The mask '{name_of(mask)}' has {counts[1]} volumes and the image {counts[0]}. Give a 3-D mask for all "
            "volumes, or one of the same number."
        )


def names_of_guides(sources: Any) -> list[str]:
    """Return the names of guides for messages: their files in quotation marks, or their numbers."""
    return [
        f"'{name_of(source)}'" if isinstance(source, (str, os.PathLike)) else f"{number}"
        for number, source in enumerate([sources] if _is_one(sources) else sources, start=1)
    ]


def names_of_images(sources: Sequence[Any]) -> list[str]:
    """Return the names of images that are filled together for messages: their files, or their numbers."""
    return [
        f"'{name_of(source)}'" if isinstance(source, (str, os.PathLike)) else f"number {number}"
        for number, source in enumerate(sources, start=1)
    ]


def _laid_on(image: Volume, other: Volume, name: str) -> Volume:
    """Lay an image on another voxel by voxel where the NIfTI header of just one of the two tells no position.

    Programs without headers write such files. What they imply instead, the middle at 0 and left on the right, puts a
    mask on the wrong side.

    Raises:
        GeometryError: then, the two have other sizes.
    """
    if image.same_grid(other):  # a job lays its mask on the image before the fill does
        return other
    silent = [getattr(each.header, "tells_position", True) is False for each in (image, other)]
    if silent[0] == silent[1]:
        return other
    which = "the image" if silent[0] else name[0].lower() + name[1:]
    why = f"The header of {which} tells no position (sform and qform codes are 0)"
    if other.array.shape != image.array.shape:
        raise GeometryError(
            f"{why}, and {name[0].lower() + name[1:]} has {other.array.shape} voxels and the image "
            f"{image.array.shape}, so nothing says where one lies on the other. Correct the header."
        )
    warning = f"{why}; {name[0].lower() + name[1:]} was laid on the image voxel by voxel."
    return dataclasses.replace(other.on_grid_of(image), warnings=(*other.warnings, warning))


def _as_picture(mask: Volume, image: Volume) -> Volume:
    """Lay a flat mask on its image pixel by pixel where the grids do not tell where one lies on the other.

    Paint programs keep no pixel size: a mask that was drawn on a film comes back without the film's.

    Raises:
        GeometryError: then, the two have other sizes.
    """
    if (mask.array.ndim, image.array.ndim) != (2, 2):
        return mask
    if mask.has_place and image.has_place and (mask.has_position or image.has_position):
        return mask
    if mask.array.shape != image.array.shape:
        raise GeometryError(
            f"The mask has {mask.array.shape} pixels and the image {image.array.shape}, and nothing says where one "
            "lies on the other. Draw the mask on the image."
        )
    return mask.on_grid_of(image)


def read_guides(
    sources: Any, image: Volume, hole: Hole, *, allow_outside_data: bool = False
) -> tuple[tuple[Volume, ...], list[str]]:
    """Return the guides on the image's grid, NaN where they have no data, and warnings.

    Raises:
        GeometryError: one does not cover the hole, or has another number of axes.
    """
    if _is_one(sources):
        sources = [sources]
    guides, warnings = [], []
    for number, source in enumerate(sources, start=1):
        name = f"'{name_of(source)}'" if isinstance(source, (str, os.PathLike)) else f"{number}"
        if has_grid(source):
            guide = read_image(source, None, allow_outside_data=allow_outside_data)
        else:
            guide = _on_grid_of(image, np.asarray(source))
        guide = _laid_on(image, guide, f"Guide {name}")
        if guide.array.ndim != image.array.ndim:
            raise GeometryError(f"Guide {name} is {guide.array.ndim}-D and the image is {image.array.ndim}-D.")
        no_data, remarks = find(guide)
        warnings += [f"Guide {name}: {remark}" for remark in remarks]
        difference = image.grid_difference(guide)
        if difference:
            guide, no_data = _onto_grid(guide, no_data, image)
            warnings.append(
                f"Guide {name} is on another grid than the image ({difference}); it was resampled (linear)."
            )
        if no_data is not None:
            lacking = int(np.count_nonzero(no_data[hole.box][hole.voxels]))
            if lacking:
                why = difference or f"it has no data in {lacking} voxels of it"
                raise GeometryError(f"Guide {name} does not cover the hole ({why}); it cannot guide the fill.")
            values = guide.array.astype(np.promote_types(guide.array.dtype, np.float32))
            values[no_data] = np.nan
            guide = guide.with_array(values)
        guides.append(guide)
    return tuple(guides), warnings


def _on_grid_of(image: Volume, array: np.ndarray) -> Volume:
    """Return an array as a volume on an image's grid; what the image's file says of its voxels is not true of these."""
    return dataclasses.replace(image.with_array(array), padding=None, missing=(), warnings=())


def _onto_grid(guide: Volume, no_data: np.ndarray | None, image: Volume) -> tuple[Volume, np.ndarray | None]:
    """Return a guide on the image's grid, and where it has no data there: beyond it, too."""
    known = np.ones(guide.array.shape, dtype=np.uint8)
    lacking = guide.with_array(known).resampled_onto(image).array == 0
    if no_data is not None:
        known[no_data] = 0
        guide = guide.with_array(np.where(no_data, guide.array.dtype.type(0), guide.array))
        lacking |= guide.with_array(known).resampled_onto(image, linear=True).array < COVERED
    return guide.resampled_onto(image, linear=True), lacking if lacking.any() else None


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


def name_of(source: Any) -> str:
    """Return the name of a file, or the kind of another source, for reports and messages."""
    is_path = isinstance(source, (str, os.PathLike))
    return escaped(os.path.basename(os.fspath(source))) if is_path else type(source).__name__


def facts_of(source: Any, volume: Volume) -> ImageFacts:
    """Describe an input for the report."""
    return {"name": name_of(source), "shape": list(volume.array.shape), "spacing": list(volume.spacing)}


def has_grid(source: Any) -> bool:
    """Return whether a source knows where its voxels lie, as everything but an array does."""
    return isinstance(source, (str, os.PathLike, Volume, Segments)) or type(source).__module__.startswith("SimpleITK")


def _is_one(source: Any) -> bool:
    """Return whether this is one image and not a list of them."""
    return has_grid(source) or isinstance(source, np.ndarray)
