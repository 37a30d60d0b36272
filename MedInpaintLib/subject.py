"""The subject: the whole image that regions are cut from, with its hole, guides and exemplars."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from .appearance import Appearance
from .intensity import Scaling, fit_scaling, sample_known
from .mask import Box, Hole
from .modality import MR, Modality
from .volume import Volume


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """The whole image as methods may see it, for methods that look beyond the hole's surroundings.

    Arrays have the axes of a region: those of the image that are longer than one voxel. They are computed on first use.

    Attributes:
        image: as the user gave it; **methods use** :attr:`values`, in which the hole is voided.
        whole: the hole in the whole image.
        scaling: from intensities to the scale in which methods work.
        modality: of the image.
        may_be: other modalities that it may be as well, where the guess was unsure.
        guides: other contrasts of the same subject, on the image's grid, undamaged where the hole is.
        no_data: bool of the image's shape, True = nothing was measured there; None when there is data everywhere. The
            guides hold NaN where they have no data.
        grown: whether the hole reaches further than the mask that the user drew.
        exemplars: scans of other subjects, of the same contrast: files, or other sources of :meth:`Volume.of`.
        companions: other images of the same subject with the same hole, on the same grid, that are filled together with
            this one; they have no companions themselves.
        allow_outside_data: whether headers of exemplars may take their voxels from outside their own folder.
        cache: values computed once an image; see :meth:`cached`.
    """

    image: Volume
    whole: Hole
    scaling: Scaling
    modality: Modality = MR
    guides: tuple[Volume, ...] = ()
    exemplars: tuple[Any, ...] = ()
    no_data: np.ndarray | None = None
    allow_outside_data: bool = False
    may_be: tuple[Modality, ...] = ()
    grown: bool = False
    companions: tuple[Subject, ...] = ()
    cache: dict[Hashable, Any] = dataclasses.field(default_factory=dict)
    _lock: threading.RLock = dataclasses.field(default_factory=threading.RLock, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes for a worker process: without file headers, and without most of what is cached.

        What takes longer to compute than to copy goes along: cached objects whose ``goes_along`` is true.
        """

        def bare(volume: Volume) -> Volume:
            return dataclasses.replace(volume, metadata={}, header=None, warnings=())

        state = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del state["_lock"]
        kept = {key: value for key, value in self.cache.items() if getattr(value, "goes_along", False)}
        return {**state, "image": bare(self.image), "guides": tuple(map(bare, self.guides)), "cache": kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in {**state, "_lock": threading.RLock()}.items():
            object.__setattr__(self, name, value)

    @property
    def images(self) -> tuple[Subject, ...]:
        """All images that are filled together: this one, and its companions."""
        return self, *self.companions

    def change_all(self, change: Callable[[Subject], Subject]) -> Subject:
        """Return the subject with all its images changed alike."""
        return dataclasses.replace(change(self), companions=tuple(change(each) for each in self.companions))

    @property
    def values(self) -> np.ndarray:
        """float32, scaled, 0 where nothing is known."""
        return self.cached(Subject.values, self._values)

    def _values(self) -> np.ndarray:
        values = _forward(self.scaling, self.image.array)
        values[self.whole.box][self.whole.voxels] = 0.0
        if self.no_data is not None:
            values[self.no_data] = 0.0
        return self.squeeze(values)

    @property
    def hole(self) -> np.ndarray:
        """bool, True = not known: under the hole, or without data."""
        return self.cached(Subject.hole, self._hole)

    def _hole(self) -> np.ndarray:
        hole = self.whole.full()
        if self.no_data is not None:
            hole |= self.no_data
        return self.squeeze(hole)

    @property
    def known(self) -> np.ndarray:
        """bool of the image's own shape, True = trusted."""
        return ~self.hole.reshape(self.image.array.shape)

    @functools.cached_property
    def guide_scalings(self) -> tuple[Scaling, ...]:
        """The scaling of each guide: one of another modality has another scale."""
        kinds = [Modality.guess(Appearance.of(guide)).modality for guide in self.guides]
        samples = [sample_known(guide.array, None, None) for guide in self.guides]
        samples = [sample[np.isfinite(sample)] for sample in samples]
        return tuple(fit_scaling(sample, kind) for sample, kind in zip(samples, kinds, strict=True))

    @property
    def axes(self) -> tuple[int, ...]:
        """The image's axes that are longer than one voxel."""
        return tuple(axis for axis, size in enumerate(self.image.array.shape) if size > 1)

    @property
    def spacing(self) -> tuple[float, ...]:
        """mm, in the order of the arrays' axes."""
        return tuple(self.image.spacing[axis] for axis in self.axes)

    def squeeze(self, array: np.ndarray) -> np.ndarray:
        """Reshape an array of the image, or of a box of it, to the axes along which the image has several voxels."""
        return array.reshape([array.shape[axis] for axis in self.axes])

    def place(self, box: Box) -> Box:
        """Convert a box of the image to a box of the arrays here."""
        return tuple(box[axis] for axis in self.axes)

    def cached(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the cached value for `key`, computing it with `make()` on first use.

        For what is the same in all regions of an image: a symmetry, a registration, a loaded model. The key begins with
        the function that computes the value, so no two users share a key by accident. Regions are filled in several
        threads: the first one that asks computes the value, and the others wait for it.
        """
        if key not in self.cache:
            with self._lock:
                if key not in self.cache:
                    self.cache[key] = make()
        return self.cache[key]


def _forward(scaling: Scaling, array: np.ndarray) -> np.ndarray:
    """Scale plane by plane, since the scaling goes through float64."""
    scaled = np.empty(array.shape, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not known may be any number
        for plane, out in zip(array, scaled, strict=True):
            out[...] = scaling.forward(plane)
    return scaled
