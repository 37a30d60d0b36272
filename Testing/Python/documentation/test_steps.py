"""Every command and snippet of tutorials and how-tos works on the sample data, or at least is a command."""

import json
import shlex
import subprocess
import sys

import click
import pytest
import typer.main

from MedInpaintLib.cli.app import app
from MedInpaintLib.jobs.fill import FillJob
from Testing import documentation

#: Their blocks are run elsewhere, or need images that are not among the samples.
ELSEWHERE = {
    "docs/how-to/slicer-scripts.md": "Testing/PanelHost/test_script_repository.py",
    "docs/how-to/images-together.md": "several contrasts",
    "docs/how-to/lesion-back.md": "a segmentation",
    "docs/how-to/studies.md": "docs/tutorials/terminal.md has the same command",
    "docs/reference/formats.md": "a 4-D image",
    "docs/reference/evaluation-on-your-images.md": "docs/tutorials/terminal.md scores methods",
}
PAGES = [
    page.relative_to(documentation.ROOT).as_posix()
    for folder in ("tutorials", "how-to", "reference")
    for page in sorted((documentation.ROOT / "docs" / folder).glob("*.md"))
]
WITH_STEPS = [page for page in PAGES if page not in ELSEWHERE and documentation.steps(page)]
NEED_TORCH = ("own-model.md", "trained-models.md", "missing-contrast.md")


def test_every_tutorial_and_most_how_tos_have_steps():
    assert {"docs/tutorials/terminal.md", "docs/tutorials/python.md", "docs/tutorials/bids.md"} <= set(WITH_STEPS)
    assert len(WITH_STEPS) >= 14
    assert set(ELSEWHERE) <= set(PAGES)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_STEPS)
def test_every_step_works(page, tmp_path, monkeypatch):
    if page.endswith(NEED_TORCH):
        pytest.importorskip("torch")
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path / "models"))
    documentation.run(page, tmp_path)


def all_commands() -> list[str]:
    written = [
        command
        for page in ["README.md", *PAGES]
        for language in ("sh", "console", "bash")
        for block in documentation.blocks(page, language)
        for command in documentation.commands(block)
        if command.startswith("medinpaint ")
    ]
    return sorted(set(written))


@pytest.mark.parametrize("command", all_commands())
def test_every_command_has_options_that_there_are(command):
    words = shlex.split(command)[1:]
    group: click.Command = typer.main.get_command(app)
    while hasattr(group, "commands"):
        group = group.commands[words.pop(0)]
    group.make_context("medinpaint", words, resilient_parsing=False)


def test_the_job_file_is_one(tmp_path):
    (block,) = documentation.blocks("docs/how-to/jobs.md", "json")
    assert FillJob.of(json.loads(block), tmp_path).method == "biharmonic"


def test_a_method_of_ones_own_is_found_as_one_file(tmp_path):
    code = documentation.blocks("docs/how-to/own-method.md", "python")[0]
    (tmp_path / "median.py").write_text(code, encoding="utf-8")
    script = (
        "import sys, MedInpaintLib as mi, MedInpaintLib.methods as folder\n"
        "folder.__path__.append(sys.argv[1])\n"
        "print(mi.list_methods()['median'].summary)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, encoding="utf-8", check=False
    )
    assert process.stdout.strip() == "One constant: a percentile of the known voxels.", process.stderr
