"""The command ``python -m Research``."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from MedInpaintLib.errors import Cancelled
from Research import STUDIES
from Research.__main__ import main

ROOT = Path(__file__).parents[3]


def test_without_a_name_all_studies_are_listed():
    process = subprocess.run([sys.executable, "-m", "Research"], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert process.returncode == 0, process.stderr
    for name, (question, _) in STUDIES.items():
        assert f"{name} " in process.stdout
        assert question in process.stdout
    assert "\npages " in process.stdout


def test_wrong_input_is_one_line_and_exit_code_2(tmp_path, capsys):
    assert main(["hole-sise", "--data", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Error: There is no study 'hole-sise'; the studies are: without-training")
    folders = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    assert main(["hole-size", "--data", str(tmp_path), *folders]) == 2
    message = capsys.readouterr().err
    assert message.startswith("Error: There is no manifest")
    assert message.count("\n") == 1


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_explains_its_options(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    assert f"usage: python -m Research {name} " in capsys.readouterr().out


def test_pages_is_a_command(capsys):
    assert main(["pages", "seeds", "--check", "--docs", str(ROOT / "docs")]) == 0
    assert main(["pages", "sedes"]) == 2
    assert capsys.readouterr().err.startswith("Error: There is no page of 'sedes'; the studies with a page are: ")


def test_a_cancelled_study_says_so(capsys, monkeypatch):
    def interrupted(arguments):
        raise Cancelled("Stopped after step 3; the same command goes on from there.")

    monkeypatch.setattr(importlib.import_module("Research.given"), "main", interrupted)
    assert main(["given"]) == 130
    assert capsys.readouterr().err == "Stopped after step 3; the same command goes on from there.\n"
