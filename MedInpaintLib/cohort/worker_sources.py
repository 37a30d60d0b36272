"""Sources of Dask workers: a scheduler that runs already, processes of this computer, or jobs of SLURM."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InputError, MachineError, MissingDependencyError
from ..processes import kill, start_process
from ..signals import held_back
from ..texts import in_one_line
from .dask_worker import run_worker
from .local import THREADS

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from distributed import Client

#: Seconds within which a scheduler must answer, and within which clients and clusters must close at the end.
TO_ANSWER, TO_CLOSE = 15, 5


class Workers(NamedTuple):
    """The workers of a run; they may be lost, and others may be added.

    Attributes:
        client: of their scheduler.
        adjust: starts or ends workers; it is called every second with the number of cases that are left and the names
            of workers without a case.
        queued: whether workers start some time after they were asked for, such as jobs in the queue of a cluster. Then
            the run waits for them without a limit.
    """

    client: Client
    adjust: Callable[[int, list[Any]], None]
    queued: bool = False


#: Provides workers within a ``with`` block.
Source = Callable[[], AbstractContextManager[Workers]]


@contextlib.contextmanager
def at_address(address: str) -> Iterator[Workers]:
    """Provide the workers of a scheduler that runs already.

    Raises:
        InputError: there is none.
    """
    if not re.search(r":\d+$", address):
        raise InputError(
            f"--scheduler takes local, slurm, or the address of a Dask scheduler such as tcp://host:8786; found "
            f"'{address}'."
        )
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=TO_ANSWER)
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"No Dask scheduler answers at '{address}' ({in_one_line(str(error))}).") from None
    try:
        yield Workers(client, lambda left, idle: None)
    finally:
        _close(client)  # then the scheduler drops the tasks of this client


@contextlib.contextmanager
def local(jobs: int, threads: int) -> Iterator[Workers]:
    """Start a scheduler in this process and worker processes; a worker that dies is replaced.

    Dask's nannies are not used: they would restart workers while the run is being ended.

    Args:
        jobs: number of workers.
        threads: most threads of the numerical libraries in each.
    """
    distributed = _distributed()
    workers: list[BaseProcess] = []
    with contextlib.ExitStack() as stack:
        cluster = distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=logging.CRITICAL)
        stack.callback(_close, cluster)
        client = stack.enter_context(distributed.Client(cluster))
        stack.callback(lambda: kill(workers))

        def adjust(left: int, idle: list[Any]) -> None:
            workers[:] = [worker for worker in workers if worker.is_alive()]
            while len(workers) < min(jobs, left):
                workers.append(start_process(run_worker, cluster.scheduler_address, threads))

        yield Workers(client, adjust)


@contextlib.contextmanager
def slurm(jobs: int, threads: int) -> Iterator[Workers]:
    """Submit jobs to SLURM, each with one worker, with the settings of the user's ``jobqueue.yaml``.

    There are never more jobs than cases that are left; a job that ends too early is replaced.

    Args:
        jobs: most jobs at once.
        threads: number of cores of each job, where the configuration sets none.

    Raises:
        InputError: this computer has no SLURM, or the configuration lacks something.
        MachineError: SLURM refuses all jobs.
    """
    distributed = _distributed()
    if shutil.which("sbatch") is None:
        raise InputError("SLURM's command 'sbatch' is not found here; run this on a computer that can submit jobs.")
    refusals: list[str] = []
    with contextlib.ExitStack() as stack:
        cluster = _slurm_cluster(threads, refusals)
        stack.callback(_close, cluster)
        client = stack.enter_context(distributed.Client(cluster))

        def adjust(left: int, idle: list[Any]) -> None:
            submitted = list(cluster.workers.values())
            if submitted and all(job.status is distributed.Status.failed for job in submitted):
                why = refusals[-1] if refusals else "it does not say why"
                raise MachineError(f"SLURM refuses the jobs of the workers ({why}).")
            surplus = len(cluster.plan) - min(jobs, left)
            if surplus > 0:
                in_the_queue = sorted(cluster.plan - cluster.observed)
                cluster.sync(cluster.scale_down, [*in_the_queue, *idle][:surplus])
            else:
                cluster.scale(min(jobs, left))  # this also replaces lost ones

        yield Workers(client, adjust, queued=True)


def _slurm_cluster(threads: int, refusals: list[str]) -> Any:
    """Return a cluster without jobs.

    Args:
        threads: see :func:`slurm`.
        refusals: gets SLURM's reason for each job that it refuses.
    """
    try:
        import dask
        from dask_jobqueue import SLURMCluster
        from dask_jobqueue.slurm import SLURMJob
        from distributed import Status
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "--scheduler slurm needs dask-jobqueue, which is not installed; install it with: pip install dask-jobqueue"
        ) from None

    class Job(SLURMJob):
        async def start(self) -> None:
            try:
                await super().start()
            except Exception as error:  # dask-jobqueue raises many kinds; the last line is the message of sbatch
                refusals.append(str(error).strip().splitlines()[-1])
                self.status = Status.failed

    job: Any = Job
    threads = int(dask.config.get("jobqueue.slurm.cores", None) or threads)
    prologue = list(dask.config.get("jobqueue.slurm.job-script-prologue", None) or [])
    prologue += [f"export {name}={threads}" for name in THREADS]
    # Else a worker whose memory is nearly full pauses until Dask has moved data to disk, and these have no such data.
    prologue.append("export DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE=False")
    try:
        return SLURMCluster(
            job_cls=job,
            cores=threads,
            processes=1,
            job_script_prologue=prologue,
            silence_logs=logging.CRITICAL,
        )
    except ValueError as error:
        raise InputError(
            f"The jobs of the workers lack something ({in_one_line(str(error).partition(chr(10))[0])}); set "
            f"jobqueue.slurm.memory and the like in '{os.path.join(dask.config.PATH, 'jobqueue.yaml')}'."
        ) from None


def _close(closable: Any) -> None:
    """Close a client or a cluster; a signal that ends this process waits until it is closed."""
    with held_back(), contextlib.suppress(TimeoutError):
        closable.close(timeout=TO_CLOSE)


def _distributed() -> Any:
    """Return the package distributed, with its logs (of lost workers, for example) switched off.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import distributed
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "--scheduler needs Dask, which is not installed; install it with: pip install distributed"
        ) from None
    for name in ("distributed", "distributed.client", "asyncio"):  # asyncio logs tasks that Dask did not end
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed
