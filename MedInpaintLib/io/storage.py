"""How a file stores voxels: dtype, byte order and linear scaling."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ..dtypes import to_dtype
from .stream import Stream


@dataclasses.dataclass(frozen=True)
class Storage:
    """``intensity = slope * stored + inter``.

    Attributes:
        dtype: as stored, with its byte order.
        slope, inter: of the scaling; 1 and 0 without one.
        intensities: dtype of the intensities in memory.
    """

    dtype: np.dtype
    slope: float
    inter: float
    intensities: np.dtype

    @classmethod
    def of(cls, dtype: np.dtype, slope: float = 1.0, inter: float = 0.0) -> Storage:
        """Return the storage of a dtype; scaled intensities are float32 where that can be exact, else float64."""
        native = dtype.newbyteorder("=")
        if slope == 1.0 and inter == 0.0:
            return cls(dtype, slope, inter, native)
        narrow = native.kind in "iu" and native.itemsize <= 2
        return cls(dtype, slope, inter, np.dtype(np.float32 if narrow else np.float64))

    @property
    def scaled(self) -> bool:
        """Whether the intensities are other numbers than those stored."""
        return (self.slope, self.inter) != (1.0, 0.0)

    def read(self, stream: Stream, shape: Sequence[int]) -> tuple[np.ndarray, Storage | None]:
        """Read the voxels of an image from a stream.

        Args:
            stream: at its first voxel.
            shape: (k, j, i) or (j, i).

        Returns:
            The intensities, and the storage that writes them back bit by bit; None where no dtype in memory could.
        """
        flat = stream.read_array(math.prod(shape) * self.dtype.itemsize)
        stored = flat.view(self.dtype)
        if not self.dtype.isnative:
            stored.byteswap(inplace=True)
            stored = stored.view(self.dtype.newbyteorder("="))
        stored = stored.reshape(shape)
        if not self.scaled:
            return stored, self
        for storage in dict.fromkeys((self, dataclasses.replace(self, intensities=np.dtype(np.float64)))):
            intensities = storage._forward(stored)
            if storage._gives_back(stored, intensities):
                return intensities, storage
        return intensities, None

    def blocks(self, intensities: np.ndarray) -> Iterator[memoryview]:
        """Yield the bytes to store, plane by plane, so that no second copy of the image is made."""
        for plane in intensities:
            yield np.ascontiguousarray(self._stored(plane).astype(self.dtype, copy=False)).view(np.uint8).data

    def _forward(self, stored: np.ndarray) -> np.ndarray:
        intensities = np.empty(stored.shape, dtype=self.intensities)
        for plane, out in zip(stored, intensities, strict=True):
            out[...] = plane.astype(np.float64) * self.slope + self.inter
        return intensities

    def _stored(self, plane: np.ndarray) -> np.ndarray:
        if not self.scaled:
            return plane
        with np.errstate(over="ignore"):
            return to_dtype((plane.astype(np.float64) - self.inter) / self.slope, self.dtype.newbyteorder("="))

    def _gives_back(self, stored: np.ndarray, intensities: np.ndarray) -> bool:
        floating = stored.dtype.kind == "f"
        return all(
            np.array_equal(self._stored(mine), plane, equal_nan=floating)
            for mine, plane in zip(intensities, stored, strict=True)
        )
