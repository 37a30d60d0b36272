"""Where Dask workers come from: a scheduler that runs already, processes of this computer, or jobs of SLURM."""

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
from .dask_worker import be_a_worker
from .local import THREADS

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from distributed import Client

#: Seconds for the answer of a scheduler, and for what is closed in the end.
TO_ANSWER, TO_CLOSE = 15, 5


class Crew(NamedTuple):
    """Workers that are there, or come and go.

    Attributes:
        client: of their scheduler.
        fit: is told some times how many cases are left, and the names of workers without one; may ask for more
            workers, or let these go.
        comes_by_itself: whether workers that are missing are just waited for, as in the queue of a cluster.
    """

    client: Client
    fit: Callable[[int, list[Any]], None]
    comes_by_itself: bool = False


#: Hires a crew for a block.
Hire = Callable[[], AbstractContextManager[Crew]]


@contextlib.contextmanager
def at_address(address: str) -> Iterator[Crew]:
    """Take the workers of a scheduler that runs already.

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
        yield Crew(client, lambda left, idle: None)
    finally:
        _close(client)  # the scheduler forgets what it has asked for


@contextlib.contextmanager
def local(jobs: int, threads: int) -> Iterator[Crew]:
    """Start a scheduler in this process and workers beside it; one that dies is replaced.

    Without Dask's nannies, which would start workers again while all is being ended.

    Args:
        jobs: workers.
        threads: of the libraries underneath in each, at most.
    """
    distributed = _distributed()
    workers: list[BaseProcess] = []
    with contextlib.ExitStack() as stack:
        cluster = distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=logging.CRITICAL)
        stack.callback(_close, cluster)
        client = stack.enter_context(distributed.Client(cluster))
        stack.callback(lambda: kill(workers))

        def fit(left: int, idle: list[Any]) -> None:
            workers[:] = [worker for worker in workers if worker.is_alive()]
            while len(workers) < min(jobs, left):
                workers.append(start_process(be_a_worker, cluster.scheduler_address, threads))

        yield Crew(client, fit)


@contextlib.contextmanager
def slurm(jobs: int, threads: int) -> Iterator[Crew]:
    """Submit jobs to SLURM, each with one worker, as the user's ``jobqueue.yaml`` says.

    There are never more of them than cases that are left; a job that ends too early is replaced.

    Args:
        jobs: at once.
        threads: cores of each, unless the configuration says how many.

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

        def fit(left: int, idle: list[Any]) -> None:
            submitted = list(cluster.workers.values())
            if submitted and all(job.status is distributed.Status.failed for job in submitted):
                why = refusals[-1] if refusals else "it does not say why"
                raise MachineError(f"SLURM refuses the jobs of the workers ({why}).")
            surplus = len(cluster.plan) - min(jobs, left)
            if surplus > 0:
                in_the_queue = sorted(cluster.plan - cluster.observed)
                cluster.sync(cluster.scale_down, [*in_the_queue, *idle][:surplus])
            else:
                cluster.scale(min(jobs, left))  # replaces lost ones, too

        yield Crew(client, fit, comes_by_itself=True)


def _slurm_cluster(threads: int, refusals: list[str]) -> Any:
    """Return a cluster without a job so far, which notes why SLURM refuses one."""
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
            except Exception as error:  # of many kinds; the last line is what sbatch says
                refusals.append(str(error).strip().splitlines()[-1])
                self.status = Status.failed

    job: Any = Job
    threads = int(dask.config.get("jobqueue.slurm.cores", None) or threads)
    prologue = list(dask.config.get("jobqueue.slurm.job-script-prologue", None) or [])
    prologue += [f"export {name}={threads}" for name in THREADS]
    # A worker whose memory is nearly full would wait for Dask to move data to disk, and it holds none.
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
    """Close a client or a cluster, for which the end of this process waits a little."""
    with held_back(), contextlib.suppress(TimeoutError):
        closable.close(timeout=TO_CLOSE)


def _distributed() -> Any:
    """Return the package distributed, whose logs of lost workers and the like are not shown any more.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import distributed
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "--scheduler needs Dask, which is not installed; install it with: pip install distributed"
        ) from None
    for name in ("distributed", "distributed.client", "asyncio"):  # Dask leaves tasks of asyncio that were lost, too
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed
