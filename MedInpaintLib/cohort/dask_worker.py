"""What runs in a Dask worker: a check that the worker can do the cases of a study, and one case at a time.

A worker that the scheduler counts as lost, for example because its network failed for a while, may still do its case
while another worker does the same case. That is safe: both write the same content, each set of outputs is moved into
place in one step, and the record is written last. At worst the record names another report or DICOM series than the one
that lies there, since these hold dates; then the next run does that case again.
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

#: Seconds between two progress messages about a case: 1,000 workers then send 1,000 messages a second.
INTERVAL = 1.0
#: Held during a case: the process does one at a time, even if the worker has several threads or serves several studies.
_ONE_CASE = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Requirements:
    """What a worker must have to do the cases of a study.

    Attributes:
        file: a file in the study's folder that the runner has just written; the worker must see it.
        content: of that file.
        software: name and version of the runner's engine; the worker must have the same.
        threads: most threads of the numerical libraries.
    """

    file: Path
    content: str
    software: str
    threads: int


def prepare_worker(requirements: Requirements) -> str:
    """Limit the threads of this worker process and check it; return why it cannot do the cases, or an empty text."""
    limit_threads(requirements.threads)
    if software() != requirements.software:
        return f"it has {software()}, and this computer {requirements.software}; install the same version"
    try:
        content = requirements.file.read_text(encoding="utf-8")
    except OSError as error:
        return _not_seen(requirements.file, error.strerror or str(error))
    if content != requirements.content:
        return _not_seen(requirements.file, "there is another one of that name")
    folder = _folder(requirements.file)
    return "" if os.access(folder, os.W_OK) else f"it may not write in the study's folder '{folder}'"


def _not_seen(file: Path, reason: str) -> str:
    return (
        f"it does not see the study's folder '{_folder(file)}' ({reason}); workers need the same files as this "
        "computer, under the same paths"
    )


def _folder(file: Path) -> Path:
    """Return the folder with the records, which holds the temporary folders of the file."""
    return file.parents[2]


def work_in_dask(number: int, case: Case, records: Path, topic: str) -> Outcome:
    """Do a case in a Dask worker.

    Args:
        number: of the case, for messages.
        case, records: see :func:`.work.work_on`.
        topic: of the progress messages ``(number, fraction, stage)``: one at the begin, then at most one in
            :data:`INTERVAL`.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    sent_at = -float("inf")

    def send_progress(fraction: float, stage: str) -> None:
        nonlocal sent_at
        if not _is_needed(worker, key):
            raise Cancelled("The result of this case is not needed any more.")
        if monotonic() - sent_at >= INTERVAL:
            sent_at = monotonic()
            worker.log_event(topic, (number, fraction, stage))

    with _ONE_CASE:
        return work_on(case, records, send_progress)


def _is_needed(worker: Any, key: Any) -> bool:
    """Return whether the result of a task is still needed: Dask does not stop the thread of a cancelled task."""
    task = worker.state.tasks.get(key)
    return task is not None and task.state != "cancelled"


def run_worker(scheduler: str, threads: int) -> None:
    """Run a worker in this process until its scheduler ends.

    Args:
        scheduler: address of a scheduler on this computer.
        threads: most threads of the numerical libraries.
    """
    limit_threads(threads)  # before the next line imports numpy
    import dask
    from distributed import Worker

    async def work() -> None:
        async with Worker(
            scheduler, nthreads=1, memory_limit=0, dashboard=False, silence_logs=logging.CRITICAL
        ) as worker:
            await worker.finished()

    # Else a worker whose memory is nearly full pauses until Dask has moved data to disk, and these have no such data.
    with dask.config.set({"distributed.worker.memory.pause": False}):
        asyncio.run(work())
