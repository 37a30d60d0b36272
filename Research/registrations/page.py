"""The command and the page of the study `registrations`: how well and how fast each algorithm is, and what it fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.atlas.deformable import AT_HOLE, ELASTIC
from MedInpaintLib.files import make_folder, write_text

from ..shared.cases import command
from ..shared.facts import read_facts, write_facts
from ..shared.manifests import read_rows, write_rows
from ..shared.statistics import LEAST_PEOPLE, Difference, Verdict, difference_by_person, reading

HEADS, LABELS = "heads.csv.gz", "labels.csv.gz"
NAME = "registrations"
#: The balls, as columns of the table; the algorithm that is shipped.
KINDS, OWN = ("20 mm", "40 mm"), "own numpy"
#: What the overlap of tissues should be at least.
GOALS = {"grey": 0.75, "white": 0.80}
Rows = Sequence[Mapping[str, str]]


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    # SimpleITK and scikit-image, which the algorithms need, are not needed to write the page.
    from .measure import COLUMNS, OVERLAP_COLUMNS, measured

    parser = command(NAME, Path("docs/registrations"))
    parser.add_argument("--split", default="val", help="train, val or test")
    parser.add_argument("--runs", type=Path, default=Path("runs/registrations"), help="folder for what was measured")
    chosen = parser.parse_args(arguments)
    heads, labels = measured(chosen.data, chosen.runs, chosen.split)
    make_folder(chosen.out)
    for path, columns, rows in ((HEADS, COLUMNS, heads), (LABELS, OVERLAP_COLUMNS, labels)):
        write_rows(chosen.out / path, [columns, *([row[name] for name in columns] for row in rows)])
    write_facts(chosen.out, split=chosen.split)
    write_text(chosen.out / "README.md", text(chosen.out))


def text(folder: Path) -> str:
    """Return the page that the tables and the facts in a folder make."""
    heads, labels, facts = read_rows(folder / HEADS), read_rows(folder / LABELS), read_facts(folder)
    people = len({row["subject"] for row in heads})
    return (
        "\n\n".join(
            [
                f"# Which algorithm brings the atlas onto a head?\n\n{_introduction(people, facts)}",
                f"## What it takes and gives\n\n{_heads_table(heads)}",
                f"## Is the engine's own better?\n\n{_verdicts(heads)}",
                f"## Overlap of label maps\n\n{_labels_table(labels)}",
                _conclusion(heads),
            ]
        )
        + "\n"
    )


def _introduction(people: int, facts: Mapping[str, str]) -> str:
    return (
        f"T1 heads of {people} people, split **{facts['split']}**, at 2 mm, and images made from two label maps. Made "
        f"by\n\n    python -m Research {NAME} --data DATA --split {facts['split']}\n\non {facts['made']}, one core. "
        "All algorithms begin with the engine's affine map and get the same image: the scan, and the atlas mixed to "
        "look like it. In each head a ball of 40 mm and three of 20 mm were hidden before the registration; for "
        "algorithms that know no masks, the mixed atlas itself stands in the holes and outside of the brain. They "
        "register blocks of 4 mm, then of 2 mm. `own numpy` is what is shipped, with fields smoothed by a Gaussian of "
        f"{ELASTIC:g} blocks, at the hole of {AT_HOLE:g}.\n\n"
        "*s*: seconds of one core after the affine map, which itself takes those of `affine alone`. *folded*: share of "
        "the blocks around the brain whose Jacobian is 0 or less. *correlation*: mean local correlation of scan and "
        "warped atlas within the known brain. The last columns are the PSNR of the `atlas` fill in the hidden balls, "
        "at 2 mm, averaged over each person's balls and then over people. Every number is in "
        f"[{HEADS}]({HEADS}) and [{LABELS}]({LABELS})."
    )


def _heads_table(heads: Rows) -> str:
    lines = [
        "| algorithm | s | folded | correlation | PSNR dB, 20 mm | PSNR dB, 40 mm |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in _algorithms(heads):
        scores = " | ".join(f"{_mean(heads, name, kind):.2f}" for kind in KINDS)
        lines.append(f"| {name} | {_facts(heads, name)} | {scores} |")
    return "\n".join(lines)


def _labels_table(labels: Rows) -> str:
    names = [row["brought"] for row in labels[:2]]
    goals = " and ".join(f"{goal:.2f} of {tissue}" for tissue, goal in GOALS.items())
    lines = [
        f"Dice of grey and of white matter of {names[0]} brought onto {names[1]} and back by way of the atlas, and "
        f"their means; the aim is {goals} matter. The images are made from the label maps alone and have no hole; two "
        "people are too few to tell.\n",
        "| algorithm | s | folded | correlation | grey | white | mean grey | mean white |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in _algorithms(labels):
        own = [row for row in labels if row["algorithm"] == name]
        both = " | ".join(" and ".join(f"{float(row[tissue]):.3f}" for row in own) for tissue in GOALS)
        means = " | ".join(f"{_mean(labels, name, tissue):.3f}" for tissue in GOALS)
        lines.append(f"| {name} | {_facts(labels, name)} | {both} | {means} |")
    return "\n".join(lines)


def _facts(rows: Rows, name: str) -> str:
    """Return the cells of an algorithm that both tables have."""
    folded = 100 * _mean(rows, name, "folded")
    return f"{_mean(rows, name, 'seconds'):.1f} | {folded:.2f} % | {_mean(rows, name, 'correlation'):.3f}"


def _verdicts(heads: Rows) -> str:
    lines = [
        f"The PSNR of `{OWN}` less that of the other, averaged over each person's balls and then over people, with the "
        "95 % t-interval over people. Yes or no: the interval leaves out 0; otherwise the two cannot be told apart. "
        f"Fewer than {LEAST_PEOPLE} people are too few to tell.\n",
        f"| `{OWN}` over | " + " | ".join(f"balls of {kind}" for kind in KINDS) + " |",
        "|---|---|---|",
    ]
    for name in _algorithms(heads):
        if name != OWN:
            cells = " | ".join(reading(gain(heads, OWN, name, kind), "yes", "no") for kind in KINDS)
            lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def _conclusion(heads: Rows) -> str:
    """Return whether some other algorithm fills better than the engine's own and takes no longer."""
    better = [
        name
        for name in _algorithms(heads)
        if name != OWN
        and _mean(heads, name, "seconds") <= _mean(heads, OWN, "seconds")
        and all(gain(heads, name, OWN, kind).verdict is Verdict.BETTER for kind in KINDS)
    ]
    return (
        f"By fill and time, better than `{OWN}`: {', '.join(better)}."
        if better
        else f"No other algorithm fills both kinds of balls better than `{OWN}` in as little time."
    )


def gain(heads: Rows, better: str, worse: str, kind: str) -> Difference:
    """Return by how much the fill of one algorithm is better than that of another, by person."""
    scores = [
        {row["subject"]: float(row[kind]) for row in heads if row["algorithm"] == name} for name in (better, worse)
    ]
    return difference_by_person({person: [value - scores[1][person]] for person, value in scores[0].items()})


def _algorithms(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["algorithm"] for row in rows))


def _mean(rows: Rows, name: str, column: str) -> float:
    return float(np.mean([float(row[column]) for row in rows if row["algorithm"] == name]))
