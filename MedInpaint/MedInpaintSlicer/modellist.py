"""The trained models on this computer, as the panel lists them; no torch is needed."""

import dataclasses
import json
import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from slicer.i18n import tr as _


@dataclasses.dataclass(frozen=True)
class Entry:
    """A model of the list.

    Attributes:
        folder: where it lies; the folder has the model's name.
        bundle: what it is; None where it is broken.
        problem: why it is broken, in a line.
        isOwn: whether it is the user's, who can remove it.
    """

    folder: Path
    bundle: Any = None
    problem: str = ""
    isOwn: bool = False

    @property
    def name(self) -> str:
        """The model's name."""
        return self.folder.name

    def rowText(self) -> str:
        """Return the two lines of the list."""
        owner = _("your own") if self.isOwn else _("released")
        if self.bundle is None:
            return "\n".join([self.name, _("broken, {owner}").format(owner=owner)])
        facts = _("{name}, {modality}, {size:.1f} MB, {owner}").format(
            name=self.name, modality=self.bundle.modality, size=self.bundle.megabytes, owner=owner
        )
        return "\n".join([self.bundle.title, facts])

    def verify(self) -> str:
        """Return the model's fault, in a line; empty when its weights are intact, byte for byte."""
        if self.bundle is None:
            return self.problem
        from MedInpaintLib.errors import ModelError

        try:
            self.bundle.verify()
        except (ModelError, OSError) as error:
            return str(error)
        return ""


def entries() -> list[Entry]:
    """All models by name, the broken ones last.

    Raises:
        OSError: the file system refuses.
    """
    from MedInpaintLib.models import store

    whole = [Entry(each.folder, bundle=each, isOwn=not store.is_released(each)) for each in store.models().values()]
    broken = [
        Entry(folder, problem=why, isOwn=folder.parent == store.user_folder()) for folder, why in store.broken().items()
    ]
    return whole + broken


def ownFolder() -> Path:
    """Where the user's own models lie, or would lie."""
    from MedInpaintLib.models import store

    return store.user_folder()


def ownMegabytes() -> float | None:
    """Return the size of the user's own models on the disk, in units of 10^6 bytes; None where they have no folder.

    What cannot be read is left out: what is wrong says :func:`entries`.
    """
    if not os.path.isdir(ownFolder()):
        return None
    sizes = (_size(os.path.join(folder, name)) for folder, _folders, names in os.walk(ownFolder()) for name in names)
    return sum(sizes) / 1e6


def ownModelIn(source: str) -> str | None:
    """Return the user's own model that the one in a folder or .zip file would replace.

    None where there is no such model, and where no name can be read: adding the source will say why.
    """
    name = _nameIn(source)
    return name if name is not None and os.path.lexists(ownFolder() / name) else None


def _nameIn(source: str) -> str | None:
    from MedInpaintLib.models.fields import NAME
    from MedInpaintLib.models.folders import FACTS

    try:
        if os.path.isdir(source):
            facts = (Path(source) / FACTS).read_bytes()
        else:
            with zipfile.ZipFile(source) as content:
                (name,) = (each for each in content.namelist() if PurePosixPath(each).name == FACTS)
                facts = content.read(name)
        name = json.loads(facts.decode("utf-8-sig"))["name"]
    except Exception:  # whatever can be wrong with a file that somebody has made
        return None
    return name if NAME.fits(name) else None


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
