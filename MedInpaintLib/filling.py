"""Region by region: crop, predict, blend, restore; the same steps for every method."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import multiprocessing
import pickle
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from .background import continuing_seconds, touches_zero, zero_voxels
from .blending.by_name import BLENDS
from .calibration import Calibration
from .clock import Clock
from .errors import ConvergenceError, InputError, MaskError, MethodError
from .grain import add_grain
from .guard import doubt_of
from .mask import Box, grow, relative, size_of
from .methods import registry
from .parts import Group, Part, put_together
from .prediction import MethodInfo, Prediction, Run
from .processes import in_parallel, main_can_start_again
from .progress import Progress
from .region import FARTHEST, Region, context, crop, restore
from .result import Patch
from .subject import Subject
from .temporary import NEW, temporary_folder
from .together import Piece, do_together, time_together

#: A method that never falls back to another one.
LAST = "harmonic"
#: Of one thread's time, what several take: 0.95 for six balls by patches, 0.7 for 25 regions by patch-regression, 1 for
#: 300 small holes by biharmonic.
THREADED = 0.85
#: Seconds that a worker process takes to start and to import.
PROCESS = 1.4
#: Seconds that processes must save, at least. Two threads fill six 20 mm balls
#: by patches no quicker than one (8.1 s and 7.7 s; two processes alone 4 s), and 25 regions by patch-regression in 4.0
#: instead of 5.7 s: numpy's many short calls wait for the interpreter's lock.
START = 2.5
#: Bytes of images that are copied to all processes together, at most: beyond, threads are used, which share them.
MOST_COPIED = 1_000_000_000
#: How the names of notes begin of which less is worse.
LIKENESS = ("correlation", "similarity")
#: mm around a part of the hole in which known voxels are looked for where only such without data touch it.
FAR_MM = 20.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a region is filled.

    Attributes:
        method: which.
        settings: its parameters.
        blend: ``"paste"``, ``"feather"`` or ``"poisson"``.
        device: ``"cpu"``, ``"cuda"``, ...
        seed: for chance.
        grain: add the noise that the fill lacks, see :func:`.grain.add_grain`.
        automatic: nobody named the method, so that :data:`LAST` replaces it where its equations cannot be solved.
    """

    method: MethodInfo
    settings: Any
    blend: str
    device: str = "cpu"
    seed: int = 0
    grain: bool = False
    automatic: bool = False

    @classmethod
    def of(cls, method: str, blend: str = "auto", *, seed: int = 0) -> Plan:
        """Plan a method by name, with its default parameters; ``"auto"`` is the blending that suits it."""
        info = registry.get(method)
        return cls(info, info.parameters(), info.blend if blend == "auto" else blend, seed=seed, automatic=True)


@dataclasses.dataclass(frozen=True)
class Task:
    """Parts of the hole that are filled together, and how."""

    group: Group
    plan: Plan


@dataclasses.dataclass(frozen=True)
class Filled:
    """A region that was filled.

    Attributes:
        task: what was to be done.
        patch: the filled voxels.
        notes, warnings: the method's.
        doubts: for parts whose fill does not fit the tissue around it, by number, a sentence.
        instead: name of the method that replaced this one in all of the region; None when it filled some of it.
        device: where the method's network ran in the end; None without a network.
        seconds: by stage, of all images.
        companions: the same region of the subject's companions.
        shared: whether all images were filled from the same sources; False for an image without companions.
        calibration: the prediction's.
        noise: standard deviation of the grain that was added, in the image's units.
        background: bool, which of the filled voxels lie in an exact-zero background; None where there is none.
    """

    task: Task
    patch: Patch
    notes: dict[str, Any]
    warnings: tuple[str, ...]
    doubts: dict[int, str]
    instead: str | None
    device: str | None
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    companions: tuple[Filled, ...] = ()
    shared: bool = False
    calibration: Calibration | None = None
    noise: float = 0.0
    background: np.ndarray | None = None

    @property
    def images(self) -> tuple[Filled, ...]:
        """The region in all images that were filled together."""
        return self, *self.companions

    @property
    def method(self) -> str:
        """Name of the method that filled it in the end."""
        return self.instead or self.task.plan.method.name


@dataclasses.dataclass(frozen=True)
class Filling:
    """The filled regions of a hole, in the order of their parts."""

    regions: tuple[Filled, ...]

    def of_each_image(self) -> list[Filling]:
        """Return the filling of each image that was filled together, the first one with companions no more."""
        images = zip(*(region.images for region in self.regions), strict=True)
        return [Filling(tuple(dataclasses.replace(each, companions=()) for each in regions)) for regions in images]

    @property
    def patches(self) -> tuple[Patch, ...]:
        """The filled voxels, region by region."""
        return tuple(region.patch for region in self.regions)

    @property
    def notes(self) -> dict[str, Any]:
        """The methods' notes: the largest of each number, the first of each text."""
        return _worst([region.notes for region in self.regions])

    @property
    def warnings(self) -> tuple[str, ...]:
        """Doubts about parts and the methods' warnings, each once."""
        doubts = {number: doubt for region in self.regions for number, doubt in region.doubts.items()}
        told = [f"Part {number}: {doubts[number]}" for number in sorted(doubts)]
        return merged([*told, *(warning for region in self.regions for warning in region.warnings)])

    @property
    def instead(self) -> str | None:
        """Names of the methods that replaced others in all of the hole; None when those filled some of it."""
        names = [region.instead for region in self.regions]
        return ", ".join(dict.fromkeys(name for name in names if name)) if all(names) else None

    @property
    def device(self) -> str | None:
        """Where networks ran in the end; None without one."""
        return next((region.device for region in reversed(self.regions) if region.device), None)

    @property
    def has_spread(self) -> bool:
        """Whether there is a standard deviation everywhere, in all images."""
        return all(each.patch.spread is not None for region in self.regions for each in region.images)

    def without_spread(self) -> Filling:
        """Return the filling without standard deviations."""

        def bare(filled: Filled) -> Filled:
            return dataclasses.replace(filled, patch=dataclasses.replace(filled.patch, spread=None))

        return Filling(
            tuple(
                dataclasses.replace(bare(each), companions=tuple(map(bare, each.companions))) for each in self.regions
            )
        )


def plan_tasks(subject: Subject, planned: Sequence[tuple[Plan, Sequence[Group]]]) -> list[Task]:
    """Return the tasks: one for each region, where small parts of one plan that are near each other share a region."""
    tasks = []
    for plan, groups in planned:
        margin = [context(plan.method.context_mm, mm) for mm in subject.image.spacing]
        tasks += [Task(group, plan) for group in put_together(groups, margin)]
    return sorted(tasks, key=lambda task: task.group.parts[0].number)


def fill(
    subject: Subject, tasks: Sequence[Task], progress: Progress, clock: Clock | None = None, *, workers: int = 1
) -> Filling:
    """Fill the regions, several at a time; the result is the same for any number of workers.

    Args:
        subject: the image with its hole.
        tasks: parts of that hole, and how they are filled.
        progress: reports and cancels.
        clock: takes the time, which of several workers adds up.
        workers: regions at a time.

    Raises:
        MaskError: nothing is known around a part of the hole.
        MethodError: the method's prediction is invalid.
    """
    progress = _prepare(subject, tasks, progress, _seconds_of_all(subject, tasks, workers))
    if workers > 1 and _processes_pay(subject, tasks, workers):
        regions = fill_in_processes(subject, tasks, progress, workers)
    else:
        regions = do_together([_piece(subject, task) for task in tasks], workers, progress)
    if clock is not None:
        for region in regions:
            clock.add(region.seconds)
    return Filling(tuple(regions))


def _prepare(subject: Subject, tasks: Sequence[Task], progress: Progress, seconds: float) -> Progress:
    """Compute what all regions of a method share, and return the progress of the regions, which take some seconds."""
    prepared = {task.plan.method.name: task.plan.method for task in tasks if task.plan.method.prepare}.values()
    if not prepared:
        return progress
    *shares, rest = progress.remaining(*(info.cost.image for info in prepared), seconds)
    for info, share in zip(prepared, shares, strict=True):
        assert info.prepare is not None  # by the choice of these methods
        info.prepare(subject, share)
    return rest


def _processes_pay(subject: Subject, tasks: Sequence[Task], workers: int) -> bool:
    """Return whether worker processes are quicker than threads, and possible."""
    # PyTorch has threads of its own, which fight each other in several processes: 15 ml of lesions took 46 s, not 26.
    networks = any(task.plan.method.architecture or task.plan.device != "cpu" for task in tasks)
    if len(tasks) < 2 or networks or subject.exemplars or not main_can_start_again():
        return False
    volumes = [volume for each in subject.images for volume in (each.image, *each.guides)]
    copied = workers * sum(volume.array.nbytes for volume in volumes)
    costs = [_seconds(subject, task) for task in tasks]
    saved = time_together(costs, 1) - time_together(costs, workers)
    return copied <= MOST_COPIED and saved > START


def fill_in_processes(subject: Subject, tasks: Sequence[Task], progress: Progress, workers: int) -> list[Filled]:
    """Fill the regions in worker processes; the result is that of :func:`fill_region` for each, in this order."""
    context = multiprocessing.get_context("spawn")
    shares = context.Array("d", len(tasks), lock=False)
    costs = [_seconds(subject, task) for task in tasks]
    all_of_it, started = PROCESS + time_together(costs, workers), monotonic()

    def tell() -> None:
        left = [cost * (1 - share) for cost, share in zip(costs, shares, strict=True)]
        to_start = 0.0 if any(shares) else max(PROCESS - (monotonic() - started), 0.0)
        progress.update(1 - (to_start + time_together(left, workers)) / all_of_it, "Filling parts")

    tell()
    order = sorted(range(len(tasks)), key=lambda number: -costs[number])
    jobs = [(number, tasks[number]) for number in order]
    done: dict[int, Filled] = {}
    with temporary_folder(Path(tempfile.gettempdir())) as folder:
        # In a file: an argument of processes goes to one after the other, each of which reads it after its imports.
        given = folder / NEW / "subject"
        given.write_bytes(pickle.dumps(subject, protocol=5))
        results = in_parallel(
            _fill_one, jobs, workers=min(workers, len(tasks)), start=_begin, arguments=(given, shares), poll=tell
        )
        with contextlib.closing(results):
            for number, filled in results:
                done[number] = dataclasses.replace(filled, task=tasks[number])
                shares[number] = 1.0
    tell()
    return [done[number] for number in range(len(tasks))]


#: In a worker process: the subject, and the shares that are done of all tasks.
_GIVEN: list[Any] = []


def _begin(given: Path, shares: Any) -> None:
    registry.methods()
    _GIVEN[:] = [pickle.loads(given.read_bytes()), shares]


def _fill_one(number: int, task: Task) -> tuple[int, Filled]:
    subject, shares = _GIVEN

    def report(fraction: float, stage: str) -> None:
        shares[number] = fraction

    return number, fill_region(subject, task, Progress(report))


def expected_seconds(subject: Subject, tasks: Sequence[Task], workers: int) -> float:
    """Return about what filling takes, for dividing up the progress; see :class:`.prediction.Cost`."""
    methods = {task.plan.method.name: task.plan.method for task in tasks}.values()
    return sum(info.cost.image for info in methods) + _seconds_of_all(subject, tasks, workers)


def _seconds_of_all(subject: Subject, tasks: Sequence[Task], workers: int) -> float:
    """Return about what the regions take, without what they share."""
    costs = [_seconds(subject, task) for task in tasks]
    if workers > 1 and _processes_pay(subject, tasks, workers):
        return PROCESS + time_together(costs, workers)
    return _seconds_in_threads(costs, workers)


def _seconds_in_threads(costs: Sequence[float], workers: int) -> float:
    return sum(costs) if workers == 1 else max(max(costs, default=0.0), THREADED * sum(costs))


def _seconds(subject: Subject, task: Task) -> float:
    return sum(_stages(subject, task))


def _stages(subject: Subject, task: Task) -> tuple[float, float, float, float]:
    """Return about what the method, blending, continuing the background and judging the result take."""
    hole, box, images = task.group.hole, _box(subject, task), len(subject.images)
    voxels, parts = hole.count(), sum(size_of(part.box) for part in task.group.parts)
    blending = 2e-6 * voxels if task.plan.blend == "poisson" else 0.0
    background = continuing_seconds(size_of(box)) if touches_zero(subject, hole) else 0.0
    stages = task.plan.method.cost.seconds(voxels, parts), blending, background, 0.2e-6 * size_of(box)
    return stages[0] * images, stages[1] * images, stages[2] * images, stages[3] * images


def _piece(subject: Subject, task: Task) -> Piece[Filled]:
    """Return a task as a piece of work."""
    return Piece(functools.partial(fill_region, subject, task), _seconds(subject, task), size_of(_box(subject, task)))


def fill_region(subject: Subject, task: Task, progress: Progress) -> Filled:
    """Fill one region, in the subject and its companions."""
    clock = Clock()
    for_method, *for_rest = progress.remaining(*_stages(subject, task))
    region = crop(subject, _box(subject, task), task.group.hole)
    for each in region.images:
        if each.hole.all():
            raise MaskError(_nothing_known(each))
    predictions, shared = _predict_all(region, task.plan, for_method)
    clock.lap("method")
    count = len(predictions)
    filled = []
    for number, (each, prediction) in enumerate(zip(region.images, predictions, strict=True)):
        shares = [stage.part(number / count, (number + 1) / count) for stage in for_rest]
        filled.append(dataclasses.replace(_put_in(each, task, prediction, shares, clock), shared=shared))
    return dataclasses.replace(filled[0], seconds=clock.stages(), companions=tuple(filled[1:]))


def _put_in(region: Region, task: Task, prediction: Prediction, shares: Sequence[Progress], clock: Clock) -> Filled:
    """Blend a prediction, and return the filled voxels in the image's own intensities."""
    plan, subject = task.plan, region.subject
    for_blend, for_background, for_doubts = shares
    blended = BLENDS[plan.blend](prediction.mean, region, for_blend)
    clock.lap("blend")
    spread = None if prediction.spread is None else prediction.spread[region.fill] * region.scaling.width
    noise = 0.0
    if plan.grain:
        grainy = add_grain(region, blended, plan.seed)
        noise = float((grainy - blended)[region.fill].std()) * region.scaling.width
        blended = grainy
    own = task.group.hole.crop(region.box)
    intensities = restore(region, blended, subject.image.array.dtype)
    outside = zero_voxels(subject, region.box, own, for_background)
    if outside is not None:
        intensities[outside[own]] = 0
    patch = Patch(region.box, own, intensities, spread)
    for_doubts.update(0.0, "Looking at the result")
    doubts = _doubts(subject, task.group.parts, patch, outside)
    for_doubts.update(1.0, "Looking at the result")
    clock.lap("restore")
    return Filled(
        task,
        patch,
        prediction.notes,
        prediction.warnings,
        doubts,
        prediction.instead,
        prediction.device,
        calibration=prediction.calibration,
        noise=noise,
        background=None if outside is None else outside[own],
    )


def _doubts(subject: Subject, parts: Sequence[Part], patch: Patch, outside: np.ndarray | None) -> dict[int, str]:
    """Return a sentence for each part whose fill does not fit the tissue around it, by number.

    Args:
        subject: the image with its hole.
        parts: those of the patch.
        patch: what was filled in.
        outside: bool of the patch's box, voxels in an exact-zero background; None when there are none.
    """
    filled = np.zeros(patch.hole.shape, dtype=patch.intensities.dtype)
    filled[patch.hole] = patch.intensities
    tissue = patch.hole if outside is None else patch.hole & ~outside
    doubts = {}
    for part in parts:
        inside = part.voxels & tissue[relative(part.box, patch.box)]
        doubt = doubt_of(subject, part.box, inside, filled[relative(part.box, patch.box)][inside])
        if doubt:
            doubts[part.number] = doubt
    return doubts


def _box(subject: Subject, task: Task) -> Box:
    """Return the box of a region: the parts with context, and with known voxels if any are near."""
    margin = [context(task.plan.method.context_mm, mm) for mm in subject.image.spacing]
    box = grow(task.group.hole.box, margin, subject.whole.shape)
    return box if all(each.no_data is None for each in subject.images) else _with_known_voxels(subject, box)


def _with_known_voxels(subject: Subject, box: Box) -> Box:
    """Grow a box until there are known voxels of all images in it, by :data:`FAR_MM` at most."""
    lacking = [each.no_data for each in subject.images if each.no_data is not None]
    wider = box
    for mm in (0.0, FAR_MM / 4, FAR_MM / 2, FAR_MM):
        wider = grow(box, [min(math.ceil(mm / step), FARTHEST) for step in subject.image.spacing], subject.whole.shape)
        hole = subject.whole.crop(wider)
        if not any((hole | no_data[wider]).all() for no_data in lacking):
            break
    return wider


def _nothing_known(region: Region) -> str:
    """Say why a region cannot be filled."""
    if region.subject.no_data is None:
        return "The hole leaves no known voxel around it: nothing is there to fill it from."
    first = [int(at) + side.start for at, side in zip(np.argwhere(region.fill)[0], region.place, strict=True)]
    return (
        f"A part of the hole ({np.count_nonzero(region.fill)} voxels, the first at {first}) is surrounded by voxels "
        f"without data (NaN or padding), up to {FAR_MM:g} mm away: nothing is there to fill it from. Leave it out of "
        "the mask."
    )


def merged(warnings: Sequence[str]) -> tuple[str, ...]:
    """Merge warnings of several regions: each once; of those that differ only in numbers, the first.

    >>> merged(["9 voxels were hard.", "It is large.", "7 voxels were hard.", "It is large."])
    ('9 voxels were hard (and the like in 1 other place).', 'It is large.')
    """
    alike: dict[str, list[str]] = {}
    for warning in dict.fromkeys(warnings):
        # One part and two parts are alike as well; T1 and T2 are not.
        alike.setdefault(re.sub(r"s\b", "", re.sub(r"\b\d+", "#", warning)), []).append(warning)
    return tuple(first if not similar else _and_others(first, len(similar)) for first, *similar in alike.values())


def _and_others(warning: str, count: int) -> str:
    return f"{warning.rstrip('.')} (and the like in {count} other place{'s' if count > 1 else ''})."


def _predict_all(region: Region, plan: Plan, progress: Progress) -> tuple[list[Prediction], bool]:
    """Return the predictions for a region and its companions, and whether they have the same sources.

    Where the method does not share sources, or found none that all images have, each image is filled on its own.
    """
    count = len(region.images)
    shares = [progress.part(number / count, (number + 1) / count) for number in range(count)]
    first = _predict(region, plan, progress if plan.method.shares_sources else shares[0])
    if first.companions:
        for each, companion in zip(first.companions, region.companions, strict=True):
            _check_prediction(each, companion, plan.method.name)
        return [first, *first.companions], True
    others = [_predict(each, plan, share) for each, share in zip(region.companions, shares[1:], strict=True)]
    return [first, *others], False


def _predict(region: Region, plan: Plan, progress: Progress) -> Prediction:
    """Run the method and check its prediction: a clear error is better than black voxels."""
    assert plan.method.fill is not None  # the registry fills it in
    name = plan.method.name
    run = Run(seed=plan.seed, device=plan.device, progress=progress)
    try:
        prediction = plan.method.fill(region, plan.settings, run)
    except ConvergenceError:
        if not plan.automatic or name == LAST:
            raise
        prediction = _by_last(region, name, run)
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"Method '{name}' has too few known voxels around the hole to solve its equations ({error}); take another "
            f"one, such as '{LAST}'."
        ) from None
    _check_prediction(prediction, region, name)
    return prediction


def _check_prediction(prediction: Prediction, region: Region, name: str) -> None:
    """Check a method's prediction.

    Raises:
        MethodError: it is of another shape, or not finite.
    """
    for what, array in (("shape", prediction.mean), ("a spread of shape", prediction.spread)):
        if array is not None and array.shape != region.values.shape:
            raise MethodError(f"Method '{name}' returned {what} {array.shape} for a region of {region.values.shape}.")
        if array is not None and not np.isfinite(array[region.fill]).all():
            raise MethodError(f"Method '{name}' returned NaN or infinity inside the hole; try another method.")


def _by_last(region: Region, method: str, run: Run) -> Prediction:
    """Fill by :data:`LAST` instead of a method whose equations cannot be solved here."""
    last = Plan.of(LAST)
    assert last.method.fill is not None
    mean = last.method.fill(region, last.settings, run).mean
    warning = f"The equations of {method} could not be solved here: it was filled by {LAST}."
    return Prediction(mean, warnings=(warning,), instead=LAST)


def _worst(notes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Merge the notes of all regions: the least of how alike things are, the most of other numbers, the first text."""
    worst: dict[str, Any] = {}
    for note in notes:
        for name, value in note.items():
            kept = worst.setdefault(name, value)
            if not isinstance(value, str):
                worst[name] = min(kept, value) if name.startswith(LIKENESS) else max(kept, value)
    return worst
