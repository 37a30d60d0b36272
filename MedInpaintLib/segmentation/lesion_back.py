"""Put the lesion back into a segmentation that was made of the filled image."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import holding
from ..errors import EmptyMaskError
from ..inputs import facts_of, name_of, read_image, read_mask
from ..io.segments import Segments
from ..mask import Hole, find_hole
from ..mask_values import Meaning, counts_of
from ..progress import Progress
from ..report import LesionBackReport, now, software
from ..saving import save_together
from ..volume import Volume
from .by_atlas import names_by_atlas
from .label_map import labels_in, names_for
from .lesion import Lesion, check_number, doubts_about, numbers_of
from .numberings import ATLAS, AUTO, Numbering, numbering_of
from .regions import as_tsv, millilitres, table_of


@dataclasses.dataclass(frozen=True)
class LesionBack:
    """A segmentation with the lesion put back.

    Attributes:
        volume: the segmentation, on its own grid and with its own header.
        report: the regions before and after, ready for JSON.
    """

    volume: Volume
    report: LesionBackReport

    def save(
        self,
        path: str | os.PathLike[str],
        report: str | os.PathLike[str] | None = None,
        table: str | os.PathLike[str] | None = None,
        *,
        compress: bool = True,
    ) -> None:
        """Write the segmentation and, where paths for them are given, the report as JSON and the regions as TSV.

        All old files are replaced, or none.

        Raises:
            OutputError: with the reason; older files are still there then.
        """
        texts = [] if table is None else [(table, as_tsv(self.report["regions"]))]
        save_together([(path, self.volume, compress)], self.report, report, texts)


def lesion_back(
    segmentation: Any,
    mask: Any,
    *,
    number: int | str | None = None,
    cut: bool = False,
    numbering: str = AUTO,
    names: str | os.PathLike[str] | Mapping[int, str] | None = None,
    image: Any = None,
    labels: Sequence[int | str] | None = None,
    spacing: Sequence[float] | float | None = None,
    force: bool = False,
    allow_empty: bool = False,
    allow_outside_data: bool = False,
    progress: Progress | None = None,
) -> LesionBack:
    """Put the lesion back into a segmentation of the filled image, and measure the regions before and after.

    Args:
        segmentation: a 3-D label map: path, SimpleITK image, Volume or array. Its voxels outside the lesion do not
            change.
        mask: of the lesion, as for :func:`MedInpaintLib.inpaint`; on another grid it is resampled.
        number: label that the lesion gets. None: the one that is named "lesion", which is 99 in FreeSurfer's numbering,
            else one more than the highest. ``"sides"``: the labels of left and right lesions, 25 and 57 there.
        cut: give the lesion no label, but 0.
        numbering: what the labels mean: ``"freesurfer"`` (FastSurfer, SynthSeg and SAMSEG, too), ``"fast"``,
            ``"none"``, or ``"auto"``: recognized by the labels and the file's name.
        names: of the labels: a table (see :func:`.io.label_names.read_table`), or number -> name. Those in or beside
            the file are known without.
        image: that the segmentation was made of, on its grid. Where no label has a name, the atlas is brought onto it,
            and labels that lie mostly in one of its regions are named so.
        labels: use only these labels of the mask, by number or name; ``["all"]`` for all of several.
        spacing: of an array, mm.
        force: go on where mask and segmentation look misplaced or swapped.
        allow_empty: take a mask that marks nothing, as of a control: the segmentation stays as it is.
        allow_outside_data: as for :func:`MedInpaintLib.inpaint`.
        progress: reports the stages.

    Raises:
        InputError: the inputs or options cannot be used.

    >>> segmentation = np.repeat([1, 2], 500).reshape(10, 10, 10).astype(np.uint8)
    >>> lesion = np.zeros_like(segmentation)
    >>> lesion[4, 3:6, 3:6] = 1
    >>> back = lesion_back(segmentation, lesion, number=9)
    >>> int((back.volume.array == 9).sum()), back.report["regions"][0]["voxels_after"]
    (9, 491)
    """
    start, progress = time.perf_counter(), progress or Progress()
    check_number(number, cut)
    progress.update(0.0, "Reading")
    volume = read_image(segmentation, spacing, allow_outside_data=allow_outside_data)
    whole = labels_in(volume, force)
    before = counts_of(whole)
    known = names_for(segmentation, volume, names)
    meaning = numbering_of(before, known, choice=numbering, file_name=name_of(segmentation))
    mask_read = read_mask(mask, volume, allow_outside_data=allow_outside_data)
    try:
        hole, warnings = find_hole(mask_read, volume, labels=labels, force=force)
    except EmptyMaskError:
        if not allow_empty:
            raise
        hole, warnings = _no_hole(volume), []
    if image is not None and not meaning.names:
        found, reason = names_by_atlas(
            image,
            volume,
            whole,
            before,
            hole,
            allow_outside_data=allow_outside_data,
            progress=progress.part(0.2, 0.5),
        )
        if reason:
            warnings = [*warnings, f"The atlas names no regions: {reason}."]
        else:
            meaning = Numbering(ATLAS, "a label is named by the region of the atlas that holds most of it", found)
    progress.update(0.5, "Comparing")
    lesion = Lesion.of(hole, whole, volume, meaning)
    numbers, more = numbers_of(lesion, number, cut, before, meaning)
    warnings = [*volume.warnings, *mask_read.warnings, *warnings, *more, *doubts_about(lesion, force)]
    result, more = _with_lesion(volume, lesion, numbers)
    report = _report(lesion, numbers, before, meaning, [*warnings, *more])
    report["segmentation"] = {**facts_of(segmentation, volume), "dtype": str(volume.array.dtype)}
    report["mask"] = _mask_facts(mask, mask_read, hole.meaning, labels)
    report["seconds"] = {"total": round(time.perf_counter() - start, 4)}
    progress.update(1.0, "Done")
    return LesionBack(result, report)


def _report(
    lesion: Lesion, numbers: np.ndarray, before: Mapping[int, int], meaning: Numbering, warnings: list[str]
) -> LesionBackReport:
    """Return the report, but for what the inputs were.

    Args:
        lesion: its voxels.
        numbers: the label that each of them gets.
        before: voxels by label.
        meaning: of the labels.
        warnings: one line each.
    """
    used = counts_of(numbers[np.newaxis]) if numbers.any() else {}
    labelled = sum(before.values())
    return LesionBackReport(
        software=software(),
        date=now(),
        device="cpu",
        segmentation={},
        mask={},
        numbering=meaning.name,
        numbering_reason=meaning.reason,
        lesion=lesion.facts(used),
        hit_regions=len(lesion.covered),
        lost_regions=sum(count == before[label] for label, count in lesion.covered.items()),
        labelled_before_ml=millilitres(labelled, lesion.voxel_ml),
        labelled_after_ml=millilitres(labelled - sum(lesion.covered.values()), lesion.voxel_ml),
        regions=table_of(before, lesion.covered, used, meaning.names, lesion.voxel_ml),
        warnings=warnings,
        seconds={},
    )


def _no_hole(volume: Volume) -> Hole:
    nothing = (slice(0, 0),) * volume.array.ndim
    return Hole(
        np.zeros((0,) * volume.array.ndim, dtype=bool),
        nothing,
        volume.array.shape,
        Meaning("empty", "nothing is marked"),
    )


def _with_lesion(volume: Volume, lesion: Lesion, numbers: np.ndarray) -> tuple[Volume, list[str]]:
    """Return the segmentation with the lesion's labels in it, and warnings."""
    warnings = []
    storage = getattr(volume.header, "storage", None)
    if storage is not None and storage.scaled:
        # Labels that are stored as other numbers: the lesion's may lie between two of them.
        whole = np.rint(volume.array).astype(np.int32)
        volume = dataclasses.replace(volume, array=whole, header=volume.header.plain())
        warnings.append("The segmentation's header scales its labels; they are written as they are, without scaling.")
    labels = np.unique(numbers).tolist()
    dtype = holding(volume.array.dtype, labels)
    if dtype != volume.array.dtype:
        dtype = holding(dtype, [int(volume.array.min()), int(volume.array.max()), *labels])
        warnings.append(
            f"Label {max(labels)} does not fit into {volume.array.dtype}; the result is written as {dtype}."
        )
    array = volume.array.astype(dtype)
    box = array[lesion.hole.box]
    box[lesion.hole.voxels] = numbers
    return volume.with_array(array), warnings


def _mask_facts(
    mask: Any, mask_read: Volume | Segments, meaning: Meaning | None, labels: Sequence[int | str] | None
) -> Any:
    assert meaning is not None  # the mask was read by find_hole
    grid = mask_read.grid if isinstance(mask_read, Segments) else mask_read
    chosen = None if labels is None else list(labels)
    return {**facts_of(mask, grid), "kind": meaning.kind, "rule": meaning.rule, "labels": chosen}
