"""Contrasts of one subject on one grid: resampled or registered where they are on others, refused where they show
something else."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..alignment import align_rigidly
from ..errors import GeometryError, IntensityError
from ..progress import Progress
from ..volume import Volume
from .agreement import SHIFT_MM, agreement

#: Bodies that overlap less, or anatomy that agrees no better in its place than beside it, are not the same; what agrees
#: less than is usual is warned of. See :class:`.agreement.Agreement` for what was measured.
LEAST_OVERLAP, LEAST_SHARPNESS, USUAL_SHARPNESS = 0.6, 1.1, 1.6


def read(images: Mapping[str, Any]) -> dict[str, Volume]:
    """The images as volumes.

    Raises:
        ImageReadError: one cannot be read.
        IntensityError: one holds NaN or infinity, or a single value.
        GeometryError: some are 2-D and some 3-D.
    """
    volumes = {name: Volume.of(source) for name, source in images.items()}
    for name, volume in volumes.items():
        if volume.array.dtype.kind == "f" and not np.isfinite(volume.array).all():
            raise IntensityError(
                f"The {name} image holds NaN or infinity; replace them, for example with numpy.nan_to_num."
            )
        if volume.array.min() == volume.array.max():
            raise IntensityError(f"The {name} image is the same everywhere, so nothing can be learned from it.")
    axes = {name: volume.array.ndim for name, volume in volumes.items()}
    if len(set(axes.values())) > 1:
        raise GeometryError(
            "All contrasts must have as many axes: "
            + ", ".join(f"{name} is {count}-D" for name, count in axes.items())
            + "."
        )
    return volumes


def on_one_grid(
    volumes: Mapping[str, Volume], reference: str, *, register: bool = False, progress: Progress | None = None
) -> tuple[dict[str, Volume], list[str]]:
    """All contrasts on the grid of one of them, and warnings.

    Args:
        volumes: contrast -> image.
        reference: the contrast whose grid it is.
        register: lay the others over it rigidly; otherwise they are where their headers say.
        progress: reports and cancels.

    Raises:
        GeometryError: one does not show the anatomy that the reference shows, or cannot be registered.
    """
    progress = progress or Progress()
    fixed = volumes[reference]
    moved, warnings = {reference: fixed}, []
    others = [name for name in volumes if name != reference]
    for number, name in enumerate(others):
        share = progress.part(number / len(others), (number + 1) / len(others))
        volume = volumes[name]
        difference = fixed.grid_difference(volume)
        if register:
            laid = align_rigidly(fixed, volume, share)
            if laid is None:
                raise GeometryError(
                    f"The {name} image cannot be registered to the {reference} image: they are too small, or have no "
                    "anatomy in common; register them by hand."
                )
            moved[name] = laid
        elif difference:
            moved[name] = volume.resampled_onto(fixed, linear=True)
            warnings.append(
                f"The {name} image is on another grid than the {reference} image ({difference}); it was resampled "
                "(linear)."
            )
        else:
            moved[name] = volume
    warnings += check_one_anatomy(moved, reference, registered=register)
    return {name: moved[name] for name in volumes}, warnings


def check_one_anatomy(volumes: Mapping[str, Volume], reference: str, *, registered: bool = False) -> list[str]:
    """Warnings of images that may not show the anatomy that the others show.

    Args:
        volumes: contrast -> image, all on one grid.
        reference: one of them.
        registered: whether they were laid over each other already.

    Raises:
        GeometryError: one does not.
    """
    warnings: list[str] = []
    hint = "are they of one subject?"
    if not registered:
        hint = (
            "are they of one subject, and registered? Register them first, or ask for it (--register, register=True)."
        )
    for name in volumes:
        if name == reference:
            continue
        overlap, sharpness = _best(volumes, name, [reference, *(each for each in volumes if each != name)])
        if overlap < LEAST_OVERLAP:
            raise GeometryError(
                f"The contrasts do not show the same anatomy: the bodies in the {name} and {reference} images overlap "
                f"by {overlap:.0%}; {hint}"
            )
        if sharpness < LEAST_SHARPNESS:
            raise GeometryError(
                f"The contrasts do not show the same anatomy: the {name} image fits no better in its place than "
                f"{SHIFT_MM:g} mm beside it; {hint}"
            )
        if sharpness < USUAL_SHARPNESS:
            warnings.append(f"The {name} image fits the others less well than is usual; {hint}")
    return warnings


def _best(volumes: Mapping[str, Volume], name: str, others: Sequence[str]) -> tuple[float, float]:
    """The overlap with the reference, which comes first, and the sharpest agreement with any: with a large tumour two
    contrasts may have little in common, and each still fits a third one."""
    found = [agreement(volumes[each], volumes[name]) for each in dict.fromkeys(others)]
    return found[0].overlap, max(each.sharpness for each in found)


def called(source: Any) -> str:
    """The name of a file, for reports; the kind of what else it is."""
    return os.path.basename(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else type(source).__name__
