"""Cases on Dask: workers that are killed or lack memory or the study's files, SLURM, and schedulers that are gone."""

import dataclasses
import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import dask
import dask_jobqueue  # noqa: F401 - its defaults belong to the configuration
import distributed
import pytest
from typer.testing import CliRunner

from MedInpaintLib.cli.app import app
from MedInpaintLib.cohort import cluster, worker_sources
from MedInpaintLib.cohort.case import CONTROL, DONE, FAILED
from MedInpaintLib.cohort.cluster import TRIES, cluster_named
from MedInpaintLib.cohort.dask_worker import Requirements, prepare_worker
from MedInpaintLib.cohort.fill import Fill
from MedInpaintLib.cohort.fingerprint import fingerprint
from MedInpaintLib.cohort.local import THREADS, work_in_worker
from MedInpaintLib.cohort.run import run
from MedInpaintLib.cohort.table import plan_of_table
from MedInpaintLib.cohort.work import record_of, work_on
from MedInpaintLib.errors import InputError, MachineError, MissingDependencyError
from MedInpaintLib.processes import each_in_parallel
from MedInpaintLib.report import software
from Testing.Python.studies import Study, deadly, greedy

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGKILL nor SLURM")


def plan(study, method="shell-mean", **options):
    return plan_of_table(study.table, Fill(), options={"method": method, "workers": 1, **options})


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}


def skipped(study, scheduler):
    """Run a study and return how many of its cases were done before."""
    events = []
    run(study, scheduler, events.append, at_once=1)
    return events[-1]["report"]["skipped"]


def local(jobs):
    return cluster_named("local", jobs, 1, print)


def command(*arguments):
    return CliRunner().invoke(app, ["cohort", *map(str, arguments)])


# Workers that are killed


class Watch:
    """Checks in every event that no case is over twice and no record is written twice."""

    def __init__(self, records):
        self._records, self._times = records, {}
        self.over = []

    def __call__(self, event):
        if event["event"] == "case":
            assert event["id"] not in self.over
            self.over.append(event["id"])
        for file in self._records.glob("*.json"):
            assert self._times.setdefault(file, file.stat().st_mtime_ns) == file.stat().st_mtime_ns


def check_that_killing_changes_nothing(tmp_path, here, subjects, disturb):
    """Fill a study on two workers while ``disturb`` hears all events, and compare with one that nothing disturbs."""
    study, undisturbed = Study(tmp_path / "a", subjects), Study(tmp_path / "b", subjects)
    run(plan(undisturbed, "patch"), here, lambda event: None, at_once=1)
    disturbed = plan(study, "patch")
    watch = Watch(disturbed.records)

    def emit(event):
        watch(event)
        disturb(event)

    report = run(disturbed, local(2), emit, at_once=2)
    assert (report[DONE], report[CONTROL], report[FAILED]) == (subjects - 1, 1, 0)
    assert sorted(watch.over) == sorted(case.id for case in disturbed.cases)
    assert contents(study.folder / "filled") == contents(undisturbed.folder / "filled")
    assert multiprocessing.active_children() == []
    assert skipped(disturbed, here) == subjects  # the records fit what is there
    assert all(row["status"] in (DONE, CONTROL) for row in study.summary())


@posix
def test_no_case_is_lost_or_done_twice_when_workers_are_killed_and_outputs_are_bit_identical(tmp_path, here):
    events = []

    def kill_some(event):
        events.append(event)
        if len(events) in (1, 6):
            for worker in multiprocessing.active_children():
                worker.kill()

    check_that_killing_changes_nothing(tmp_path, here, 5, kill_some)
    assert len(events) > 6


@posix
@pytest.mark.slow
def test_a_study_is_filled_though_a_worker_is_killed_after_every_third_case(tmp_path, here):
    killed = []

    def kill_one(event):
        children = multiprocessing.active_children()
        if event["event"] == "case" and event["number"] % 3 == 0 and children:
            children[len(killed) % len(children)].kill()
            killed.append(event["number"])

    check_that_killing_changes_nothing(tmp_path, here, 40, kill_one)
    assert len(killed) >= 10


@posix
def test_a_case_that_kills_every_worker_fails_alone_and_one_without_memory_is_done_elsewhere(study):
    whole = plan(study)
    cases = [deadly(whole.cases[0]), greedy(whole.cases[1], study.folder / "begun"), whole.cases[2]]
    whole.records.mkdir(parents=True)
    outcomes = {case.id: outcome for case, outcome in local(2).run(cases, whole.records, lambda *told: None)}
    lost, tried_again, control = (outcomes[case.id] for case in cases)
    assert (lost.status, lost.kind) == (FAILED, "WorkerLost")
    assert "worker was lost" in lost.message
    assert f"last of {TRIES} tries" in lost.message
    assert (study.folder / "begun").exists()
    assert (tried_again.status, tried_again.skipped, control.status) == (DONE, False, CONTROL)
    assert [file.name for file in whole.records.iterdir() if file.suffix != ".json"] == []


@posix
def test_a_cancelled_run_ends_its_workers_at_once(study):
    arguments = [str(study.table), "--method", "patch", "--scheduler", "local", "--jobs", "1", "--progress", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "MedInpaintLib.cli", "cohort", *arguments], stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if json.loads(line)["event"] == "working":
            break
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")  # there on Linux alone
    commands = [Path(f"/proc/{each}/cmdline") for each in children.read_text().split()] if children.exists() else []
    since = time.monotonic()
    process.send_signal(signal.SIGINT)
    last = [json.loads(line) for line in process.stdout][-1]
    assert process.wait() == 130
    assert time.monotonic() - since < 5  # 0.8 s on an idle computer
    assert last["event"] == "cancelled"
    assert "the same command goes on with the others" in last["message"]
    while any(_is_running(each) for each in commands):
        assert time.monotonic() - since < 10


def _is_running(command):
    try:
        return command.read_bytes() != b""  # it is empty of a process that has ended
    except OSError:
        return False


# A scheduler that runs already, here in this process


@pytest.fixture
def address(monkeypatch):
    """The address of a scheduler with two workers, which are threads of this process."""
    for name in THREADS:
        monkeypatch.setenv(name, "1")  # so that what the check of a worker sets is taken back
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=None, memory_limit=0
    ) as started:
        yield started.scheduler_address


def at(address, at_once=None, warn=print):
    return dataclasses.replace(cluster_named(address, None, 1, warn), at_once=at_once)


def test_no_more_cases_are_in_the_cluster_than_it_has_workers(study, address):
    rows = [["sub-0/t1.nii.gz", "sub-0/lesion.nii.gz", f"filled/{number:02}.nii.gz"] for number in range(30)]
    study.write([["image", "mask", "output"], *rows])
    counts = []
    with distributed.Client(address) as client:

        def count(event):
            if event["event"] == "case":
                counts.append(client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))

        report = run(plan(study), at(address), count, at_once=None)
        assert report["done"] == 30
        assert max(counts) <= 3  # one for each worker, and the one that is over
        counts.clear()
        study.write([["image", "mask", "output"], *rows[:10]])
        run(plan(study, seed=1), at(address, at_once=1), count, at_once=1)
        assert max(counts) <= 2
    assert skipped(plan(study, seed=1), at(address)) == 10


def test_all_workers_of_a_large_cluster_are_used_by_older_versions_of_dask_too(study, monkeypatch):
    monkeypatch.setattr(distributed.Client.scheduler_info, "__defaults__", (5,))  # as in 2025.9 to 2026.3
    for name in THREADS:
        monkeypatch.setenv(name, "1")
    rows = [["sub-0/t1.nii.gz", "sub-0/lesion.nii.gz", f"filled/{number:02}.nii.gz"] for number in range(14)]
    study.write([["image", "mask", "output"], *rows])
    checked = []
    monkeypatch.setattr(cluster._Dispatch, "_note_check", _noting(checked, cluster._Dispatch._note_check))
    with distributed.LocalCluster(
        n_workers=7,
        threads_per_worker=1,
        processes=False,
        protocol="tcp://",
        dashboard_address=None,
        memory_limit=0,  # workers in a process that has run thousands of tests would pause for its size
    ) as started:
        report = run(plan(study), at(started.scheduler_address), lambda event: None, at_once=None)
    assert report["done"] == 14
    assert len(set(checked)) == 7


def _noting(addresses, note_check):
    def note_address_and_check(self, address, problem):
        addresses.append(address)
        note_check(self, address, problem)

    return note_address_and_check


def test_a_case_has_absolute_paths_on_its_way_to_a_worker_and_is_still_the_same_case(study, monkeypatch):
    monkeypatch.chdir(study.folder)
    study.write([["image", "mask", "output"], ["sub-0/t1.nii.gz", "sub-0/lesion.nii.gz", "filled/series/"]])
    study.table = Path("study.csv")
    (case,) = plan(study).cases
    sent = cluster._with_absolute_paths(case)
    assert not os.path.isabs(case.job.image)
    assert sent.job.image == os.path.join(study.folder, ".", "sub-0", "t1.nii.gz")
    assert sent.job.output == os.path.join(study.folder, ".", "filled", "series", "")
    assert (sent.id, fingerprint(Fill(), sent.job)[0]) == (case.id, fingerprint(Fill(), case.job)[0])


def test_a_worker_that_comes_back_and_its_substitute_may_do_the_same_case_at_the_same_time(study):
    """Each has records of its own here, else the second would skip the case."""
    columns = ["image", "mask", "output", "filled_mask"]
    study.write([columns, ["sub-0/t1.nii.gz", "sub-0/lesion.nii.gz", "filled/sub-0.nii.gz", "filled/mask.nii.gz"]])
    (case,) = plan(study, "patch").cases
    folders = [study.folder / f"records-{number}" for number in range(8)]
    for folder in folders:
        folder.mkdir()
    jobs = [(case, folder) for folder in folders]
    outcomes = [outcome for _, outcome in each_in_parallel(work_in_worker, jobs, workers=2)]
    assert [(outcome.status, outcome.skipped) for outcome in outcomes] == [(DONE, False)] * 8
    kept = [json.loads(record_of(case, folder).read_text()) for folder in folders]
    for record in kept:
        del record["seconds"]
    assert kept == kept[:1] * 8
    assert work_on(case, folders[0], lambda fraction, stage: None).skipped  # what is there is what they recorded


def test_a_worker_without_the_files_or_with_another_version_is_not_used_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")
    file = tmp_path / "records" / "temporary" / "new" / "word"
    required = Requirements(file, "here", software(), 1)
    assert f"does not see the study's folder '{tmp_path / 'records'}' (No such file" in prepare_worker(required)
    file.parent.mkdir(parents=True)
    file.write_text("another study")
    assert "another one of that name" in prepare_worker(required)
    file.write_text("here")
    assert prepare_worker(required) == ""
    assert "it has MedInpaintLib" in prepare_worker(dataclasses.replace(required, software="MedInpaintLib 9.9"))


def test_a_cluster_whose_workers_cannot_be_used_is_one_clear_line(study, address, monkeypatch):
    monkeypatch.setattr(cluster, "software", lambda: "MedInpaintLib 9.9")
    result = command(study.table, "--method", "shell-mean", "--scheduler", address)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"Error: No Dask worker can be used: the worker at '{address[:6]}")
    assert "and this computer MedInpaintLib 9.9; install the same version" in result.stderr
    assert not study.output("sub-0").exists()


def test_a_scheduler_that_is_gone_ends_the_run_and_keeps_what_is_done(study, monkeypatch):
    monkeypatch.setattr(worker_sources, "TO_ANSWER", 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            protocol="tcp://",
            dashboard_address=None,
            memory_limit=0,
        ) as started,
        pytest.raises(MachineError, match="scheduler does not answer any more; cases that are done are kept"),
    ):
        run(
            plan(study),
            at(started.scheduler_address),
            lambda event: started.close() if event["event"] == "case" else None,
            at_once=None,
        )
    assert len(list((study.folder / "study-cohort" / "records").iterdir())) >= 1


def test_waiting_for_a_worker_is_told_and_has_an_end(study, monkeypatch):
    monkeypatch.setattr(cluster, "MOST_WAITING", 1.5)
    monkeypatch.setattr(cluster, "WARN_AFTER", 0.5)
    warnings = []
    with (
        distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp://", dashboard_address=None) as started,
        pytest.raises(MachineError, match="No Dask worker was free"),
    ):
        run(plan(study), at(started.scheduler_address, warn=warnings.append), lambda event: None, at_once=None)
    assert warnings == ["Dask: no worker is free so far; waiting for one."]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("slrum", "--scheduler takes local, slurm, or the address of a Dask scheduler such as tcp://host:8786"),
        ("127.0.0.1:9", "No Dask scheduler answers at '127.0.0.1:9'"),
        ("slurm", "--scheduler slurm needs --jobs"),
    ],
)
def test_a_scheduler_that_is_not_there_is_one_line(study, monkeypatch, name, message):
    monkeypatch.setattr(worker_sources, "TO_ANSWER", 1)
    result = command(study.table, "--method", "shell-mean", "--scheduler", name)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line


@pytest.mark.parametrize("package", ["distributed", "dask_jobqueue"])
def test_without_dask_the_command_says_what_to_install(study, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=f"install it with: pip install {package.replace('_', '-')}"):
        worker_sources._distributed() if package == "distributed" else worker_sources._slurm_cluster(1, [])


# SLURM, whose commands are played by scripts

SBATCH = """#!/bin/sh
number=1
until mkdir "$FAKE_SLURM/$number" 2> /dev/null; do number=$((number + 1)); done
cp "$1" "$FAKE_SLURM/$number/script"
setsid sh "$1" > "$FAKE_SLURM/$number/log" 2>&1 < /dev/null &
echo $! > "$FAKE_SLURM/$number/pid"
sleep 0.1  # the script is removed after this
echo "Submitted batch job $number"
"""
SCANCEL = """#!/bin/sh
touch "$FAKE_SLURM/$1/cancelled"
kill -9 -- -"$(cat "$FAKE_SLURM/$1/pid")" 2> /dev/null
"""
REFUSING = """#!/bin/sh
echo 'sbatch: error: invalid partition specified: gpu' >&2
exit 1
"""


@pytest.fixture
def fake_slurm(tmp_path, monkeypatch):
    """A folder with the jobs that were submitted; ``sbatch`` starts them at once, in the background."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        _make_command(tmp_path / name, text)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("FAKE_SLURM", str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(each for each in sys.path if each))
    with dask.config.set({"jobqueue.slurm.memory": "2GB", "distributed.deploy.lost-worker-timeout": "1s"}):
        yield folder


def _make_command(file, text):
    file.write_text(text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@posix
def test_slurm_runs_a_job_for_each_worker_replaces_a_lost_one_and_cancels_all_in_the_end(tmp_path, fake_slurm):
    study = Study(tmp_path / "study", 8)
    killed = []

    def kill_the_first_job(event):
        if event["event"] == "working" and not killed:
            killed.append(int((fake_slurm / "1" / "pid").read_text()))
            os.killpg(killed[0], signal.SIGKILL)

    report = run(plan(study, "patch"), cluster_named("slurm", 1, 1, print), kill_the_first_job, at_once=1)
    assert (report[DONE], report[CONTROL]) == (7, 1)
    jobs = sorted(fake_slurm.iterdir())
    assert [job.name for job in jobs] == ["1", "2"]
    assert (jobs[1] / "cancelled").exists()
    script = (jobs[0] / "script").read_text()
    for line in ("#SBATCH --cpus-per-task=1", "#SBATCH --mem=2G", "export OMP_NUM_THREADS=1"):
        assert line in script.splitlines()
    assert f"{sys.executable} -m distributed.cli.dask_worker" in script


@posix
def test_what_slurm_says_when_it_refuses_jobs_is_told(study, tmp_path, fake_slurm):
    _make_command(tmp_path / "sbatch", REFUSING)
    with pytest.raises(MachineError, match=r"SLURM refuses .*invalid partition specified: gpu"):
        run(plan(study), cluster_named("slurm", 2, 1, print), lambda event: None, at_once=2)


@posix
def test_a_configuration_without_memory_is_one_line_that_names_the_file(study, fake_slurm):
    with dask.config.set({"jobqueue.slurm.memory": None}), pytest.raises(InputError, match=r"memory.*jobqueue\.yaml"):
        run(plan(study), cluster_named("slurm", 2, 1, print), lambda event: None, at_once=2)
