"""All regions of a hole, one after the other, in threads or in processes; the result is the same."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import multiprocessing
import pickle
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from .clock import Clock
from .fill_region import fill_region
from .filled import Filled, Filling
from .mask import size_of
from .methods import registry
from .processes import in_parallel, main_can_start_again
from .progress import Progress
from .subject import Subject
from .tasks import Task, box_of, seconds_of
from .temporary import NEW, temporary_folder
from .together import Piece, do_together, time_together

#: Of one thread's time, what several take: 0.95 for six balls by patches, 0.7 for 25 regions by patch-regression.
THREADED = 0.85
#: Seconds that one of the regions must take for threads to be used: handing over pieces of 2 ms takes as long as they
#: do. 300 small holes by biharmonic take 1.5 s in two threads and 1.0 s in one.
BRIEF = 0.01
#: Seconds that a worker process takes to start and to import.
PROCESS = 1.4
#: Seconds that processes must save, at least. Two threads fill six 20 mm balls
#: by patches no quicker than one (8.1 s and 7.7 s; two processes alone 4 s), and 25 regions by patch-regression in 4.0
#: instead of 5.7 s: numpy's many short calls wait for the interpreter's lock.
START = 2.5
#: Bytes of images that are copied to all processes together, at most: beyond, threads are used, which share them.
MOST_COPIED = 1_000_000_000


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
    progress = _prepare(subject, tasks, progress, workers)
    if workers > 1 and _processes_pay(subject, tasks, workers):
        regions = fill_in_processes(subject, tasks, progress, workers)
    else:
        pieces = [_piece(subject, task) for task in tasks]
        regions = do_together(pieces, _threads([piece.cost for piece in pieces], workers), progress)
    if clock is not None:
        for region in regions:
            clock.add(region.seconds)
    return Filling(tuple(regions))


def _prepare(subject: Subject, tasks: Sequence[Task], progress: Progress, workers: int) -> Progress:
    """Compute what all regions of a method share, and return the progress of the regions."""
    prepared = {task.plan.method.name: task.plan.method for task in tasks if task.plan.method.prepare}.values()
    if not prepared:
        return progress
    seconds = _seconds_of_all(subject, tasks, workers)
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
    costs = [seconds_of(subject, task) for task in tasks]
    saved = time_together(costs, 1) - time_together(costs, workers)
    return copied <= MOST_COPIED and saved > START


def fill_in_processes(subject: Subject, tasks: Sequence[Task], progress: Progress, workers: int) -> list[Filled]:
    """Fill the regions in worker processes; the result is that of :func:`fill_region` for each, in this order."""
    context = multiprocessing.get_context("spawn")
    shares = context.Array("d", len(tasks), lock=False)
    costs = [seconds_of(subject, task) for task in tasks]
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
    costs = [seconds_of(subject, task) for task in tasks]
    if workers > 1 and _processes_pay(subject, tasks, workers):
        return PROCESS + time_together(costs, workers)
    return _seconds_in_threads(costs, _threads(costs, workers))


def _threads(costs: Sequence[float], workers: int) -> int:
    """Return how many regions to fill at a time in threads."""
    return workers if max(costs, default=0.0) > BRIEF else 1


def _seconds_in_threads(costs: Sequence[float], threads: int) -> float:
    return sum(costs) if threads == 1 else max(max(costs, default=0.0), THREADED * sum(costs))


def _piece(subject: Subject, task: Task) -> Piece[Filled]:
    """Return a task as a piece of work."""
    return Piece(
        functools.partial(fill_region, subject, task), seconds_of(subject, task), size_of(box_of(subject, task))
    )
