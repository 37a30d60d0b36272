"""Cases on the workers of a Dask cluster, which may start late, end early, or be killed."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import os
import queue
import uuid
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..errors import InputError, MachineError
from ..report import software
from ..temporary import NEW, temporary_folder
from ..texts import in_one_line
from .case import FAILED, Case, Outcome
from .dask_worker import Requirements, prepare_worker, work_in_dask
from .scheduler import Heard
from .worker_sources import Source, Workers, at_address, local, slurm

if TYPE_CHECKING:
    from distributed import Future

#: Most tries of a case that loses its worker, or whose worker lacks memory or disk space. Three tries are too few where
#: workers are killed for other reasons: when one was killed every 3 s, 6 of 100 cases lost a worker three times.
TRIES = 5
#: Seconds without any usable worker after which the run ends.
MOST_WAITING = 300.0
#: Seconds without any usable worker after which the user is warned.
WARN_AFTER = 10.0
#: Seconds between two updates of the list of workers, and the longest wait for a message (so that signals are handled
#: on Windows, too).
UPDATE_INTERVAL, MESSAGE_TIMEOUT = 1.0, 0.1
#: Most seconds for a result to arrive from its worker.
RESULT_TIMEOUT = 5.0

Warn = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class DaskCluster:
    """A :class:`.scheduler.Scheduler` that gives each worker one case, and the next when that is done.

    So the cluster never holds more cases than it has workers, however many cases the study has. A case whose worker is
    lost is tried on other workers, :data:`TRIES` times in all.

    Attributes:
        source: provides the workers.
        at_once: most cases at once; None: as many as there are workers.
        threads: most threads of the numerical libraries in each worker.
        warn: is called with each warning for the user, one line each.
    """

    source: Source
    at_once: int | None
    threads: int
    warn: Warn

    def run(self, cases: Sequence[Case], records: Path, heard: Heard) -> Generator[tuple[Case, Outcome], None, None]:
        records = Path(os.path.abspath(records))
        with temporary_folder(records) as folder, self.source() as workers:
            required = Requirements(folder / NEW / "required", uuid.uuid4().hex, software(), self.threads)
            required.file.write_text(required.content, encoding="utf-8")
            dispatch = _Dispatch(self, workers, cases, records, required, heard)
            with contextlib.closing(dispatch.outcomes()) as outcomes:
                yield from outcomes


def cluster_named(name: str, jobs: int | None, threads: int, warn: Warn) -> DaskCluster:
    """Return the scheduler that a user names: ``local``, ``slurm``, or the address of one that runs already.

    Raises:
        InputError: ``local`` or ``slurm`` without the number of workers.
    """
    if name in ("local", "slurm"):
        if jobs is None:
            raise InputError(f"--scheduler {name} needs --jobs, the number of workers.")
        source = functools.partial(local if name == "local" else slurm, jobs, threads)
    else:
        source = functools.partial(at_address, name)
    return DaskCluster(source, jobs, threads, warn)


@dataclasses.dataclass
class _Task:
    """The task of a worker: a case, or the check of the worker.

    Attributes:
        number: of the case; None for the check.
        future: the task in Dask.
        begun: whether the worker has sent a progress message.
    """

    number: int | None
    future: Future
    begun: bool = False


class _Dispatch:
    """The cases of one run, and which worker does which of them."""

    def __init__(
        self,
        cluster: DaskCluster,
        workers: Workers,
        cases: Sequence[Case],
        records: Path,
        required: Requirements,
        heard: Heard,
    ) -> None:
        self._cluster, self._workers, self._cases, self._records = cluster, workers, cases, records
        self._required, self._heard = required, heard
        self._topic = f"medinpaint-{required.content}"
        self._waiting = collections.deque(range(len(cases)))
        self._tasks: dict[str, _Task] = {}  # by the address of the worker, as in all that follows
        self._names: dict[str, Any] = {}  # of workers that take tasks
        self._usable: set[str] = set()  # workers that have passed the check
        self._problems: dict[str, str] = {}  # why other workers cannot be used
        self._failed_at: dict[int, list[str]] = collections.defaultdict(list)
        self._messages: queue.SimpleQueue[tuple[str | None, Any]] = queue.SimpleQueue()
        self._updated_at, self._usable_at, self._warned = -float("inf"), monotonic(), False
        self._submitted = 0

    def outcomes(self) -> Generator[tuple[Case, Outcome], None, None]:
        """Yield the outcome of each case."""
        self._workers.client.subscribe_topic(self._topic, lambda event: self._messages.put((None, event[1])))
        left = len(self._cases)
        while left:
            if monotonic() - self._updated_at >= UPDATE_INTERVAL:
                outcomes = self._update_workers(left)
            else:
                self._submit_cases()
                outcomes = self._handle_message()
            for number, outcome in outcomes:
                left -= 1
                yield self._cases[number], outcome

    # Workers

    def _update_workers(self, left: int) -> list[tuple[int, Outcome]]:
        """Update the list of workers; return the outcomes of cases that have lost their worker too often."""
        try:
            # Without the argument, Dask before 2026.8 returns only 5 workers.
            workers = self._workers.client.scheduler_info(n_workers=-1)["workers"]
        except Exception:  # Dask raises many kinds, depending on what it was doing
            raise MachineError(
                "The Dask scheduler does not answer any more; cases that are done are kept, and the same command goes "
                "on with the others."
            ) from None
        self._names = {address: each["name"] for address, each in workers.items() if each["status"] == "running"}
        outcomes: list[tuple[int, Outcome]] = []
        for address, task in list(self._tasks.items()):
            if address not in workers and task.number is None:
                del self._tasks[address]
            elif address not in workers:
                outcomes += self._retry(address, "Its worker was lost: killed, out of memory, or out of reach.")
            elif address not in self._names and not task.begun:  # it has paused, since its memory is full
                self._take_back(address)
        self._usable &= workers.keys()
        for address in self._names.keys() - self._usable - self._problems.keys() - self._tasks.keys():
            self._submit(address, None, prepare_worker, self._required)
        idle = [name for address, name in self._names.items() if address not in self._tasks]
        self._workers.adjust(left, idle)
        self._check_that_workers_are_usable()
        self._updated_at = monotonic()
        return outcomes

    def _take_back(self, address: str) -> None:
        """Take a case that has not begun back from a worker, so that it is the next one to be submitted."""
        task = self._tasks.pop(address)
        if task.number is not None:
            self._waiting.appendleft(task.number)
        task.future.cancel()

    def _check_that_workers_are_usable(self) -> None:
        """Warn after some time without a usable worker, and end the run where none can be expected any more.

        Raises:
            InputError: all workers fail the check.
            MachineError: there was no usable worker for :data:`MOST_WAITING` seconds.
        """
        seconds = monotonic() - self._usable_at
        if self._tasks or self._usable & self._names.keys():
            self._usable_at, self._warned = monotonic(), False
        elif self._problems and self._problems.keys() >= self._names.keys() and not self._workers.queued:
            raise InputError(f"No Dask worker can be used: {next(iter(self._problems.values()))}.")
        elif not self._workers.queued and seconds > MOST_WAITING:
            raise MachineError(
                f"No Dask worker was free for {MOST_WAITING:.0f} s; start some, or look at their logs. Cases that are "
                "done are kept."
            )
        elif seconds > WARN_AFTER and not self._warned:
            self._warned = True
            self._cluster.warn("Dask: no worker is free so far; waiting for one.")

    # Cases

    def _submit_cases(self) -> None:
        """Submit a case to each free worker, if possible one that has not failed there."""
        for address in self._usable & self._names.keys() - self._tasks.keys():
            if not self._waiting or len(self._tasks) >= (self._cluster.at_once or len(self._names)):
                return
            number = next((each for each in self._waiting if address not in self._failed_at[each]), self._waiting[0])
            self._waiting.remove(number)
            case = _with_absolute_paths(self._cases[number])
            self._submit(address, number, work_in_dask, number, case, self._records, self._topic)

    def _submit(self, address: str, number: int | None, work: Callable[..., Any], *arguments: Any) -> None:
        """Submit a task to one worker: a case, or the check of the worker (without a number)."""
        self._submitted += 1
        future = self._workers.client.submit(
            work, *arguments, key=f"{self._topic}-{self._submitted}", workers=[address], allow_other_workers=False
        )
        self._tasks[address] = _Task(number, future)
        future.add_done_callback(lambda done: self._messages.put((address, done)))

    def _handle_message(self) -> list[tuple[int, Outcome]]:
        """Wait a short time for a message and handle it; return the outcomes of cases that are over."""
        try:
            address, message = self._messages.get(timeout=MESSAGE_TIMEOUT)
        except queue.Empty:
            return []
        if address is None:
            self._report_progress(*message)
        elif address in self._tasks and self._tasks[address].future is message:
            return self._collect(address, message)
        return []

    def _report_progress(self, number: int, fraction: float, stage: str) -> None:
        task = next((task for task in self._tasks.values() if task.number == number), None)
        if task is not None:
            task.begun = True
            self._heard(self._cases[number], fraction, stage)

    def _collect(self, address: str, future: Future) -> list[tuple[int, Outcome]]:
        """Collect the result of a task that is over in Dask; return the outcome of its case, if that is over."""
        import distributed

        try:
            result = future.result(timeout=RESULT_TIMEOUT)
        except distributed.TimeoutError:  # the worker is slow, or was lost with the result; the next update tells which
            self._messages.put((address, future))
            return []
        except (Exception, distributed.CancelledError) as error:
            return self._retry(address, f"The Dask worker '{address}' failed ({in_one_line(repr(error))}).")
        number = self._tasks[address].number
        if number is None:
            self._note_check(address, result)
        elif result.kind == MachineError.__name__:
            return self._retry(address, result.message, result)
        else:
            del self._tasks[address]
            return [(number, result)]
        return []

    def _note_check(self, address: str, problem: str) -> None:
        """Note the result of the check of a worker: a problem, or an empty text where it can be used."""
        del self._tasks[address]
        if problem:
            self._problems[address] = f"the worker at '{address}' is not used, since {problem}"
            self._cluster.warn(f"Dask: {self._problems[address]}.")
        else:
            self._usable.add(address)

    def _retry(self, address: str, reason: str, outcome: Outcome | None = None) -> list[tuple[int, Outcome]]:
        """Let a case that failed at a worker be tried again; return its outcome if that was the last try.

        A worker whose check fails cannot be used.
        """
        task = self._tasks[address]
        if task.number is None:
            self._note_check(address, f"it cannot run MedInpaint: {reason}")
            return []
        del self._tasks[address]
        task.future.cancel()
        failed_at = self._failed_at[task.number]
        failed_at.append(address)
        if len(failed_at) < TRIES:
            self._waiting.append(task.number)
            return []
        message = f"{reason} That was the last of {TRIES} tries; give each worker more memory."
        return [(task.number, outcome or Outcome(FAILED, kind="WorkerLost", message=message))]


def _with_absolute_paths(case: Case) -> Case:
    """Return a case that can be done in any current folder."""
    return dataclasses.replace(case, job=type(case.job).of(dataclasses.asdict(case.job), Path.cwd()))
