"""The command and the page of the study `feed-forward`: tables, a figure, and what they show."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.evaluation.report import Spread
from MedInpaintLib.files import write_text
from MedInpaintLib.models.store import find

from ..given import CURVES, GIVEN
from ..people import CURVE
from ..shared.cases import Case, options
from ..shared.pages import MASKED_3D, best_of, claim, draw, write_cards, write_scores
from ..shared.tables import about, count_holes, machine, of_task, rows_of, score_table
from .measure import CHANGED, CHANGES, MAIN, METRICS, MODELS, TASKS, WITHOUT, run, variants

BASE = "biharmonic"


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = options("feed-forward", out=Path("docs/feed-forward"))
    parser.add_argument("--cards", action="store_true", help="write the scores into the models' cards, too")
    chosen = parser.parse_args(arguments)
    cases = run(
        chosen.data, chosen.out, split=chosen.split, tasks=chosen.task, match=chosen.match, workers=chosen.workers
    )
    write_page(cases, chosen.data, chosen.out, chosen.split)
    if chosen.cards:
        protocol = f"{MASKED_3D}; python -m Research feed-forward"
        metrics = ("psnr", "ssim", "rmse", "gradient_energy")
        write_cards(cases, MODELS, TASKS, metrics, base=BASE, split=chosen.split, protocol=protocol)


def write_page(cases: Sequence[Case], data: Path, out: Path, split: str) -> None:
    """Write ``README.md``, ``scores.csv`` and the figure, beside the folder ``cases``."""
    write_scores(cases, METRICS, out / "scores.csv")
    parts = [_introduction(cases, split), _training()]
    for task in TASKS:
        own = of_task(cases, task)
        if own:
            table = score_table(own, BASE, methods=["shell-mean", *WITHOUT, *MODELS])
            parts.append(f"## {task.title}\n\n{about(task, own)}\n\n{table}")
    task = next(each for each in TASKS if each.name == MAIN)
    own = of_task(cases, task)
    if own:
        options = {name: {"method": name} for name in WITHOUT if name != BASE}
        options |= {label: each for label, each in variants(task).items() if label in MODELS}
        draw(own[0], task, options, BASE, data, split, out / "fills.png")
        parts.append(f"![Fills](fills.png)\n\n*{own[0]['image']}, the first of the list.*")
        changed = score_table(own, CHANGED, methods=[CHANGED, *(f"{CHANGED}, {change}" for change in CHANGES)])
        parts.append(f"## What a fill does beside the network\n\nThe same holes; Δ to the fill as it is.\n\n{changed}")
        parts.append(_jumps(own))
    parts.append(_claims(cases))
    if (out / CURVES).is_file():
        parts.append(_given(out))
    if (out / CURVE).is_file():
        parts.append(_people(out))
    write_text(out / "README.md", "\n\n".join(parts) + "\n")


def _introduction(cases: Sequence[Case], split: str) -> str:
    """Return the title, the data and how the numbers were made."""
    images, subjects = ({case[what] for case in cases} for what in ("image", "subject"))
    return (
        "# Networks that fill in one pass\n\n"
        f"{len(images)} images of {len(subjects)} subjects, split **{split}**; {len(cases)} cases, "
        f"{sum(map(count_holes, cases))} holes. The models have learned from the split train and were chosen on val. "
        "Made by\n\n"
        "    python -m Research feed-forward --data DATA "
        f"--split {split}\n\n"
        f"on {datetime.date.today().isoformat()}, {machine()}, one core a case. Scores are over the hole (convention "
        "`masked`): PSNR with a fixed range R (99.5 percentile of the known foreground), SSIM in 3-D, *texture* = "
        "gradient energy in the hole over the truth's (1 is ideal), mean ± standard deviation over holes; *Δ* is the "
        f"difference to `{BASE}` in the same hole, *better* in how many it is positive, *s* the mean time to fill a "
        "case. More metrics are in [scores.csv](scores.csv)."
    )


def _training() -> str:
    """Return a table of the models and their trainings."""
    lines = [
        "## The models\n",
        "| model | weights | steps of training | minutes | sees beside the slices | validation, PSNR dB |",
        "|---|---:|---:|---:|---|---:|",
    ]
    for label, (_, name) in MODELS.items():
        bundle = find(name)
        training, score = bundle.training, bundle.scores[0]
        hint = bundle.input.get("hint")
        seen = "nothing" if bundle.arguments["given"] == "nothing" else "a thin plate"
        seen += (f" and `{hint}`" if hint else "") + " in the hole"
        seen += ", the other side" if bundle.arguments.get("other_side") else ""
        lines.append(
            f"| {label} (`{name}`) | {bundle.megabytes:.1f} MB | {training['steps']} x {training['batch']} frames | "
            f"{training['minutes']:.0f} | {seen} | {score['psnr']:.2f} |"
        )
    lines.append(f"\nTrained on: {find(MODELS[CHANGED][1]).training['machine']}.")
    return "\n".join(lines)


def _jumps(own: Sequence[Case]) -> str:
    """Return a table of how well slices fit each other."""
    lines = [
        "## Do slices fit each other?\n",
        "Roughness from slice to slice over that within slices, over the same of the truth: 1 is ideal, above 1 "
        "neighbouring slices do not know of each other.\n",
        "| method | jump |",
        "|---|---:|",
    ]
    for method, rows in rows_of(own).items():
        values = [row["slice_jump"] for row in rows.values() if row["slice_jump"] is not None]
        if values:
            lines.append(f"| {method} | {Spread.of(values).text(2)} |")
    return "\n".join(lines)


def _claims(cases: Sequence[Case]) -> str:
    """Compare each network with the fill without training that is best over all holes of a kind."""
    lines = [
        "## Against the best fill without training\n",
        "The best by mean PSNR over the same holes. Paired over the holes, then averaged over each image's; a "
        "difference is called one when it is more than two standard errors over images from 0. Images of one subject "
        "are not independent, so the errors are rather too small.\n",
        "| network and best fill without | holes | difference in PSNR, dB | in SSIM | better? |",
        "|---|---|---:|---:|---|",
    ]
    for task in TASKS:
        own = of_task(cases, task)
        if not own:
            continue
        best = best_of(own, WITHOUT)
        lines += [claim(f"`{label}` over `{best}`", task, own, label, best) for label in MODELS]
    return "\n".join(lines)


def _given(out: Path) -> str:
    """Return a table of the gain on val by step, for each thing that networks are given in the hole."""
    with (out / CURVES).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    steps = sorted({int(row["step"]) for row in rows})
    lines = [
        "## What a network is given in the hole\n",
        "Gain over the thin plate on validation frames (split val), PSNR in dB, for networks trained alike from the "
        "start; see [" + CURVES + "](" + CURVES + "). Made by\n",
        f"    python -m Research given --data DATA --steps {steps[-1]}\n",
        "| network | given | " + " | ".join(f"{step} steps" for step in steps) + " |",
        "|---|---|" + "---:|" * len(steps),
    ]
    hinted = [float(row["gain"]) - float(row["over"]) for row in rows if GIVEN[row["given"]]["hint"]]
    if hinted:
        cells = " | ".join(f"{hinted[0]:+.2f}" for _ in steps)
        lines.append(f"| none | that other fill alone | {cells} |")
    for network in dict.fromkeys(row["network"] for row in rows):
        for given in GIVEN:
            gains = {
                int(row["step"]): float(row["gain"])
                for row in rows
                if (row["network"], row["given"]) == (network, given)
            }
            if gains:
                cells = " | ".join(f"{gains[step]:+.2f}" if step in gains else "" for step in steps)
                lines.append(f"| {network} | {given} | {cells} |")
    return "\n".join(lines)


def _people(out: Path) -> str:
    """Return the learning curve over people."""
    with (out / CURVE).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    steps = sorted({int(row["step"]) for row in rows})
    lines = [
        "## Would more people to learn from help?\n",
        f"Gain of `{CHANGED}` over the fill that it corrects on validation frames (split val), PSNR in dB, after "
        f"trainings with some of the people of the split train and {rows[0]['cases']} holes each; see "
        f"[{CURVE}]({CURVE}). Made by\n",
        f"    python -m Research people --data DATA --steps {steps[-1]} --cases {rows[0]['cases']}\n",
        "| people | who | images | " + " | ".join(f"{step} steps" for step in steps) + " |",
        "|---:|---|---:|" + "---:|" * len(steps),
    ]
    for people in dict.fromkeys(row["people"] for row in rows):
        own = [row for row in rows if row["people"] == people]
        gains = {int(row["step"]): f"{float(row['over']):+.2f}" for row in own}
        cells = " | ".join(gains.get(step, "") for step in steps)
        lines.append(f"| {people} | {own[0]['who']} | {own[0]['images']} | {cells} |")
    return "\n".join(lines)
