"""Independent pieces of work, several at a time, in threads; results and order are those of one after the other.

Threads start at once and share all memory, but the many short calls of patch search keep waiting for the interpreter's
lock: :func:`.filling.fill_in_processes` is for fills that take longer than processes take to start.
"""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from .errors import Cancelled
from .progress import Progress
from .signals import held_back

Result = TypeVar("Result")

#: Voxels that are worked on at once, at most, unless one piece alone has more: bounds the memory.
ROOM = 16_000_000
#: Seconds between two looks at what the threads have done.
LOOK = 0.05


class Piece(NamedTuple, Generic[Result]):
    """A piece of work.

    Attributes:
        work: is given its own progress.
        cost: what it is expected to take, in the unit of the others' costs.
        voxels: of its arrays.
    """

    work: Callable[[Progress], Result]
    cost: float
    voxels: int


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def time_together(costs: Sequence[float], workers: int) -> float:
    """Return about what pieces of these costs take, several at a time."""
    return max(max(costs, default=0.0), sum(costs) / workers)


def do_together(pieces: Sequence[Piece[Result]], workers: int, progress: Progress) -> list[Result]:
    """Return the results of the pieces, in their order.

    Args:
        pieces: of work, which must not depend on each other. The most costly ones are begun first.
        workers: how many at a time, at most.
        progress: reports, by the pieces' costs, and cancels, both in the calling thread.

    Raises:
        Cancelled: ``progress`` asked for it.
        Exception: what a piece raised first; the others are stopped.
    """
    one_by_one = workers == 1 or len(pieces) < 2
    shares = _Shares(pieces, 1 if one_by_one else workers, progress)
    order = sorted(range(len(pieces)), key=lambda number: -pieces[number].cost)
    if one_by_one:
        results = []
        for number, piece in enumerate(pieces):
            results.append(piece.work(_Direct(shares, number)))
            shares.complete(number)
        progress.update(1.0, shares.stage)  # sums of many shares may miss it by a rounding
        return results
    done: dict[int, Result] = {}
    running: dict[concurrent.futures.Future[Result], int] = {}
    with concurrent.futures.ThreadPoolExecutor(min(workers, len(pieces))) as pool:
        try:
            while order or running:
                busy = sum(pieces[number].voxels for number in running.values())
                while order and len(running) < workers and (not running or busy + pieces[order[0]].voxels <= ROOM):
                    number = order.pop(0)
                    busy += pieces[number].voxels
                    with held_back():  # the pool would not wait for a thread that a signal interrupts in its start
                        running[pool.submit(pieces[number].work, _Silent(shares, number))] = number
                ended, _ = concurrent.futures.wait(running, LOOK, concurrent.futures.FIRST_COMPLETED)
                for future in ended:
                    number = running.pop(future)
                    done[number] = future.result()
                    shares.complete(number)
                shares.report()
        finally:
            shares.stopped = True  # before the pool waits for its threads
    return [done[number] for number in range(len(pieces))]


class _Shares:
    """What is left of each piece, in the unit of the costs."""

    def __init__(self, pieces: Sequence[Piece], workers: int, progress: Progress) -> None:
        self.stage = ""
        self.stopped = False
        self._costs = [piece.cost for piece in pieces]
        self._left = list(self._costs)
        self._all = self._sum = sum(self._costs)
        self._workers, self._progress = workers, progress

    def note(self, number: int, done: float, stage: str) -> None:
        """Take down what share of a piece is done."""
        left = min(self._left[number], self._costs[number] * (1 - min(float(done), 1.0)))
        self._sum += left - self._left[number]
        self._left[number] = left
        self.stage = stage

    def complete(self, number: int) -> None:
        """Count a piece as done, whatever it reported last."""
        self.note(number, 1.0, self.stage)

    def report(self) -> None:
        """Tell the progress of all pieces: by the time that is left, which a last long piece decides."""
        if self._workers == 1:  # called at each step of each of thousands of pieces
            left, everything = self._sum, self._all
        else:
            left = time_together(self._left, self._workers)
            everything = time_together(self._costs, self._workers)
        self._progress.update(1 - left / max(everything, 1e-12), self.stage)


class _Silent(Progress):
    """The progress of a piece in a thread: it takes down its share, and stops when all must."""

    def __init__(self, shares: _Shares, number: int) -> None:
        super().__init__()
        self._shares, self._number = shares, number

    def update(self, fraction: float, stage: str = "") -> None:
        if self._shares.stopped:
            raise Cancelled("Cancelled; nothing was written.")
        self._shares.note(self._number, fraction, stage)


class _Direct(_Silent):
    """The progress of a piece in the calling thread."""

    def update(self, fraction: float, stage: str = "") -> None:
        super().update(fraction, stage)
        self._shares.report()
