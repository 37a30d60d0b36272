"""Work in several processes, none of which outlives this one."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from .errors import MedInpaintError
from .signals import held_back

Result = TypeVar("Result")

#: Seconds between two calls of ``poll``.
LOOK = 0.05


def main_can_start_again() -> bool:
    """Return whether worker processes may be started without being asked for.

    Each begins by importing the main module, which in a user's own script would run that script again.
    """
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    file = getattr(main, "__file__", None)
    is_ours = spec is not None and spec.name.split(".")[0] == __package__
    # The installed command has no ending; a user's medinpaint.py is a script like any other.
    return is_ours or (file is not None and Path(file).name == "medinpaint")


def in_parallel(
    work: Callable[..., Result],
    jobs: Iterable[tuple[Any, ...]],
    *,
    workers: int,
    start: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
    poll: Callable[[], None] | None = None,
) -> Generator[Result, None, None]:
    """Yield what a function of a module returns for each tuple of arguments, as each is done, in worker processes.

    Close the iterator (:func:`contextlib.closing`) to kill the workers at once, whatever they are doing.

    Args:
        work, jobs: the function and its arguments.
        workers: number of processes.
        start, arguments: is called in each process first.
        poll: is called in this one some times a second; what it raises ends the workers.

    Raises:
        MedInpaintError: a worker died.
    """
    _start_quiet_tracker()
    before = set(multiprocessing.active_children())
    pool = concurrent.futures.ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _start, (start, arguments)
    )
    try:
        with _deaf_children(), held_back():
            futures = [pool.submit(work, *job) for job in jobs]
        waiting = set(futures)
        while waiting:
            done, waiting = concurrent.futures.wait(waiting, LOOK if poll else None, concurrent.futures.FIRST_COMPLETED)
            if poll is not None:
                poll()
            for future in done:
                yield future.result()
        pool.shutdown()
    except BrokenProcessPool:
        raise MedInpaintError(
            "A worker process ended before its work was done, which happens when the memory runs out; close other "
            "programs, or use fewer workers."
        ) from None
    finally:
        with held_back():
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - before:
                child.kill()
                child.join()
            pool.shutdown()


def _start_quiet_tracker() -> None:
    """Start the process with which Python removes the semaphores of processes that are killed.

    Here, since it would unblock the signal in :func:`_deaf_children`, and without the two lines in which it tells what
    it removes: a command that is stopped prints one.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows, which has none
        return
    from multiprocessing import resource_tracker

    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker"
    try:
        resource_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Let processes that are started in this block never hear Ctrl-C, which a terminal sends to all processes of a job.

    They inherit the blocked signal, so that it does not stop them during their imports either; they are ended by
    this process.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
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
