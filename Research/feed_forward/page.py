"""The command and the page of the study `feed-forward`: tables, a figure, and what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.evaluation.report import Spread
from MedInpaintLib.files import write_text
from MedInpaintLib.models.bundle import Bundle
from MedInpaintLib.models.store import find

from ..given import CURVES, GIVEN
from ..people import CURVE
from ..shared.cards import Card, card_scores, write_cards
from ..shared.cases import Case, options, selected
from ..shared.facts import read_facts, write_facts
from ..shared.manifests import read_rows
from ..shared.pages import (
    CLAIMS,
    MASKED_3D,
    SCORES_3D,
    best_of,
    claim,
    claims_head,
    describe_models,
    draw,
    introduction,
    models_table,
)
from ..shared.scores import SCORES, mean_seconds, read_cases, write_scores
from ..shared.statistics import CHANCE_OF_TRAINING
from ..shared.tables import about, by_task, of_task, rows_of, score_table
from .measure import CHANGED, CHANGES, MAIN, METRICS, MODELS, TASKS, WITHOUT, run, variants

BASE = "biharmonic"
#: The figure and, in the facts, the image in it.
FIGURE = "fills"


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = options("feed-forward", out=Path("docs/feed-forward"))
    parser.add_argument("--cards", action="store_true", help="write the scores into the models' cards, too")
    chosen = parser.parse_args(arguments)
    cases = run(chosen.data, chosen.out, **selected(chosen))
    write_page(cases, chosen.data, chosen.out, chosen.split)
    if chosen.cards:
        write_cards(cards(chosen.out))


def write_page(cases: Sequence[Case], data: Path, out: Path, split: str) -> None:
    """Write the table, the facts, the figure and, from these, ``README.md``, beside the folder ``cases``."""
    write_scores(cases, METRICS, out / SCORES)
    task = next(each for each in TASKS if each.name == MAIN)
    pictures = {}
    if own := of_task(cases, task):
        shown = {name: {"method": name} for name in WITHOUT if name != BASE}
        shown |= {label: each for label, each in variants(task).items() if label in MODELS}
        draw(own[0], task, shown, BASE, data, split, out / f"{FIGURE}.webp")
        pictures[FIGURE] = own[0]["image"]
    write_facts(out, split=split, seconds=mean_seconds(cases), models=model_facts(), pictures=pictures)
    write_text(out / "README.md", text(out))


def model_facts() -> list[dict[str, Any]]:
    """Return what the page says of the models and their trainings."""
    names = {f"{label} (`{name}`)": name for label, (_, name) in MODELS.items()}
    return describe_models(names, {name: _seen(find(name)) for name in names.values()})


def cards(folder: Path) -> Iterator[Card]:
    """Return the scores of the models for their cards, from the table in a folder."""
    protocol = f"{MASKED_3D}; python -m Research feed-forward"
    metrics = ("psnr", "ssim", "rmse", "gradient_energy")
    split = read_facts(folder)["split"]
    return card_scores(read_cases(folder), MODELS, TASKS, metrics, base=BASE, split=split, protocol=protocol)


def text(folder: Path) -> str:
    """Return the page that the tables and the facts in a folder make."""
    cases, facts = read_cases(folder), read_facts(folder)
    models = facts["models"]
    parts = [
        introduction(
            "feed-forward",
            "Networks that fill in one pass",
            cases,
            facts,
            models="The models have learned from the split train and were chosen on val.",
            scores=f"{SCORES_3D.format(BASE)} More metrics are in [{SCORES}]({SCORES}).",
        ),
        models_table(models, "frames"),
        f"Trained on: {models[0]['machine']}.",
    ]
    for task, own in by_task(cases, TASKS):
        table = score_table(own, BASE, methods=["shell-mean", *WITHOUT, *MODELS], trained=MODELS)
        parts.append(f"## {task.title}\n\n{about(task, own)}\n\n{table}")
    own = [case for case in cases if case["task"] == MAIN]
    if own:
        parts.append(f"![Fills]({FIGURE}.webp)\n\n*{facts['pictures'][FIGURE]}, the first of the list.*")
        # The same weights: no chance of a training lies between a fill and its variants.
        changed = score_table(own, CHANGED, methods=[CHANGED, *(f"{CHANGED}, {change}" for change in CHANGES)])
        parts.append(f"## What a fill does beside the network\n\nThe same holes; Δ to the fill as it is.\n\n{changed}")
        parts.append(_jumps(own))
    parts.append(_claims(cases))
    if (folder / CURVES).is_file():
        parts.append(_given(folder))
    if (folder / CURVE).is_file():
        parts.append(_people(folder))
    return "\n\n".join(parts) + "\n"


def _seen(bundle: Bundle) -> str:
    """Return what a model sees beside the slices."""
    hint = bundle.input.get("hint")
    seen = "nothing" if bundle.arguments["given"] == "nothing" else "a thin plate"
    seen += (f" and `{hint}`" if hint else "") + " in the hole"
    return seen + (", the other side" if bundle.arguments.get("other_side") else "")


def _jumps(own: Sequence[Case]) -> str:
    """Return a table of how well slices fit each other."""
    lines = [
        "## Do slices fit each other?\n",
        "*Roughness* is that from slice to slice over that within slices, divided by the same ratio of the truth. 1 is "
        "ideal; above 1, neighbouring slices of the fill do not fit each other. Mean ± standard deviation over "
        "holes.\n",
        "| method | roughness |",
        "|---|---:|",
    ]
    for method, rows in rows_of(own).items():
        values = [row["slice_jump"] for row in rows.values() if row["slice_jump"] is not None]
        if values:
            lines.append(f"| {method} | {Spread.of(values).text(2)} |")
    return "\n".join(lines)


def _claims(cases: Sequence[Case]) -> str:
    """Compare each network with the fill without training that is best on each kind of hole."""
    lines = [
        "## Against the best fill without training\n",
        f"The best by mean PSNR over people, in the same holes. {CLAIMS}\n",
        *claims_head("network and best fill without", "better?"),
    ]
    for task, own in by_task(cases, TASKS):
        best = best_of(own, WITHOUT)
        lines += [claim(f"`{label}` over `{best}`", task, own, label, best, trained=True) for label in MODELS]
    return "\n".join(lines)


#: Why the learning curves on the page have no reading.
_NO_READING = (
    "There is one training each, and the table is not by person. Two trainings alike differ by almost "
    f"{CHANCE_OF_TRAINING['psnr']:g} dB: smaller differences mean nothing, and none is a finding about other people."
)


def _given(folder: Path) -> str:
    """Return a table of the gain on val by step, for each thing that networks are given in the hole."""
    rows = read_rows(folder / CURVES)
    steps = sorted({int(row["step"]) for row in rows})
    lines = [
        "## What a network is given in the hole\n",
        "Gain over the thin plate on validation frames (split val), PSNR in dB, for networks trained alike from the "
        f"start; see [{CURVES}]({CURVES}). {_NO_READING} Made by\n",
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


def _people(folder: Path) -> str:
    """Return the learning curve over people."""
    rows = read_rows(folder / CURVE)
    steps = sorted({int(row["step"]) for row in rows})
    lines = [
        "## Would more people to learn from help?\n",
        f"Gain of `{CHANGED}` over the fill that it corrects on validation frames (split val), PSNR in dB, after "
        f"trainings with some of the people of the split train and {rows[0]['cases']} holes each; see "
        f"[{CURVE}]({CURVE}). {_NO_READING} Made by\n",
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
