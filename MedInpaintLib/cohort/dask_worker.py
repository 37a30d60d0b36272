"""What runs in a Dask worker: a check that it can do this study's cases, and one case at a time.

A worker that the scheduler has given up (its network failed for a while, say) may still do its case while another
worker does the same. That is safe: outputs have the same content whoever writes them, each set is moved into place in
one step, and the record comes last. At worst a report or a DICOM series, which hold dates, is not the one that the
record names; then the next run does that case again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import threading
from pathlib import Path
from time import monotonic
from typing import Any

from ..errors import Cancelled
from ..report import software
from .case import Case, Outcome
from .local import limit_threads
from .work import work_on

#: Seconds between two messages about a case: 1,000 workers send as many in a second.
INTERVAL = 1.0
#: One case at a time in this process, even if the worker has more threads or works for several studies.
_ONE = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Greeting:
    """What a worker must know and find to work for a study.

    Attributes:
        meeting: a file that the runner has just written in the study's folder, and its content.
        word: what the file holds.
        software: name and version of the runner's engine.
        threads: of the libraries underneath, at most.
    """

    meeting: Path
    word: str
    software: str
    threads: int


def greet(greeting: Greeting) -> str:
    """Prepare this worker process for a study; return in one line why it cannot work for it, or nothing."""
    limit_threads(greeting.threads)
    if software() != greeting.software:
        return f"it has {software()}, and this computer {greeting.software}; install the same version"
    try:
        found = greeting.meeting.read_text(encoding="utf-8")
    except OSError as error:
        return _unseen(greeting.meeting, error.strerror or str(error))
    if found != greeting.word:
        return _unseen(greeting.meeting, "there is another one of that name")
    folder = _folder(greeting.meeting)
    return "" if os.access(folder, os.W_OK) else f"it may not write in the study's folder '{folder}'"


def _unseen(meeting: Path, reason: str) -> str:
    return (
        f"it does not see the study's folder '{_folder(meeting)}' ({reason}); workers need the same files as this "
        "computer, under the same paths"
    )


def _folder(meeting: Path) -> Path:
    """Return the folder with the records, in which the meeting's own folders are."""
    return meeting.parents[2]


def work_in_dask(number: int, case: Case, records: Path, topic: str) -> Outcome:
    """Do a case in a Dask worker.

    Args:
        number: of the case, for messages.
        case, records: see :func:`.work.work_on`.
        topic: of the messages ``(number, fraction, stage)``, at the begin and then at most one in :data:`INTERVAL`.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    told_at = -float("inf")

    def hear(fraction: float, stage: str) -> None:
        nonlocal told_at
        if not _is_wanted(worker, key):
            raise Cancelled("Nobody waits for this case any more.")
        if monotonic() - told_at >= INTERVAL:
            told_at = monotonic()
            worker.log_event(topic, (number, fraction, stage))

    with _ONE:
        return work_on(case, records, hear)


def _is_wanted(worker: Any, key: Any) -> bool:
    """Return whether a task is still to be done: Dask itself lets a thread go on whose task was cancelled."""
    task = worker.state.tasks.get(key)
    return task is not None and task.state != "cancelled"


def be_a_worker(scheduler: str, threads: int) -> None:
    """Work for a scheduler on this computer until it has gone, or this process is ended.

    Args:
        scheduler: its address.
        threads: of the libraries underneath, at most.
    """
    limit_threads(threads)  # before the next line imports numpy
    import dask
    from distributed import Worker

    async def work() -> None:
        async with Worker(scheduler, nthreads=1, memory_limit=0, dashboard=False, silence_logs=logging.CRITICAL) as one:
            await one.finished()

    # A worker whose memory is nearly full would wait for Dask to move data to disk, and it holds none.
    with dask.config.set({"distributed.worker.memory.pause": False}):
        asyncio.run(work())
