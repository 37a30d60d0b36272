"""``medinpaint train`` from a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "MedInpaintLib.cli", "train", *map(str, arguments), "--accelerator", "cpu"]


def test_the_command_prints_where_the_model_is(recipe, data, tmp_path):
    done = subprocess.run(
        command(recipe(), "--data", data / "MANIFEST.csv", "--out", tmp_path / "out"), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "out" / "tiny") in done.stdout
    assert "dB" in done.stdout


def test_a_wrong_recipe_is_one_line_and_exit_code_2(data, tmp_path):
    done = subprocess.run(command("nothing", "--data", data, "--out", tmp_path), capture_output=True, text=True)
    assert done.returncode == 2
    assert "There is no recipe 'nothing'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_between_two_steps_and_the_training_goes_on_afterwards(number, recipe, data, tmp_path):
    path = recipe(steps=100_000, check_every=100_000)
    arguments = command(path, "--data", data, "--out", tmp_path, "--progress", "json")
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for line in process.stdout:
        if "Step" in line:
            break
    time.sleep(0.2)
    process.send_signal(number)
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 130
    assert "cancelled" in rest
    assert (tmp_path / "last.ckpt").is_file()


def of_group(group: int) -> list[str]:
    """Return the processes of a group, but for those that have ended and were not asked for their code."""
    listing = subprocess.run(["ps", "-Aww", "-o", "pgid=,stat=,args="], capture_output=True, text=True).stdout
    rows = [line.split(maxsplit=2) for line in listing.splitlines()]
    return [row[2] for row in rows if int(row[0]) == group and not row[1].startswith("Z")]


@pytest.mark.skipif(sys.platform == "win32", reason="a group of processes cannot be signalled alike on Windows")
@pytest.mark.parametrize(
    ("how", "stage"), [("SIGTERM to the command", "working"), ("SIGINT to all, as a terminal sends it", "starting")]
)
def test_a_signal_ends_the_workers_that_make_cases(how, stage, recipe, data, tmp_path):
    path = recipe("unet", steps=1)
    path.write_text(path.read_text(encoding="utf-8").replace("cases = 6", "cases = 3000"), encoding="utf-8")
    arguments = command(path, "--data", data, "--out", tmp_path / "out", "--progress", "json")
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        if stage == "working":
            while "of 3000" not in (line := process.stdout.readline()):
                assert line, process.stderr.read()
        else:  # the workers import what they need, which takes a second
            while not any("spawn_main" in each for each in of_group(process.pid)):
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
        if how.startswith("SIGTERM"):
            process.send_signal(signal.SIGTERM)
        else:
            os.killpg(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert errors == ""
        assert [json.loads(line)["event"] for line in out.splitlines()][-1] == "cancelled"
        assert out.count("cancelled") == 1
        deadline = time.monotonic() + 5
        while of_group(process.pid) and time.monotonic() < deadline:  # killed ones take a moment to end
            time.sleep(0.05)
        assert of_group(process.pid) == []
        assert list((tmp_path / "out").rglob(".medinpaint-*")) == []
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
