"""An option of a fill is spelt once: each field of FillOptions is in job files, command, Python, scripts and panel."""

import ast
import dataclasses
import inspect
import re
from pathlib import Path

import pytest
import typer

import MedInpaintLib
from MedInpaintLib import together
from MedInpaintLib.cli.app import app
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.jobs.fill import FillJob
from MedInpaintLib.options import FillOptions
from MedInpaintSlicer import options

MODULE = Path(__file__).resolve().parents[3] / "MedInpaint" / "MedInpaintSlicer"
FIELDS = [field.name for field in dataclasses.fields(FillOptions)]
#: The panel has no widgets for them: the same seed gives the same voxels, run by run, doubts are asked about, and the
#: panel leaves one core free.
NOT_IN_THE_PANEL = {"seed", "force", "workers"}


def _names(path: str, pattern: str) -> set[str]:
    """The names in a source file, which cannot be imported where there is no application."""
    return set(re.findall(pattern, (MODULE / path).read_text(encoding="utf-8"), re.MULTILINE))


def _arguments(path: str, function: str) -> set[str]:
    tree = ast.parse((MODULE / path).read_text(encoding="utf-8"))
    (found,) = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function)
    return {argument.arg for argument in found.args.args}


@pytest.mark.parametrize("field", FIELDS)
def test_an_option_is_in_the_job_the_command_and_python(field):
    assert field in {each.name for each in dataclasses.fields(FillJob)}
    command = typer.main.get_command(app).commands["fill"]
    assert field in {parameter.name for parameter in command.params}
    assert field in inspect.signature(MedInpaintLib.inpaint).parameters
    assert field in FillOptions().keywords()


@pytest.mark.parametrize("field", sorted({*FIELDS} - {*options.NOT_OFFERED}))
def test_an_option_is_offered_to_scripts_and_in_the_panel(field):
    name = options.names()[field]
    assert name in _arguments("logic.py", "inpaint")
    if field == "parameters":  # each method keeps its own
        name = "methodParameters"
    if field not in NOT_IN_THE_PANEL:
        assert name in _names("parameters.py", r"^    (\w+): ")


def test_scripts_give_options_by_slicers_names():
    made = options.fromArguments({"method": "patch", "dilateMm": "2", "selfCheck": 1, "seed": "3", "guides": ()})
    assert made == FillOptions(method="patch", dilate_mm=2.0, self_check=True, seed=3)
    assert options.fromArguments(options.toArguments(made)) == made
    with pytest.raises(ParameterError, match="The argument dilateMm must be a number; found 'wide'"):
        options.fromArguments({"dilateMm": "wide"})


def test_workers_are_a_number_or_as_many_as_there_are_cores():
    assert options.fromArguments({"workers": None}).workers is None
    assert options.fromArguments({"workers": "3"}).workers == 3
    with pytest.raises(ParameterError, match="The argument workers must be a whole number; found 'all'"):
        options.fromArguments({"workers": "all"})


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 1), (16, 15)])
def test_panels_leave_one_core_free(monkeypatch, cores, workers):
    monkeypatch.setattr(together, "cores", lambda: cores)
    assert options.workersBesideSlicer() == workers
