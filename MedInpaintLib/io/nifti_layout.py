"""What a NIfTI header says of the voxels, checked field by field: nothing of it is believed that cannot be."""

from __future__ import annotations

import dataclasses
import math
import struct
from pathlib import Path

import numpy as np

from ..errors import ImageReadError
from .storage import Storage
from .stream import Stream

#: By the code in a header. Complex numbers and 128-bit floats are left out.
DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_OTHERS = {
    1: "single bits",
    32: "complex numbers",
    128: "RGB colours",
    1536: "128-bit floats",
    1792: "complex numbers",
    2048: "complex numbers",
    2304: "RGBA colours",
}
#: Channels of the colours, one byte each.
COLOURS = {128: 3, 2304: 4}
#: Bytes of the header by version; in a single file at least 4 more follow before the voxels.
SIZES = {1: 348, 2: 540}
#: Where the fields lie, by version: sizes, code and bits, voxel sizes, offset of the voxels, slope and inter, magic.
_FIELDS = {
    1: (("8h", 40), ("2h", 70), ("8f", 76), ("f", 108), ("2f", 112), ("4s", 344)),
    2: (("8q", 16), ("2h", 12), ("8d", 104), ("q", 168), ("2d", 176), ("8s", 4)),
}


@dataclasses.dataclass(frozen=True)
class Layout:
    """The voxels of a NIfTI file.

    Attributes:
        version: 1 or 2.
        shape: of the array, (k, j, i) or (j, i); with the colours as a last axis.
        storage: of the voxels.
        zooms: voxel sizes along i, j(, k), mm; 1 along axes of one voxel that have none.
        offset: bytes before the first voxel.
        single: whether header and voxels are in one file.
        volumes: of this shape, one behind the other; 1 but for a 4-D image.
    """

    version: int
    shape: tuple[int, ...]
    storage: Storage
    zooms: tuple[float, ...]
    offset: int
    single: bool
    volumes: int

    @classmethod
    def read(cls, stream: Stream) -> tuple[Layout, bytes] | None:
        """Read the header from the start of a stream; return the layout and the header's bytes.

        Returns:
            None for a file that is no NIfTI, as far as its first bytes tell.

        Raises:
            ImageReadError: a field is absurd; the message names it.
        """
        start = stream.read(4)
        for order in "<>":
            size = struct.unpack(order + "i", start)[0]
            for version, expected in SIZES.items():
                if size == expected:
                    content = start + stream.read(size - 4)
                    return cls.of(content, order, version, stream), content
        return None

    @classmethod
    def of(cls, content: bytes, order: str, version: int, stream: Stream) -> Layout:
        """Check the header's bytes; ``stream`` names the file and says how much it can hold."""
        dim, (code, bits), pixdim, (offset,), (slope, inter), (magic,) = (
            struct.unpack_from(order + kind, content, at) for kind, at in _FIELDS[version]
        )

        def refuse(field: str, found: object, expected: str) -> ImageReadError:
            return ImageReadError(
                f"'{stream.path}' has a damaged header: {field} is {found}, and must be {expected}. Correct the "
                "header, or get the file again."
            )

        if ".hdr" in stream.path.name.lower() and not magic.strip(b"\0"):
            raise ImageReadError(
                f"'{stream.path}' is an Analyze image: its header does not say which side is left. Convert it to NIfTI "
                "with the program that made it."
            )
        if magic[:3] not in (b"n+1", b"ni1", b"n+2", b"ni2"):
            raise refuse("magic", repr(magic.rstrip(b"\0"))[1:], "'n+1' or 'ni1' ('n+2' or 'ni2' in NIfTI-2)")
        single = magic[1:2] == b"+"
        if not 1 <= dim[0] <= 7:
            raise refuse("dim[0]", dim[0], "the number of axes, 1 to 7")
        sizes = dim[1 : dim[0] + 1]
        for axis, size in enumerate(sizes, start=1):
            if size < 1:
                raise refuse(f"dim[{axis}]", size, "1 or more")
        if code not in DTYPES and code not in COLOURS:
            raise ImageReadError(
                f"'{stream.path}' holds {_OTHERS.get(code, f'voxels of an unknown kind (datatype {code})')}; voxels "
                "must be real numbers. Convert it first."
            )
        dtype = np.dtype(order + DTYPES.get(code, "u1"))
        channels = COLOURS.get(code, 1)
        if bits != 8 * dtype.itemsize * channels:
            raise refuse("bitpix", bits, f"{8 * dtype.itemsize * channels} for datatype {code}")
        for axis, size in enumerate(sizes[:3], start=1):
            mm = pixdim[axis]
            if not math.isfinite(mm) or (mm == 0 and size > 1):
                raise refuse(f"pixdim[{axis}]", mm, "the size of a voxel in mm, not 0")
        least = SIZES[version] + 4 if single else 0
        most = stream.most if single else math.inf
        if not math.isfinite(offset) or offset != int(offset) or not least <= offset <= most:
            raise refuse("vox_offset", offset, f"where the voxels begin, {least} or more and within the file")
        if slope == 0 or not math.isfinite(slope):
            slope, inter = 1.0, 0.0  # this stands for "no scaling"
        elif not math.isfinite(inter):
            raise refuse("scl_inter", inter, "a number")
        return cls(
            version,
            sizes[:3][::-1] + ((channels,) if channels > 1 else ()),
            Storage.of(dtype, slope, inter),
            tuple(abs(mm) or 1.0 for mm in pixdim[1 : min(dim[0], 3) + 1]),
            int(offset),
            single,
            _volumes(sizes, channels, stream.path),
        )


def _volumes(sizes: tuple[int, ...], channels: int, path: Path) -> int:
    """Return the number of volumes; axes behind the fourth must have one voxel, and colours have no fourth.

    Raises:
        ImageReadError: it is a vector image, or a 4-D image in colour.
    """
    volumes, further = math.prod(sizes[3:4]), math.prod(sizes[4:])
    if further > 1 or (volumes > 1 and channels > 1):
        raise ImageReadError(
            f"'{path}' is {len(sizes)}-D with {volumes * further} volumes in it{' in colour' * (channels > 1)}. Split "
            "it into 3-D or 4-D images (for example with nibabel: image.slicer[..., n]) and fill one at a time."
        )
    return volumes
