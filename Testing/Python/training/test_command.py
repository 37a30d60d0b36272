"""``medinpaint train`` from a terminal."""

from __future__ import annotations

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
