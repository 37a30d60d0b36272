"""A dataclass of arrays as a file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..files import replacing

Own = TypeVar("Own", bound="StoredArrays")


class StoredArrays:
    """Base class of dataclasses whose fields are all arrays."""

    def write(self, path: Path) -> None:
        """Write the arrays as a .npz file; a killed run leaves none."""
        fields: Any = self
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **{field.name: getattr(self, field.name) for field in dataclasses.fields(fields)})

    @classmethod
    def read(cls: type[Own], path: Path) -> Own:
        """Read the arrays from a file of :meth:`write`."""
        with np.load(path) as arrays:
            return cls(**arrays)
