"""Unpack a model from a .zip file that anybody may have made: nothing leaves its folder, nothing grows without end."""

from __future__ import annotations

import contextlib
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from ..documents import MOST_BYTES
from ..errors import MachineError, ModelError, as_ours
from ..temporary import NEW, temporary_folder
from .fields import MOST_WEIGHTS
from .folders import CARD, FACTS, belongs

#: Largest table of contents, bytes: some 10,000 files.
_MOST_CONTENTS = 1 << 20
#: The record at a .zip file's end: its signature and length, its longest comment, and where in it the size of the table
#: of contents is.
_END, _END_BYTES, _COMMENT_BYTES, _SIZE_AT = b"PK\5\6", 22, 65535, slice(12, 16)


@contextlib.contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Unpack the one bundle of a .zip file into a temporary folder.

    Raises:
        ModelError: it has not exactly one bundle, or a name, link or size in it that no bundle has.
    """
    with temporary_folder(Path(tempfile.gettempdir())) as temporary:
        folder = temporary / NEW
        try:
            with archive.open("rb") as file:
                _check_contents(file, archive)
                with zipfile.ZipFile(file) as content:
                    _unpack(content, archive, folder)
        except ModelError:
            raise
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            # RuntimeError: encrypted, or an unknown compression.
            raise ModelError(f"'{archive}' cannot be unpacked as a .zip file ({error}).") from None
        except OSError as error:
            if isinstance(as_ours(error), MachineError):
                raise  # no space for the files
            raise ModelError(f"'{archive}' cannot be unpacked ({error.strerror or error}).") from None
        yield folder


def _check_contents(file: BinaryIO, archive: Path) -> None:
    """Check the size of the table of contents, all of which would be read into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_BYTES - _COMMENT_BYTES))
    tail = file.read()
    end = tail[tail.rfind(_END) :] if _END in tail else b""
    if int.from_bytes(end[_SIZE_AT], "little") > _MOST_CONTENTS:
        raise ModelError(f"'{archive}' is refused: it holds more files than any model.")
    file.seek(0)


def _unpack(content: zipfile.ZipFile, archive: Path, folder: Path) -> None:
    """Copy only the bundle's files into ``folder``.

    Raises:
        ModelError: a name leads out of the archive (then nothing is unpacked), or it has not exactly one bundle.
    """
    entries = [entry for entry in content.infolist() if not entry.is_dir()]
    for entry in entries:
        inside = PureWindowsPath(entry.filename)  # it splits at both kinds of slash
        if inside.anchor or ".." in inside.parts:
            raise ModelError(f"'{archive}' is refused: the name '{entry.filename}' in it leads out of the archive.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ModelError(f"'{archive}' is refused: '{entry.filename}' in it is a link.")
    tops = [PurePosixPath(entry.filename).parent for entry in entries if _name(entry) == FACTS]
    if len(tops) != 1:
        raise ModelError(f"'{archive}' must hold one model; found {len(tops)} files named {FACTS}.")
    chosen = [entry for entry in entries if PurePosixPath(entry.filename).parent == tops[0] and belongs(_name(entry))]
    for entry in chosen:
        _copy(content, entry, archive, folder / _name(entry))


def _copy(content: zipfile.ZipFile, entry: zipfile.ZipInfo, archive: Path, target: Path) -> None:
    """Copy one file, and stop where it grows beyond what it may have, whatever its header says."""
    most = MOST_BYTES if target.name in (FACTS, CARD) else MOST_WEIGHTS
    size = entry.file_size
    if target.exists():
        raise ModelError(f"'{archive}' is refused: '{entry.filename}' is in it twice.")
    with content.open(entry) as packed, target.open("wb") as file:
        copied = 0
        while max(size, copied) <= most and (block := packed.read(1 << 20)):
            copied += len(block)
            file.write(block)
    if max(size, copied) > most:
        raise ModelError(
            f"'{archive}' is refused: '{entry.filename}' in it is larger than {most / 1e6:.0f} MB when unpacked."
        )


def _name(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename).name
