"""The road from an image, or several with one hole, and a mask to filled images. Every method travels it.

read, check, choose, fill, report, result: each step is a line of :func:`_travel`; :func:`.filling.fill` goes on for
each region with region, method, blend, restore. Three promises hold for
every method, because they are kept here and not in the methods: known voxels are bit-identical, hidden voxels never
matter, and the same seed gives the same output on the same number of threads.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import intensity
from .appearance import Appearance
from .atlas.edges import edge_labels
from .atlas.regions import anatomy, is_registered
from .atlas.registration import register, why_none
from .choice import Choice, by_plan, choose
from .clock import Clock
from .companions import check_companions, check_grids, check_modalities, settle_all
from .errors import EmptyMaskError, GeometryError, InputError, ParameterError
from .fill_report import together_facts, write_report
from .filled import Filling
from .filling import expected_seconds, fill
from .guides import check_guides
from .inputs import (
    check_same_length,
    facts_of,
    find_exemplars,
    name_of,
    names_of_guides,
    names_of_images,
    read_guides,
    read_image,
    read_mask,
)
from .io.segments import Segments
from .mask import Hole, find_hole
from .methods import registry
from .missing_slices import with_missing_slices
from .modality import Guess, Modality
from .options import FillOptions
from .parts import Group, find_parts
from .progress import Progress
from .report import MaskFacts, UncertaintyFacts, no_uncertainty
from .result import Result, draw_from
from .subject import Subject
from .tasks import plan_tasks
from .together import cores
from .uncertainty import calibrate
from .volume import Volume

#: Seconds that the report takes for each part.
REPORT = 1.5e-4
#: Seconds that the standard deviations take for 1000 voxels to fill.
CALIBRATING = 1e-3
#: Seconds that bringing the atlas onto a head at 1 mm takes.
REGISTERING = 8.0
NO_SAMPLES = "No samples were drawn: nothing supports an uncertainty of this fill."
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
    regions: bool = False,
    uncertainty: bool = False,
    device: str = "auto",
    seed: int = 0,
    workers: int | None = None,
    grain: bool = False,
    samples: int = 0,
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
        regions: name the regions of the brain that each part lies in, and the tissues that are expected there, by the
            atlas: ``report["parts"]`` has ``regions`` and ``tissues`` then. Takes about 10 s for a head at 1 mm, once
            an image. They are there without this option, too, where the method needs the atlas itself.
        uncertainty: give the result the standard deviation of the error of each filled voxel, calibrated by other
            people and, with a self-check, by this image. Where neither supports a number, there is none, and the
            report's warnings say why.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``; auto is a GPU where there is one and the
            method wants it. Where the one that is asked for is not there, or its memory is too small, the CPU steps
            in, and the report's warnings say so.
        seed: for methods with chance in them.
        workers: parts of the hole that are filled at a time; as many as there are cores when None. The result is the
            same for any number.
        grain: add noise of the scan's own spectrum, measured around the hole, to fills that are smoother than their
            surroundings. Their error grows by it; scores of the self-check are without it.
        samples: how many plausible fills to draw besides: ``result.samples``. Their mean is the fill and their standard
            deviation its uncertainty, which is computed for them; where there is none, there are no samples.
        force: fill although the inputs look wrong: a swapped, inverted or misplaced mask, flipped or unfitting guides.
        series: of an image that is a folder of DICOM files, which series: its number, UID or a part of its description.
        volume: of a 4-D file (NIfTI, MGH), which volume, from 0; of a 4-D mask, the same one is used.
        fill_missing_slices: fill the slices that a DICOM series lacks, besides what the mask marks.
        allow_outside_data: read voxels that a header (.mhd, .nhdr) takes from outside its own folder.
        progress: reports and cancels.

    Returns:
        Result: with ``volume``, ``uncertainty``, ``samples``, ``report`` and ``save``.

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
        regions=regions,
        device=device,
        seed=seed,
        workers=workers,
        grain=grain,
        samples=samples,
        force=force,
        series=series,
        volume=volume,
        fill_missing_slices=fill_missing_slices,
        allow_outside_data=allow_outside_data,
    )
    options.check()
    if mask is None and not options.fill_missing_slices:
        raise ParameterError(NO_MASK)
    return _travel([image], mask, options, spacing, guides, exemplars, uncertainty, progress or Progress())[0]


def inpaint_together(
    images: Sequence[Any],
    mask: Any,
    *,
    spacing: Sequence[float] | float | None = None,
    guides: Sequence[Any] = (),
    uncertainty: bool = False,
    labels: Sequence[int | str] | int | str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> list[Result]:
    """Fill one hole in several images of a subject: contrasts or time points that are all damaged there.

    Methods that copy tissue (``patch``, ``mirror``, ``hybrid``) compare all images at once, with the voxels that are
    known in each, and every image takes its voxels from the same places: the fills show one anatomy. Other methods fill
    each image on its own; ``report["filled_together"]`` says which. The methods are chosen once, for the first image.

    Args:
        images: of one modality and on one grid; the same kinds as in :func:`inpaint`.
        mask: of the hole in all images.
        spacing, guides, uncertainty, labels, progress: as in :func:`inpaint`. A guide is undamaged in the hole.
        options: those of :func:`inpaint` but ``exemplars``, ``series``, ``volume``, ``fill_missing_slices`` and
            ``samples``. A self-check scores the first image.

    Returns:
        A result for each image, in their order.

    Raises:
        InputError: as :func:`inpaint`; also for images on different grids or of different modalities.

    >>> ramp = np.add.outer(np.arange(9.0), np.arange(9.0))
    >>> hole = np.zeros((9, 9), bool)
    >>> hole[3:6, 3:6] = True
    >>> first, second = inpaint_together([ramp, 20 - ramp], hole, method="harmonic", modality="MR")
    >>> np.allclose(first.volume.array, ramp), np.allclose(second.volume.array, 20 - ramp)
    (True, True)
    """
    chosen = FillOptions(**{**options, "labels": _as_list(labels), "parameters": options.get("parameters") or {}})
    chosen.check()
    sources = list(images)
    if not sources:
        raise ParameterError("Give the images to be filled together; found none.")
    alone = ("series", "volume", "fill_missing_slices", "samples")
    unsuited = [name for name in alone if getattr(chosen, name) != getattr(FillOptions, name)]
    if unsuited:
        raise ParameterError(f"The option '{unsuited[0]}' cannot be used for several images; fill each one alone.")
    info = None if chosen.method == "auto" else registry.get(chosen.method)
    if info is not None and (info.needs_exemplars or info.needs_guides):
        raise ParameterError(f"Method '{info.name}' fills a single contrast; fill each image alone, or take another.")
    if mask is None:
        raise ParameterError("Give a mask of what to fill.")
    return _travel(sources, mask, chosen, spacing, guides, None, uncertainty, progress or Progress())


def atlas_edges(
    image: Any,
    mask: Any,
    *,
    spacing: Sequence[float] | float | None = None,
    guides: Sequence[Any] = (),
    labels: Sequence[int | str] | int | str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Volume:
    """Return the edges of the atlas on a damaged image, to judge by eye how well it fits.

    They are those of the registration that methods ``atlas`` and ``consensus`` fill from with the same inputs, and by
    which ``regions`` names the regions.

    Args:
        image, mask, spacing, guides, labels, progress: as for :func:`inpaint`.
        options: ``dilate_mm``, ``modality``, ``force``, ``series``, ``volume`` and ``allow_outside_data``, likewise.

    Returns:
        A label map on the image's grid, uint8: 1 is the outline of the brain, 2 the border of white matter. Its
        ``warnings`` are those of the inputs.

    Raises:
        InputError: as :func:`inpaint`; also where the atlas does not fit the image, with the reason.
    """
    chosen = FillOptions(**options, labels=_as_list(labels))
    chosen.check()
    progress = progress or Progress()
    progress.update(0.0, "Reading")
    check_same_length(image, mask)
    volume = read_image(image, spacing, **chosen.reading())
    mask_read = read_mask(mask, volume, allow_outside_data=chosen.allow_outside_data, volume=chosen.volume)
    subject, _, (remark,) = _check([volume], names_of_images([image]), mask_read, guides, None, chosen)
    registration = register(subject, progress)
    reason = why_none(registration)
    if reason or registration is None:
        raise InputError(f"The atlas does not fit this image: {reason}.")
    shape = [volume.array.shape[axis] for axis in subject.axes]
    edges = edge_labels(registration, shape, subject.spacing).reshape(volume.array.shape)
    return dataclasses.replace(volume.of_another_quantity(edges), warnings=tuple(remark.warnings))


def _travel(
    images: Sequence[Any],
    mask: Any,
    options: FillOptions,
    spacing: Sequence[float] | float | None,
    guides: Sequence[Any],
    exemplars: Any,
    uncertainty: bool,
    progress: Progress,
) -> list[Result]:
    """Fill the hole in one image, or in several; the arguments are those of :func:`inpaint`."""
    clock = Clock()
    uncertainty = uncertainty or options.samples > 0
    progress.update(0.0, "Reading")
    for image in images:
        check_same_length(image, mask)
    volumes = [read_image(image, spacing, **options.reading()) for image in images]
    mask_read = read_mask(mask, volumes[0], allow_outside_data=options.allow_outside_data, volume=options.volume)
    clock.lap("read")

    progress.update(0.0, "Checking")
    subject, groups, remarks = _check(volumes, names_of_images(images), mask_read, guides, exemplars, options)
    clock.lap("check")

    at_once = options.workers or cores()
    choices, more = choose(subject, groups, options, progress, workers=at_once)
    clock.lap("self-check" if options.self_check else "choose")
    tasks = plan_tasks(subject, by_plan(choices))
    expected = expected_seconds(subject, tasks, at_once)
    calibrating = CALIBRATING * subject.whole.count() / 1000 if uncertainty else 0.0
    registering = REGISTERING if options.regions and not is_registered(subject) else 0.0
    reporting = REPORT * sum(len(group.parts) for group in groups)
    for_fill, for_uncertainty, for_regions, _ = progress.remaining(expected, calibrating, registering, reporting)
    filling = fill(subject, tasks, for_fill, clock, workers=at_once)
    for_uncertainty.update(0.0, "Computing the uncertainty")
    filling, basis = _calibrate(subject, filling, choices, needed=uncertainty)
    clock.lap("uncertainty")
    if uncertainty and basis and basis[0]["reason"]:
        more = [*more, no_uncertainty(basis[0])]

    names = [name_of(image) for image in images]
    together = together_facts(names, filling) if len(images) > 1 else None
    parts = tuple(sorted((part for group in groups for part in group.parts), key=lambda part: part.number))
    places = None
    if options.regions or is_registered(subject):
        places = anatomy(subject, parts, register(subject, for_regions), asked=options.regions)
        clock.lap("regions")
    results = []
    several = zip(images, subject.images, filling.of_each_image(), remarks, strict=True)
    for number, (image, each, own, remark) in enumerate(several):
        draws = draw_from(each, own.patches, int(options.seed)) if options.samples else ()
        if options.samples and not draws:
            more = [*more, NO_SAMPLES]
        report = write_report(
            each,
            choices,
            own,
            modality_reason=remark.modality,
            image={**facts_of(image, each.image), "dtype": str(each.image.array.dtype)},
            mask=_mask_facts(mask, mask_read, subject.whole, options),
            together=together,
            samples=int(options.samples) if draws else 0,
            grain=options.grain,
            uncertainty=basis[number] if basis else None,
            warnings=[*remark.warnings, *more],
            seconds=clock.seconds(),
            anatomy=places,
        )
        results.append(Result(each.image, each.whole, own.patches, report, parts, draws))
    progress.update(1.0, "Done")
    return results


def _mask_facts(source: Any, mask: Volume | Segments, hole: Hole, options: FillOptions) -> MaskFacts:
    meaning = hole.meaning
    assert meaning is not None  # find_hole says how it read the mask
    return {
        **facts_of(source, mask.grid if isinstance(mask, Segments) else mask),
        "kind": meaning.kind,
        "rule": meaning.rule,
        "labels": options.labels,
        "dilate_mm": float(options.dilate_mm),
    }


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


class _Remarks(NamedTuple):
    """About an image: the reason for its modality, and warnings."""

    modality: str
    warnings: list[str]


def _check(
    volumes: Sequence[Volume],
    names: Sequence[str],
    mask: Volume | Segments,
    guides: Any,
    exemplars: Any,
    options: FillOptions,
) -> tuple[Subject, list[Group], list[_Remarks]]:
    """Return the subject with its companions, its hole's parts, and remarks on each image."""
    volume, force = volumes[0], options.force
    check_grids(volumes, names)
    hole, warnings = _hole(mask, volume, options)
    for each in volumes[1:]:  # slices that a series lacks are refused unless the mask marks them
        hole, more = with_missing_slices(each, hole, fill=False)
        warnings += more
    marked = _marked(mask, volume, hole, options)
    hole, lacking, remarks = settle_all(volumes, hole, marked)
    groups = find_parts(hole, volume.spacing, marked if options.dilate_mm > 0 else None)
    guesses = [_modality(each, hole, no_data, options.modality) for each, no_data in zip(volumes, lacking, strict=True)]
    check_modalities([guess.modality for guess in guesses], names)
    guide_volumes, more = read_guides(guides, volume, hole, allow_outside_data=options.allow_outside_data)
    more += check_guides(guide_volumes, names_of_guides(guides), volume, hole, lacking[0], marked=marked, force=force)
    more += check_companions(volumes, names, hole, lacking, force=force)
    subjects = []
    for each, no_data, guess in zip(volumes, lacking, guesses, strict=True):
        known = intensity.sample_known(each.array, hole.voxels, hole.box, no_data)
        subject = Subject(
            each,
            hole,
            intensity.fit_scaling(known, guess.modality),
            guess.modality,
            guide_volumes,
            find_exemplars(exemplars),
            no_data,
            allow_outside_data=options.allow_outside_data,
            may_be=guess.may_be,
            grown=options.dilate_mm > 0,
        )
        subjects.append(subject)
    subject = dataclasses.replace(subjects[0], companions=tuple(subjects[1:]))
    all_remarks = [
        _Remarks(guess.reason, [*each.warnings, *mask.warnings, *warnings, *remark, *guess.warnings, *more])
        for each, remark, guess in zip(volumes, remarks, guesses, strict=True)
    ]
    return subject, groups, all_remarks


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


def _calibrate(
    subject: Subject, filling: Filling, choices: Sequence[Choice], *, needed: bool
) -> tuple[Filling, list[UncertaintyFacts]]:
    """Return the filling with standard deviations, if they are needed or the methods give some, and their basis."""
    if not (needed or filling.has_spread):
        return filling.without_spread(), []
    trials = {
        part.number: choice.checked.trials if choice.checked else {}
        for choice in choices
        for part in choice.group.parts
    }
    return calibrate(subject, filling, [trials[region.task.group.parts[0].number] for region in filling.regions])
