"""The command and the page of the study `uncertainty`: coverage by method and size of hole, and a reliability plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder, write_text

from ..shared.cases import options
from ..shared.facts import read_facts, write_facts
from ..uncertainty_constants.command import collect
from ..uncertainty_constants.holes import KINDS
from ..uncertainty_constants.measure import list_jobs, measure
from .figure import ALLOWED, RELIABILITY, draw
from .table import COVERAGE, ONE, TWO, Line, Pooled, count, pooled, read_lines, sizes_in_words, write_lines

#: Kind of image -> heading, and the unit of its holes' sizes.
TITLES = {
    ("MR", 3): "Heads (MR)",
    ("MR", 2): "Slices of heads (MR)",
    ("CT", 2): "CT slices",
    ("film", 2): "Chest films",
}
#: Shares that are right.
RIGHT = (0.6827, 0.9545)


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = options("uncertainty", out=Path("docs/uncertainty"))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for what was measured")
    parser.add_argument("--as-measured", action="store_true", help="measure nothing: use what there is")
    chosen = parser.parse_args(arguments)
    names = [kind.name for kind in KINDS]
    for name in chosen.task:
        if name not in names:
            raise InputError(f"There is no kind of images '{name}'; there are: {', '.join(names)}.")
    kinds = [kind for kind in KINDS if not chosen.task or kind.name in chosen.task]
    if not chosen.as_measured:
        measure(list_jobs(kinds, chosen.data, chosen.runs, (chosen.split,), chosen.match), chosen.workers)
    lines = list(count(collect(chosen.data, chosen.runs, (chosen.split,), chosen.match, chosen.task)))
    if not lines:
        raise InputError(f"Nothing was measured in people of the split '{chosen.split}' (files in '{chosen.runs}').")
    write_page(lines, chosen.out, chosen.split)


def write_page(lines: Sequence[Line], out: Path, split: str) -> None:
    """Write the table, the facts, the picture and, from these, ``README.md``."""
    make_folder(out)
    write_lines(lines, out / COVERAGE)
    draw(lines, TITLES, out / RELIABILITY)
    write_facts(out, split=split)
    write_text(out / "README.md", text(out))


def text(folder: Path) -> str:
    """Return the page that the table and the facts in a folder make."""
    lines, facts = read_lines(folder), read_facts(folder)
    people, split = len({line.subject for line in lines}), facts["split"]
    parts = [
        "# Is the uncertainty right?\n\n"
        "The uncertainty volume holds a standard deviation for each filled voxel: 68 % of the errors should be within "
        f"one of it, and 95 % within two. Here are the shares in {people} people of the split **{split}**, from whom "
        "no constant was learned. Made by\n\n"
        f"    python -m Research uncertainty --data DATA --split {split}\n\n"
        f"on {facts['made']}, one core an image, in steps (`--match`): not in all images and holes of the split. "
        "Holes are balls (discs in 2-D, and strips in films) and shapes of "
        "multiple sclerosis lesions, away from real ones; a size is the diameter of a ball, or a disc, as large as "
        "the hole. Shares are percent, all holes alike, ± their standard deviation over people. **Bold**: within "
        f"{100 * ALLOWED:.0f} points of 68 and of 95. The constants (`MedInpaintLib/calibration_table.py`) are of "
        "people of the splits train and val: `python -m Research uncertainty-constants`. Every number is in "
        f"[{COVERAGE}]({COVERAGE}).",
        f"![Reliability]({RELIABILITY})\n\n*The share of the errors within multiples of the standard deviation (0.25 "
        "to 3), against that of a normal distribution. Grey: within 5 points. Dotted: one and two standard "
        "deviations.*",
        *_sections(lines),
        _before(lines),
        _how(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sections(lines: Sequence[Line]) -> list[str]:
    """Return a section with a table for each kind of image."""
    sections = []
    for kind, title in TITLES.items():
        own = [line for line in lines if line.kind == kind]
        if not own:
            continue
        unit = "px" if kind[0] == "film" else "mm"
        people = len({line.subject for line in own})
        rows = ["| method | holes | people | holes (n) | within 1 SD | within 2 SD |", "|---|---|---:|---:|---:|---:|"]
        for method in dict.fromkeys(line.method for line in own):
            of_it = [line for line in own if line.method == method]
            for size in sorted({line.size for line in of_it}):
                rows.append(_row(method, sizes_in_words(size, unit), [line for line in of_it if line.size == size]))
            rows.append(_row(method, "all", of_it))
        sections.append(f"## {title}\n\n{people} people.\n\n" + "\n".join(rows))
    return sections


def _row(method: str, holes: str, lines: Sequence[Line]) -> str:
    own = pooled(lines)
    assert own is not None  # there is a line
    return f"| {method} | {holes} | {own.people} | {own.holes} | {_cell(own, ONE, 0)} | {_cell(own, TWO, 1)} |"


def _cell(own: Pooled, index: int, which: int) -> str:
    """Return a share in percent, in bold where it is right."""
    share, spread = own.shares[index], own.spread[index]
    number = f"{100 * share:.0f}" + ("" if np.isnan(spread) else f" ± {100 * spread:.0f}")
    return f"**{number}**" if abs(share - RIGHT[which]) <= ALLOWED else number


def _before(lines: Sequence[Line]) -> str:
    """Return the section on what methods say of themselves."""
    rows = []
    for kind, title in TITLES.items():
        of_kind = [line for line in lines if line.kind == kind]
        for method in dict.fromkeys(line.method for line in of_kind):
            own = [line for line in of_kind if line.method == method and line.raw is not None]
            before, after = pooled(own, raw=True), pooled(own)
            if before is not None and after is not None:
                cells = [_cell(before, 0, 0), _cell(before, 1, 1), _cell(after, ONE, 0), _cell(after, TWO, 1)]
                rows.append(f"| {title} | {method} | {' | '.join(cells)} |")
    if not rows:
        return ""
    head = "| images | method | own, within 1 SD | own, within 2 SD | calibrated, within 1 | calibrated, within 2 |"
    return (
        "## What methods say of themselves\n\nSome methods have a standard deviation of their own, such as that among "
        "the best matches of a patch. It is too small; the calibration makes it right, or sets it aside.\n\n"
        + "\n".join([head, "|---|---|---:|---:|---:|---:|", *rows])
    )


def _how() -> str:
    return (
        "## How it is made\n\n"
        "The standard deviation is `factor(depth) * sqrt((1 - own) * contrast² + own * spread²)`. The *contrast* is "
        "the standard deviation of the known voxels within 10 mm of the part, the *depth* the distance to the nearest "
        "known voxel, and the *spread* the method's own standard deviation, where it has one that tells more than the "
        "contrast (`own` > 0). Factors and `own` are matched to the errors by method and kind of image, so that 68 % "
        "and 95 % are both near: errors have heavier tails than a normal distribution. All is measured with the "
        "methods' default parameters and without guides. With a self-check, its trial "
        "holes in the same image rescale the factors, the more the more holes there are; a method whose errors were "
        "never measured in such images is calibrated by them alone. Where there is neither, there is no uncertainty, "
        "and the report says why."
    )
