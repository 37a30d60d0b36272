"""The command and the page of the study `real-lesions`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder, write_text

from ..shared.cases import options
from ..shared.facts import read_facts, write_facts
from ..shared.scores import SCORES
from ..shared.statistics import difference_by_person, reading
from .groups import AUTO, grouped
from .holes import BALL, MS, SETS
from .measure import FLIP, METHODS, MOST, TOO_SLOW, list_jobs, rows_of, run
from .rules import section
from .table import Row, by_method, mean_by_person, read_table, write_table

#: Scores of the images on which rules are chosen: those of train and val.
CHOOSING = "choosing.csv.gz"
TITLES = {MS: "15 ml of MS lesions", BALL: "Six balls of 20 mm"}


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = options("real-lesions", out=Path("docs/real-lesions"))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for what was measured")
    parser.add_argument("--method", action="append", default=[], choices=METHODS, help="only this; repeatable")
    parser.add_argument("--again", action="append", default=[], choices=METHODS, help="measure again; repeatable")
    chosen = parser.parse_args(arguments)
    for kind in chosen.task:
        if kind not in SETS:
            raise InputError(f"There are no holes '{kind}'; there are: {', '.join(SETS)}.")
    kinds, methods = chosen.task or SETS, chosen.method or METHODS
    splits = ("test",) if chosen.split == "test" else ("train", "val")
    run(list_jobs(chosen.data, chosen.runs, splits, kinds, methods, chosen.match), chosen.again, chosen.workers)
    rows = [row for job in list_jobs(chosen.data, chosen.runs, splits, SETS, METHODS) for row in rows_of(job)]
    write_page(rows, chosen.out, SCORES if chosen.split == "test" else CHOOSING)


def write_page(rows: Sequence[Row], out: Path, name: str) -> None:
    """Write a table and, with what else lies in the folder, ``README.md``."""
    make_folder(out)
    write_table(rows, out / name)
    write_facts(out)
    write_text(out / "README.md", text(out))


def text(folder: Path) -> str:
    """Return the page that the tables and the facts in a folder make."""
    rows, facts = read_table(folder / SCORES), read_facts(folder)
    choosing = read_table(folder / CHOOSING)
    parts = [_introduction(rows, choosing, facts)]
    if rows:
        parts += [_against_best(rows), _against_all(rows)]
        parts += [_kind(rows, kind) for kind in SETS if any(row["kind"] == kind for row in rows)]
    parts.append(section(choosing))
    return "\n\n".join(parts) + "\n"


def _introduction(rows: Sequence[Row], choosing: Sequence[Row], facts: dict[str, Any]) -> str:
    slow = ", ".join(f"`{method}` above {most:g} ml" for method, most in TOO_SLOW.items())
    return (
        "# Real lesions\n\n"
        "Shapes of real lesions in healthy tissue, part by part: 15 ml of multiple sclerosis (the released shapes, 3 "
        "to 16 mm) in white matter, some of them at ventricles and at the cortex; one stroke of each size in one "
        "hemisphere (shapes of SOOP, laid into the head's box; which ones is in "
        "[strokes.csv](../../Research/real_lesions/strokes.csv)); and six balls of 20 mm. "
        f"{_count(rows)} of the split **test**, and {_count(choosing)} of the splits **train** and **val**, from which "
        "the rules are. Made by\n\n"
        "    python -m Research real-lesions --data DATA --split test\n"
        "    python -m Research real-lesions --data DATA --split val\n\n"
        f"on {facts['made']}, in steps (`--task`, `--method`, `--match`): not every method filled every set, and the "
        "tables say in how many people; on train and val while the engine still changed, before the method `consensus` "
        "came. PSNR is over "
        f"the part, with a fixed range (99.5 percentile of the known brain of the "
        f"person) and at most {MOST:g} dB, SSIM in 3-D, MAE in percent of the range; means over each person's parts, "
        "then over people. *s* is the time of one core for all holes of an image. `" + FLIP + "` is no method of the "
        "engine: the image flipped about the plane that fits best. *darkest* is the least brightness of a fill, the "
        f"truth's mean being 1. Left out, because they take minutes or have "
        f"nothing to learn there: {slow}."
    )


def _count(rows: Sequence[Row]) -> str:
    images, people = (len({row[what] for row in rows}) for what in ("image", "subject"))
    parts = len({(row["image"], row["kind"], row["part"]) for row in rows})
    return f"{parts} parts in {images} images of {people} people"


def _kind(rows: Sequence[Row], kind: str) -> str:
    """Return the table of one kind of holes."""
    own = [row for row in rows if row["kind"] == kind]
    title = TITLES.get(kind, f"One stroke of {kind.removeprefix('stroke-')} ml in the average head")
    lines = [
        f"## {title}\n",
        "| method | parts | people | PSNR dB | SSIM | MAE % | darkest | s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for method, scores in _in_order(own):
        each = list(scores.values())
        psnr, ssim, mae = (mean_by_person(each, metric) for metric in ("psnr", "ssim", "mae"))
        seconds = np.mean(list({row["image"]: row["seconds"] for row in each}.values()))
        darkest = min(row["brightness"] for row in each)
        people = len({row["subject"] for row in each})
        lines.append(
            f"| {method} | {len(each)} | {people} | {psnr:.2f} | {ssim:.3f} | {100 * mae:.2f} | {darkest:.2f} | "
            f"{seconds:.1f} |"
        )
    return "\n".join(lines)


def _in_order(rows: Sequence[Row]) -> list[tuple[str, dict[Any, Row]]]:
    methods = by_method(rows)
    return [(method, methods[method]) for method in METHODS if method in methods]


def _against_best(rows: Sequence[Row]) -> str:
    """Return the table of `auto` against the best single method of each group."""
    lines = [
        "## `auto` against the best single method of each group\n",
        "| size, tissue, contrast | parts | people | best single method | dB | `auto` dB | difference |",
        "|---|---:|---:|---|---:|---:|---:|",
    ]
    for group in grouped(rows):
        if AUTO not in group.means:
            continue
        best, auto = group.means[group.best], group.means[AUTO]
        lines.append(
            f"| {group.name} | {group.parts} | {group.people} | {group.best} | {best:.2f} | {auto:.2f} | "
            f"{auto - best:+.2f} |"
        )
    return "\n".join(lines)


def _against_all(rows: Sequence[Row]) -> str:
    """Return the table of `auto` against each single method over all parts that both filled."""
    methods = by_method(rows)
    lines = [
        "## `auto` against each single method\n",
        "Over all parts that both filled, by person.\n",
        "| method | parts | `auto` is |",
        "|---|---:|---|",
    ]
    for method, own in _in_order(rows):
        both = own.keys() & methods.get(AUTO, {}).keys()
        if method == AUTO or not both:
            continue
        gains: dict[str, list[float]] = {}
        for key in sorted(both):
            gains.setdefault(own[key]["subject"], []).append(methods[AUTO][key]["psnr"] - own[key]["psnr"])
        lines.append(f"| {method} | {len(both)} | {reading(difference_by_person(gains), 'better', 'worse')} |")
    return "\n".join(lines)
