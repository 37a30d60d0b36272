"""The command and the page of the study `downstream`."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.errors import InputError, MissingDependencyError
from MedInpaintLib.files import make_folder, write_text

from ..shared.cases import options
from ..shared.facts import read_facts, write_facts
from ..shared.statistics import reading
from . import words
from .arms import BASE, HEALTHY, KINDS, LEFT_IN, MASKED_OUT, METHODS, methods_for
from .figure import FIGURE, Panel, draw
from .lesions import is_stroke
from .segmenters import SEGMENTERS
from .table import (
    MEASURED,
    Row,
    Value,
    by_arm,
    by_person,
    less_error,
    mean_and_error,
    read_table,
    size_of,
    write_tables,
)
from .volumes import OUTSIDE, TISSUES

PAGE = "README.md"
#: What only this study imports: of dipy, ANTsPy and deepbet.
PACKAGES = ("dipy", "ants", "deepbet")
ARMS = (LEFT_IN, MASKED_OUT, *METHODS)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        InputError: there are no such lesions, or the data lack the images.
        MissingDependencyError: a package that measures is not installed.
    """
    parser = options("downstream", out=Path("docs/downstream"))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for what was measured")
    parser.add_argument("--method", action="append", default=[], choices=METHODS, help="only this; repeatable")
    parser.add_argument("--again", action="append", default=[], choices=METHODS, help="measure again; repeatable")
    chosen = parser.parse_args(arguments)
    for kind in chosen.task:
        if kind not in KINDS:
            raise InputError(f"There are no lesions '{kind}'; there are: {', '.join(KINDS)}.")
    # The engine is not needed to write the page.
    from . import measure

    kinds, methods = chosen.task or tuple(KINDS), chosen.method or METHODS
    jobs = measure.list_jobs(chosen.data, chosen.runs, chosen.split, kinds, methods, chosen.match)
    if not jobs:
        raise InputError(f"The data in '{chosen.data}' lack the images of the split {chosen.split}.")
    _need_packages()
    measure.run(jobs, chosen.again, chosen.workers)
    everything = measure.list_jobs(chosen.data, chosen.runs, chosen.split, tuple(KINDS), METHODS)
    write_page(list(measure.rows_of(everything)), chosen.out, chosen.split)


def _need_packages() -> None:
    """Check that what measures is installed; the workers, which import it, would end after the first fill."""
    missing = [name for name in PACKAGES if not importlib.util.find_spec(name)]
    if missing:
        raise MissingDependencyError(
            f"This study needs the packages {', '.join(PACKAGES)}, and lacks {', '.join(missing)}; in the repository's "
            'folder, run: pip install ".[cli,downstream]"'
        )


def write_page(cases: Sequence[Row], out: Path, split: str) -> None:
    """Write tables, figure and page of what was measured."""
    make_folder(out)
    write_tables(cases, out)
    write_facts(out, split=split)
    tables = {each: read_table(out, each) for each in MEASURED}
    if panels := _panels(tables):
        draw(panels, ARMS, out / FIGURE)
    write_text(out / PAGE, text(out))
    print(out / PAGE)


def text(folder: Path) -> str:
    """Return the page that the tables and the facts in a folder make."""
    facts, tables = read_facts(folder), {each: read_table(folder, each) for each in MEASURED}
    volumes, registration, extraction = tables.values()
    people, skulls = _people(volumes), _people(extraction)
    parts = [
        words.QUESTION,
        _answers(tables),
        words.ANSWERS,
        # Brain extraction, which may be all that was measured, has no panel.
        *((f"![Errors]({FIGURE})", words.FIGURE_SAYS) if _panels(tables) else ()),
        "## How it was measured",
        words.CASES,
        words.not_measured(_gaps(tables)),
        words.made_by(people, skulls, facts["split"], facts["made"]),
        "## Volumes of tissue",
        words.VOLUMES,
        *_of_kinds(volumes, _volumes),
        "## Volumes outside the lesions",
        words.OUTSIDE,
        *_of_kinds(volumes, _outside),
        "## Registration",
        words.REGISTRATION,
        *_of_kinds(registration, _registration),
        "## Brain extraction",
        words.EXTRACTION,
        *_of_kinds(extraction, _extraction),
        words.LIMITS,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _answers(tables: dict[str, list[Row]]) -> str:
    """Return a table with a line for each error: left in, masked out, filled by the best and the worst method."""
    lines = [
        "| error | left in | masked out | filled, best | filled, worst | best compared |",
        "|---|---:|---:|---|---|---|",
    ]
    for kind, title in KINDS.items():
        for measurement, value, unit in (
            ("volumes", size_of("grey"), "grey matter, %"),
            ("volumes", size_of("white"), "white matter, %"),
            ("registration", size_of("near"), "registration near it, mm"),
            ("extraction", _lost_dice, "brain extraction, 100 - Dice, %"),
        ):
            own = by_arm(row for row in tables[measurement] if row["kind"] == kind)
            means = {arm: _mean(rows, value) for arm, rows in own.items()}
            # Methods that were measured in fewer people filled other lesions.
            fills = sorted(
                (means[arm], arm) for arm in METHODS if arm in own and _people(own[arm]) == _people(own[LEFT_IN])
            )
            if fills:
                best = fills[0][1]
                ends = [f"{mean:.2f} (`{arm}`)" for mean, arm in (fills[0], fills[-1])]
                aside = [f"{means[arm]:.2f}" if arm in means else "" for arm in (LEFT_IN, MASKED_OUT)]
                verdict = _against(own[best], own.get(BASE, []), value)
                lines.append(f"| {title}: {unit} | {' | '.join([*aside, *ends, verdict])} |")
    return "\n".join(lines)


def _gaps(tables: dict[str, list[Row]]) -> dict[str, list[str]]:
    """Return title of a kind of lesions -> the methods that were not measured in all people."""
    gaps: dict[str, list[str]] = {}
    for kind, title in KINDS.items():
        groups = [
            by_arm(row for row in tables[each] if row["kind"] == kind)
            for each in (("volumes", "extraction") if is_stroke(kind) else ("volumes",))
        ]
        methods = [
            f"`{method}`"
            for method in methods_for(kind)
            if not all(_people(own.get(method, [])) == _people(own.get(LEFT_IN, [])) > 0 for own in groups)
        ]
        gaps |= {title: methods} if methods else {}
    return gaps


def _people(rows: Sequence[Row]) -> int:
    return len({row["subject"] for row in rows})


def _lost_dice(row: Row) -> float:
    """Return by how much Dice is below 100 %, an error as the others are."""
    return 100.0 - float(row["dice"])


def _mean(rows: Sequence[Row], value: Value) -> float:
    return float(np.mean(list(by_person(rows, value).values())))


def _of_kinds(rows: Sequence[Row], table: Any) -> list[str]:
    """Return a heading and a table for each kind of lesions that was measured."""
    parts = []
    for kind, title in KINDS.items():
        own = [row for row in rows if row["kind"] == kind]
        if own:
            ml = sorted({row["ml"] for row in own})
            size = (
                title if not is_stroke(kind) else f"{title} in the average head ({ml[0]:.0f} to {ml[-1]:.0f} ml here)"
            )
            parts += [f"### {size}", table(by_arm(own))]
    return parts


def _table(columns: Sequence[str], words: Sequence[str], groups: dict[str, list[Row]], cells: Any) -> str:
    """Return a table with a line for each arm; ``columns`` are numbers, ``words`` are left-aligned."""
    lines = [
        f"| lesions | people | {' | '.join([*columns, *words])} |",
        f"|---|---:|{'---:|' * len(columns)}{'---|' * len(words)}",
    ]
    for arm in (HEALTHY, *ARMS):
        if arm in groups:
            own = groups[arm]
            lines.append(f"| {' | '.join([_name(arm, own), str(_people(own)), *cells(own)])} |")
    return "\n".join(lines)


def _name(arm: str, rows: Sequence[Row]) -> str:
    """Return the first cell: a method with the other methods that filled parts in its place."""
    if arm not in METHODS:
        return arm
    used = sorted({name for row in rows for name in row["used"].split(", ")} - {arm})
    return f"`{arm}`" + (f" ({', '.join(f'`{each}`' for each in used)})" if used else "")


def _against(own: Sequence[Row], base: Sequence[Row], value: Value) -> str:
    """Return the verdict on an arm; nothing for the base itself."""
    if own is base or not base:
        return ""
    return reading(less_error(own, base, value))


def _volumes(groups: dict[str, list[Row]]) -> str:
    base = groups.get(BASE, [])

    def cells(own: Sequence[Row]) -> list[str]:
        errors = [
            mean_and_error([row for row in own if row["segmenter"] == each], size_of(tissue))
            for tissue in ("grey", "white")
            for each in SEGMENTERS
        ]
        seconds = _mean(own, lambda row: row["seconds"])
        verdicts = [_against(own, base, size_of(tissue)) for tissue in ("grey", "white")]
        return [*errors, f"{seconds:.1f}" if seconds else "", *verdicts]

    columns = [f"{tissue}, {each}, %" for tissue in ("grey", "white") for each in SEGMENTERS]
    return _table([*columns, "s"], ["compared: grey", "compared: white"], groups, cells)


def _outside(groups: dict[str, list[Row]]) -> str:
    base = groups.get(BASE, [])
    values = {tissue: size_of(f"{tissue}{OUTSIDE}") for tissue in TISSUES}

    def cells(own: Sequence[Row]) -> list[str]:
        verdicts = [_against(own, base, values[tissue]) for tissue in ("grey", "white")]
        return [*(mean_and_error(own, value) for value in values.values()), *verdicts]

    return _table([f"{tissue}, %" for tissue in TISSUES], ["compared: grey", "compared: white"], groups, cells)


def _registration(groups: dict[str, list[Row]]) -> str:
    base = groups.get(BASE, [])

    def cells(own: Sequence[Row]) -> list[str]:
        zones = [size_of(zone) for zone in ("near", "far")]
        near = by_person(own, zones[0]).values()
        means = [mean_and_error(own, zone) for zone in zones]
        verdicts = [_against(own, base, zone) for zone in zones]
        return [means[0], f"{min(near):.2f} to {max(near):.2f}", means[1], *verdicts]

    return _table(["near, mm", "range", "far, mm"], ["compared: near", "compared: far"], groups, cells)


def _extraction(groups: dict[str, list[Row]]) -> str:
    base = groups.get(BASE, [])
    groups = {arm: rows for arm, rows in groups.items() if arm != HEALTHY}

    def cells(own: Sequence[Row]) -> list[str]:
        return [
            mean_and_error(own, lambda row: row["dice"]),
            mean_and_error(own, size_of("volume")),
            _against(own, base, _lost_dice),
        ]

    return _table(["Dice, %", "volume, %"], ["compared: Dice"], groups, cells)


def _panels(tables: dict[str, list[Row]]) -> list[list[Panel]]:
    """Return the panels of the figure, a line for each kind: grey and white matter, and registration if measured."""
    lines: list[list[Panel]] = []
    for kind, title in KINDS.items():
        volumes, near = ([row for row in tables[each] if row["kind"] == kind] for each in ("volumes", "registration"))
        panels: list[Panel] = [(f"{title}: {tissue}, %", volumes, tissue) for tissue in ("grey", "white")]
        panels += [("registration near it, mm", near, "near")] if near else []
        lines += [panels] if volumes else []
    return lines
