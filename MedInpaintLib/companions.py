"""Several images with one hole: whether they can be filled together, and which voxels of each are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from .errors import GeometryError, MaskError, ParameterError
from .imputation.grids import check_one_anatomy
from .mask import Hole, bounding_box, shift
from .modality import Modality
from .no_data import settle
from .volume import Volume

_HINT = "is it of this subject, and registered to the first image?"


def check_grids(images: Sequence[Volume], names: Sequence[str]) -> None:
    """Check that all images lie on the grid of the first one: they are filled in place, never resampled.

    Raises:
        GeometryError: naming the image and the difference.
    """
    first = images[0]
    for image, name in zip(images[1:], names[1:], strict=True):
        if image.array.ndim != first.array.ndim:
            difference = f"it is {image.array.ndim}-D, the first one {first.array.ndim}-D"
        else:
            difference = first.grid_difference(image)
        if difference:
            raise GeometryError(
                f"Image {name} is on another grid than the first one ({difference}): images that are filled together "
                "share one grid. Resample it onto the first one, or fill each alone."
            )


def check_modalities(modalities: Sequence[Modality], names: Sequence[str]) -> None:
    """Check that all images are of one modality, so that one choice of methods suits them.

    Raises:
        ParameterError: they are not.
    """
    kinds = [modality.name for modality in modalities]
    if len(set(kinds)) > 1:
        listed = ", ".join(f"{name}: {kind}" for name, kind in zip(names, kinds, strict=True))
        raise ParameterError(
            f"Images that are filled together are of one modality; these are treated as several ({listed}). Say what "
            "they are (--modality, modality=), or fill each alone."
        )


def settle_all(
    images: Sequence[Volume], hole: Hole, marked: Hole | None
) -> tuple[Hole, list[np.ndarray | None], list[list[str]]]:
    """Decide the state of every voxel in each image; see :func:`.no_data.settle`.

    Returns:
        The voxels to fill in all images: those of the hole of each; the voxels without data of each; and remarks.

    Raises:
        MaskError: there is nothing to fill, or nothing to fill it from.
    """
    settled = [settle(image, hole, marked) for image in images]
    holes = [each for each, _, _ in settled]
    lacking, remarks = [no_data for _, no_data, _ in settled], [remark for _, _, remark in settled]
    if all(each.count() == hole.count() for each in holes):
        return holes[0], lacking, remarks
    voxels = np.logical_and.reduce([each.crop(hole.box) for each in holes])
    inner = bounding_box(voxels)
    if inner is None:
        raise MaskError("No voxel of the hole holds data in all images: mark the hole on the images' own grid.")
    joint = dataclasses.replace(hole, voxels=np.ascontiguousarray(voxels[inner]), box=shift(inner, hole.box))
    return joint, lacking, remarks


def check_companions(
    images: Sequence[Volume],
    names: Sequence[str],
    hole: Hole,
    lacking: Sequence[np.ndarray | None],
    *,
    force: bool = False,
) -> list[str]:
    """Return warnings about images that may not show the anatomy of the first one, which is all that is known of them.

    Args:
        images: on one grid.
        names: of the images, for messages.
        hole: in all of them; not looked at.
        lacking: bool, their voxels without data.
        force: warn of what is refused otherwise.

    Raises:
        GeometryError: one is flipped, or shows another anatomy.
    """
    if len(images) < 2:
        return []
    known = {}
    for image, name, no_data in zip(images, names, lacking, strict=True):
        values = image.array.astype(np.promote_types(image.array.dtype, np.float32))
        values[hole.box][hole.voxels] = np.nan
        if no_data is not None:
            values[no_data] = np.nan
        known[f"image {name}"] = image.with_array(values)
    return check_one_anatomy(known, f"image {names[0]}", hint=_HINT, called=str, force=force)
