"""Training data for networks that estimate a contrast: slices of several contrasts of the same subjects."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import GeometryError, InputError
from ..foreground import body
from ..frames import along, pose, sample
from ..imputation.core import fit_core_scaling, with_no_signal
from ..manifest import Entry
from ..mask import all_marked
from ..modality import MR
from ..no_data import find
from ..volume import Volume
from .slices import BACKGROUND


@dataclasses.dataclass(frozen=True)
class ContrastSlice:
    """One slice in several contrasts.

    Attributes:
        values: float16 ``(contrasts, rows, columns)``, scaled by :mod:`..imputation.core`; 0 for missing contrasts.
        there: bool ``(contrasts,)``: the contrasts that are not missing.
        inside: bool ``(rows, columns)``, the brain, or the body.
        subject, dataset: of the image.
    """

    values: np.ndarray
    there: np.ndarray
    inside: np.ndarray
    subject: str
    dataset: str = ""

    def window(self, middle: tuple[int, int], shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return values, float32 ``(contrasts, height, width)``, and the body, in a window; 0 beyond the slice."""
        values = np.zeros((len(self.values), *shape), dtype=np.float32)
        inside = np.zeros(shape, dtype=bool)
        source, destination = zip(
            *(
                _overlap(at - size // 2, size, full)
                for at, size, full in zip(middle, shape, self.inside.shape, strict=True)
            ),
            strict=True,
        )
        values[(slice(None), *destination)] = self.values[(slice(None), *source)]
        inside[destination] = self.inside[source]
        return values, inside


def _overlap(first: int, size: int, full: int) -> tuple[slice, slice]:
    """Return the overlap of ``first .. first + size`` with ``0 .. full``, counted from 0 and from first."""
    start, stop = max(first, 0), max(min(first + size, full), max(first, 0))
    return slice(start, stop), slice(start - first, stop - first)


def sessions(
    entries: Sequence[Entry], contrasts: Sequence[str], inside: str = ""
) -> list[tuple[dict[str, Entry], Entry | None]]:
    """Group images by session: contrast -> image, and the mask of the brain, or None.

    Images of a session are of one subject, in one folder, with names that differ only in the contrast at the end:
    ``t1.nii.gz`` and ``flair.nii.gz``, or ``ses1_t1.nii.gz`` and ``ses1_flair.nii.gz``.

    Args:
        entries: images; entries without contrast have the one that ends their file's name.
        contrasts: those to use.
        inside: the contrast of the masks.
    """
    masks = {
        _session(entry, inside.rpartition("-")[2]): entry for entry in entries if inside and entry.contrast == inside
    }
    images: dict[tuple[str, ...], dict[str, Entry]] = {}
    for entry in entries:
        contrast = entry.contrast or _named(Path(entry.name).name, contrasts)
        if contrast in contrasts:
            session = images.setdefault(_session(entry, contrast), {})
            if contrast in session:
                raise InputError(
                    f"'{session[contrast].path}' and '{entry.path}' cannot be told apart: both are {contrast} of "
                    f"{entry.subject}; end their names with the contrast (ses1_t1.nii.gz), or use a folder a session."
                )
            session[contrast] = entry
    return [(images[key], masks.get(key)) for key in sorted(images)]


def with_others(entries: Sequence[Entry], contrasts: Sequence[str], inside: str = "") -> list[Entry]:
    """Return images and masks of the sessions with two or more contrasts; others are useless for training."""
    pairs = [(images, mask) for images, mask in sessions(entries, contrasts, inside) if len(images) > 1]
    return [each for images, mask in pairs for each in (*images.values(), mask) if each is not None]


def _session(entry: Entry, contrast: str) -> tuple[str, ...]:
    """Return the key that all images of a session share."""
    path = Path(entry.name)
    stem = path.name.partition(".")[0]
    own = stem[: -len(contrast)] if stem.lower().endswith(contrast.lower()) else ""
    return entry.dataset, entry.subject, path.parent.as_posix(), own


def _named(stem: str, contrasts: Sequence[str]) -> str:
    """Return the longest of the contrasts with which a name ends."""
    stem = stem.partition(".")[0].lower()
    return max((each for each in contrasts if stem.endswith(each.lower())), key=len, default="")


def read_contrast_slices(
    entries: Sequence[Entry],
    contrasts: Sequence[str],
    *,
    plane: str,
    pixel_mm: float,
    inside: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> list[ContrastSlice]:
    """Return the slices of all sessions with two contrasts or more.

    Args:
        entries, contrasts: images, and contrasts in the network's order.
        plane: a name of :data:`..frames.PLANES`.
        pixel_mm: of the slices' pixels.
        inside: the contrast of the masks of the brain; sessions without a mask are used whole.
        progress: called with the number of sessions read and their total.

    Raises:
        InputError: there is none.
        GeometryError: the contrasts of a session are on different grids.
    """
    pairs = [(images, mask) for images, mask in sessions(entries, contrasts, inside) if len(images) > 1]
    if not pairs:
        raise InputError(
            f"There is nothing to learn from: no session of the data has two of the contrasts {', '.join(contrasts)}."
        )
    slices: list[ContrastSlice] = []
    for number, (session, mask) in enumerate(pairs):
        if progress:
            progress(number, len(pairs))
        slices += _slices(session, mask, contrasts, plane, pixel_mm)
    return slices


def _slices(
    session: dict[str, Entry], mask: Entry | None, contrasts: Sequence[str], plane: str, pixel_mm: float
) -> list[ContrastSlice]:
    volumes = {contrast: Volume.of(entry.path) for contrast, entry in session.items()}
    first = next(iter(volumes.values()))
    if first.array.ndim != 3:
        raise GeometryError(f"Contrasts are learned from volumes; '{next(iter(session.values())).path}' is 2-D.")
    for contrast, volume in volumes.items():
        difference = first.grid_difference(volume)
        if difference:
            raise GeometryError(
                f"'{session[contrast].path}' is on another grid than its session's other contrasts ({difference}); "
                "resample it onto theirs."
            )
    gaps = {contrast: no_data for contrast, volume in volumes.items() if (no_data := find(volume)[0]) is not None}
    volumes |= {contrast: with_no_signal(volumes[contrast], no_data) for contrast, no_data in gaps.items()}
    turned = pose(first, plane)
    inside = turned.turn(brain(volumes, mask))
    areas = inside.sum(axis=(1, 2))
    if not areas.any():
        raise InputError(f"The mask '{mask.path if mask else ''}' of the brain is empty; fix it, or leave it out.")
    kept = np.flatnonzero(areas >= BACKGROUND * areas.max())
    for no_data in gaps.values():
        # Around the head there is no signal, with data and without; in it the number would be a false truth.
        kept = kept[~(turned.turn(no_data)[kept] & inside[kept]).any(axis=(1, 2))]
    ratio = [pixel_mm / first.spacing[axis] for axis in turned.order[1:]]
    rows, columns = (
        along((size - 1) / 2, max(1, round(size / each)), each)
        for size, each in zip(inside.shape[1:], ratio, strict=True)
    )
    values = np.zeros((len(kept), len(contrasts), len(rows), len(columns)), dtype=np.float16)
    for place, contrast in enumerate(contrasts):
        if contrast in volumes:
            volume = volumes[contrast]
            scaled = fit_core_scaling(volume.array, volume.spacing).forward(turned.turn(volume.array)[kept])
            values[:, place] = sample(scaled, rows, columns, ratio)
    bodies = sample(inside[kept].astype(np.float32), rows, columns, (1.0, 1.0), outside=0.0) > 0.5
    present = np.array([contrast in volumes for contrast in contrasts])
    one = next(iter(session.values()))
    return [ContrastSlice(v, present, b, one.subject, one.dataset) for v, b in zip(values, bodies, strict=True)]


def brain(volumes: Mapping[str, Volume], mask: Entry | None) -> np.ndarray:
    """Return the brain by its mask, bool; without a mask, the body in any of the images.

    Raises:
        GeometryError: the mask is on another grid.
    """
    if mask is None:
        return np.any([body(each.array, MR) for each in volumes.values()], axis=0)
    mask_volume = Volume.of(mask.path)
    difference = next(iter(volumes.values())).grid_difference(mask_volume)
    if difference:
        raise GeometryError(f"The mask '{mask.path}' is on another grid than its image ({difference}).")
    return all_marked(mask_volume)


@dataclasses.dataclass(frozen=True)
class ContrastCrops:
    """Endless random crops; crop n depends only on the seed and n, and every subject is drawn equally often.

    Attributes:
        slices, pixels: to crop from, and side of a crop.
        seed: of all random choices.
        flip: whether half of the crops are mirrored along their rows.
        gain: all contrasts of a crop are multiplied by the same 1 ± gain, uniformly.
    """

    slices: Sequence[ContrastSlice]
    pixels: int
    seed: int = 0
    flip: bool = True
    gain: float = 0.1

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return one crop, float32 ``(contrasts, pixels, pixels)``, and its contrasts, bool ``(contrasts,)``."""
        rng = np.random.default_rng([self.seed, 4, number])
        own = self._by_subject[number % len(self._by_subject)]
        chosen = own[int(rng.integers(len(own)))]
        rows, columns = np.nonzero(chosen.inside)
        at = int(rng.integers(len(rows)))
        # Halfway to the middle of the slice: crops around the rim are half air.
        middle = [(size - 1) / 2 for size in chosen.inside.shape]
        row, column = (round((place + to) / 2) for place, to in zip((rows[at], columns[at]), middle, strict=True))
        values, _ = chosen.window((row, column), (self.pixels, self.pixels))
        if self.flip and rng.random() < 0.5:
            values = values[..., ::-1]
        return values * np.float32(1 + self.gain * rng.uniform(-1, 1)), chosen.there

    def batch(self, numbers: range) -> tuple[np.ndarray, np.ndarray]:
        """Return crops, float32 ``(n, contrasts, pixels, pixels)``, and their contrasts, bool ``(n, contrasts)``."""
        values, present = zip(*(self[number] for number in numbers), strict=True)
        return np.stack(values), np.stack(present)

    @functools.cached_property
    def _by_subject(self) -> list[list[ContrastSlice]]:
        groups: dict[tuple[str, str], list[ContrastSlice]] = {}
        for each in self.slices:
            groups.setdefault((each.dataset, each.subject), []).append(each)
        return [groups[key] for key in sorted(groups)]
