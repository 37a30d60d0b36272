"""Training cases: holes made in undamaged volumes, cut into frames exactly as a fill cuts them."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import os
from collections import OrderedDict
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError, MaskError
from ..files import make_folder
from ..frames import Frames, cut, views
from ..holes import place
from ..initial_fill import initial_fill
from ..mask import Hole, bounding_box, grow
from ..methods.registry import methods
from ..other_side import in_frames, other_side
from ..parts import find_parts, put_together
from ..prediction import MethodInfo, fill_with
from ..processes import in_parallel
from ..progress import Progress
from ..region import context, crop
from ..signals import held_back
from ..subject import Subject
from ..temporary import remove_leftovers
from ..threads import one_for_blas
from .recipe import Data
from .stored_arrays import StoredArrays
from .undamaged import Undamaged

#: Raise it whenever the same recipe and data make other cases than before: stored cases are then made again.
VERSION = 6
#: Attempts to place a hole, each in another image.
_TRIES = 50
#: Cases in a folder that are also held in memory: about a megabyte each.
_HELD = 256
#: More cases than this are made on all cores.
_FEW = 32


@dataclasses.dataclass(frozen=True)
class Case(StoredArrays):
    """All frames of one hole, in scaled intensities.

    Attributes:
        images: float16 ``(m, pixels, pixels)``, with the smooth fill under the hole.
        truth: float16, the same without a hole.
        hints: float16, with another method's fill under the hole; no frames without a hint.
        others: float16, the other side of the body; no frames if unused.
        known: bool; pixels beyond the image count as known.
        there: bool, where there is another side.
        stacks: int ``(n, slices)``: for each frame with a hole, the frames that a network sees with it.
        symmetric: bool ``()``, whether left and right may be exchanged.
    """

    images: np.ndarray
    truth: np.ndarray
    hints: np.ndarray
    others: np.ndarray
    known: np.ndarray
    there: np.ndarray
    stacks: np.ndarray
    symmetric: np.ndarray


@dataclasses.dataclass(frozen=True)
class Cases:
    """Deterministic training cases, random holes in random images; case n depends only on the inputs, the seed and n.

    Attributes:
        images, data: to make holes in, and the recipe's ``[data]``.
        pixels, slices: side of a frame, and slices that a network sees.
        count: number of cases.
        seed: of all random choices.
        folder: stores cases for all trainings with the same images and holes; in memory only when None.
    """

    images: Sequence[Undamaged]
    data: Data
    pixels: int
    slices: int
    count: int
    seed: int = 0
    folder: Path | None = None

    def __getitem__(self, number: int) -> Case:
        """Return a case, making and keeping it on first use."""
        cache = self._held
        if number not in cache:
            cache[number] = self._kept_or_made(number)
        cache.move_to_end(number)
        while self.folder and len(cache) > _HELD:
            cache.popitem(last=False)
        return cache[number]

    def make(self, progress: Progress | None = None) -> None:
        """Make all cases that the folder lacks, on all cores if they are many.

        Args:
            progress: reports and cancels; cases made before are kept.
        """
        missing = [number for number in range(self.count) if not self._path(number).is_file()]
        with contextlib.closing(self._each(missing)) as cases:
            for done, _ in enumerate(cases, start=1):
                if progress:
                    progress.update(done / len(missing), f"Making hole {done} of {len(missing)}")

    def _each(self, numbers: Sequence[int]) -> Generator[object, None, None]:
        if len(numbers) <= _FEW:
            yield from map(self._make_and_keep, numbers)
            return
        one_for_blas()  # in the worker processes, which share the cores
        workers = min(os.cpu_count() or 1, len(numbers) // _FEW + 1)
        try:
            jobs = ((number,) for number in numbers)
            yield from in_parallel(_make_one, jobs, workers=workers, start=_take, arguments=(self,))
        finally:
            with held_back():
                remove_leftovers(self._place)  # of workers that were killed

    def _kept_or_made(self, number: int) -> Case:
        if self.folder is None:
            return self._make(number)
        if not self._path(number).is_file():
            self._make_and_keep(number)
        return Case.read(self._path(number))

    def _make_and_keep(self, number: int) -> None:
        self._make(number).write(self._path(number))

    def _path(self, number: int) -> Path:
        return self._place / f"{number}.npz"

    @functools.cached_property
    def _place(self) -> Path:
        """The subfolder for cases with these inputs."""
        assert self.folder is not None
        data = self.data
        size = (data.pixel_mm, data.across) if data.across else data.pixel_mm
        how = (data.plane, data.also, size, data.slice_mm, data.holes, data.hint, data.other_side)
        digests = [image.digest() for image in self.images]
        identity = repr((VERSION, how, self.pixels, self.slices, self.seed, digests))
        content = [identity.encode(), *(mask.read_bytes() for mask in data.lesions)]
        subfolder = self.folder / hashlib.sha256(b"".join(content)).hexdigest()[:12]
        make_folder(subfolder)
        return subfolder

    @functools.cached_property
    def _held(self) -> OrderedDict[int, Case]:
        return OrderedDict()

    def _make(self, number: int) -> Case:
        rng = np.random.default_rng([self.seed, 3, number])
        for _ in range(_TRIES):
            image = self.images[int(rng.integers(len(self.images)))]
            spec = self.data.holes[rng.integers(len(self.data.holes))]
            planes = views(image.image, self.data.plane, self.data.also, self.data.pixel_size(image.image))
            plane = planes[rng.integers(len(planes))]
            try:
                labels = place(
                    spec,
                    image.image.array.shape,
                    spacing=image.image.spacing,
                    foreground=image.inside,
                    avoid=image.no_data,
                    seed=int(rng.integers(2**31)),
                )
            except MaskError:
                continue
            return self.frames(image, labels > 0, plane, int(rng.integers(labels.max())))
        raise InputError(f"The holes {', '.join(self.data.holes)} do not fit into the images; give smaller ones.")

    def frames(self, image: Undamaged, hole: np.ndarray, plane: str, number: int = 0) -> Case:
        """Cut the frames of one of the regions into which a fill would divide a hole.

        Args:
            image, plane: of the frames.
            hole: bool of the image's shape, at least one voxel.
            number: of the region, modulo the number of regions.
        """
        box = bounding_box(hole)
        assert box is not None
        whole_hole = Hole(hole[box], box, hole.shape)
        subject = Subject(image.image, whole_hole, image.scaling, image.modality, no_data=image.no_data)
        margin = [context(MethodInfo.context_mm, mm) for mm in image.image.spacing]
        groups = put_together(find_parts(subject.whole, image.image.spacing), margin)
        group = groups[number % len(groups)]
        region = crop(subject, grow(group.hole.box, margin, hole.shape), group.hole)
        whole = image.scaling.forward(image.image.array[region.box]).reshape(region.values.shape)
        fills = {"images": initial_fill(region).astype(np.float32), "truth": whole}
        if region.no_data is not None:  # there is no truth; these pixels count as not known
            whole[region.no_data] = fills["images"][region.no_data]
        if self.data.hint:
            methods()  # a worker process has not imported them yet
            fills["hints"] = fill_with(self.data.hint, region).mean
        cuts: dict[str, Frames] = {
            name: cut(
                region,
                fill,
                pixels=self.pixels,
                pixel_mm=self.data.pixel_size(image.image),
                plane=plane,
                slices=self.slices,
                slice_mm=self.data.slice_mm,
            )
            for name, fill in fills.items()
        }
        damaged = cuts["images"]
        values = {name: each.values.astype(np.float16) for name, each in cuts.items()}
        values.setdefault("hints", values["images"][:0])
        other, other_known = damaged.values[:0], damaged.known[:0]
        if self.data.other_side:
            other, other_known = in_frames(other_side(region), damaged)
        values["others"] = other.astype(np.float16)
        symmetric = np.array(damaged.symmetric)
        return Case(
            known=damaged.outside_hole,
            there=other_known,
            stacks=damaged.stacks[damaged.with_hole],
            symmetric=symmetric,
            **values,
        )


#: In a worker process: the cases that it makes.
_TAKEN: list[Cases] = []


def _take(cases: Cases) -> None:
    _TAKEN.append(cases)


def _make_one(number: int) -> None:
    _TAKEN[-1]._make_and_keep(number)
