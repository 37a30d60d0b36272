"""Series: which ones a folder holds, which one is meant, and its volume."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ...errors import ImageReadError
from ...volume import Volume
from .enhanced import read_frames
from .frame import DicomHeader, Frame
from .geometry import Stack, stack
from .meta import is_dicom, read_meta
from .objects import DIRECTORY, ENHANCED, class_of, no_image, refuse_no_image
from .pixels import read_planes
from .tags import Entry, read_entry

#: Nuclear medicine: the frames of its reconstructions are slices, and GDCM knows where they lie.
_NUCLEAR = "1.2.840.10008.5.1.4.1.1.20"
_INDEX = "DICOMDIR"


@dataclasses.dataclass(frozen=True)
class Series:
    """The image files of a folder that belong together.

    Attributes:
        uid: of the series.
        entries: its files, sorted by name.
    """

    uid: str
    entries: tuple[Entry, ...]

    @property
    def slices(self) -> int:
        """How many slices it has."""
        return sum(entry.frames for entry in self.entries)

    def describe(self) -> str:
        """Describe it for a list to choose from."""
        entry = self.entries[0]
        unit = "slice" if self.slices == 1 else "slices"
        parts = [f"'{entry.description}'" if entry.description else "no description", entry.modality]
        return f"{entry.number or '-'}: {', '.join(filter(None, parts))}, {self.slices} {unit}, UID ...{self.uid[-12:]}"


def read_series(folder: Path, *, series: str | None = None) -> Volume:
    """Read a DICOM series of a folder.

    Args:
        folder: with the files, of any names; what is no DICOM image is left out.
        series: which one, where there are several: its number, UID (or the end of it) or a part of its description.

    Raises:
        ImageReadError: none, or several and none chosen; a slice is damaged, twice there, shifted or of another kind.
        MissingDependencyError: it is an enhanced image and pydicom is not installed.
    """
    candidates, warnings = find_series(folder)
    if series is None and len(candidates) > 1:
        raise ImageReadError(
            f"The folder '{folder}' holds {len(candidates)} DICOM series ({_listed(candidates)}); "
            "choose one with --series (series= in Python): its number, UID or a part of its description; or put the "
            "files of one into a folder of their own."
        )
    chosen = candidates[0] if series is None else _choose(candidates, series, folder)
    return _volume(chosen.entries, warnings)


def read_file(path: Path, *, series: str | None = None) -> Volume:
    """Read a DICOM image from one file: a slice, an enhanced image, or a film, which is 2-D.

    Args:
        path: of the file, or of the index of a disc, which stands for its folder.
        series: as in :func:`read_series`; without meaning for other files than an index.

    Raises:
        ImageReadError: it is no image, or damaged.
        MissingDependencyError: it is an enhanced image and pydicom is not installed.
    """
    meta = read_meta(path)
    if meta is not None and meta.sop_class == DIRECTORY:
        return read_series(path.parent, series=series)
    return _volume((read_entry(path),), ())


def find_series(folder: Path) -> tuple[list[Series], tuple[str, ...]]:
    """Return the image series of a folder, and a warning that names what was left out.

    Raises:
        ImageReadError: there is none, or a file is damaged.
    """
    entries, others = [], []
    for path in _files(folder):
        words = no_image(class_of(path))
        if is_dicom(path) and not words:
            entries.append(read_entry(path))
        else:
            others.append((path, words))
    if not entries:
        if len(others) == 1 and others[0][1]:
            refuse_no_image(others[0][0], class_of(others[0][0]))
        kinds = sorted({words for _, words in others if words})
        found = f"; found {', '.join(kinds)}" if kinds else ""
        raise ImageReadError(f"The folder '{folder}' holds no DICOM series of images{found}.")
    by_uid: dict[str, list[Entry]] = {}
    for entry in entries:
        by_uid.setdefault(entry.series, []).append(entry)
    return [Series(uid, tuple(own)) for uid, own in by_uid.items()], _left_out(others)


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder; where an index says that subfolders belong to it, theirs too."""
    try:
        nested = (folder / _INDEX).is_file()
        paths = folder.rglob("*") if nested else folder.iterdir()
        return sorted(p for p in paths if p.is_file() and p.name != _INDEX and not p.name.startswith("."))
    except OSError as error:
        raise ImageReadError(f"The folder '{folder}' cannot be read ({error.strerror or error}).") from None


def _left_out(others: Sequence[tuple[Path, str]]) -> tuple[str, ...]:
    if not others:
        return ()
    named = ", ".join(f"'{path.name}'" + (f" ({words})" if words else "") for path, words in others[:3])
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return (f"Files in the DICOM folder that are no images were left out: {named}{more}.",)


def _choose(candidates: Sequence[Series], wanted: str, folder: Path) -> Series:
    """Return the series that ``wanted`` names: by number, else UID or its end, else a part of the description."""
    wanted = wanted.strip()
    tests = (
        lambda one: one.entries[0].number == wanted,
        lambda one: one.uid == wanted,
        lambda one: len(wanted) > 3 and one.uid.endswith(wanted.lstrip(".")),
        lambda one: one.entries[0].description.casefold() == wanted.casefold(),
        lambda one: bool(wanted) and wanted.casefold() in one.entries[0].description.casefold(),
    )
    for test in tests:
        matches = [one for one in candidates if test(one)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise ImageReadError(f"'{wanted}' names {len(matches)} series of '{folder}': {_listed(matches)}.")
    raise ImageReadError(f"The folder '{folder}' holds no series '{wanted}'; it holds {_listed(candidates)}.")


def _listed(candidates: Iterable[Series]) -> str:
    return "; ".join(one.describe() for one in sorted(candidates, key=lambda one: (-one.slices, one.uid)))


def _volume(entries: Sequence[Entry], warnings: tuple[str, ...]) -> Volume:
    """Return the volume of the files of one series."""
    first = entries[0]
    multi = [entry for entry in entries if entry.frames > 1 and entry.frame.sop_class not in ENHANCED]
    if multi:
        return _multi_frame(multi[0], len(entries))
    frames = [
        frame
        for entry in entries
        for frame in (read_frames(entry) if entry.frame.sop_class in ENHANCED else [entry.frame])
    ]
    _check_scales(frames)
    warnings += _remarks(frames)
    if len(frames) == 1 and (frames[0].position is None or frames[0].orientation is None):
        return _film(first, warnings)
    grid = stack(frames)
    padding = _padding(frames)
    array = read_planes(grid.frames, padding[0] if padding else None)
    return Volume(
        array=array,
        spacing=grid.spacing,
        origin=grid.origin,
        direction=grid.direction,
        header=_header(grid.frames, array.shape, grid, first.modality),
        warnings=warnings + grid.warnings,
        padding=padding,
        missing=grid.missing,
    )


def _film(entry: Entry, warnings: tuple[str, ...]) -> Volume:
    """Return a projection, which has no place in the patient, as a 2-D image."""
    frame = entry.frame
    array = read_planes([frame], None)[0]
    plain = Volume(array, frame.pixel_spacing, warnings=warnings, padding=_padding([frame]))
    return dataclasses.replace(plain, header=_header((frame,), array.shape, plain, entry.modality))


def _header(
    frames: tuple[Frame | None, ...], shape: tuple[int, ...], grid: Stack | Volume, modality: str
) -> DicomHeader:
    return DicomHeader(frames, shape, grid.spacing, grid.origin, grid.direction, modality)


def _multi_frame(entry: Entry, files: int) -> Volume:
    """Return a multi-frame image of the old kinds where its frames are slices; refuse films in time."""
    from .. import itk

    path, frame = entry.frame.path, entry.frame
    if files == 1 and frame.sop_class == _NUCLEAR and "RECON TOMO" in frame.marks.get("image type", ""):
        return itk.read(path)
    raise ImageReadError(
        f"'{path}' holds {entry.frames} frames that do not say where they lie (a film in time, or several views); "
        "export one frame at a time."
    )


def _check_scales(frames: Sequence[Frame]) -> None:
    """Check that all slices, or none, have a rescale slope that can be used."""
    for frame in frames:
        if frame.slope == 0:
            raise ImageReadError(f"'{frame.name}' has a rescale slope of 0: its intensities are lost. Export it again.")
    without = [frame for frame in frames if frame.slope is None]
    if 0 < len(without) < len(frames):
        odd = without[0] if 2 * len(without) <= len(frames) else next(f for f in frames if f.slope is not None)
        has = "no rescale slope" if odd.slope is None else "a rescale slope"
        raise ImageReadError(
            f"'{odd.name}' has {has}, unlike the rest: its intensities may be in another unit. "
            "Remove it from the folder, or export the series again."
        )


def _remarks(frames: Sequence[Frame]) -> tuple[str, ...]:
    remarks = []
    if any(frame.inverted for frame in frames):
        remarks.append(
            "The image is shown inverted (MONOCHROME1): low values are bright. Its values are kept as they are stored."
        )
    if len({frame.scale for frame in frames}) > 1:
        remarks.append("The slices have different rescale slopes; each is read with its own.")
    if len({_scaled_padding(frame) for frame in frames}) > 1:
        remarks.append("The slices declare different padding values, so none is used.")
    return tuple(remarks)


def _padding(frames: Sequence[Frame]) -> tuple[float, float] | None:
    """Return the range of intensities that all slices declare to be no data."""
    ranges = {_scaled_padding(frame) for frame in frames}
    return ranges.pop() if len(ranges) == 1 else None


def _scaled_padding(frame: Frame) -> tuple[float, float] | None:
    if frame.padding is None:
        return None
    slope, intercept = frame.scale
    ends = np.array(frame.padding) * slope + intercept
    return float(ends.min()), float(ends.max())
