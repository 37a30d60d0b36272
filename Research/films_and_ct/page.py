"""The command and the page of the study `films-and-ct`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.evaluation.protocol import TRIVIAL
from MedInpaintLib.files import write_text
from MedInpaintLib.models.store import find

from ..shared.cases import Case, options, selected
from ..shared.conventions import METRICS, OURS
from ..shared.pages import best_of, claim, claims_head, draw, introduction, models_table, write_cards, write_scores
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
    for modality, models in MODELS.items() if chosen.cards else ():
        size = f"films at {ACROSS} pixels, R = 255" if modality == "film" else "R = 400 HU"
        protocol = f"masked, 2-D SSIM, {size}; python -m Research films-and-ct"
        own = [task for task in TASKS if task.modality == modality]
        write_cards(cases, models, own, OURS, base=BASE, split=chosen.split, protocol=protocol)


def write_page(cases: Sequence[Case], data: Path, runs: Path, out: Path, split: str) -> None:
    """Write ``README.md``, ``scores.csv.gz`` and the figures, beside the folder ``cases``."""
    write_scores(cases, METRICS, out / "scores.csv.gz")
    parts = [
        introduction(
            "films-and-ct",
            "Chest films and CT slices",
            cases,
            split,
            models="The models have learned from the split train and were chosen on val.",
            scores="Films are reduced to 256 pixels first. Scores are over the hole (convention `masked`): PSNR with R "
            "= 255 (films) or 400 HU (CT, around 40 HU; lung and bone lie beyond it, so that their errors weigh much) "
            "and up to 60 dB, SSIM in 2-D, *texture* = gradient energy in the hole over the truth's (1 is ideal), "
            f"mean ± standard deviation over holes; *Δ* is the difference to `{BASE}`, which is 2-D here, in the same "
            "hole, *better* in how many it is positive, *s* the mean time to fill a case. More metrics are in "
            "[scores.csv.gz](scores.csv.gz).",
        ),
        _models(),
    ]
    for task, own in by_task(cases, TASKS):
        models = MODELS[task.modality]
        table = score_table(own, BASE, methods=[TRIVIAL, *WITHOUT, *models])
        options = {label: {"method": method, "parameters": {"model": name}} for label, (method, name) in models.items()}
        median = sorted(own, key=lambda case: _gain(case, next(iter(models))))[len(own) // 2]
        images = images_of(data, runs, task.modality)
        draw(median, task, options, BASE, images, split, out / f"{task.name}.png", differences=True)
        parts.append(
            f"## {task.title}\n\n{about(task, own)}\n\n{table}\n\n![Fills]({task.name}.png)\n\n"
            f"*{median['image']}: the case of the median gain.*"
        )
    parts.append(_claims(cases))
    reported = [case for case in cases if case["task"] == REPORTED]
    if reported:
        parts.append(_on_their_terms(reported))
    write_text(out / "README.md", "\n\n".join(parts) + "\n")


def _gain(case: Case, label: str) -> float:
    """Return a method's gain over the thin plate in a case, dB."""
    psnr = {
        method: np.mean([row["psnr"] for row in case["scores"] if row["method"] == method]) for method in (label, BASE)
    }
    return float(psnr[label] - psnr[BASE])


def _models() -> str:
    """Return a table of the models and their trainings."""
    names = [name for models in MODELS.values() for _, name in models.values()]
    table = models_table({f"`{name}`": name for name in names}, "frames")
    return f"{table}\n\nTrained on: {find(names[-1]).training['machine']}; two trainings at a time."


def _claims(cases: Sequence[Case]) -> str:
    """Compare each network with the thin plate, and with the best fill without training."""
    lines = [
        "## Against fills without training\n",
        "Against the thin plate, and against the best by mean PSNR over the same holes. Paired over the holes, then "
        "averaged over each image's; a difference is called one when it is more than two standard errors over images "
        "from 0. CT slices are not all of different people, so the errors there are rather too small.\n",
        *claims_head("network and fill without", "better?"),
    ]
    for task, own in by_task(cases, TASKS):
        best = best_of(own, WITHOUT)
        for label in MODELS[task.modality]:
            lines += [
                claim(f"{task.title.split(',')[0]}: `{label}` over `{other}`", task, own, label, other)
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
        medians = [
            f"{np.median([row[metric] for row in rows[method].values()]):.{digits}f}" for metric, digits in columns
        ]
        lines.append(f"| {method} | " + " | ".join(medians) + " |")
    trivial = rows[TRIVIAL].values()
    higher = np.median([row["image_psnr"] - row["report_psnr"] for row in trivial])
    ssim = np.median([row["image_ssim"] for row in trivial])
    lines.append(
        f"\nThe last two columns are why figures over the whole image are refused unless they are asked for: the same "
        f"fills {higher:.1f} dB higher, of which {10 * np.log10(64):.1f} dB for the 63 of 64 pixels that nobody had to "
        f"fill, and the rest for a maximum that is now that of the whole image; and {ssim:.3f} of SSIM for a constant."
    )
    return "\n".join(lines)
