"""Where Dask workers come from: a scheduler that runs already, processes of this computer, or jobs of SLURM."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InputError, MachineError, MissingDependencyError, in_one_line
from ..processes import deaf_children, kill
from ..signals import held_back
from .local import THREADS

if TYPE_CHECKING:
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
        raise InputError(f"No Dask scheduler answers at '{address}' ({in_one_line(error)}).") from None
    with _closed(client):
        yield Crew(client, lambda left, idle: None)


@contextlib.contextmanager
def local(jobs: int, threads: int) -> Iterator[Crew]:
    """Start workers on this computer; one that dies is replaced.

    Args:
        jobs: workers.
        threads: of the libraries underneath in each, at most.
    """
    distributed = _distributed()
    before = set(multiprocessing.active_children())
    cluster = None
    try:
        with deaf_children():  # the threads that start them keep the signal blocked
            cluster = distributed.LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                memory_limit=None,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
                env={name: str(threads) for name in THREADS},
            )
        with distributed.Client(cluster) as client:
            yield Crew(client, lambda left, idle: None)
    finally:
        with held_back():
            for nanny in [] if cluster is None else cluster.workers.values():
                nanny.auto_restart = False
            kill(set(multiprocessing.active_children()) - before)
            if cluster is not None:
                cluster.close(timeout=TO_CLOSE)


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
        stack.callback(_close_jobs, cluster)
        client = stack.enter_context(distributed.Client(cluster))

        def fit(left: int, idle: list[Any]) -> None:
            if refusals and not cluster.observed:
                raise MachineError(f"SLURM refuses the jobs of the workers: {refusals[-1]}")
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
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "--scheduler slurm needs dask-jobqueue, which is not installed; install it with: pip install dask-jobqueue"
        ) from None

    class Job(SLURMJob):
        async def start(self) -> None:
            try:
                await super().start()
            except Exception as error:
                refusals.append(in_one_line(error))
                raise

    threads = int(dask.config.get("jobqueue.slurm.cores", None) or threads)
    before = list(dask.config.get("jobqueue.slurm.job-script-prologue", None) or [])
    try:
        return SLURMCluster(
            job_cls=Job,
            cores=threads,
            processes=1,
            job_script_prologue=[*before, *(f"export {name}={threads}" for name in THREADS)],
            silence_logs=logging.CRITICAL,
        )
    except ValueError as error:
        raise InputError(
            f"The jobs of the workers cannot be made ({in_one_line(error)}); set jobqueue.slurm.memory and the like in "
            f"'{os.path.join(dask.config.PATH, 'jobqueue.yaml')}'."
        ) from None


def _close_jobs(cluster: Any) -> None:
    with held_back():
        cluster.close(timeout=TO_CLOSE)


@contextlib.contextmanager
def _closed(client: Client) -> Iterator[None]:
    """Close a client after this block, with which its scheduler forgets what it has asked for."""
    try:
        yield
    finally:
        with held_back():
            client.close(timeout=TO_CLOSE)


def _distributed() -> Any:
    """Return the package distributed, which says what is wrong by itself only through what is raised.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import distributed
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "--scheduler needs Dask, which is not installed; install it with: pip install distributed"
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    return distributed
