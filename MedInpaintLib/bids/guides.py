"""Which other contrasts of a participant guide a fill: the names say what may, and headers and voxels what can."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Iterable
from pathlib import Path

from ..errors import ImageReadError, InputError
from ..guides import SHOWN, check_guides, share_brighter
from ..inputs import read_guides, read_mask
from ..io import nifti
from ..io.segments import Segments
from ..jobs.fill import FillJob
from ..mask import Hole, find_hole
from ..volume import Volume
from .layout import BidsFile
from .masks import SUFFIXES
from .names import parse

#: Suffixes of anatomical folders that are no contrast.
_NO_CONTRASTS = frozenset({*SUFFIXES, "dseg", "probseg", "defacemask", "xfm"})
#: Values of ``desc`` of what MedInpaint has written.
_OWN = frozenset({"lesionfilled", "uncertainty"})


@dataclasses.dataclass(frozen=True)
class Choice:
    """The guides of one image.

    Attributes:
        kept: indices of those that are used.
        left_out: file name -> why.
    """

    kept: tuple[int, ...]
    left_out: dict[str, str]


def candidates(image: BidsFile, files: Iterable[BidsFile]) -> list[BidsFile]:
    """Return the other contrasts of a visit by their names, those that say that they lie on the image first.

    Those in another named space are none; the others may lie on the image, as their headers will tell.
    """
    spaces = (image.name.suffix, None)
    others = [
        file
        for file in files
        if file.name.is_image
        and file.name.suffix not in {*_NO_CONTRASTS, image.name.suffix}
        and not file.name.words
        and "label" not in file.name.entities
        and file.name.entities.get("desc") not in _OWN
        and file.name.entities.get("space") in spaces
    ]
    return sorted(others, key=lambda file: (spaces.index(file.name.entities.get("space")), file.inside))


def choose_guides(job: FillJob) -> Choice:
    """Return which of a job's guides fit its image: one for each contrast.

    Headers are compared first; voxels are read only of what is left. A guide that shows the lesion itself would bring
    it back, and is left out, too.

    Raises:
        InputError: the image or its mask cannot be used.
    """
    target = _Target(job)
    kept: dict[str, int] = {}
    left_out: dict[str, str] = {}
    for number, guide in enumerate(job.guides):
        contrast = _suffix(guide)
        if contrast in kept:
            why = f"'{os.path.basename(job.guides[kept[contrast]])}' is used instead"
        else:
            why = target.other_grid(guide) or target.does_not_fit(guide)
        if why:
            left_out[os.path.basename(guide)] = why
        else:
            kept[contrast] = number
    return Choice(tuple(kept.values()), left_out)


class _Target:
    """An image with its hole, of which no more is read than the guides ask for."""

    def __init__(self, job: FillJob) -> None:
        self._job = job

    def other_grid(self, guide: str) -> str:
        """Return why a guide does not lie on the image by its name and header; empty where it does."""
        suffix, name = _suffix(self._job.image), parse(os.path.basename(guide))
        if name is not None and name.entities.get("space") == suffix:
            return ""
        try:
            difference = self._grid.grid_difference(nifti.read_grid(Path(guide)))
        except ImageReadError as error:
            return str(error)
        return difference and f"it is on another grid ({difference}), and its name does not say space-{suffix}"

    def does_not_fit(self, guide: str) -> str:
        """Return why a guide does not fit by its voxels; empty where it does."""
        image, hole = self._image, self._hole
        try:
            volumes, _ = read_guides([guide], image, hole, allow_outside_data=self._job.allow_outside_data)
            check_guides(volumes, [os.path.basename(guide)], image, hole)
        except InputError as error:
            return str(error)
        # The lesion as it was drawn: grown by 1 mm, FLAIR of two people with multiple sclerosis is brighter in the hole
        # than around it with 0.76 and 0.80, and so seems to show no lesion; as drawn, with 0.95 and 0.96.
        brighter = share_brighter(volumes[0], self._lesion)
        shown = max(brighter, 1 - brighter) >= SHOWN
        return "it shows the lesion itself, which the fill would copy" if shown else ""

    @functools.cached_property
    def _grid(self) -> Volume:
        return nifti.read_grid(Path(self._job.image))

    @functools.cached_property
    def _image(self) -> Volume:
        return Volume.read(self._job.image, **self._job.reading())

    @functools.cached_property
    def _mask(self) -> Volume | Segments:
        job = self._job
        return read_mask(job.mask, self._image, allow_outside_data=job.allow_outside_data, volume=job.volume)

    @functools.cached_property
    def _lesion(self) -> Hole:
        return self._grown(0.0)

    @functools.cached_property
    def _hole(self) -> Hole:
        return self._grown(self._job.dilate_mm)

    def _grown(self, mm: float) -> Hole:
        return find_hole(self._mask, self._image, labels=self._job.labels, dilate_mm=mm, force=self._job.force)[0]


def _suffix(path: str) -> str:
    name = parse(os.path.basename(path))
    return "" if name is None else name.suffix
