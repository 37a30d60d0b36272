"""Writing uncompressed NRRD files straight from a node's memory.

The files live for one run on the local disk: compressing a CT would take longer than filling it.
"""

import sys
from pathlib import Path

import numpy as np

#: From left-posterior-superior, the convention of ITK and of image files, to MRML's right-anterior-superior and back.
_FLIP_XY = np.diag([-1.0, -1.0, 1.0, 1.0])


def write(path: Path, array: np.ndarray, ijkToRAS: np.ndarray) -> None:
    """Write a volume.

    Args:
        path: ends in ``.nrrd``.
        array: ``(k, j, i)``, any real dtype; bool is written as uint8.
        ijkToRAS: 4 x 4 matrix from voxel indices (i, j, k) to mm.
    """
    voxels = np.ascontiguousarray(array.view(np.uint8) if array.dtype == bool else array)
    ijkToLPS = _FLIP_XY @ ijkToRAS
    header = [
        "NRRD0004",
        f"type: {_typeName(voxels.dtype)}",
        "dimension: 3",
        "space: left-posterior-superior",
        "sizes: " + " ".join(str(size) for size in reversed(voxels.shape)),
        "space directions: " + " ".join(_vector(ijkToLPS[:3, axis]) for axis in range(3)),
        "kinds: domain domain domain",
        f"endian: {sys.byteorder}",
        "encoding: raw",
        "space origin: " + _vector(ijkToLPS[:3, 3]),
    ]
    with open(path, "wb") as file:
        file.write(("\n".join(header) + "\n\n").encode("ascii"))
        voxels.tofile(file)


def _typeName(dtype: np.dtype) -> str:
    if dtype.kind == "f":
        return {4: "float", 8: "double"}[dtype.itemsize]
    return dtype.name


def _vector(numbers: np.ndarray) -> str:
    # repr keeps every bit of a double, so the geometry comes back as it was.
    return "(" + ",".join(repr(float(number)) for number in numbers) + ")"
