"""What the rows of ``medinpaint cohort`` have in common: its options, and those of the kind of job after ``--with``."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import typer

from ..errors import ParameterError

if TYPE_CHECKING:
    from ..cohort.case import CaseKind

#: Options of the command that are not called like their fields.
_FLAGS = {"parameters": "--set", "dilate_mm": "--dilate", "labels": "--label"}
_FLAGS |= {"image": "--images", "mask": "--masks", "filled_mask": "--save-mask"}
#: Options about the run, which all kinds of jobs have.
_OF_RUNS = ("workers",)
#: Options of the command that are no fields of any job.
_OF_COHORTS = ("table", "job", "values", "out", "jobs", "part", "progress", "scheduler")


class JobName(str, enum.Enum):
    """The kinds of jobs that there are cohorts of."""

    fill = "fill"
    evaluate = "evaluate"
    impute = "impute"
    lesion_back = "lesion-back"


def shared_by_all(kind: CaseKind, values: Mapping[str, Any], given: Collection[str]) -> dict[str, Any]:
    """Return the options of the command that are fields of a kind's jobs.

    Args:
        kind: of the jobs.
        values: of all options that are for the rows, by their fields.
        given: fields of all options that stand on the command line.

    Raises:
        ParameterError: one was given that these jobs do not have.
    """
    known = {field.name for field in dataclasses.fields(kind.job)}
    if JobName(kind.job.KIND) is JobName.fill:
        return {name: value for name, value in values.items() if name in known}
    known -= {"parameters"}  # one method's in fills, several methods' in evaluations
    for name in given:
        if name not in known and name not in _OF_RUNS:
            flag = _FLAGS.get(name, "--" + name.replace("_", "-"))
            raise ParameterError(
                f"--job {kind.job.KIND} has no {flag}; give what holds for all rows by --with FIELD=VALUE, and what "
                "does not in a table."
            )
    return {name: value for name, value in values.items() if name in known and (name in given or name in _OF_RUNS)}


def given_fields(context: typer.Context) -> set[str]:
    """Return the fields whose options stand on the command line."""
    fields = {flag.lstrip("-").replace("-", "_"): field for field, flag in _FLAGS.items()}
    given = {name for name in context.params if _is_given(context, name)}
    return {fields.get(name, name) for name in given.difference(_OF_COHORTS)}


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"  # typer brings a click of its own, or takes another
