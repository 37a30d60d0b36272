"""What feed-forward networks learn from: undamaged volumes into which holes are made, cut into frames as a fill is."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError, MaskError
from ..files import make_folder, replacing
from ..foreground import body
from ..frames import cut, views
from ..holes import place
from ..intensity import Scaling, fit_scaling, sample_known
from ..manifest import Entry
from ..mask import Hole, bounding_box, grow
from ..methods import registry
from ..region import crop
from ..scan import Scan
from ..solvers.start import thin_plate
from ..volume import Volume
from .recipe import Data
from .slices import check_finite

#: Known tissue around a hole that the smooth fill starts from, as on the road.
CONTEXT_MM = 5.0
#: Tries to find a place for a hole, each in another image.
_TRIES = 50


@dataclasses.dataclass(frozen=True, eq=False)
class Undamaged:
    """A volume to make holes in.

    Attributes:
        image: as it was stored.
        inside: bool, where the body is.
        scaling: of its intensities.
        modality: ``"MR"``, ``"CT"`` or ``"film"``.
        name: of the image.
        memory: what methods keep of the image; see :class:`..scan.Scan`.
    """

    image: Volume
    inside: np.ndarray
    scaling: Scaling
    modality: str
    name: str
    memory: dict = dataclasses.field(default_factory=dict)


def read_undamaged(entries: Sequence[Entry], progress: Callable[[int, int], None] | None = None) -> list[Undamaged]:
    """The images.

    Args:
        entries: of the manifest.
        progress: called with how many images are read, and of how many.

    Raises:
        InputError: there is none.
    """
    found = []
    for number, entry in enumerate(entries):
        if progress:
            progress(number, len(entries))
        image = Volume.of(entry.path)
        check_finite(image, entry)
        scaling = fit_scaling(sample_known(image.array, None, None), entry.modality)
        found.append(Undamaged(image, body(image.array, entry.modality), scaling, entry.modality, entry.name))
    if not found:
        raise InputError("There are no images to learn from: the data hold none of this modality, contrast and split.")
    return found


@dataclasses.dataclass(frozen=True)
class Case:
    """All frames of one hole; values are in the road's scale.

    Attributes:
        images: float16 ``(m, pixels, pixels)``, with the smooth fill under the hole.
        truth: float16, the same without a hole.
        hints: float16, with another method's fill under the hole; of no frames where there is none.
        known: bool.
        stacks: int ``(n, slices)``: of each frame with a hole, which frames a network sees with it.
    """

    images: np.ndarray
    truth: np.ndarray
    hints: np.ndarray
    known: np.ndarray
    stacks: np.ndarray

    def write(self, path: Path) -> None:
        """As a .npz file."""
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})

    @classmethod
    def read(cls, path: Path) -> Case:
        """From such a file."""
        with np.load(path) as found:
            return cls(**found)


@dataclasses.dataclass(frozen=True)
class Damages:
    """An endless, deterministic order of damaged frames: the n-th is the same in every run, on any number of processes.

    There are so many cases, each a random hole in a random image, made when they are first asked for. Every n is a
    random frame of a random case, some of them mirrored, with intensities changed a little.

    Attributes:
        images: to make holes in.
        data: what the recipe says of them.
        pixels: of a frame's side.
        slices: that a network sees.
        cases: how many.
        seed: of all chance.
        folder: to keep cases in, where making them takes long; they are made anew where data or recipe differ.
        flip: whether half of the frames are mirrored along their rows.
        gain, offset: intensities are multiplied by 1 ± gain and shifted by ± offset, uniformly.
    """

    images: Sequence[Undamaged]
    data: Data
    pixels: int
    slices: int
    cases: int
    seed: int = 0
    folder: Path | None = None
    flip: bool = True
    gain: float = 0.1
    offset: float = 0.03

    def batch(self, numbers: range) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Images ``(n, slices + hints, pixels, pixels)``, known ``(n, slices, ...)``, truth of the middle slice."""
        images, known, truth = zip(*(self[number] for number in numbers), strict=True)
        return np.stack(images), np.stack(known), np.stack(truth)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Images, known and truth, one of :meth:`batch`."""
        rng = np.random.default_rng([self.seed, 2, number])
        case = self.case(int(rng.integers(self.cases)))
        stack = case.stacks[rng.integers(len(case.stacks))]
        middle = stack[len(stack) // 2, np.newaxis]
        images, known, truth = case.images[stack], case.known[stack], case.truth[middle]
        if len(case.hints):
            images = np.concatenate([images, case.hints[middle]])
        if rng.random() < 0.5 and self.flip:
            images, known, truth = (each[..., ::-1] for each in (images, known, truth))
        gain, offset = 1 + self.gain * rng.uniform(-1, 1), self.offset * rng.uniform(-1, 1)
        # The smooth fill is linear in the known values, so it stays what it would be.
        images, truth = (each.astype(np.float32) * np.float32(gain) + np.float32(offset) for each in (images, truth))
        return images, known, truth

    def case(self, number: int) -> Case:
        """The frames of a hole, kept once they are made."""
        if number not in self._made:
            path = self._kept / f"{number}.npz" if self._kept else None
            if path and path.is_file():
                self._made[number] = Case.read(path)
            else:
                self._made[number] = self._make(np.random.default_rng([self.seed, 3, number]))
                if path:
                    self._made[number].write(path)
        return self._made[number]

    @functools.cached_property
    def _kept(self) -> Path | None:
        """The folder of cases such as these."""
        if self.folder is None:
            return None
        names = [(each.name, each.image.array.shape) for each in self.images]
        # Not of how many there are: each is a function of its own number.
        alike = dataclasses.replace(self.data, cases=0)
        identity = repr((names, dataclasses.astuple(alike), self.pixels, self.slices, self.seed))
        folder = self.folder / hashlib.sha256(identity.encode()).hexdigest()[:12]
        make_folder(folder)
        return folder

    @functools.cached_property
    def _made(self) -> dict[int, Case]:
        return {}

    def _make(self, rng: np.random.Generator) -> Case:
        for _ in range(_TRIES):
            image = self.images[int(rng.integers(len(self.images)))]
            spec = self.data.holes[rng.integers(len(self.data.holes))]
            planes = views(image.image, self.data.plane, self.data.also, self.data.pixel_mm)
            plane = planes[rng.integers(len(planes))]
            try:
                labels = place(
                    spec,
                    image.image.array.shape,
                    spacing=image.image.spacing,
                    foreground=image.inside,
                    seed=int(rng.integers(2**31)),
                )
            except MaskError:
                continue
            return self._frames(image, labels == 1 + rng.integers(labels.max()), plane)
        raise InputError(f"The holes {', '.join(self.data.holes)} do not fit into the images; give smaller ones.")

    def _frames(self, image: Undamaged, hole: np.ndarray, plane: str) -> Case:
        box = bounding_box(hole)
        assert box is not None  # every label has a voxel
        scan = Scan(image.image, Hole(hole[box], box, hole.shape), image.scaling, image.modality, memory=image.memory)
        margin = [max(2, round(CONTEXT_MM / mm)) for mm in image.image.spacing]
        region = crop(scan, grow(box, margin, hole.shape))
        whole = image.scaling.forward(image.image.array[region.box]).reshape(region.values.shape)
        fills = {"images": thin_plate(region), "truth": whole}
        if self.data.hint:
            fills["hints"] = registry.blended(self.data.hint, region)
        reach = self.slices // 2 * self.data.slice_mm
        frames = {
            name: cut(region, fill, pixels=self.pixels, pixel_mm=self.data.pixel_mm, plane=plane, beyond=reach)
            for name, fill in fills.items()
        }
        damaged = frames["images"]
        # What lies beyond the image goes on as its border: nothing is to be filled there.
        known = damaged.known | ~damaged.inside
        values = {name: each.values.astype(np.float16) for name, each in frames.items()}
        values.setdefault("hints", values["images"][:0])
        stacks = damaged.neighbours(self.slices, self.data.slice_mm)[~known.all(axis=(1, 2))]
        return Case(known=known, stacks=stacks, **values)
