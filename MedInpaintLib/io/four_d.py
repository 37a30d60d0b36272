"""4-D files, volume by volume: read and written one after the other, so that no more than one is in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import OutputPathError
from ..volume import Volume
from . import gzipped, mgh, nifti
from .formats import FORMATS, MGH, NIFTI, Format, check_writable

#: The modules of the formats that hold 4-D images, with ``count``, ``whole`` and ``volumes``.
_MODULES: tuple[tuple[Format, Any], ...] = ((NIFTI, nifti), (MGH, mgh))
#: Adds the voxels of a volume to a file.
Add = Callable[[np.ndarray], None]


def volumes_in(path: str | os.PathLike[str]) -> int:
    """Return how many volumes a file holds; 1 for formats whose 4-D images are not read, and for what is no file.

    Raises:
        ImageReadError: its header is damaged.
    """
    entry = _format(Path(path))
    return entry[1].count(Path(path)) if entry is not None and os.path.isfile(path) else 1


@dataclasses.dataclass(frozen=True)
class FourD:
    """A 4-D file.

    Attributes:
        path: of the file.
        count: of its volumes.
        grid: of each volume; it has no voxels.
        header: of the whole file, for writing.
        kind: its format.
    """

    path: Path
    count: int
    grid: Volume
    header: Any
    kind: Format

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> FourD:
        """Read a file once to its end, so that damage is found before any work.

        Raises:
            ImageReadError: it is damaged, cut off, or not kept bit by bit.
        """
        entry = _format(Path(path))
        assert entry is not None  # volumes_in found several
        count, header = entry[1].whole(Path(path))
        return cls(Path(path), count, header.grid, header, entry[0])

    def volumes(self) -> Iterator[Volume]:
        """Yield the volumes one after the other."""
        return dict(_MODULES)[self.kind].volumes(self.path)

    def check_writable(self, path: str | os.PathLike[str], dtype: np.dtype | None = None) -> None:
        """Check before the work that volumes can be written there, behind this file's header; see :meth:`writing`.

        Raises:
            OutputPathError: with the reason.
        """
        held = self.grid.array.dtype if dtype is None else dtype
        kind = check_writable(path, self.grid.with_array(np.broadcast_to(held.type(0), self.grid.array.shape)))
        if kind is not self.kind:
            endings = " or ".join(ending for ending, other in FORMATS.items() if other is self.kind)
            raise OutputPathError(
                f"'{path}' cannot hold the {self.count} volumes of '{self.path.name}': a 4-D image is written in "
                f"its own format. End it in {endings}, or fill one volume with --volume."
            )

    @contextlib.contextmanager
    def writing(self, path: Path, dtype: np.dtype | None = None, *, compress: bool = True) -> Iterator[Add]:
        """Write a file with this one's header; yield what adds a volume to it.

        Args:
            path: of the new file.
            dtype: of voxels that are another quantity than the intensities, such as a mask; None for intensities,
                which are stored as in this file.
            compress: as small as is usual, or quickly, where the ending says that the file is compressed.
        """
        header = self.header if dtype is None else self.header.plain().storing(dtype)
        with contextlib.ExitStack() as stack:
            file: Any = stack.enter_context(path.open("wb"))
            if path.name.endswith((".gz", ".mgz")):
                file = stack.enter_context(gzipped.writing(file, quick=not compress))

            def add(array: np.ndarray) -> None:
                for block in header.storage.blocks(array):
                    file.write(block)

            file.write(header.content)
            yield add
            file.write(header.tail)


def _format(path: Path) -> tuple[Format, Any] | None:
    """Return the format of a 4-D file and its module, by the ending; None for other formats."""
    return next((entry for entry in _MODULES if path.name.lower().endswith(entry[1].ENDINGS)), None)
