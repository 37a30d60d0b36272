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
        folder: the model's folder, which has the model's name.
        bundle: the model; None if it is broken.
        problem: why it is broken, in a line.
        isOwn: whether it is the user's own, so that the user can remove it.
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
        """Return the model's two lines in the list."""
        owner = _("your own") if self.isOwn else _("released")
        if self.bundle is None:
            return "\n".join([self.name, _("broken, {owner}").format(owner=owner)])
        facts = _("{name}, {modality}, {size:.1f} MB, {owner}").format(
            name=self.name, modality=self.bundle.modality, size=self.bundle.megabytes, owner=owner
        )
        return "\n".join([self.bundle.title, facts])

    def verify(self) -> str:
        """Return the model's problem in a line; empty when its weights are intact, byte for byte."""
        if self.bundle is None:
            return self.problem
        from MedInpaintLib.errors import ModelError

        try:
            self.bundle.verify()
        except (ModelError, OSError) as error:
            return str(error)
        return ""


def entries() -> list[Entry]:
    """Return all models by name, the broken ones last.

    Raises:
        OSError: a folder cannot be read.
    """
    from MedInpaintLib.models import store

    whole = [Entry(each.folder, bundle=each, isOwn=not store.is_released(each)) for each in store.models().values()]
    broken = [
        Entry(folder, problem=why, isOwn=folder.parent == store.user_folder()) for folder, why in store.broken().items()
    ]
    return whole + broken


def ownFolder() -> Path:
    """Return the folder for the user's own models, which need not exist."""
    from MedInpaintLib.models import store

    return store.user_folder()


def ownMegabytes() -> float | None:
    """Return the disk space of the user's own models in units of 10^6 bytes; None if they have no folder.

    Files that cannot be read are left out; :func:`entries` reports them.
    """
    if not os.path.isdir(ownFolder()):
        return None
    sizes = (_size(os.path.join(folder, name)) for folder, _folders, names in os.walk(ownFolder()) for name in names)
    return sum(sizes) / 1e6


def ownModelIn(source: str) -> str | None:
    """Return the name of the user's own model that the one in a folder or .zip file would replace.

    None if there is no such model, or if the name cannot be read: adding the source then says why.
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
    except Exception:  # anything can be wrong with a file from elsewhere
        return None
    return name if NAME.fits(name) else None


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
