"""Training cases of 3-D networks: parts of holes made in undamaged volumes, with all that the network sees of them."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import os
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from ..atlas.registration import can_show_a_head, find, why_none
from ..consensus import join
from ..cubes import cubes_of
from ..errors import InputError, MaskError
from ..files import make_folder, replacing
from ..holes import place
from ..independent_fills import fill_independently
from ..mask import Hole, bounding_box, grow
from ..methods.registry import methods
from ..parts import find_parts
from ..prediction import Run
from ..processes import in_parallel
from ..progress import Progress
from ..region import crop
from ..signals import held_back
from ..subject import Subject
from ..temporary import remove_leftovers
from ..threads import one_for_blas
from ..volume_inputs import inputs_of
from .stored_arrays import StoredArrays
from .undamaged import Undamaged

#: Raise it whenever the same recipe and data make other cases than before: stored cases are then made again.
VERSION = 2
#: Holes of different kinds in one damaged image, and mm between them.
TOGETHER, APART_MM = 6, 6.0
#: Voxels of a case's sides beyond those of a crop, so that crops differ.
ROOM = 8
#: mm around a part that the fills see.
CONTEXT_MM = 25.0


@dataclasses.dataclass(frozen=True)
class PartCase(StoredArrays):
    """A part of a hole in cubes; all arrays have the same last three axes.

    Attributes:
        intensities, maps: see :class:`.volume_inputs.Inputs`; float16 and int8.
        truth: float16, the undamaged scan.
        wanted: bool, the voxels to fill.
    """

    intensities: np.ndarray
    maps: np.ndarray
    truth: np.ndarray
    wanted: np.ndarray


@dataclasses.dataclass(frozen=True)
class PartCases:
    """Deterministic cases: damaged image n depends only on the inputs, the seed and n, and has several parts.

    Attributes:
        images: to make holes in.
        holes: kinds of holes; each damaged image has one each of some of them.
        pixels: side of a crop, cubes.
        count: number of damaged images.
        seed: of all random choices.
        folder: stores the cases for all trainings with the same images and holes.
    """

    images: Sequence[Undamaged]
    holes: tuple[str, ...]
    pixels: int
    count: int
    seed: int
    folder: Path

    def paths(self) -> list[Path]:
        """Return the files of all cases that have been made, in their order."""
        numbered = [self._done(number) for number in range(self.count)]
        return [
            self._place / f"{path.stem}-{part}.npz"
            for path in numbered
            if path.is_file()
            for part in range(int(path.read_text(encoding="utf-8")))
        ]

    def make(self, progress: Progress | None = None) -> None:
        """Make all cases that the folder lacks, on all cores.

        Args:
            progress: reports and cancels; cases made before are kept.

        Raises:
            InputError: there is none: in no image a hole fits, or onto none the atlas.
        """
        missing = [number for number in range(self.count) if not self._done(number).is_file()]
        with contextlib.closing(self._each(missing)) as made:
            for done, _ in enumerate(made, start=1):
                if progress:
                    progress.update(done / len(missing), f"Damaging image {done} of {len(missing)}")
        if not self.paths():
            raise InputError(
                f"No case could be made of {len(self.images)} images: the holes ({', '.join(self.holes)}) do not fit "
                "into them, or the atlas does not. 3-D networks learn from heads."
            )

    def _each(self, numbers: Sequence[int]) -> Generator[object, None, None]:
        if len(numbers) < 2:
            yield from map(self._make, numbers)
            return
        one_for_blas()  # in the worker processes, which share the cores
        workers = min(os.cpu_count() or 1, len(numbers))
        try:
            yield from in_parallel(_make_one, ((n,) for n in numbers), workers=workers, start=_take, arguments=(self,))
        finally:
            with held_back():
                remove_leftovers(self._place)  # of workers that were killed

    def _done(self, number: int) -> Path:
        return self._place / f"{number:05d}.txt"

    @functools.cached_property
    def _place(self) -> Path:
        """The subfolder for cases with these inputs."""
        digests = [image.digest() for image in self.images]
        identity = repr((VERSION, self.holes, self.pixels, self.seed, digests))
        subfolder = self.folder / hashlib.sha256(identity.encode()).hexdigest()[:12]
        make_folder(subfolder)
        return subfolder

    def _make(self, number: int) -> None:
        methods()  # a worker process has not imported them yet
        rng = np.random.default_rng([self.seed, 7, number])
        image = self.images[int(rng.integers(len(self.images)))]
        cases = self._cases(image, self._damage(image, rng), rng)
        for part, case in enumerate(cases):
            case.write(self._place / f"{number:05d}-{part}.npz")
        with replacing(self._done(number)) as temporary:
            temporary.write_text(str(len(cases)), encoding="utf-8")

    def _damage(self, image: Undamaged, rng: np.random.Generator) -> np.ndarray:
        """Return a hole of several kinds, bool; those that do not fit are left out."""
        from scipy import ndimage

        hole = np.zeros(image.image.array.shape, dtype=bool)
        kinds = rng.permutation(len(self.holes))[:TOGETHER]
        for kind in sorted(kinds.tolist(), reverse=True):  # recipes name the small ones first
            avoid = ndimage.distance_transform_edt(~hole, image.image.spacing) < APART_MM if hole.any() else hole
            if image.no_data is not None:
                avoid = avoid | image.no_data
            with contextlib.suppress(MaskError):
                seed = int(rng.integers(2**31))
                spacing = image.image.spacing
                inside = image.inside
                hole |= (
                    place(self.holes[kind], hole.shape, spacing=spacing, foreground=inside, avoid=avoid, seed=seed) > 0
                )
        return hole

    def _cases(self, image: Undamaged, hole: np.ndarray, rng: np.random.Generator) -> list[PartCase]:
        """Return a case for each part of a hole; none where the atlas does not fit."""
        box = bounding_box(hole)
        if box is None:
            return []
        voided = image.image.with_array(np.where(hole, image.image.array.dtype.type(0), image.image.array))
        subject = Subject(
            voided, Hole(hole[box], box, hole.shape), image.scaling, image.modality, no_data=image.no_data
        )
        # The user's cache keeps registrations of images that are filled again.
        registration = find(subject) if can_show_a_head(subject) else None
        if registration is None or why_none(registration):
            return []
        cases = []
        margin = [int(np.ceil(CONTEXT_MM / mm)) for mm in image.image.spacing]
        for part in find_parts(subject.whole, image.image.spacing):
            region = crop(subject, grow(part.hole.box, margin, hole.shape), part.hole)
            fills = fill_independently(region, registration, Run())
            base = join(region, fills).mean
            cubes = cubes_of(region)
            seen = inputs_of(region, base, fills, cubes)
            truth = cubes.cut(image.scaling.forward(image.image.array[region.box]))
            wanted = cubes.cut(region.fill.astype(np.float32)) > 0.5
            if wanted.any():
                cases.append(_around_a_voxel(seen.intensities, seen.maps, truth, wanted, self.pixels + ROOM, rng))
        return cases


def _around_a_voxel(
    intensities: np.ndarray,
    maps: np.ndarray,
    truth: np.ndarray,
    wanted: np.ndarray,
    side: int,
    rng: np.random.Generator,
) -> PartCase:
    """Cut a cube of ``side`` around the middle of what is wanted, or around a random voxel of a larger part."""
    places = np.argwhere(wanted)
    low, high = places.min(axis=0), places.max(axis=0) + 1
    middle = (low + high) // 2
    large = high - low > side - ROOM
    if large.any():
        middle = np.where(large, places[rng.integers(len(places))], middle)

    corner = middle - side // 2
    inside = np.array(wanted.shape)
    before, after = np.maximum(-corner, 0), np.maximum(corner + side - inside, 0)
    k, j, i = (slice(start, start + side) for start in (corner + before).tolist())

    def cut(array: np.ndarray, outside: Literal["edge", "constant"]) -> np.ndarray:
        widths = np.zeros((array.ndim, 2), dtype=int)
        widths[-3:] = np.stack([before, after], axis=1)
        return np.ascontiguousarray(np.pad(array, widths, mode=outside)[..., k, j, i])

    return PartCase(
        cut(intensities, "edge").astype(np.float16),
        cut(maps, "edge"),
        cut(truth, "edge").astype(np.float16),
        cut(wanted, "constant"),
    )


#: In a worker process: the cases that it makes.
_TAKEN: list[PartCases] = []


def _take(cases: PartCases) -> None:
    _TAKEN.append(cases)


def _make_one(number: int) -> None:
    _TAKEN[-1]._make(number)
