"""Writing the images of a result and its report as one set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from .files import as_json, hashes, replacing_all
from .report import Report
from .volume import Volume

Path: TypeAlias = "str | os.PathLike[str]"
Kind = TypeVar("Kind", bound=Report)


def save_together(images: Sequence[tuple[Path, Volume, bool]], report: Kind, report_path: Path | None) -> Kind:
    """Write images and report so that all old files are replaced, or none; return the report.

    Args:
        images: path, volume and whether to compress it, of each.
        report: gets ``files``, the sha256 of each file by its name, where it is written.
        report_path: where to write the report as JSON, after the images; None: nowhere.

    Raises:
        OutputError: with the reason; older files are still there then.
    """
    paths = [path for path, _, _ in images]
    with replacing_all(*paths, *([] if report_path is None else [report_path])) as temporary:
        for new, (_, volume, compress) in zip(temporary, images, strict=False):
            volume.write(new, compress=compress)
        if report_path is not None:
            files = {name: digest for new in temporary[: len(images)] for name, digest in hashes(new).items()}
            report["files"] = files
            temporary[-1].write_text(as_json(report, indent=2) + "\n", encoding="utf-8")
    return report
