"""The files of a BIDS dataset: every folder is read once, and no file is opened.

A reader of our own and not pybids: that adds 1.0 s to the import and 125 MB to the installation (pandas, SQLAlchemy
and more), measured with pybids 0.22, and the app needs the anatomical files alone.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import InputError
from .names import Name, parse

#: A participant and a session; None where the participant has no sessions.
Visit = tuple[str, "str | None"]
#: Says which visits are looked at.
Wanted = Callable[[str, "str | None"], bool]
#: The folder of anatomical images.
ANATOMY = "anat"
_FOLDER = re.compile(r"(sub|ses)-([0-9A-Za-z+]+)")


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A folder with folders of participants.

    Attributes:
        folder: its path.
        name: in BIDS URIs.
    """

    folder: Path
    name: str


@dataclasses.dataclass(frozen=True)
class BidsFile:
    """A file whose name BIDS understands.

    Attributes:
        dataset: that holds it.
        folder: below the dataset, with ``/`` between the parts; empty at the top.
        name: its name.
        text: its name as it is written.
    """

    dataset: Dataset
    folder: str
    name: Name
    text: str

    @property
    def inside(self) -> str:
        """The path in the dataset, with ``/`` between the parts."""
        return f"{self.folder}/{self.text}" if self.folder else self.text

    @property
    def path(self) -> str:
        """The path on this computer."""
        return os.path.join(self.dataset.folder, *self.inside.split("/"))

    @property
    def uri(self) -> str:
        """The BIDS URI."""
        return f"bids:{self.dataset.name}:{self.inside}"


@dataclasses.dataclass
class Layout:
    """The anatomical files of a dataset, and metadata that applies to them.

    Attributes:
        files: of each visit.
        metadata: JSON files above the folders of images: of the dataset (``None``), a participant or a session.
        misplaced: paths of files whose name tells another visit than their folder.
        labels: all participants that there are.
    """

    files: dict[Visit, list[BidsFile]] = dataclasses.field(default_factory=dict)
    metadata: dict[Visit | None, list[BidsFile]] = dataclasses.field(default_factory=dict)
    misplaced: list[str] = dataclasses.field(default_factory=list)
    labels: list[str] = dataclasses.field(default_factory=list)

    def metadata_of(self, image: BidsFile) -> list[BidsFile]:
        """Return the JSON files that apply to an image by the inheritance principle, the most general first."""
        visit = visit_of(image.name)
        levels = dict.fromkeys([None, (visit[0], None), visit])
        above = [[file for file in self.metadata.get(level, ()) if _applies(file, image)] for level in levels]
        beside = [file for file in self.files[visit] if file.name.ending == ".json" and _applies(file, image)]
        return [file for level in [*above, beside] for file in sorted(level, key=lambda each: len(each.name.entities))]


def visit_of(name: Name) -> Visit:
    """Return the participant and session in a name."""
    return name.entities.get("sub", ""), name.entities.get("ses")


def datasets_in(folder: Path) -> list[Path]:
    """Return the folder itself, if it has participants, and the folders in it that have some."""
    if not folder.is_dir():
        return []
    inner = [Path(entry.path) for entry in _entries(folder) if entry.is_dir() and not _FOLDER.fullmatch(entry.name)]
    return [each for each in (folder, *inner) if any(_labels(_entries(each), "sub"))]


def scan(dataset: Dataset, wanted: Wanted = lambda subject, session: True) -> Layout:
    """Return the anatomical files of a dataset.

    Args:
        dataset: to look through.
        wanted: says which visits; a participant is asked for with the session None first.

    Raises:
        InputError: the folder cannot be read.
    """
    layout = Layout()
    try:
        entries = _entries(dataset.folder)
    except OSError as error:
        raise InputError(f"The BIDS dataset '{dataset.folder}' cannot be read ({error.strerror or error}).") from None
    layout.metadata[None] = list(_named(entries, dataset, "", ".json"))
    for subject, folder in _labels(entries, "sub"):
        layout.labels.append(subject)
        if wanted(subject, None):
            _scan_participant(layout, dataset, subject, _entries(folder), wanted)
    return layout


def _scan_participant(
    layout: Layout, dataset: Dataset, subject: str, entries: list[os.DirEntry[str]], wanted: Wanted
) -> None:
    base = f"sub-{subject}"
    layout.metadata[subject, None] = list(_named(entries, dataset, base, ".json"))
    _scan_visit(layout, dataset, (subject, None), base, entries)
    for session, folder in _labels(entries, "ses"):
        if wanted(subject, session):
            inner = _entries(folder)
            layout.metadata[subject, session] = list(_named(inner, dataset, f"{base}/ses-{session}", ".json"))
            _scan_visit(layout, dataset, (subject, session), f"{base}/ses-{session}", inner)


def _scan_visit(layout: Layout, dataset: Dataset, visit: Visit, base: str, entries: Iterable[os.DirEntry[str]]) -> None:
    for entry in entries:
        if entry.name == ANATOMY and entry.is_dir():
            for file in _named(_entries(entry.path), dataset, f"{base}/{ANATOMY}", ""):
                if visit_of(file.name) == visit:
                    layout.files.setdefault(visit, []).append(file)
                elif file.name.is_image:
                    layout.misplaced.append(file.path)


def _entries(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _labels(entries: Iterable[os.DirEntry[str]], key: str) -> Iterator[tuple[str, str]]:
    """Yield label and path of each folder of a participant or session."""
    for entry in entries:
        match = _FOLDER.fullmatch(entry.name)
        if match and match[1] == key and entry.is_dir():
            yield match[2], entry.path


def _named(entries: Iterable[os.DirEntry[str]], dataset: Dataset, folder: str, ending: str) -> Iterator[BidsFile]:
    """Yield the files with names of BIDS and this ending; links count as files wherever they lead."""
    for entry in entries:
        name = parse(entry.name) if entry.name.endswith(ending) else None
        if name is not None and not entry.is_dir():
            yield BidsFile(dataset, folder, name, entry.name)


def _applies(metadata: BidsFile, image: BidsFile) -> bool:
    name = metadata.name
    return (
        name.suffix == image.name.suffix
        and not name.words
        and all(name.agrees(image.name, key) for key in name.entities)
    )
