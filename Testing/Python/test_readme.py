"""What the README says can be done as it says."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import MedInpaintLib as mi
from MedInpaintLib.holes.grammar import grammar
from MedInpaintLib.jobs.fill import FillJob

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("medinpaint ")]


@pytest.fixture
def folder(tmp_path):
    """A folder with the sample data where the README has them."""
    shutil.copytree(ROOT / "Resources" / "SampleData", tmp_path / "Resources" / "SampleData")
    return tmp_path


def run(arguments: list[str], folder: Path) -> None:
    process = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    assert process.returncode == 0, process.stderr


def test_there_are_commands_to_try():
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works(command, folder):
    run(["-m", "MedInpaintLib.cli", *shlex.split(command)[1:]], folder)


@pytest.mark.parametrize("code", [block for block in blocks("python") if "slicer" not in block])
def test_every_python_example_works(code, folder):
    run(["-c", code], folder)


def test_the_table_has_every_method_with_its_own_words():
    for name, info in mi.list_methods().items():
        assert f"| `{name}` | {info.summary} | {info.trust} |" in TEXT


def test_the_shapes_of_holes_are_written_as_the_program_explains_them():
    for line in grammar().splitlines():
        assert line.strip() in TEXT


def test_the_job_file_is_one(tmp_path):
    (block,) = blocks("json")
    assert FillJob.of(json.loads(block), tmp_path).method == "biharmonic"


def test_every_picture_and_page_exists():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
