"""The road from an image and a mask to a filled image. Every method travels it.

read, check, choose, fill, report, result: each step is a line of :func:`inpaint`; :func:`.filling.fill` goes on for
each region with region, method, blend, restore. Three promises hold for
every method, because they are kept here and not in the methods: known voxels are bit-identical, hidden voxels never
matter, and the same seed gives the same output on the same number of threads.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import intensity
from .appearance import Appearance
from .clock import Clock
from .devices import use
from .errors import GeometryError, MaskError, ParameterError
from .filling import Filling, Plan, fill, spread_among
from .guides import check_guides
from .inputs import facts_of, find_exemplars, names_of_guides, read_guides, read_image, read_mask
from .io.segments import Segments
from .mask import Hole, find_hole
from .methods import auto, registry
from .missing_slices import with_missing_slices
from .modality import Guess, Modality
from .no_data import settle
from .options import FillOptions
from .parameters import parse
from .prediction import MethodInfo
from .progress import Progress
from .report import FillReport, ImageFacts, MaskFacts, now, software
from .result import Patch, Result
from .selfcheck import SelfCheck
from .selfcheck import self_check as run_self_check
from .subject import Subject
from .volume import Volume

NO_MASK = "Give a mask of what to fill; only missing slices (--fill-missing-slices) can be filled without one."
#: Deeper holes are warned of in the report: beyond this, smooth fills have nothing left to continue.
DEEP_MM = 12.0


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
    grain: bool = False,
    self_check: bool = False,
    uncertainty: bool = False,
    device: str = "auto",
    seed: int = 0,
    force: bool = False,
    series: str | None = None,
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
        grain: add noise of the scan's own spectrum, measured around the hole, to fills that are smoother than their
            surroundings. Their error grows by it; scores of the self-check are without it.
        self_check: fill trial holes like this one in healthy tissue of the same image first; ``report["self_check"]``
            holds the scores to expect. With ``method="auto"`` several methods are tried, and the best one is taken.
        uncertainty: make sure that the result has one: methods that give no spread of their own get the spread among
            several methods.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``; auto is a GPU where there is one and the
            method wants it. Where the one that is asked for is not there, or its memory is too small, the CPU steps
            in, and the report's warnings say so.
        seed: for methods with chance in them.
        force: fill although the inputs look wrong: a swapped, inverted or misplaced mask, flipped or unfitting guides.
        series: of an image that is a folder of DICOM files, which series: its number, UID or a part of its description.
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
        grain=grain,
        self_check=self_check,
        device=device,
        seed=seed,
        force=force,
        series=series,
        fill_missing_slices=fill_missing_slices,
        allow_outside_data=allow_outside_data,
    )
    options.check()
    if mask is None and not options.fill_missing_slices:
        raise ParameterError(NO_MASK)
    progress, clock = progress or Progress(), Clock()

    progress.update(0.0, "Reading")
    volume = read_image(image, spacing, **options.reading())
    mask_read = read_mask(mask, volume, allow_outside_data=allow_outside_data)
    clock.lap("read")

    progress.update(0.1, "Checking")
    subject, modality_reason, warnings = _check(volume, mask_read, guides, exemplars, options)
    clock.lap("check")

    choice = _choose(subject, options, progress, clock)
    filling = fill(subject, choice.plan, progress.part(0.7 if self_check else 0.15, 0.85), clock, grain=grain)
    filling, spread_of = _spread(subject, choice.plan, filling, uncertainty, progress.part(0.85, 0.95), clock)
    progress.update(1.0, "Done")

    meaning = subject.whole.meaning
    assert meaning is not None  # find_hole says how it read the mask
    report = _report(
        subject,
        choice,
        filling,
        modality_reason=modality_reason,
        image={**facts_of(image, volume), "dtype": str(volume.array.dtype)},
        mask={
            **facts_of(mask, mask_read.grid if isinstance(mask_read, Segments) else mask_read),
            "kind": meaning.kind,
            "rule": meaning.rule,
            "labels": chosen,
            "dilate_mm": float(dilate_mm),
        },
        grain=grain,
        uncertainty=spread_of,
        warnings=warnings,
        seconds=clock.seconds(),
    )
    return Result(volume, subject.whole, filling.patches, report)


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


@dataclasses.dataclass(frozen=True)
class _Choice:
    """The method that fills, and why.

    Attributes:
        plan: the method with its settings.
        reason: for the report; empty where the user named the method.
        checked: the self-check, where there was one.
        warnings: of the choice.
    """

    plan: Plan
    reason: str
    checked: SelfCheck | None
    warnings: list[str]


def _check(
    volume: Volume, mask: Volume | Segments, guides: Any, exemplars: Any, options: FillOptions
) -> tuple[Subject, str, list[str]]:
    """Return what is to be filled, checked, the reason for its modality, and warnings."""
    hole, warnings = _hole(mask, volume, options)
    hole, no_data, remarks = settle(volume, hole, _marked(mask, volume, hole, options))
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
    )
    return (
        subject,
        guess.reason,
        [*volume.warnings, *mask.warnings, *warnings, *remarks, *guess.warnings, *more],
    )


def _hole(mask: Volume | Segments, volume: Volume, options: FillOptions) -> tuple[Hole, list[str]]:
    """Return what the mask marks and the slices that the image lacks, and warnings."""
    fill = options.fill_missing_slices
    if fill and not (mask.array.any() if isinstance(mask, Volume) else mask.segments):
        if not volume.missing:
            raise MaskError("There is nothing to fill: the image lacks no slices, and no mask marks a voxel.")
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


def _choose(subject: Subject, options: FillOptions, progress: Progress, clock: Clock) -> _Choice:
    """Choose the method: the user's, else by the hole, else by what the self-check found to be best."""
    automatic = options.method == "auto"
    name, reason = auto.choose(subject) if automatic else (options.method, "")
    plan, warnings = _plan(name, options)
    clock.lap("check")
    checked = None
    if options.self_check:
        names = auto.candidates(subject) if automatic else []
        plans = [plan, *(Plan.of(other, options.blend, seed=plan.seed) for other in names if other != name)]
        checked = run_self_check(subject, plans, seed=plan.seed, progress=progress.part(0.15, 0.7))
        plan, reason, more = _after_check(checked, plans, reason)
        warnings += more
        clock.lap("self-check")
    return _Choice(plan, reason, checked, warnings + _unused(plan.method, subject))


def _plan(name: str, options: FillOptions) -> tuple[Plan, list[str]]:
    """Return a method with its settings, checked, and warnings."""
    info = registry.get(name)
    settings = parse(info.parameters, options.parameters, method=name)
    device, warnings = _device(options.device, info)
    blend = info.blend if options.blend == "auto" else options.blend
    return Plan(info, settings, blend, device, int(options.seed)), warnings


def _device(asked: str, info: MethodInfo) -> tuple[str, list[str]]:
    """Return the device that is used, and a warning when it is not the one that was asked for."""
    if asked == "cpu" or (asked == "auto" and not info.wants_gpu):
        return "cpu", []
    if not info.wants_gpu:
        return "cpu", [f"Method '{info.name}' runs on the CPU; the device '{asked}' was not used."]
    return use(asked)


def _after_check(checked: SelfCheck | None, plans: Sequence[Plan], reason: str) -> tuple[Plan, str, list[str]]:
    """Return the winner, why it was taken, and warnings."""
    if checked is None:
        return plans[0], reason, ["The self-check found no place for trial holes; nothing was checked."]
    if not checked.scores:
        return plans[0], reason, [f"Not self-checked: '{name}': {why}" for name, why in checked.left_out.items()]
    best = next(plan for plan in plans if plan.method.name == checked.best)
    return best, checked.reason() if len(checked.scores) > 1 else reason, []


def _unused(info: MethodInfo, subject: Subject) -> list[str]:
    """Return warnings for inputs that the method does not use."""
    warnings = []
    if subject.guides and not info.uses_guides:
        warnings.append(f"Method '{info.name}' does not use guides; the fill was made without them.")
    if subject.exemplars and not info.needs_exemplars:
        warnings.append(f"Method '{info.name}' does not use exemplars; the fill was made without them.")
    return warnings


def _spread(
    subject: Subject, plan: Plan, filling: Filling, needed: bool, progress: Progress, clock: Clock
) -> tuple[Filling, str | None]:
    """Return the filling with a spread where one is needed, and the methods among which it is."""
    if filling.has_spread:
        return filling, "the method"
    if not needed:
        return filling, None
    own = filling.instead or plan.method.name
    peers = [name for name in auto.PEERS if name not in (own, plan.method.name)]
    filling, others = spread_among(subject, filling, peers, plan.seed, progress)
    clock.lap("uncertainty")
    return filling, "among " + ", ".join([own, *others])


def _report(
    subject: Subject,
    choice: _Choice,
    filling: Filling,
    *,
    modality_reason: str,
    image: ImageFacts,
    mask: MaskFacts,
    grain: bool,
    uncertainty: str | None,
    warnings: list[str],
    seconds: dict[str, float],
) -> FillReport:
    """Write the report."""
    plan, hole, volume = choice.plan, subject.whole, subject.image
    scores = choice.checked if choice.checked and choice.checked.scores else None
    name = plan.method.name
    warnings = [*warnings, *choice.warnings]
    if scores and filling.instead:
        warnings.append(f"The self-check's scores are those of '{name}', but the hole was filled by {filling.instead}.")
    return FillReport(
        software=software(),
        date=now(),
        method=name,
        reason=choice.reason,
        parameters=dataclasses.asdict(plan.settings),
        blend=plan.blend,
        seed=plan.seed,
        device=filling.device or plan.device,
        modality=subject.modality.name,
        modality_reason=modality_reason,
        image=image,
        mask=mask,
        hole={
            "voxels": hole.count(),
            "volume_ml": hole.count() * math.prod(volume.spacing) / 1000 if volume.array.ndim == 3 else None,
            "components": _components(filling.patches),
            "regions": len(filling.patches),
        },
        self_check=scores.report() if scores else None,
        grain=grain,
        uncertainty=uncertainty,
        notes=filling.notes,
        warnings=[*warnings, *filling.warnings],
        seconds=seconds,
        trust=_trust(plan.method, filling, subject),
    )


def _components(patches: Sequence[Patch]) -> int:
    from scipy import ndimage

    return sum(int(ndimage.label(patch.hole, structure=np.ones((3,) * patch.hole.ndim))[1]) for patch in patches)


def _trust(info: MethodInfo, filling: Filling, subject: Subject) -> str:
    """Say how far to trust the fill: the method, what its model knows, the hole's depth, and what always holds."""
    sentences = [info.trust]
    if "model_title" in filling.notes:
        sentences.append(f"The model ({filling.notes['model_title']}) knows no other anatomy or kind of image.")
    largest = max(filling.patches, key=lambda patch: int(np.count_nonzero(patch.hole)))
    no_data = None if subject.no_data is None else subject.no_data[largest.box]
    depth = _depth(largest.hole, no_data, subject.image.spacing)
    if depth > DEEP_MM:
        # A picture without a pixel size has pixels of "1 mm".
        unit = "mm" if subject.image.array.ndim == 3 or subject.image.has_place else "pixels"
        sentences.append(
            f"The middle of the hole is {depth:.0f} {unit} from what is known: do not expect anatomy there."
        )
    return " ".join([*sentences, "Synthetic voxels: not for clinical use."])


def _depth(hole: np.ndarray, no_data: np.ndarray | None, spacing: Sequence[float]) -> float:
    """Return the mm from a hole's innermost voxel to the nearest known one; axes of one voxel do not count."""
    from scipy import ndimage

    if np.count_nonzero(hole) * math.prod(spacing) < 4 / 3 * math.pi * DEEP_MM**3 and hole.ndim == 3:
        return 0.0  # too small to be deep, and there may be thousands
    flat = [axis for axis, size in enumerate(hole.shape) if size > 1]
    unknown = hole if no_data is None else hole | no_data
    sampling = [spacing[axis] for axis in flat]
    distance = ndimage.distance_transform_edt(unknown.reshape([hole.shape[axis] for axis in flat]), sampling=sampling)
    return float(distance[hole.reshape(distance.shape)].max())
