"""Patterns of files: what ``*`` stands for in their names says which image, mask and guides belong together."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError, ParameterError
from .case import Case, CaseKind
from .cells import needed_fields
from .names import add_outputs, split_ending
from .plan import Plan, PlanError, problems_of

#: The texts that the stars of a pattern stand for, in their order.
Stars = tuple[str, ...]


def plan_of_patterns(
    patterns: Mapping[str, str | Sequence[str]],
    kind: CaseKind,
    *,
    folder: str | os.PathLike[str],
    options: Mapping[str, Any] | None = None,
    beside: tuple[str, ...] = (),
) -> Plan:
    """Return a plan with a case for each file of the first pattern, and the files of the others that belong to it.

    Args:
        patterns: field of the job -> pattern, or patterns. All have the same number of ``*``, which stands for any
            part of a name but the ``.`` of hidden files; everything else means itself.
        kind: of the jobs.
        folder: for the outputs, which are named after the first pattern's files from its first star on, and for the
            summary and the records.
        options: fields for all cases.
        beside: further outputs, see :func:`.names.add_outputs`.

    Raises:
        PlanError: with all that is wrong.
    """
    (first, pattern), *others = [
        (field, each) for field, value in patterns.items() for each in ([value] if isinstance(value, str) else value)
    ]
    assert isinstance(pattern, str)
    lacking = [name for name in needed_fields(kind) if name not in {*(options or {}), *patterns, "output"}]
    if lacking:
        raise ParameterError(
            f"Say for all images: {', '.join(f'--with {name}=...' for name in lacking)}; a table can do so for each."
        )
    count = pattern.count("*")
    for _, other in others:
        if other.count("*") != count:
            raise ParameterError(
                f"'{pattern}' and '{other}' must have the same number of *, which says what belongs together; "
                "a table can name any files."
            )
    images = matches(pattern)
    partners = [(field, other, matches(other)) for field, other in others]
    problems = [] if images else [f"No file is named like '{pattern}'."]
    cases = []
    for stars, image in images.items():
        fields: dict[str, Any] = {"job": kind.job.KIND, **(options or {}), first: str(image)}
        for field, other, files in partners:
            if stars not in files:
                problems.append(f"'{image}' has no {field}: '{_filled(other, stars)}' is not there.")
            elif isinstance(patterns[field], str):
                fields[field] = str(files[stars])
            else:
                fields[field] = [*fields.get(field, []), str(files[stars])]
        name = _below_first_star(pattern, image)
        fields["output"] = _output(os.path.join(folder, *name.split("/")), image, kind)
        try:
            cases.append(Case(name, kind.job.of(add_outputs(fields, beside), Path()), f"'{image}'"))
        except InputError as error:
            problems.append(f"'{image}': {error}")
    warnings = tuple(
        f"'{file}' belongs to no file like '{pattern}' and is not used."
        for _, _, files in partners
        for stars, file in files.items()
        if stars not in images
    )
    plan = Plan(tuple(cases), kind, Path(folder), warnings=warnings)
    problems = problems or problems_of(plan)
    if problems:
        raise PlanError(problems)
    return plan


def matches(pattern: str) -> dict[Stars, Path]:
    """Return the files and folders that a pattern stands for, by what its stars stand for, in alphabetical order."""
    first, *steps = Path(pattern).parts or ("",)
    found = [((), Path(first))] if "*" not in first else list(_step((), Path(), first))
    for step in steps:
        found = [each for stars, folder in found for each in _step(stars, folder, step)]
    return dict(sorted((stars, path) for stars, path in found if path.exists()))


def _step(stars: Stars, folder: Path, name: str) -> Iterator[tuple[Stars, Path]]:
    """Yield the entries of a folder that one part of a pattern stands for; each folder is read once."""
    if "*" not in name:
        yield stars, folder / name
        return
    expression = re.compile("(.*)".join(re.escape(text) for text in name.split("*")), re.DOTALL)
    try:
        entries = os.listdir(folder)
    except OSError:  # no folder
        return
    for entry in entries:
        match = expression.fullmatch(entry)
        if match and (name.startswith(".") or not entry.startswith(".")):
            yield (*stars, *match.groups()), folder / entry


def _output(path: str, image: Path, kind: CaseKind) -> str:
    """Return the path of an image's output: the same name with the ending of the kind; a folder for a DICOM series."""
    if kind.ending:
        return (path if image.is_dir() else split_ending(path)[0]) + kind.ending
    return os.path.join(path, "") if image.is_dir() else path


def _below_first_star(pattern: str, file: Path) -> str:
    """Return the path of a file from the first part of its pattern that has a star on, with ``/`` between the parts."""
    fixed = next((number for number, part in enumerate(Path(pattern).parts) if "*" in part), len(file.parts) - 1)
    return "/".join(file.parts[fixed:])


def _filled(pattern: str, stars: Stars) -> str:
    texts = iter(stars)
    return re.sub(r"\*", lambda _: next(texts), pattern)
