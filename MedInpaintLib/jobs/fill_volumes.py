"""Fill all volumes of a 4-D image: each as if it were alone, with the same options and seed, one after the other."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Cancelled, EmptyMaskError, MedInpaintError
from ..files import check_folder, remove_image, replacing_all
from ..inputs import check_same_length, read_mask
from ..io.four_d import Add, FourD, volumes_in
from ..io.label_names import names_of
from ..io.segments import Segments
from ..pipeline import inpaint
from ..progress import Progress
from ..report import FillReport
from ..result import Result
from ..saving import write_report
from ..texts import escaped
from ..volume import Volume
from .joined_report import joined, ranges
from .unfilled import unfilled

if TYPE_CHECKING:
    from .fill import FillJob

#: The images that are written -> the dtype of those that hold another quantity than the image.
_IMAGES = {"output": None, "uncertainty": np.dtype(np.float32), "filled_mask": np.dtype(np.uint8)}


def fill_volumes(job: FillJob, progress: Progress, *, also_without_hole: bool = False) -> FillReport:
    """Fill all volumes, and write them behind the header of the image.

    A volume in which a 4-D mask marks nothing is copied. The page shows the first volume that was filled.

    Args:
        job: of a 4-D image.
        progress: reports and cancels.
        also_without_hole: copy an image of which no volume has a hole.

    Raises:
        MedInpaintError: nothing was written then; the message names the volume.
    """
    start = time.perf_counter()
    progress.update(0.0, "Reading")
    check_same_length(job.image, job.mask)
    image = FourD.open(job.image)
    paths = {name: getattr(job, name) for name in _IMAGES if getattr(job, name) is not None}
    for name, path in paths.items():
        image.check_writable(path, _IMAGES[name])
    texts = [path for path in (job.page, job.report) if path is not None]
    for path in texts:
        check_folder(path)
    several_masks = job.mask is not None and volumes_in(job.mask) > 1
    reports: list[FillReport] = []
    shown: tuple[int, Result] | None = None
    with replacing_all(*paths.values(), *texts) as temporary:
        with _writers(image, dict(zip(paths, temporary, strict=False)), job) as writers:
            for number, (volume, mask) in enumerate(zip(image.volumes(), _masks(job, image), strict=True)):
                share = progress.part(number / image.count, (number + 1) / image.count)
                share = share.part(0.0, 1.0, f"{number + 1} of {image.count} volumes")
                optional = also_without_hole or several_masks
                with _named(number):
                    result = _fill(job, volume, mask, share, optional=optional)
                _add(result, writers)
                reports.append(result.report)
                if job.page is not None and (shown is None or (result.parts and not shown[1].parts)):
                    shown = number, result
        if not also_without_hole and not any(report["parts"] for report in reports):
            raise EmptyMaskError(reports[0]["reason"])
        report = joined(reports)
        without = "uncertainty" in paths and _without_uncertainty(report)
        _complete(report, job, image, several_masks, time.perf_counter() - start)
        if shown is not None:
            page = _page(job, *shown, reports)
            temporary[len(paths)].write_text(page, encoding="utf-8", newline="\n")
        if without:
            temporary[list(paths).index("uncertainty")].unlink()
        if job.report is not None:
            write_report(report, temporary[-1], temporary[:-1])
    if without:
        remove_image(paths["uncertainty"])
    progress.update(1.0, "Done")
    return report


def _without_uncertainty(report: FillReport) -> bool:
    """Return whether a volume has no standard deviations: then none is written of any, and the report says why."""
    facts = report["uncertainty"]
    return facts is not None and bool(facts["reason"])


def _fill(job: FillJob, volume: Volume, mask: Volume | Segments, progress: Progress, *, optional: bool) -> Result:
    """Fill one volume, or return it as it is where nothing is marked and a hole is optional."""
    try:
        return inpaint(
            volume,
            mask,
            **{**job.keywords(), "volume": None},
            guides=job.guides,
            exemplars=job.exemplars,
            uncertainty=job.uncertainty is not None,
            progress=progress,
        )
    except EmptyMaskError as error:
        if not optional:
            raise
        return unfilled(job, volume, str(error))


def _masks(job: FillJob, image: FourD) -> Iterator[Volume | Segments]:
    """Yield the mask of each volume: the volumes of a 4-D mask, or the same mask for all."""
    if job.mask is None or volumes_in(job.mask) == 1:
        mask = read_mask(job.mask, image.grid, allow_outside_data=job.allow_outside_data)
        for _ in range(image.count):
            yield mask
        return
    masks, names = FourD.open(job.mask), names_of(Path(job.mask))
    for each in masks.volumes():
        yield read_mask(dataclasses.replace(each, label_names=names), image.grid)


@contextlib.contextmanager
def _writers(image: FourD, paths: dict[str, Path], job: FillJob) -> Iterator[dict[str, Add]]:
    """Open all images that are written, until the last volume was added to them."""
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(
                image.writing(path, _IMAGES[name], compress=job.compress if name == "output" else True)
            )
            for name, path in paths.items()
        }


def _add(result: Result, writers: dict[str, Add]) -> None:
    """Add a volume to each of the images that are written."""
    writers["output"](result.volume.array)
    if "uncertainty" in writers:
        spread = result.uncertainty
        # Without one, the file is not kept: see _without_uncertainty.
        array = np.zeros(result.image.array.shape, np.float32) if spread is None else spread.array
        writers["uncertainty"](array)
    if "filled_mask" in writers:
        writers["filled_mask"](result.mask.array)


def _page(job: FillJob, number: int, result: Result, reports: Sequence[FillReport]) -> str:
    """Return the page of one volume, which says that it is about this one, and which others have warnings."""
    which = "the first that was filled" if result.parts else "since no volume was filled"
    remark = f"The image has {len(reports)} volumes, counted from 0. This page shows volume {number}, {which}."
    warned = [other for other, report in enumerate(reports) if report["warnings"] and other != number]
    if warned:
        remark += f" Other volumes with warnings, which the report has: {ranges(warned)}."
    report = result.report.copy()
    for name in ("image", "mask"):
        if getattr(job, name) is not None:
            report[name] = {**report[name], "name": escaped(os.path.basename(getattr(job, name)))}
    return dataclasses.replace(result, report=report).page(remark)


@contextlib.contextmanager
def _named(number: int) -> Iterator[None]:
    """Let an error say in which volume it came."""
    try:
        yield
    except Cancelled:
        raise
    except MedInpaintError as error:
        error.args = (f"Volume {number}: {error}",)
        raise


def _complete(report: FillReport, job: FillJob, image: FourD, several_masks: bool, seconds: float) -> None:
    """Add what the volumes by themselves do not know."""
    facts: dict[str, Any] = {"image": report["image"], "mask": report["mask"]}
    for name in facts:
        path = getattr(job, name)
        if path is not None:
            facts[name]["name"] = escaped(os.path.basename(path))
    if several_masks and "shape" in report["mask"]:
        report["mask"]["shape"] = [image.count, *report["mask"]["shape"]]
    report["warnings"] = list(dict.fromkeys([*image.grid.warnings, *report["warnings"]]))
    report["seconds"]["total"] = round(seconds, 4)
