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
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from .errors import MedInpaintError
from .signals import do_last_acts, held_back

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
            kill(set(multiprocessing.active_children()) - before)
            pool.shutdown()


def start_process(work: Callable[..., None], *arguments: Any) -> multiprocessing.process.BaseProcess:
    """Start a process that does one thing, never hears Ctrl-C, and ends with this one; see :func:`kill`.

    Args:
        work, arguments: a function of a module and what it is given.
    """
    _start_quiet_tracker()
    process = multiprocessing.get_context("spawn").Process(target=_do, args=(work, arguments))
    with _deaf_children(), held_back():
        process.start()
    return process


def _do(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    _start(None, ())
    work(*arguments)


class Died(NamedTuple):
    """What a worker process leaves that ended during its work.

    Attributes:
        exit_code: negative where a signal ended it, by the signal's number.
    """

    exit_code: int | None


def each_in_parallel(
    work: Callable[..., Result],
    jobs: Iterable[tuple[Any, ...]],
    *,
    workers: int,
    start: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
    heard: Callable[[int, Any], None] | None = None,
) -> Generator[tuple[int, Result | Died], None, None]:
    """Yield the number of each job, from 0, with what a function of a module returns for it, as each is done.

    Unlike in :func:`in_parallel`, a worker that dies (the system kills the largest process when the memory runs out)
    takes only its own job with it, and another one takes its place. Each worker has a pipe of its own: a process that
    is killed while it holds the lock of a queue would silence all others. Jobs are taken from the iterable when a
    worker is free for them. Close the iterator to kill the workers at once.

    Args:
        work, jobs: the function and its arguments; its last argument, which sends any value to ``heard``, is added. The
            worker dies of an exception, so catch in ``work`` what may happen.
        workers: number of processes; each does many jobs.
        start, arguments: is called in each process first.
        heard: is called in this one with the number of a job and what its worker sent.
    """
    _start_quiet_tracker()
    numbered = enumerate(jobs)
    before = set(multiprocessing.active_children())
    crew: list[_Worker] = []
    try:
        following = next(numbered, None)
        while following is not None or any(worker.number is not None for worker in crew):
            while following is not None and (worker := _free(crew, workers, (work, start, arguments))) is not None:
                worker.give(*following)
                following = next(numbered, None)
            busy = {worker.connection: worker for worker in crew if worker.number is not None}
            # With a time limit: on Windows, Ctrl-C is heard only between two waits.
            for ready in wait(list(busy), LOOK):
                worker = busy[ready]  # type: ignore[index]
                number, (is_result, value) = worker.number, worker.hear()
                assert number is not None
                if is_result:
                    worker.number = None
                    yield number, value
                elif heard is not None:
                    heard(number, value)
    finally:
        with held_back():
            kill(set(multiprocessing.active_children()) - before)


class _Worker:
    """A process that does one job after another; ``number`` is that of the job at hand."""

    def __init__(self, work: Callable[..., Any], start: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self.number: int | None = None
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work, start, arguments))
        with _deaf_children(), held_back():
            self.process.start()
        theirs.close()  # else the pipe would not end with the worker

    def give(self, number: int, job: tuple[Any, ...]) -> None:
        self.number = number
        with contextlib.suppress(OSError):  # it is dead, which is seen when it is to be heard
            self.connection.send(job)

    def hear(self) -> tuple[bool, Any]:
        """Return whether the next message is the result, and what it says."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return True, Died(self.process.exitcode)


def _free(crew: list[_Worker], workers: int, made_of: tuple[Any, ...]) -> _Worker | None:
    """Return a worker without a job, a new one where there may be more; else None."""
    for worker in [each for each in crew if each.number is None]:
        if worker.process.is_alive():
            return worker
        crew.remove(worker)
    if len(crew) == workers:
        return None
    crew.append(_Worker(*made_of))
    return crew[-1]


def _serve(
    connection: Connection, work: Callable[..., Any], start: Callable[..., None] | None, arguments: tuple[Any, ...]
) -> None:
    """Do the jobs that come through a pipe, in a worker process, until it is closed."""
    _start(start, arguments)
    with contextlib.suppress(EOFError, OSError):
        while True:
            job = connection.recv()
            result = work(*job, lambda message: connection.send((False, message)))
            connection.send((True, result))


def kill(children: Iterable[multiprocessing.process.BaseProcess]) -> None:
    """End processes at once, and wait until they have."""
    for child in children:
        child.kill()
        child.join()


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
    do_last_acts()
    os._exit(1)
