"""Time and memory of one call, in a process of its own, so that neither imports nor leftovers of other calls count."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """Median seconds of the repeats, the extra peak memory of the first in MB, and what the call returned."""

    seconds: float
    megabytes: float
    value: Any


def timed(call: Callable[..., Any], *arguments: Any, repeats: int) -> tuple[float, Any]:
    """Return the median seconds of some calls in this process, and what the last one returned."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        value = call(*arguments)
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[repeats // 2], value


def measure(
    call: Callable[..., Any], *arguments: Any, repeats: int = 3, warm_up: Callable[[], Any] | None = None
) -> Measured:
    """Run ``call(*arguments)`` in a fresh process.

    Args:
        call: a function of a module (it travels by name).
        arguments: picklable.
        repeats: how often; the median time counts.
        warm_up: called first and not counted: loads libraries, compiles.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(theirs, call, arguments, repeats, warm_up))
    process.start()
    theirs.close()
    result = ours.recv()
    process.join()
    return Measured(*result)


def _child(
    pipe: Any, call: Callable[..., Any], arguments: tuple, repeats: int, warm_up: Callable[[], Any] | None
) -> None:
    if warm_up is not None:
        warm_up()
    before = peak()
    seconds, value = timed(call, *arguments, repeats=repeats)
    pipe.send((seconds, peak() - before, value))


def peak() -> float:
    """Return the most memory that this process has had, MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
