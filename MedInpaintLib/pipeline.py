"""The road from an image and a mask to a filled image. Every method travels it.

read, check, choose, fill, report, result: each step is a line of :func:`inpaint`; :func:`.filling.fill` goes on for
each region with region, method, blend, restore. Three promises hold for
every method, because they are kept here and not in the methods: known voxels are bit-identical, hidden voxels never
matter, and the same seed gives the same output on the same number of threads.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import intensity
from .appearance import Appearance
from .choice import by_plan, choose
from .clock import Clock
from .errors import EmptyMaskError, GeometryError, ParameterError
from .fill_report import write_report
from .filling import Filling, expected_seconds, expected_spread_seconds, fill, plan_tasks, spread_among
from .guides import check_guides
from .inputs import check_same_length, facts_of, find_exemplars, names_of_guides, read_guides, read_image, read_mask
from .io.segments import Segments
from .mask import Hole, find_hole
from .methods import auto
from .missing_slices import with_missing_slices
from .modality import Guess, Modality
from .no_data import settle
from .options import FillOptions
from .parts import Group, find_parts
from .progress import Progress
from .result import Result
from .subject import Subject
from .together import cores
from .volume import Volume

#: Seconds that the report takes for each part.
REPORT = 1.5e-4
NO_MASK = "Give a mask of what to fill; only missing slices (--fill-missing-slices) can be filled without one."


def inpaint(
    image: Any,
    mask: Any,
    *,
    method: str = "auto",
    parameters: dict[str, Any] | None = None,
    blend: str = "auto",
    labels: Sequence[int | str] | int | str | None = None,
    dilate_mm: float = 0.0,
    spacing: Sequence[float] | float | None = None,
    modality: str | None = None,
    guides: Sequence[Any] = (),
    exemplars: Any = None,
    self_check: bool = False,
    uncertainty: bool = False,
    device: str = "auto",
    seed: int = 0,
    workers: int | None = None,
    grain: bool = False,
    force: bool = False,
    series: str | None = None,
    volume: int | None = None,
    fill_missing_slices: bool = False,
    allow_outside_data: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Fill the hole that ``mask`` marks in ``image``.

    Args:
        image: a path, a SimpleITK image, a :class:`Volume`, or an array ``(k, j, i)`` or ``(j, i)``; any real dtype.
        mask: the same kinds; 0 = known; probabilities and soft edges are cut in the middle, several labels are chosen.
            An array has the image's grid.
        method: a name of :func:`MedInpaintLib.list_methods`, or ``"auto"``: chosen by the geometry of the hole, with
            the reason in the report.
        parameters: the method's parameters by name; the others keep their defaults.
        blend: ``"paste"``, ``"feather"``, ``"poisson"``, or ``"auto"``: what suits the method.
        labels: use only these labels of the mask, by number or name; a mask with several needs them, or ``["all"]``.
        dilate_mm: grow the hole first (lesion masks tend to miss the rim).
        spacing: voxel size in mm in the order of the axes, for arrays.
        modality: a name of :data:`.modality.MODALITIES` (``"MR"``, ``"CT"``, ``"film"``), in capitals or not; guessed
            from the header and the known voxels when None, with the reason in the report.
        guides: other contrasts of the same subject, undamaged where the hole is, for the methods that can use them.
            The same kinds as ``image``; those on another grid are resampled.
        exemplars: scans of other subjects, of the same contrast, for the methods that take tissue from them: a
            folder, or a list of what ``image`` can be.
        self_check: fill trial holes like this one in healthy tissue of the same image first; ``report["self_check"]``
            holds the scores to expect. With ``method="auto"`` several methods are tried, and the best one is taken.
        uncertainty: make sure that the result has one: methods that give no spread of their own get the spread among
            several methods.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``; auto is a GPU where there is one and the
            method wants it. Where the one that is asked for is not there, or its memory is too small, the CPU steps
            in, and the report's warnings say so.
        seed: for methods with chance in them.
        workers: parts of the hole that are filled at a time; as many as there are cores when None. The result is the
            same for any number.
        grain: add noise of the scan's own spectrum, measured around the hole, to fills that are smoother than their
            surroundings. Their error grows by it; scores of the self-check are without it.
        force: fill although the inputs look wrong: a swapped, inverted or misplaced mask, flipped or unfitting guides.
        series: of an image that is a folder of DICOM files, which series: its number, UID or a part of its description.
        volume: of a 4-D file (NIfTI, MGH), which volume, from 0; of a 4-D mask, the same one is used.
        fill_missing_slices: fill the slices that a DICOM series lacks, besides what the mask marks.
        allow_outside_data: read voxels that a header (.mhd, .nhdr) takes from outside its own folder.
        progress: reports and cancels.

    Returns:
        Result: with ``volume``, ``uncertainty``, ``report`` and ``save``.

    Raises:
        InputError: an input or option cannot be used; the message says what to do.
        ConvergenceError: a solver did not reach its accuracy.
        Cancelled: ``progress`` asked for it.

    >>> ramp = np.add.outer(np.arange(9), np.arange(9))
    >>> hole = np.zeros((9, 9), bool)
    >>> hole[3:6, 3:6] = True
    >>> filled = inpaint(np.where(hole, 99, ramp), hole, method="harmonic").volume.array
    >>> bool((filled == ramp).all())
    True
    """
    chosen = _as_list(labels)
    options = FillOptions(
        method=method,
        parameters=parameters or {},
        blend=blend,
        labels=chosen,
        dilate_mm=dilate_mm,
        modality=modality,
        self_check=self_check,
        device=device,
        seed=seed,
        workers=workers,
        grain=grain,
        force=force,
        series=series,
        volume=volume,
        fill_missing_slices=fill_missing_slices,
        allow_outside_data=allow_outside_data,
    )
    options.check()
    if mask is None and not options.fill_missing_slices:
        raise ParameterError(NO_MASK)
    progress, clock = progress or Progress(), Clock()

    progress.update(0.0, "Reading")
    check_same_length(image, mask)
    source = read_image(image, spacing, **options.reading())
    mask_read = read_mask(mask, source, allow_outside_data=allow_outside_data, volume=volume)
    clock.lap("read")

    progress.update(0.0, "Checking")
    subject, groups, modality_reason, warnings = _check(source, mask_read, guides, exemplars, options)
    clock.lap("check")

    at_once = workers or cores()
    choices, more = choose(subject, groups, options, progress, workers=at_once)
    clock.lap("self-check" if self_check else "choose")
    tasks = plan_tasks(subject, by_plan(choices))
    expected = (
        expected_seconds(subject, tasks, at_once),
        expected_spread_seconds(subject, tasks, auto.PEERS, at_once) if uncertainty else 0.0,
    )
    for_fill, for_spread, _ = progress.remaining(*expected, REPORT * sum(len(group.parts) for group in groups))
    filling = fill(subject, tasks, for_fill, clock, workers=at_once)
    filling, spread_of = _spread(subject, filling, uncertainty, int(seed), for_spread, at_once)
    clock.lap("uncertainty")

    meaning = subject.whole.meaning
    assert meaning is not None  # find_hole says how it read the mask
    report = write_report(
        subject,
        choices,
        filling,
        modality_reason=modality_reason,
        image={**facts_of(image, source), "dtype": str(source.array.dtype)},
        mask={
            **facts_of(mask, mask_read.grid if isinstance(mask_read, Segments) else mask_read),
            "kind": meaning.kind,
            "rule": meaning.rule,
            "labels": chosen,
            "dilate_mm": float(dilate_mm),
        },
        grain=grain,
        uncertainty=spread_of,
        warnings=[*warnings, *more],
        seconds=clock.seconds(),
    )
    progress.update(1.0, "Done")
    return Result(source, subject.whole, filling.patches, report)


def _as_list(labels: Sequence[int | str] | int | str | None) -> list[int | str] | None:
    """Return one label or several as numbers and names."""
    if labels is None:
        return None
    several: Any = [labels] if isinstance(labels, (str, numbers.Real)) else labels
    return [_label(label) for label in several]


def _label(label: Any) -> int | str:
    """Return a label as a number or a name.

    Raises:
        ParameterError: it is neither.
    """
    if isinstance(label, str):
        return str(label)
    if isinstance(label, numbers.Integral):
        return int(label)
    if isinstance(label, numbers.Real) and float(label).is_integer():
        return int(float(label))
    raise ParameterError(f"A label is a whole number or a name; found {label!r}.")


def _check(
    volume: Volume, mask: Volume | Segments, guides: Any, exemplars: Any, options: FillOptions
) -> tuple[Subject, list[Group], str, list[str]]:
    """Return the subject, its hole's parts, the reason for its modality, and warnings."""
    hole, warnings = _hole(mask, volume, options)
    marked = _marked(mask, volume, hole, options)
    hole, no_data, remarks = settle(volume, hole, marked)
    groups = find_parts(hole, volume.spacing, marked if options.dilate_mm > 0 else None)
    guess = _modality(volume, hole, no_data, options.modality)
    known = intensity.sample_known(volume.array, hole.voxels, hole.box, no_data)
    scaling = intensity.fit_scaling(known, guess.modality)
    guide_volumes, more = read_guides(guides, volume, hole, allow_outside_data=options.allow_outside_data)
    more += check_guides(guide_volumes, names_of_guides(guides), volume, hole, no_data, force=options.force)
    subject = Subject(
        volume,
        hole,
        scaling,
        guess.modality,
        guide_volumes,
        find_exemplars(exemplars),
        no_data,
        allow_outside_data=options.allow_outside_data,
        may_be=guess.may_be,
        grown=options.dilate_mm > 0,
    )
    return (
        subject,
        groups,
        guess.reason,
        [*volume.warnings, *mask.warnings, *warnings, *remarks, *guess.warnings, *more],
    )


def _hole(mask: Volume | Segments, volume: Volume, options: FillOptions) -> tuple[Hole, list[str]]:
    """Return what the mask marks and the slices that the image lacks, and warnings."""
    fill = options.fill_missing_slices
    if fill and not (mask.array.any() if isinstance(mask, Volume) else mask.segments):
        if not volume.missing:
            raise EmptyMaskError("There is nothing to fill: the image lacks no slices, and no mask marks a voxel.")
        return with_missing_slices(volume, None, fill=True)
    hole, warnings = find_hole(mask, volume, labels=options.labels, dilate_mm=options.dilate_mm, force=options.force)
    hole, more = with_missing_slices(volume, hole, fill=fill)
    return hole, [*warnings, *more]


def _marked(mask: Volume | Segments, volume: Volume, hole: Hole, options: FillOptions) -> Hole | None:
    """Return the voxels that the user marked, missing slices included: the hole without growth and resampling."""
    grid = mask.grid if isinstance(mask, Segments) else mask
    own: Hole | None = hole
    if grid.array.ndim == volume.array.ndim and not volume.lies_on(grid):
        own = None
    elif options.dilate_mm > 0:
        own = find_hole(mask, volume, labels=options.labels, force=options.force)[0]
    return with_missing_slices(volume, own, fill=True)[0] if volume.missing else own


def _modality(volume: Volume, hole: Hole, no_data: np.ndarray | None, name: str | None) -> Guess:
    if sum(size > 1 for size in volume.array.shape) < 2:
        raise GeometryError(f"The image must extend along at least 2 axes; found shape {volume.array.shape}.")
    return Guess(Modality.of(name), "") if name else Modality.guess(Appearance.of(volume, hole, no_data))


def _spread(
    subject: Subject, filling: Filling, needed: bool, seed: int, progress: Progress, workers: int
) -> tuple[Filling, str | None]:
    """Return the filling with a spread where one is needed, and the methods among which it is."""
    if filling.has_spread:
        return filling, "the method"
    if not needed:
        return filling, None
    lacking = [region.method for region in filling.regions if region.patch.spread is None]
    filling, others = spread_among(subject, filling, auto.PEERS, seed, progress, workers=workers)
    return filling, "among " + ", ".join(dict.fromkeys([*lacking, *others]))
