"""Cases on the workers of a Dask cluster, which may come, go, and be killed."""

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
from .crews import Crew, Hire, at_address, local, slurm
from .dask_worker import Greeting, greet, work_in_dask
from .scheduler import Heard

if TYPE_CHECKING:
    from distributed import Future

#: How often a case is tried that loses its worker, or for which a worker has not enough memory or disk. Three times are
#: too few where workers are killed for other reasons: of 100 cases, 6 lost a worker three times when one was killed
#: every 3 s.
TRIES = 5
#: Seconds for which nothing need happen because there is no worker at all.
PATIENCE = 300.0
#: After so many seconds of them, the user is told.
TO_SAY = 10.0
#: Seconds between two looks at which workers there are; and at messages, for signals on Windows.
LOOK, LISTEN = 1.0, 0.1
#: Seconds for a result to come from the worker that has it.
TO_FETCH = 5.0

Warn = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class DaskCluster:
    """A :class:`.scheduler.Scheduler`: each worker is given one case, and the next when that is done.

    So no more cases are in the cluster than it has workers, however many there are in the study. A case whose worker
    is lost goes to another one, :data:`TRIES` times.

    Attributes:
        hire: provides the workers.
        most: cases at once; None: as many as there are workers.
        threads: of the libraries underneath in each worker, at most.
        warn: is told what the user should know, one line each.
    """

    hire: Hire
    most: int | None
    threads: int
    warn: Warn

    def run(self, cases: Sequence[Case], records: Path, heard: Heard) -> Generator[tuple[Case, Outcome], None, None]:
        records = Path(os.path.abspath(records))
        with temporary_folder(records) as folder, self.hire() as crew:
            greeting = Greeting(folder / NEW / "word", uuid.uuid4().hex, software(), self.threads)
            greeting.meeting.write_text(greeting.word, encoding="utf-8")
            dispatch = _Dispatch(self, crew, cases, records, greeting, heard)
            with contextlib.closing(dispatch.outcomes()) as outcomes:
                yield from outcomes


def cluster_named(name: str, jobs: int | None, threads: int, warn: Warn) -> DaskCluster:
    """Return the scheduler that a user names: ``local``, ``slurm``, or the address of one that runs already.

    Raises:
        InputError: SLURM would not know how many jobs.
    """
    if name in ("local", "slurm"):
        if jobs is None:
            raise InputError(f"--scheduler {name} needs --jobs, the number of workers.")
        hire = functools.partial(local if name == "local" else slurm, jobs, threads)
    else:
        hire = functools.partial(at_address, name)
    return DaskCluster(hire, jobs, threads, warn)


@dataclasses.dataclass
class _Task:
    """What a worker is at: a case, or its greeting without one.

    Attributes:
        number: of the case; None: the greeting.
        future: the task in Dask.
        begun: whether the worker has told of it.
    """

    number: int | None
    future: Future
    begun: bool = False


class _Dispatch:
    """The cases of one run, and where they are."""

    def __init__(
        self, cluster: DaskCluster, crew: Crew, cases: Sequence[Case], records: Path, greeting: Greeting, heard: Heard
    ) -> None:
        self._cluster, self._crew, self._cases, self._records = cluster, crew, cases, records
        self._greeting, self._heard = greeting, heard
        self._topic = f"medinpaint-{greeting.word}"
        self._waiting = collections.deque(range(len(cases)))
        self._tasks: dict[str, _Task] = {}
        self._fit: set[str] = set()
        self._unfit: dict[str, str] = {}
        self._names: dict[str, Any] = {}  # of workers that can be given something
        self._failed_at: dict[int, list[str]] = collections.defaultdict(list)
        self._inbox: queue.SimpleQueue[tuple[str | None, Any]] = queue.SimpleQueue()
        self._looked_at, self._busy_at, self._said = -float("inf"), monotonic(), False
        self._submitted = 0

    def outcomes(self) -> Generator[tuple[Case, Outcome], None, None]:
        """Yield the outcome of each case."""
        self._crew.client.subscribe_topic(self._topic, lambda event: self._inbox.put((None, event[1])))
        left = len(self._cases)
        while left:
            if monotonic() - self._looked_at >= LOOK:
                over = self._look(left)
            else:
                self._give()
                over = self._listen()
            for number, outcome in over:
                left -= 1
                yield self._cases[number], outcome

    # Workers

    def _look(self, left: int) -> list[tuple[int, Outcome]]:
        """See which workers there are; return the outcomes of cases that have lost one too often."""
        try:
            workers = self._crew.client.scheduler_info(n_workers=-1)["workers"]  # Dask before 2026.8 tells of 5 else
        except Exception:  # of many kinds, depending on what Dask was at
            raise MachineError(
                "The Dask scheduler does not answer any more; cases that are done are kept, and the same command goes "
                "on with the others."
            ) from None
        self._names = {address: each["name"] for address, each in workers.items() if each["status"] == "running"}
        over: list[tuple[int, Outcome]] = []
        for address, task in list(self._tasks.items()):
            if address not in workers and task.number is None:
                del self._tasks[address]
            elif address not in workers:
                over += self._failed(address, "Its worker was lost: killed, out of memory, or out of reach.")
            elif address not in self._names and not task.begun:  # it has paused, for its memory is full
                self._take_back(address)
        self._fit &= workers.keys()
        for address in self._names.keys() - self._fit - self._unfit.keys() - self._tasks.keys():
            self._submit(address, None, greet, self._greeting)
        idle = [name for address, name in self._names.items() if address not in self._tasks]
        self._crew.fit(left, idle)
        self._check_that_someone_works()
        self._looked_at = monotonic()
        return over

    def _take_back(self, address: str) -> None:
        task = self._tasks.pop(address)
        if task.number is not None:
            self._waiting.appendleft(task.number)
        task.future.cancel()

    def _check_that_someone_works(self) -> None:
        without = monotonic() - self._busy_at
        if self._tasks or self._fit & self._names.keys():
            self._busy_at, self._said = monotonic(), False
        elif self._unfit and self._unfit.keys() >= self._names.keys() and not self._crew.comes_by_itself:
            raise InputError(f"No Dask worker can be used: {next(iter(self._unfit.values()))}.")
        elif not self._crew.comes_by_itself and without > PATIENCE:
            raise MachineError(
                f"No Dask worker was free for {PATIENCE:.0f} s; start some, or look at their logs. Cases that are done "
                "are kept."
            )
        elif without > TO_SAY and not self._said:
            self._said = True
            self._cluster.warn("Dask: no worker is free so far; waiting for one.")

    # Cases

    def _give(self) -> None:
        """Give each worker that is free a case, if possible one that has not failed there."""
        for address in self._fit & self._names.keys() - self._tasks.keys():
            if not self._waiting or len(self._tasks) >= (self._cluster.most or len(self._names)):
                return
            number = next((each for each in self._waiting if address not in self._failed_at[each]), self._waiting[0])
            self._waiting.remove(number)
            case = _with_absolute_paths(self._cases[number])
            self._submit(address, number, work_in_dask, number, case, self._records, self._topic)

    def _submit(self, address: str, number: int | None, work: Callable[..., Any], *arguments: Any) -> None:
        self._submitted += 1
        future = self._crew.client.submit(
            work, *arguments, key=f"{self._topic}-{self._submitted}", workers=[address], allow_other_workers=False
        )
        self._tasks[address] = _Task(number, future)
        future.add_done_callback(lambda done: self._inbox.put((address, done)))

    def _listen(self) -> list[tuple[int, Outcome]]:
        """Hear what workers have to say for a while; return the outcomes of cases that are over."""
        try:
            address, message = self._inbox.get(timeout=LISTEN)
        except queue.Empty:
            return []
        if address is None:
            self._hear(*message)
        elif address in self._tasks and self._tasks[address].future is message:
            return self._end(address, message)
        return []

    def _hear(self, number: int, fraction: float, stage: str) -> None:
        task = next((task for task in self._tasks.values() if task.number == number), None)
        if task is not None:
            task.begun = True
            self._heard(self._cases[number], fraction, stage)

    def _end(self, address: str, future: Future) -> list[tuple[int, Outcome]]:
        """Take the result of a task that is over in Dask."""
        import distributed

        try:
            result = future.result(timeout=TO_FETCH)
        except distributed.TimeoutError:  # its worker was lost with it, which is seen at the next look, or is slow
            self._inbox.put((address, future))
            return []
        except (Exception, distributed.CancelledError) as error:
            return self._failed(address, f"The Dask worker '{address}' failed ({in_one_line(repr(error))}).")
        number = self._tasks[address].number
        if number is None:
            self._judge(address, result)
        elif result.kind == MachineError.__name__:
            return self._failed(address, result.message, result)
        else:
            del self._tasks[address]
            return [(number, result)]
        return []

    def _judge(self, address: str, problem: str) -> None:
        """Take what a worker that was greeted says of itself."""
        del self._tasks[address]
        if problem:
            self._unfit[address] = f"the worker at '{address}' is not used, since {problem}"
            self._cluster.warn(f"Dask: {self._unfit[address]}.")
        else:
            self._fit.add(address)

    def _failed(self, address: str, reason: str, outcome: Outcome | None = None) -> list[tuple[int, Outcome]]:
        """Have a case tried elsewhere that could not be done at a worker, or return its outcome: it was the last try.

        A greeting that fails says that the worker cannot be used.
        """
        task = self._tasks[address]
        if task.number is None:
            self._judge(address, f"it cannot run MedInpaint: {reason}")
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
