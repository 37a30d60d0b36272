"""Work in several processes, none of which outlives this one."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from .errors import MedInpaintError
from .signals import held_back

Result = TypeVar("Result")


def in_parallel(
    work: Callable[..., Result],
    jobs: Iterable[tuple[Any, ...]],
    *,
    workers: int,
    start: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
) -> Iterator[Result]:
    """Yield what a function of a module returns for each tuple of arguments, as each is done, in worker processes.

    Close the iterator (:func:`contextlib.closing`) to kill the workers at once, whatever they are doing.

    Args:
        work, jobs: the function and its arguments.
        workers: number of processes.
        start, arguments: is called in each process first.

    Raises:
        MedInpaintError: a worker died.
    """
    before = set(multiprocessing.active_children())
    pool = concurrent.futures.ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _start, (start, arguments)
    )
    try:
        with _deaf_children(), held_back():
            futures = [pool.submit(work, *job) for job in jobs]
        for future in concurrent.futures.as_completed(futures):
            yield future.result()
        pool.shutdown()
    except BrokenProcessPool:
        raise MedInpaintError(
            "A worker process ended before its work was done, which happens when the memory runs out; close other "
            "programs, or use fewer workers."
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - before:
            child.kill()
            child.join()
        pool.shutdown()


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Let processes that are started in this block never hear Ctrl-C, which a terminal sends to all processes of a job.

    They inherit the blocked signal, so that it does not stop them during their imports either; they are ended by
    this process.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it would be started in the block, and unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(start: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(*arguments)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even if that one was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
