"""A study as a user meets it: the command, its tables, failures, and what is left of a run that was killed."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib.cli.app import app
from MedInpaintLib.cohort.case import DONE, FAILED, Outcome
from MedInpaintLib.cohort.fill import Fill
from MedInpaintLib.cohort.local import LocalProcesses, limit_threads, shares
from MedInpaintLib.cohort.lock import only_runner
from MedInpaintLib.cohort.outlook import Outlook
from MedInpaintLib.cohort.run import CasesFailedError, run
from MedInpaintLib.cohort.table import plan_of_table
from MedInpaintLib.errors import InputError
from MedInpaintLib.processes import Died, each_in_parallel
from Testing.Python.studies import Study, echo

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


def plan(study, method="shell-mean"):
    return plan_of_table(study.table, Fill(), options={"method": method, "workers": 1})


def command(*arguments):
    return CliRunner().invoke(app, ["cohort", *map(str, arguments)])


def test_the_tables_have_a_row_for_each_case_and_failure_in_the_order_of_the_plan(study, here):
    (study.image("sub-0")).write_bytes(b"no image")
    events = []
    with pytest.raises(CasesFailedError, match="1 of 3 cases failed"):
        run(plan(study), here, events.append, at_once=1)
    rows = study.summary()
    assert [row["status"] for row in rows] == ["failed", "done", "control"]
    assert list(rows[0])[:3] == ["id", "status", "seconds"]
    assert (rows[1]["voxels"], rows[1]["method"], rows[2]["voxels"]) == ("36", "shell-mean", "0")
    (failure,) = study.summary("failures.tsv")
    assert (failure["id"], failure["error"], failure["origin"]) == ("filled/sub-0.nii.gz", "ImageReadError", "Row 2")
    assert "t1.nii.gz" in failure["message"]
    over = [event for event in events if event["event"] == "case"]
    assert [(event["number"], event["of"]) for event in over] == [(1, 3), (2, 3), (3, 3)]
    assert over[-1]["left"] == 0


def test_a_part_without_a_case_has_the_columns_of_the_others(study, here):
    run(plan(study).only(9, 9), here, lambda event: None, at_once=1)
    run(plan(study), here, lambda event: None, at_once=1)
    first, second = (
        (study.folder / "study-cohort" / name).read_text() for name in ("summary-9-of-9.tsv", "summary.tsv")
    )
    assert first == second.splitlines(keepends=True)[0]


def test_a_failure_is_tried_again_and_what_is_done_is_not(study, here):
    whole = study.image("sub-0").read_bytes()
    study.image("sub-0").write_bytes(b"no image")
    with pytest.raises(CasesFailedError):
        run(plan(study), here, lambda event: None, at_once=1)
    times = {name: study.output(name).stat().st_mtime_ns for name in ("sub-1", "sub-2")}
    before = study.summary()
    study.image("sub-0").write_bytes(whole)
    report = run(plan(study), here, lambda event: None, at_once=1)
    assert (report["done"], report["control"], report["failed"]) == (2, 1, 0)
    assert {name: study.output(name).stat().st_mtime_ns for name in times} == times
    assert study.summary()[1:] == before[1:]
    assert study.summary("failures.tsv") == []


def test_a_changed_option_or_input_is_done_again_and_nothing_else(study, here):
    run(plan(study), here, lambda event: None, at_once=1)
    times = {name: study.output(name).stat().st_mtime_ns for name in study.subjects}
    study.image("sub-1").write_bytes(study.image("sub-0").read_bytes())
    run(plan(study), here, lambda event: None, at_once=1)
    assert [study.output(name).stat().st_mtime_ns == times[name] for name in study.subjects] == [True, False, True]


def test_a_fault_leaves_its_traceback_until_it_is_mended(study, here, monkeypatch):
    def fault(self, job, progress):
        raise RuntimeError("by mistake")

    monkeypatch.setattr(Fill, "run", fault)
    with pytest.raises(CasesFailedError):
        run(plan(study), here, lambda event: None, at_once=1)
    assert "RuntimeError: by mistake" in (study.folder / "study-cohort" / "tracebacks.txt").read_text()
    monkeypatch.undo()
    run(plan(study), here, lambda event: None, at_once=1)
    assert not (study.folder / "study-cohort" / "tracebacks.txt").exists()


def test_a_worker_that_is_killed_fails_its_case_alone(study):
    killed = []

    def heard(case, fraction, stage):
        if case.id.endswith("sub-1.nii.gz") and not killed:
            (worker,) = multiprocessing.active_children()
            worker.kill()
            killed.append(worker)

    cases = plan(study).cases
    records = study.folder / "records"
    records.mkdir()
    outcomes = {case.id: outcome for case, outcome in LocalProcesses(1, 1).run(cases, records, heard)}
    assert [outcomes[case.id].status for case in cases] == ["done", "failed", "control"]
    assert outcomes[cases[1].id].kind == "WorkerDied"
    assert "worker process ended" in outcomes[cases[1].id].message
    assert multiprocessing.active_children() == []


def test_a_worker_that_dies_at_its_start_is_told_for_each_job():
    died = list(each_in_parallel(abs, [(1,), (2,)], workers=1, start=os._exit, arguments=(3,)))
    assert died == [(0, Died(3)), (1, Died(3))]


def test_a_worker_that_dies_takes_only_its_own_job_with_it_and_messages_are_heard():
    heard = []
    jobs = [(1,), (None,), (3,), (4,)]
    results = list(each_in_parallel(echo, jobs, workers=1, heard=lambda number, told: heard.append((number, told))))
    assert results == [(0, 1), (1, Died(7)), (2, 3), (3, 4)]
    assert heard == [(0, ("told", 1)), (2, ("told", 3)), (3, ("told", 4))]


def test_jobs_are_taken_when_a_worker_is_free_for_them_and_workers_end_when_they_are_not_wanted():
    taken = []

    def jobs():
        for number in range(1000):
            taken.append(number)
            yield (number,)

    results = each_in_parallel(echo, jobs(), workers=2)
    number, result = next(results)
    assert number == result
    assert len(taken) <= 5
    results.close()
    assert multiprocessing.active_children() == []


def test_cases_times_workers_are_never_more_than_the_cores():
    for cores in range(1, 17):
        for jobs in (None, *range(1, 20)):
            for workers in (None, *range(1, 20)):
                at_once, within = shares(jobs, workers, cores)
                assert at_once >= 1
                assert within >= 1
                assert at_once * within <= cores
                assert at_once == min(jobs or at_once, cores)


@pytest.mark.parametrize(
    ("asked", "limited"), [(None, "2"), ("8", "2"), ("1", "1"), ("", "2"), ("many", "2"), ("0", "2")]
)
def test_libraries_use_no_more_threads_than_workers(monkeypatch, asked, limited):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "5")
    if asked is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    limit_threads(2)
    assert os.environ["OMP_NUM_THREADS"] == limited
    assert os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] == "2"


def test_a_second_run_on_the_same_plan_is_refused_and_other_parts_are_not(study, here):
    whole = plan(study)
    whole.records.mkdir(parents=True)
    with only_runner(whole.file("lock")):
        holder = _Holder(whole.file("lock"))
        assert holder.refused()
    assert not _Holder(whole.file("lock")).refused()
    assert whole.only(1, 2).file("lock") != whole.only(2, 2).file("lock") != whole.file("lock")


def test_the_whole_and_a_part_at_once_lose_nothing(study, here):
    command = [sys.executable, "-m", "MedInpaintLib.cli", "cohort", str(study.table), "--method", "shell-mean"]
    command += ["--jobs", "1", "--workers", "1"]
    runs = [subprocess.Popen([*command, *part], stdout=subprocess.DEVNULL) for part in ([], ["--part", "1/1"])]
    assert [process.wait() for process in runs] == [0, 0]
    events = []
    run(plan(study), here, events.append, at_once=1)
    assert events[-1]["report"]["skipped"] == 3
    for name in study.subjects[:2]:
        direct = mi.inpaint(study.image(name), study.folder / name / "lesion.nii.gz", method="shell-mean")
        np.testing.assert_array_equal(mi.Volume.read(study.output(name)).array, direct.volume.array)
    rows = [study.summary(name) for name in ("summary.tsv", "summary-1-of-1.tsv")]
    assert [[row["status"] for row in each] for each in rows] == [["done", "done", "control"]] * 2


@posix
def test_a_run_that_was_killed_while_it_held_the_lock_is_in_nobodys_way(study, here):
    whole = plan(study)
    whole.records.mkdir(parents=True)
    code = "import sys, time, pathlib; from MedInpaintLib.cohort.lock import *\n"
    code += "with only_runner(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(whole.file("lock"))], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(InputError, match="Another run is at work"):
        run(whole, here, lambda event: None, at_once=1)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert run(whole, here, lambda event: None, at_once=1)["failed"] == 0  # the file is still there, the lock is not


class _Holder:
    """Another process that wants a lock."""

    def __init__(self, file):
        code = "import sys, pathlib; from MedInpaintLib.cohort.lock import *\n"
        code += "with only_runner(pathlib.Path(sys.argv[1])): pass"
        self._done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True)

    def refused(self):
        return self._done.returncode != 0 and "Another run is at work" in self._done.stderr


def test_the_time_left_is_that_of_the_cases_which_are_left(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("MedInpaintLib.cohort.outlook.monotonic", lambda: clock[0])
    outlook = Outlook(["a", "b", "c", "d", "e"], ["a"], at_once=2)
    assert outlook.seconds() is None
    outlook.begin("a")
    clock[0] = 1.0
    outlook.complete("a", Outcome(DONE, skipped=True))
    assert outlook.seconds() is None  # that a case was skipped in a second says nothing of the others
    outlook.begin("b")
    outlook.begin("c")
    clock[0] = 11.0
    outlook.complete("b", Outcome(DONE))
    outlook.complete("c", Outcome(FAILED))
    assert outlook.seconds() == 10.0  # d and e, ten seconds each, both at once
    outlook.begin("d")
    clock[0] = 17.0
    assert outlook.seconds() == 10.0  # four for d, and e has not begun
    outlook.complete("d", Outcome(DONE))
    outlook.complete("e", Outcome(DONE))
    assert outlook.seconds() == 0.0


def test_without_a_number_of_cases_at_once_the_time_left_goes_by_how_many_were_seen(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("MedInpaintLib.cohort.outlook.monotonic", lambda: clock[0])
    outlook = Outlook("abcdefg", [], at_once=None)
    for case in "abc":
        outlook.begin(case)
    clock[0] = 10.0
    for case in "abc":
        outlook.complete(case, Outcome(DONE))
    assert outlook.seconds() == pytest.approx(40 / 3)


def test_the_command_fills_a_table_and_says_so(study):
    result = command(study.table, "--method", "shell-mean", "--jobs", "1", "--report")
    assert result.exit_code == 0, result.output
    assert "filled/sub-0.nii.gz: filled by shell-mean, 36 voxels in 1 part" in result.output
    assert "filled/sub-2.nii.gz: copied, its mask is empty" in result.output
    assert "[3 of 3, 0 s left]" in result.output
    assert "3 cases: 2 filled, 1 copied with an empty mask, 0 failed; 0 of them were done before." in result.output
    assert json.loads((study.folder / "filled" / "sub-0.json").read_text())["method"] == "shell-mean"
    again = command(study.table, "--method", "shell-mean", "--jobs", "1", "--report", "--progress", "json")
    events = [json.loads(line) for line in again.stdout.splitlines()]
    assert events[-1]["report"]["skipped"] == 3
    assert {event["event"] for event in events} == {"working", "case", "result"}


def test_the_command_takes_patterns_and_a_part_at_a_time(study):
    arguments = ["--images", f"{study.folder}/sub-*/t1.nii.gz", "--masks", f"{study.folder}/sub-*/lesion.nii.gz"]
    arguments += ["--out", study.folder / "out", "--method", "shell-mean", "--jobs", "1", "--progress", "none"]
    for part in ("1/2", "2/2"):
        assert command(*arguments, "--part", part).exit_code == 0
    rows = [study.summary(f"summary-{number}-of-2.tsv", "out") for number in (1, 2)]
    assert [[row["output"] for row in each] for each in rows] == [
        ["sub-0/t1.nii.gz", "sub-2/t1.nii.gz"],
        ["sub-1/t1.nii.gz"],
    ]
    whole = command(*arguments)
    assert "3 of them were done before" in whole.stdout
    assert [row["id"] for row in study.summary(out="out")] == [f"sub-{number}/t1.nii.gz" for number in range(3)]


def test_parts_may_run_at_the_same_time_and_the_run_of_the_whole_joins_their_tables(study):
    command_line = [sys.executable, "-m", "MedInpaintLib.cli", "cohort", str(study.table), "--method", "shell-mean"]
    command_line += ["--jobs", "1", "--progress", "none"]
    parts = [
        subprocess.Popen(
            [*command_line, "--jobs", "1", "--progress", "none", "--part", part], stdout=subprocess.DEVNULL
        )
        for part in ("1/2", "2/2")
    ]
    assert [part.wait() for part in parts] == [0, 0]
    rows = [*study.summary("summary-1-of-2.tsv"), *study.summary("summary-2-of-2.tsv")]
    whole = command(study.table, "--method", "shell-mean", "--jobs", "1", "--progress", "none")
    assert "3 of them were done before" in whole.stdout
    joined = study.summary()
    assert [row["id"] for row in joined] == [f"filled/{name}.nii.gz" for name in study.subjects]
    assert sorted(joined, key=lambda row: row["id"]) == sorted(rows, key=lambda row: row["id"])


def test_exit_codes_tell_wrong_plans_from_failed_cases(study):
    study.image("sub-0").write_bytes(b"no image")
    failed = command(study.table, "--method", "shell-mean", "--jobs", "1")
    assert failed.exit_code == 1
    assert "sub-0.nii.gz: failed: " in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("Error: 1 of 3 cases failed, see '")
    study.image("sub-0").unlink()
    wrong = command(study.table)
    assert wrong.exit_code == 2
    first, last = wrong.stderr.splitlines()
    assert first.startswith("Row 2: the image '")
    assert last == "Error: The study has 1 problem, so nothing was run; correct it."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give either a TABLE, or --images"),
        (["study.csv", "--images", "a*"], "Give either a TABLE, or --images"),
        (["study.csv", "--masks", "a*"], "Give either a TABLE, or --images"),
        (["--images", "a*", "--masks", "b*"], "with --out"),
        (["study.csv", "--part", "3"], "A part is written as 3/20"),
        (["nowhere.csv"], "cannot be read"),
    ],
)
def test_a_wrong_command_line_is_one_line(study, monkeypatch, arguments, message):
    monkeypatch.chdir(study.folder)
    result = command(*arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert not (study.folder / "study-cohort").exists()


def test_a_live_table_shows_cases_at_work_and_failures():
    import io

    from rich.console import Console

    from MedInpaintLib.cli.cohort_table import LiveTable

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    over = {"event": "case", "id": "b[1]", "status": "failed", "skipped": False, "message": "no", "facts": {}}
    with LiveTable(console) as live:
        live.show({"event": "working", "id": "a[/]", "fraction": 0.5, "stage": "Filling"})
        live.show({"event": "working", "id": "b[1]", "fraction": 0.1, "stage": "Reading"})
        live._live.refresh()
        live.show({**over, "number": 1, "of": 9, "left": 61.0})
        live._live.refresh()
    text = screen.getvalue()
    assert "a[/]" in text
    assert "50%" in text
    assert "b[1]: failed: no" in text
    assert "1 of 9, 1 min left (1 failed)" in text
    assert "b[1]" not in text[text.rindex("a[/]") :]


def test_the_runner_opens_no_image_itself(study):
    opened = []
    active = [True]
    sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if active and event == "open" else None)
    try:
        run(plan(study), LocalProcesses(2, 1), lambda event: None, at_once=2)
    finally:
        active.clear()
    assert not [file for file in opened if file.endswith(".nii.gz")]
    assert len(study.summary()) == 3


# What a killed run leaves


def start(study, out):
    """Start the command, and return it with its events."""
    arguments = ["cohort", str(study.table), "--out", str(out), "--method", "patch", "--progress", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "MedInpaintLib.cli", *arguments, "--jobs", "2", "--workers", "1", "--save-mask"],
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, (json.loads(line) for line in process.stdout)


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@posix
def test_a_killed_run_loses_nothing_does_nothing_twice_and_ends_bit_identical(tmp_path):
    study, undisturbed = Study(tmp_path / "a", 6), Study(tmp_path / "b", 6)
    process, events = start(undisturbed, tmp_path / "out-b")
    assert list(events)[-1]["report"]["failed"] == 0
    assert process.wait() == 0

    records = tmp_path / "out-a" / "records"
    times: dict[str, int] = {}
    for stop in (("working", 1), ("working", 5), ("case", 2), ("case", 4)):  # the number of such events before it
        process, events = start(study, tmp_path / "out-a")
        for event in events:
            if event["event"] == "case" and not event["skipped"]:
                assert event["id"] not in times
                times[event["id"]] = study.output(os.path.basename(event["id"])[:5]).stat().st_mtime_ns
            stop = stop[0], stop[1] - (event["event"] == stop[0])
            if stop[1] == 0:
                break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    kept = len(list(records.iterdir()))
    assert kept >= len(times) >= 2
    process, events = start(study, tmp_path / "out-a")
    report = list(events)[-1]["report"]
    assert process.wait() == 0
    assert report["skipped"] >= kept
    assert report["done"] + report["control"] == 6
    for name, then in times.items():
        assert study.output(os.path.basename(name)[:5]).stat().st_mtime_ns == then
    assert contents(study.folder / "filled") == contents(undisturbed.folder / "filled")


@posix
def test_a_run_that_is_cancelled_says_that_it_can_go_on_and_keeps_what_is_done(study):
    process, events = start(study, study.folder / "out")
    for event in events:
        if event["event"] == "case":
            break
    process.send_signal(signal.SIGINT)
    last = list(events)[-1]
    assert process.wait() == 130
    assert last["event"] == "cancelled"
    assert "the same command goes on with the others" in last["message"]
    assert len(list((study.folder / "out" / "records").iterdir())) >= 1
    assert not (study.folder / "out" / "summary.tsv").exists()
