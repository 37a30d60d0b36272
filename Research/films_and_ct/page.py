"""The command and the page of the study `films-and-ct`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.evaluation.protocol import TRIVIAL
from MedInpaintLib.files import write_text

from ..shared.cards import Card, card_scores, write_cards
from ..shared.cases import Case, options, selected
from ..shared.conventions import METRICS, MOST, OURS
from ..shared.facts import read_facts, write_facts
from ..shared.pages import (
    CLAIMS,
    COLOURS,
    COLUMNS,
    TRAINED,
    best_of,
    claim,
    claims_head,
    describe_models,
    draw,
    introduction,
    models_table,
)
from ..shared.scores import SCORES, mean_seconds, read_cases, write_scores
from ..shared.study import ACROSS
from ..shared.tables import about, by_task, rows_of, score_table
from .measure import MODELS, TASKS, WITHOUT, images_of, run

BASE = "biharmonic"
#: The course report on Recurrent Feature Reasoning, films with squares of 1/8 of the side: median PSNR in dB, SSIM and
#: RMSE over the hole, by its convention, on films of its own choice.
PRINTED = (22.34, 0.684, 0.055)
#: The task to which these numbers belong.
REPORTED = "film-squares"


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = options("films-and-ct", out=Path("docs/films-and-ct"))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for reduced images")
    parser.add_argument("--cards", action="store_true", help="write the scores into the models' cards, too")
    chosen = parser.parse_args(arguments)
    cases = run(chosen.data, chosen.out, chosen.runs, **selected(chosen))
    write_page(cases, chosen.data, chosen.runs, chosen.out, chosen.split)
    if chosen.cards:
        write_cards(cards(chosen.out))


def write_page(cases: Sequence[Case], data: Path, runs: Path, out: Path, split: str) -> None:
    """Write the table, the facts, the figures and, from these, ``README.md``, beside the folder ``cases``."""
    write_scores(cases, METRICS, out / SCORES)
    pictures = {}
    for task, own in by_task(cases, TASKS):
        models = MODELS[task.modality]
        shown = {label: {"method": method, "parameters": {"model": name}} for label, (method, name) in models.items()}
        median = sorted(own, key=lambda case: _gain(case, next(iter(models))))[len(own) // 2]
        images = images_of(data, runs, task.modality)
        draw(median, task, shown, BASE, images, split, out / f"{task.name}.webp", differences=True)
        pictures[task.name] = median["image"]
    write_facts(out, split=split, seconds=mean_seconds(cases), models=model_facts(), pictures=pictures)
    write_text(out / "README.md", text(out))


def model_facts() -> list[dict[str, Any]]:
    """Return what the page says of the models and their trainings."""
    return describe_models({f"`{name}`": name for models in MODELS.values() for _, name in models.values()})


def cards(folder: Path) -> Iterator[Card]:
    """Yield the scores of the models for their cards, from the table in a folder."""
    cases, split = read_cases(folder), read_facts(folder)["split"]
    for modality, models in MODELS.items():
        size = f"films at {ACROSS} pixels, R = 255" if modality == "film" else "R = 400 HU"
        protocol = f"masked, 2-D SSIM, {size}; python -m Research films-and-ct"
        own = [task for task in TASKS if task.modality == modality]
        yield from card_scores(cases, models, own, OURS, base=BASE, split=split, protocol=protocol)


def text(folder: Path) -> str:
    """Return the page that the table and the facts in a folder make."""
    cases, facts = read_cases(folder), read_facts(folder)
    models = facts["models"]
    parts = [
        introduction(
            "films-and-ct",
            "Chest films and CT slices",
            cases,
            facts,
            models="The models have learned from the split train and were chosen on val.",
            scores=f"Films are reduced to {ACROSS} pixels first. Scores are over the hole (convention `masked`): PSNR "
            "with R = 255 (films) or 400 HU (CT, around 40 HU; lung and bone lie beyond it, so that their errors weigh "
            f"much) and up to {MOST:g} dB, SSIM in 2-D, {COLUMNS.format(BASE)} {TRAINED} `{BASE}` is "
            f"2-D here. More metrics are in [{SCORES}]({SCORES}).",
        ),
        models_table(models, "frames"),
        f"Trained on: {models[-1]['machine']}; two trainings at a time.",
    ]
    for task, own in by_task(cases, TASKS):
        networks = MODELS[task.modality]
        table = score_table(own, BASE, methods=[TRIVIAL, *WITHOUT, *networks], trained=networks)
        parts.append(
            f"## {task.title}\n\n{about(task, own)}\n\n{table}\n\n![Fills]({task.name}.webp)\n\n"
            f"*{facts['pictures'][task.name]}, in which the gain of `{next(iter(networks))}` is the median. {COLOURS}*"
        )
    parts.append(_claims(cases))
    reported = [case for case in cases if case["task"] == REPORTED]
    if reported:
        parts.append(_on_their_terms(reported))
    return "\n\n".join(parts) + "\n"


def _median(values: Iterable[float | None]) -> float:
    """Return the median of the values that are there: a black fill has no PSNR by the report's convention."""
    return float(np.median([value for value in values if value is not None]))


def _gain(case: Case, label: str) -> float:
    """Return a method's gain over the thin plate in a case, dB."""
    psnr = {
        method: np.mean([row["psnr"] for row in case["scores"] if row["method"] == method]) for method in (label, BASE)
    }
    return float(psnr[label] - psnr[BASE])


def _claims(cases: Sequence[Case]) -> str:
    """Compare each network with the thin plate, and with the best fill without training."""
    lines = [
        "## Against fills without training\n",
        f"Against the thin plate, and against the best by mean PSNR over people, in the same holes. {CLAIMS}\n",
        *claims_head("network and fill without", "better?"),
    ]
    for task, own in by_task(cases, TASKS):
        best = best_of(own, WITHOUT)
        for label in MODELS[task.modality]:
            lines += [
                claim(f"`{label}` over `{other}`", task, own, label, other, trained=True)
                for other in dict.fromkeys((BASE, best))
            ]
    return "\n".join(lines)


def _on_their_terms(own: Sequence[Case]) -> str:
    """Return the course report's numbers beside ours, by its convention and by ours, and over the whole image."""
    lines = [
        "## On the course report's own terms\n",
        "The course report on Recurrent Feature Reasoning gives, for films with squares of 1/8 of the side, the row "
        "that is named after it. By its convention the maximum of PSNR is the brightest *predicted* pixel in the hole, "
        "and SSIM has a window of 29 pixels; its films are others, so the numbers can be set beside each other, and "
        "not against each other. Medians over holes.\n",
        "| | report: PSNR dB | SSIM | RMSE | ours: PSNR dB | SSIM | whole image: PSNR dB | SSIM |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        f"| the report, RFR | {PRINTED[0]:.2f} | {PRINTED[1]:.3f} | {PRINTED[2]:.3f} | | | | |",
    ]
    columns = (
        ("report_psnr", 2),
        ("report_ssim", 3),
        ("report_rmse", 3),
        ("psnr", 2),
        ("ssim", 3),
        ("image_psnr", 2),
        ("image_ssim", 3),
    )
    rows = rows_of(own)
    for method in (TRIVIAL, *WITHOUT, *MODELS["film"]):
        medians = [f"{_median(row[metric] for row in rows[method].values()):.{digits}f}" for metric, digits in columns]
        lines.append(f"| {method} | " + " | ".join(medians) + " |")
    trivial = rows[TRIVIAL].values()
    higher = _median(
        row["image_psnr"] - row["report_psnr"] if row["report_psnr"] is not None else None for row in trivial
    )
    ssim = _median(row["image_ssim"] for row in trivial)
    lines.append(
        f"\nThe last two columns show why scores over the whole image are refused unless they are asked for: there a "
        f"constant in the hole (`{TRIVIAL}`) has an SSIM of {ssim:.3f}, and a PSNR that is {higher:.1f} dB higher than "
        f"by the report's convention, in the median. {10 * np.log10(64):.1f} dB of it come from the 63 of 64 pixels "
        "that nobody had to fill, the rest from the maximum, which is now that of the whole image."
    )
    return "\n".join(lines)
