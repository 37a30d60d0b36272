"""The scan: the whole image that regions are cut from, for methods that look further than around the hole."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from .intensity import Scaling, fit_scaling, guess_modality, sample_known
from .mask import Box, Hole
from .volume import Volume


@dataclasses.dataclass(frozen=True, eq=False)
class Scan:
    """The whole image as methods may see it. Nothing of it is computed before a method asks.

    Arrays have the axes of a region: those of the image that are longer than one voxel.

    Attributes:
        image: as it was given; **methods use** :attr:`values`, in which the hole is voided.
        whole: the hole in the whole image.
        scaling: from intensities to the scale in which methods work.
        modality: ``"MR"``, ``"CT"`` or ``"film"``.
        guides: other contrasts of the same subject, on the image's grid, undamaged where the hole is.
        exemplars: other scans of the same contrast: files, or what else :meth:`Volume.of` takes.
        memory: what methods keep for the next region; see :meth:`remember`.
    """

    image: Volume
    whole: Hole
    scaling: Scaling
    modality: str = "MR"
    guides: tuple[Volume, ...] = ()
    exemplars: tuple[Any, ...] = ()
    memory: dict[Hashable, Any] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def values(self) -> np.ndarray:
        """float32, scaled, 0 under the hole."""
        values = _forward(self.scaling, self.image.array)
        values[self.whole.box][self.whole.voxels] = 0.0
        return self.squeeze(values)

    @functools.cached_property
    def hole(self) -> np.ndarray:
        """bool, True = fill."""
        return self.squeeze(self.whole.full())

    @functools.cached_property
    def guide_scalings(self) -> tuple[Scaling, ...]:
        """Each guide's own: one of another modality has another scale."""
        samples = [sample_known(guide.array, None, None) for guide in self.guides]
        return tuple(fit_scaling(sample, guess_modality(sample, len(self.axes))) for sample in samples)

    @property
    def axes(self) -> tuple[int, ...]:
        """The image's axes that are longer than one voxel."""
        return tuple(axis for axis, size in enumerate(self.image.array.shape) if size > 1)

    @property
    def spacing(self) -> tuple[float, ...]:
        """mm, in the order of the arrays' axes."""
        return tuple(self.image.spacing[axis] for axis in self.axes)

    def squeeze(self, array: np.ndarray) -> np.ndarray:
        """An array of the image's shape, or of a box of it, without the axes along which the image has one voxel."""
        return array.reshape([array.shape[axis] for axis in self.axes])

    def place(self, box: Box) -> Box:
        """A box of the image as a box of the arrays here."""
        return tuple(box[axis] for axis in self.axes)

    def remember(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What ``make()`` returned when it was first asked for under this key: a registration serves all regions."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]


def _forward(scaling: Scaling, array: np.ndarray) -> np.ndarray:
    """Plane by plane, for the scaling goes through float64."""
    scaled = np.empty(array.shape, dtype=np.float32)
    for plane, out in zip(array, scaled, strict=True):
        out[...] = scaling.forward(plane)
    return scaled
