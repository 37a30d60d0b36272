"""The worker process: what it says is understood, how it ends is told, and ending it leaves nothing running."""

import json
import shutil
import subprocess
import sys
import time

import pytest
import slicer
from panelhost import mrml
from panelhost.processes import isRunning

from MedInpaintLib import errors
from MedInpaintSlicer.jobs import process, processtree


def _conversation(*lines):
    heard = []
    conversation = process.Conversation(
        progress=lambda fraction, stage: heard.append((fraction, stage)),
        warning=heard.append,
    )
    for line in lines:
        conversation.hear(line if isinstance(line, str) else json.dumps(line))
    return conversation, heard


def test_progress_and_warnings_are_passed_on():
    _, heard = _conversation(
        {"event": "progress", "fraction": 0.4, "stage": "Filling"},
        {"event": "warning", "message": "The hole is large."},
    )
    assert heard == [(0.4, "Filling"), "The hole is large."]


def test_the_result_is_kept():
    conversation, _ = _conversation({"event": "result", "output": "filled.nrrd", "report": {}})
    assert conversation.result["output"] == "filled.nrrd"


def test_an_error_keeps_its_kind_and_its_message():
    conversation, _ = _conversation({"event": "error", "kind": "MaskError", "message": "The mask is empty."})
    failure = conversation.failure(2)
    assert type(failure) is errors.MaskError
    assert str(failure) == "The mask is empty."


def test_an_error_of_an_unknown_kind_is_still_one_of_ours():
    conversation, _ = _conversation({"event": "error", "kind": "MemoryError", "message": "There is not enough memory."})
    assert type(conversation.failure(1)) is errors.MedInpaintError


def test_a_worker_that_was_stopped_from_outside_is_told():
    conversation, _ = _conversation({"event": "cancelled"})
    assert type(conversation.failure(130)) is errors.Cancelled


def test_a_crash_is_told_with_the_last_lines_and_without_the_first():
    lines = [f"line {number}" for number in range(20)]
    conversation, _ = _conversation(*lines, "[1, 2]", "not json {")
    message = str(conversation.failure(-11))
    assert "SIGSEGV" in message
    assert "line 19" in message
    assert "not json {" in message
    assert "line 3" not in message


def test_a_worker_that_ran_out_of_memory_is_told():
    conversation, _ = _conversation()
    assert "memory" in str(conversation.failure(-9))


CHILD_OF_A_CHILD = """
import subprocess, sys, time
if len(sys.argv) > 1:
    child = subprocess.Popen([sys.executable, __file__])
    print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="looks at processes the Unix way")
@pytest.mark.parametrize("listing", ["/proc", "ps"])
def test_killing_ends_the_whole_tree_at_once(tmp_path, monkeypatch, listing):
    if listing == "ps":
        if shutil.which("ps") is None:
            pytest.skip("this machine has no command 'ps'")
        monkeypatch.setattr(processtree, "_PROC", tmp_path)
    script = tmp_path / "worker.py"
    script.write_text(CHILD_OF_A_CHILD)
    worker = subprocess.Popen([sys.executable, str(script), "parent"], stdout=subprocess.PIPE, text=True)
    child = int(worker.stdout.readline())
    assert isRunning(child)
    start = time.monotonic()
    processtree.kill(worker.pid)
    assert worker.wait(timeout=5) != 0
    while isRunning(child) and time.monotonic() - start < 5:
        time.sleep(0.01)
    assert not isRunning(child)
    assert time.monotonic() - start < 1


def test_killing_what_has_already_ended_is_no_error():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    processtree.kill(ended.pid)


BACKGROUND = """
import subprocess, sys
sys.path[:0] = [{folder!r}]
from panelhost import mrml
mrml.install()
import slicer.util
from MedInpaintSlicer.jobs import process

def launch(command, **others):
    return subprocess.Popen(command)

slicer.util.launchConsoleProcess = launch
runner = process.BackgroundRunner()
runner.start([sys.executable, "-c", "import time; time.sleep(600)"], ".", print, print)
print(runner._process.pid, flush=True)
{end}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="looks at processes the Unix way")
@pytest.mark.parametrize("end", ["", "process.endAll(); runner._process.wait(5); input()", "raise SystemExit(3)"])
def test_what_a_script_has_started_in_the_background_ends_with_slicer(end):
    code = BACKGROUND.format(folder=str(mrml.REPOSITORY / "Testing" / "PanelHost"), end=end)
    slicerLike = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=mrml.REPOSITORY
    )
    worker = int(slicerLike.stdout.readline())
    if "endAll" not in end:
        slicerLike.wait(60)
    until = time.monotonic() + 10
    while isRunning(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not isRunning(worker)
    slicerLike.communicate("\n", timeout=60)


def test_a_job_that_has_ended_is_not_held(monkeypatch):
    callbacks = {}

    def launch(command, **others):
        callbacks.update(others)
        return subprocess.Popen(command)

    monkeypatch.setattr(slicer.util, "launchConsoleProcess", launch)
    runner, codes = process.BackgroundRunner(), []
    runner.start([sys.executable, "-c", ""], ".", print, codes.append)
    assert runner in process._running
    callbacks["completedCallback"](0)
    assert codes == [0]
    assert runner not in process._running
