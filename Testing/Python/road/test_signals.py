"""Ctrl-C and SIGTERM end every process of MedInpaint: exit code 130, one line, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.errors import Cancelled, ImageReadError
from MedInpaintLib.files import write_text
from MedInpaintLib.processes import in_parallel
from MedInpaintLib.signals import cancelling, held_back
from MedInpaintLib.starting import CANCELLED
from MedInpaintLib.together import Piece, do_together

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows delivers no signal to one process alone")

#: A command whose work is what follows; it prints "ready" when it may be signalled.
COMMAND = """
import sys
from MedInpaintLib import files, signals
from MedInpaintLib.job import guarded

def say(message):
    print(message, file=sys.stderr, flush=True)

signals.end_this_process_on_signals(say)

def ready():
    print("ready", flush=True)
"""


def start(*command: object, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    """Return exit code, output and errors; a process that does not end is a failure."""
    try:
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, errors


def stopped_at_work(work: str, tmp_path, *numbers: signal.Signals) -> tuple[str, float]:
    """Run a command whose work is given, signal it when it is ready; return its errors and how long it took to end."""
    script = COMMAND + textwrap.dedent(work) + '\nsys.exit(guarded(work, lambda event: say(event["message"])))'
    process = start("-c", script, cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    for number in numbers:
        process.send_signal(number)
    since = time.monotonic()
    code, _, errors = ended(process)
    assert code == 130, errors
    return errors, time.monotonic() - since


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["cli", "job"])
def test_a_signal_while_modules_are_imported_is_one_line(command, number, tmp_path):
    # A module of the engine that says that it is being imported, and takes its time.
    path = tmp_path / "sitecustomize.py"
    module = {"cli": "MedInpaintLib.cli.app", "job": "MedInpaintLib.jobs.evaluate"}[command]
    path.write_text(
        textwrap.dedent(f"""
        import sys, time

        class Slow:
            def find_spec(self, name, path=None, target=None):
                if name == {module!r}:
                    print("importing", flush=True)
                    time.sleep(30)

        sys.meta_path.insert(0, Slow())
        """)
    )
    (tmp_path / "job.json").write_text("{}")
    search = os.pathsep.join([str(tmp_path), *sys.path])
    arguments = {"cli": ["methods"], "job": [tmp_path / "job.json"]}[command]
    process = start("-m", f"MedInpaintLib.{command}", *arguments, env={**os.environ, "PYTHONPATH": search})
    assert process.stdout.readline() == "importing\n", process.stderr.read()
    process.send_signal(number)
    code, out, errors = ended(process)
    assert code == 130
    if command == "cli":
        assert (out, errors) == ("", f"{CANCELLED}\n")
    else:
        assert (json.loads(out), errors) == ({"event": "cancelled", "message": CANCELLED}, "")


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_native_code_that_hears_no_signal_is_ended_and_nothing_is_left(number, tmp_path):
    work = """
        def work():
            import multiprocessing, time
            import numpy as np
            import SimpleITK as sitk

            noise = sitk.GetImageFromArray(np.random.default_rng(0).random((200, 200, 200)))
            multiprocessing.get_context("spawn").Process(target=time.sleep, args=(300,)).start()
            with files.replacing("out.txt") as temporary:
                temporary.write_text("half of it")
                print(multiprocessing.active_children()[0].pid, file=open("child", "w"), flush=True)
                ready()
                sitk.Median(noise, (6, 6, 6))  # minutes
    """
    errors, _ = stopped_at_work(work, tmp_path, number, number)  # two at once, as some tools send them
    assert errors == f"{CANCELLED}\n"
    assert sorted(os.listdir(tmp_path)) == ["child"]
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "child").read_text()), 0)


@posix
def test_a_library_that_catches_everything_does_not_keep_the_process_alive(tmp_path):
    work = """
        import time

        def work():
            while True:
                try:
                    ready()
                    time.sleep(60)
                except Exception:
                    pass
    """
    errors, seconds = stopped_at_work(work, tmp_path, signal.SIGTERM)
    assert errors == f"{CANCELLED}\n"
    assert seconds > 1  # it had its chance to end by itself


@posix
def test_a_process_that_can_end_by_itself_does_so_at_once(tmp_path):
    work = """
        import time

        def work():
            ready()
            time.sleep(60)
    """
    errors, _ = stopped_at_work(work, tmp_path, signal.SIGINT)
    assert errors == f"{CANCELLED}\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes as files on Windows")
@pytest.mark.parametrize("name", ["image", "mask"])
def test_a_named_pipe_is_refused_before_it_is_opened(name, tmp_path):
    mi.Volume.of(np.zeros((4, 4, 4), np.uint8)).write(tmp_path / "a.nrrd")
    os.mkfifo(tmp_path / "pipe.nrrd")
    arguments = {"image": ["pipe.nrrd", "a.nrrd"], "mask": ["a.nrrd", "pipe.nrrd"]}[name]
    process = start("-m", "MedInpaintLib.cli", "fill", *arguments, "-o", "out.nrrd", cwd=tmp_path)
    code, _, errors = ended(process)
    assert code == 2
    assert "pipe.nrrd' is a named pipe" in errors
    assert len(errors.splitlines()) == 1
    with pytest.raises(ImageReadError, match="is a named pipe"):
        mi.Volume.read(tmp_path / "pipe.nrrd")


def cancelled(work) -> bool:
    """Return whether a signal raised :class:`.Cancelled` in the work."""
    try:
        with cancelling(lambda message: None):
            work()
    except Cancelled:
        return True
    return False


@posix
def test_what_is_held_back_is_completed_first():
    steps = []

    def work():
        with held_back(), held_back():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            steps.append("completed")
        steps.append("never")

    assert cancelled(work)
    assert steps == ["completed"]


@posix
def test_what_was_written_before_the_signal_was_heard_is_told(tmp_path, monkeypatch):
    replace = os.replace

    def signalled(source, target):
        signal.raise_signal(signal.SIGINT)
        replace(source, target)

    monkeypatch.setattr(os, "replace", signalled)
    with pytest.raises(Cancelled, match=r"^Cancelled when '.*a\.txt' was just written\.$"), cancelling(print):
        write_text(tmp_path / "a.txt", "new")
    assert os.listdir(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


@posix
def test_an_error_after_a_signal_is_its_consequence():
    def work():
        try:
            signal.raise_signal(signal.SIGINT)
        except Cancelled:
            raise RuntimeError("a callback failed") from None

    assert cancelled(work)


@posix
def test_a_second_signal_does_not_disturb_the_cleaning_up():
    cleaned = []

    def work():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            cleaned.append(True)

    assert cancelled(work)
    assert cleaned == [True]
    assert cancelled(lambda: signal.raise_signal(signal.SIGINT))  # the next one in the same process is heard again


def test_workers_are_killed_when_their_results_are_not_wanted_any_more():
    results = in_parallel(time.sleep, [(0,), (300,), (300,)], workers=2)
    assert next(results) is None
    since = time.monotonic()
    results.close()
    assert time.monotonic() - since < 60


def test_workers_return_each_result_and_a_dead_one_is_told():
    assert sorted(in_parallel(abs, [(-1,), (-2,), (3,)], workers=2)) == [1, 2, 3]
    with pytest.raises(mi.MedInpaintError, match="ended before its work was done"):
        list(in_parallel(os._exit, [(1,)], workers=1))


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_parts_that_are_filled_in_threads_end_by_themselves(number, tmp_path):
    work = """
        def work():
            import threading
            import time
            import numpy as np
            import MedInpaintLib as mi
            from MedInpaintLib import prediction

            both_run = threading.Barrier(2, action=ready)

            def endless(region, parameters, run):
                both_run.wait(60)
                while True:
                    run.progress.update(0.5)
                    time.sleep(0.001)  # methods compute between two updates; a bare loop keeps the main thread waiting

            about = "endless", "Endless", "trivial", "E.", "None.", "none"
            info = prediction.MethodInfo(*about, cost=prediction.Cost(0.1, 0.0), fill=endless)
            prediction.METHODS["endless"] = info
            hole = np.zeros((20, 60, 60), bool)
            hole[9, 9, 9] = hole[9, 50, 50] = hole[9, 9, 50] = True
            try:
                mi.inpaint(np.random.default_rng(0).random(hole.shape), hole, method="endless", workers=2)
            finally:
                assert [thread.name for thread in threading.enumerate()] == ["MainThread", "signals"]
                open("by itself", "w").close()
    """
    errors, _ = stopped_at_work(work, tmp_path, number)
    assert errors == f"{CANCELLED}\n"
    assert os.listdir(tmp_path) == ["by itself"]


@posix
def test_a_signal_while_a_thread_starts_leaves_no_thread(monkeypatch):
    starting = threading.Thread.start

    def signalled(thread):
        starting(thread)
        if thread.name.startswith("ThreadPool"):
            signal.raise_signal(signal.SIGINT)

    def endless(progress):
        while True:
            progress.update(0.5)
            time.sleep(0.001)

    monkeypatch.setattr(threading.Thread, "start", signalled)
    before = threading.active_count()
    with pytest.raises(Cancelled), cancelling(print):
        do_together([Piece(endless, 1.0, 1)] * 2, 2, mi.Progress())
    assert threading.active_count() == before


@posix
@pytest.mark.slow
@pytest.mark.parametrize("method", ["patch", "biharmonic", "mirror"])
def test_large_parts_that_are_filled_in_threads_are_cancelled(method, tmp_path):
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(60, 100, 100)), 1.5)
    image = mi.Volume.of((500 + 1000 * noise).astype(np.int16))
    k, j, i = np.indices(image.array.shape) - 30
    ball = k**2 + j**2 + i**2 <= 18**2
    image.write(tmp_path / "image.nrrd")
    image.with_array((ball | ball[:, ::-1] | ball[:, :, ::-1]).astype(np.uint8)).write(tmp_path / "mask.nrrd")
    (tmp_path / "job.json").write_text(
        json.dumps({"job": "fill", "image": "image.nrrd", "mask": "mask.nrrd", "output": "filled.nrrd",
                    "method": method, "modality": "MR", "workers": 2})
    )  # fmt: skip
    process = start(
        "-m", "MedInpaintLib.job", "job.json", cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    while (event := json.loads(process.stdout.readline())).get("stage") in ("", "Reading", "Checking"):
        pass
    assert event["event"] == "progress"
    process.send_signal(signal.SIGINT)
    code, out, errors = ended(process)
    assert (code, errors) == (130, "")
    assert json.loads(out.splitlines()[-1]) == {"event": "cancelled", "message": CANCELLED}
    assert not (tmp_path / "filled.nrrd").exists()
