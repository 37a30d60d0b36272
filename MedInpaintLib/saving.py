"""Writing the images of a result, its tables and its report as one set."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from .files import as_json, hashes, replacing_all, sha256
from .io.formats import names_folder, split_ending
from .report import Report
from .volume import Volume

Path: TypeAlias = "str | os.PathLike[str]"
Kind = TypeVar("Kind", bound=Report)


def save_together(
    images: Sequence[tuple[Path, Volume | Callable[[], Volume], bool]],
    report: Kind,
    report_path: Path | None,
    texts: Sequence[tuple[Path, str]] = (),
) -> Kind:
    """Write images, texts and report so that all old files are replaced, or none; return the report.

    A folder with a DICOM series, which is always new, is written when all files are ready to replace the old ones.

    Args:
        images: path, volume or a function that makes it, and whether to compress it, of each.
        report: gets ``files``, the sha256 of each file by its name, where it is written.
        report_path: where to write the report as JSON, after the others; None: nowhere.
        texts: path and content of each further file, such as a table.

    Raises:
        OutputError: with the reason; older files are still there then.
    """
    series = [(path, volume) for path, volume, _ in images if names_folder(path)]
    images = [each for each in images if not names_folder(each[0])]
    paths = [*(path for path, _, _ in images), *(path for path, _ in texts)]
    with replacing_all(*paths, *([] if report_path is None else [report_path])) as temporary:
        for new, (_, volume, compress) in zip(temporary, images, strict=False):
            _made(volume).write(new, compress=compress)
        for new, (_, text) in zip(temporary[len(images) :], texts, strict=False):
            new.write_text(text, encoding="utf-8", newline="\n")
        for path, volume in series:
            _made(volume).write(path)
        if report_path is not None:
            write_report(report, temporary[-1], temporary[: len(paths)], [path for path, _ in series])
    return report


def sample_paths(path: Path, count: int) -> list[str]:
    """Return the paths of the samples of a fill, counted from 1: NRRD files where the fill is a DICOM series.

    >>> sample_paths("out/t1.nii.gz", 2)
    ['out/t1_sample-01.nii.gz', 'out/t1_sample-02.nii.gz']
    >>> sample_paths("series/", 1)
    ['series_sample-01.nrrd']
    """
    stem, ending = split_ending(os.path.join(path, "") if names_folder(path) else os.fspath(path))
    return [f"{stem}_sample-{number:02}{ending}" for number in range(1, count + 1)]


def _made(volume: Volume | Callable[[], Volume]) -> Volume:
    return volume if isinstance(volume, Volume) else volume()


def write_report(
    report: Report, file: pathlib.Path, images: Sequence[pathlib.Path], series: Sequence[Path] = ()
) -> None:
    """Write a report, with the sha256 of the images that were written with it, as a temporary file.

    Args:
        report: gets ``files``.
        file: to write.
        images: temporary paths of the images.
        series: folders of DICOM series.
    """
    files = {name: digest for new in images for name, digest in hashes(new).items()}
    report["files"] = files | {
        f"{each.parent.name}/{each.name}": sha256(each)
        for path in series
        for each in sorted(pathlib.Path(path).iterdir())
    }
    file.write_text(as_json(report, indent=2) + "\n", encoding="utf-8")
