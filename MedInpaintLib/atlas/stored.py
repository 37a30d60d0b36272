"""Registrations in the user's cache: a second fill of the same damaged image need not register again.

The folder is ``medinpaint/registrations`` in the platform's cache, or what the environment variable
``MEDINPAINT_REGISTRATIONS`` says; "off" keeps nothing. Nothing there is needed: it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MedInpaintError
from ..files import replacing
from ..mask import Box
from ..resources import cache_folder
from ..subject import Subject
from .deformable import Field
from .maps import atlas_file

if TYPE_CHECKING:
    from .registration import Registration

#: Changes with the registration, so that results of older programs are not read.
VERSION = 4
#: Registrations that are kept; a head at 1 mm takes about 3 MB.
MOST = 100

Make = Callable[[], "Registration | None"]


def kept(subject: Subject, make: Make) -> Registration | None:
    """Return the registration of a subject from the cache, or make it and keep it there.

    A cache that cannot be read or written, or a damaged file in it, is left aside: the registration is made.
    """
    folder = registrations_folder()
    if folder is None:
        return make()
    path = folder / f"{_key(subject)}.npz"
    stored = _read(path)
    if stored is not None:
        return stored
    made = make()
    if made is not None:
        with contextlib.suppress(OSError, MedInpaintError):
            _write(path, made)
            _tidy(folder)
    return made


def registrations_folder() -> Path | None:
    """Return the folder of the kept registrations, which need not exist yet; None where none are kept."""
    chosen = os.environ.get("MEDINPAINT_REGISTRATIONS")
    if chosen and chosen.lower() in ("off", "0", "no"):
        return None
    return Path(chosen).expanduser() if chosen else cache_folder() / "medinpaint" / "registrations"


def _key(subject: Subject) -> str:
    """Return a name for all that a registration depends on: known voxels, guides, grid, this program, the atlas."""
    digest = hashlib.blake2b(digest_size=20)
    image = subject.image
    digest.update(f"{VERSION} {subject.modality.name} {image.spacing} {image.direction} {image.origin}".encode())
    digest.update(atlas_file().read_bytes())
    digest.update(np.packbits(subject.hole).tobytes())
    # Voxels under the hole are 0 in the values, so that the key does not depend on them.
    digest.update(subject.values.tobytes())
    for guide in subject.guides:
        digest.update(guide.array.tobytes())
    return digest.hexdigest()


def _read(path: Path) -> Registration | None:
    from .registration import Registration

    try:
        with np.load(path, allow_pickle=False) as stored:
            field = None
            if "added" in stored:
                box: Box = tuple(slice(int(start), int(stop)) for start, stop in stored["box"])
                strides = tuple(map(int, stored["strides"]))
                added = stored["added"].astype(np.float32)
                field = Field(added, box, strides, float(stored["correlation"]))
            found = Registration(stored["matrix"], stored["offset"], field, float(stored["agreement"]))
        os.utime(path)  # the oldest ones are removed first
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return found


def _write(path: Path, made: Registration) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {"matrix": made.matrix, "offset": made.offset, "agreement": np.array(made.agreement)}
    if made.field is not None:
        arrays |= {
            "added": made.field.added.astype(np.float16),
            "box": np.array([(side.start, side.stop) for side in made.field.box]),
            "strides": np.array(made.field.strides),
            "correlation": np.array(made.field.correlation),
        }
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def _tidy(folder: Path) -> None:
    """Remove the registrations that were not used for the longest time, beyond :data:`MOST`."""
    files = sorted(folder.glob("*.npz"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[MOST:]:
        file.unlink(missing_ok=True)
