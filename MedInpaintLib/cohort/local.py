"""Cases in worker processes of this computer."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Generator, Sequence
from pathlib import Path

from ..processes import Died, each_in_parallel
from .case import FAILED, Case, Outcome
from .scheduler import Heard
from .work import work_on

#: Environment variables with the number of threads of OpenMP (PyTorch) and of ITK, which take all cores by default.
THREADS = ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


@dataclasses.dataclass(frozen=True)
class LocalProcesses:
    """A :class:`.scheduler.Scheduler`: each worker process imports the engine once and does one case after the other.

    Attributes:
        jobs: processes, and so cases at once.
        threads: of the libraries underneath in each process, at most.
    """

    jobs: int
    threads: int

    def run(self, cases: Sequence[Case], records: Path, heard: Heard) -> Generator[tuple[Case, Outcome], None, None]:
        outcomes = each_in_parallel(
            work_in_worker,
            ((case, records) for case in cases),
            workers=min(self.jobs, len(cases)),
            start=limit_threads,
            arguments=(self.threads,),
            heard=lambda number, message: heard(cases[number], *message),
        )
        with contextlib.closing(outcomes):
            for number, outcome in outcomes:
                yield cases[number], _dead(outcome) if isinstance(outcome, Died) else outcome


def shares(jobs: int | None, workers: int | None, cores: int) -> tuple[int, int]:
    """Return cases at once and workers in each, whose product is never more than the cores.

    Args:
        jobs, workers: as asked for; None: as many as there is room for, cases first.
        cores: that may be used.

    >>> shares(None, None, 8), shares(2, None, 8), shares(None, 4, 8), shares(16, 4, 8)
    ((8, 1), (2, 4), (2, 4), (8, 1))
    """
    if jobs is None:
        jobs = max(1, cores // (workers or 1))
    jobs = min(jobs, cores)
    return jobs, min(workers or cores, cores // jobs)


def limit_threads(threads: int) -> None:
    """Let the libraries underneath use no more threads than this; only before they are imported."""
    for name in THREADS:
        asked = os.environ.get(name, "")
        os.environ[name] = str(min(int(asked), threads) if asked.isdecimal() and int(asked) else threads)


def work_in_worker(case: Case, records: Path, tell) -> Outcome:  # type: ignore[no-untyped-def]
    """Do a case in a worker process, and tell its progress."""
    return work_on(case, records, lambda fraction, stage: tell((fraction, stage)))


def _dead(died: Died) -> Outcome:
    ended = f"signal {-died.exit_code}" if died.exit_code and died.exit_code < 0 else f"exit code {died.exit_code}"
    return Outcome(
        FAILED,
        kind="WorkerDied",
        message=f"Its worker process ended ({ended}), mostly since the memory ran out; use fewer --jobs.",
    )
