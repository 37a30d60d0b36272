"""The command and the page of the study `latent-search`: tables, a figure, and what they show of earlier claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.files import write_text
from MedInpaintLib.models.store import find

from ..shared.cases import Case, options, selected
from ..shared.pages import (
    MASKED_3D,
    SCORES_3D,
    claim,
    claims_head,
    draw,
    introduction,
    models_table,
    write_cards,
    write_scores,
)
from ..shared.tables import about, by_task, of_task, score_table
from .measure import ABLATED, METRICS, MODELS, SWITCHES, TASKS, run, variants

SWITCHED = ("VAE-3",)
BASE = "biharmonic"


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = options("latent-search", out=Path("docs/latent"))
    parser.add_argument("--cards", action="store_true", help="write the scores into the models' cards, too")
    chosen = parser.parse_args(arguments)
    cases = run(chosen.data, chosen.out, **selected(chosen))
    write_page(cases, chosen.data, chosen.out, chosen.split)
    if chosen.cards:
        protocol = f"{MASKED_3D}; python -m Research latent-search"
        write_cards(cases, MODELS, TASKS, METRICS, base=BASE, split=chosen.split, protocol=protocol)


def write_page(cases: Sequence[Case], data: Path, out: Path, split: str) -> None:
    """Write ``README.md``, ``scores.csv.gz`` and the figure, beside the folder ``cases``."""
    write_scores(cases, METRICS, out / "scores.csv.gz")
    parts = [
        introduction(
            "latent-search",
            "Latent search in GANs and VAEs",
            cases,
            split,
            models="The models have learned from the split train; the methods' constants were chosen on val.",
            scores=f"{SCORES_3D.format(BASE)} The error in the image's units (RMSE) is in "
            "[scores.csv.gz](scores.csv.gz).",
        ),
        _training(),
        "## GAN against VAE, kernel 3 against 7",
    ]
    for task, own in by_task(cases, TASKS):
        methods = ["shell-mean", BASE, *MODELS]
        parts.append(f"### {task.title}\n\n{about(task, own)}\n\n{score_table(own, BASE, methods=methods)}")
    task = next(each for each in TASKS if each.name == ABLATED)
    own = of_task(cases, task)
    if own:
        options = {label: each for label, each in variants(task).items() if label in MODELS}
        draw(own[0], task, options, BASE, data, split, out / "fills.png")
        parts.append(f"![Fills](fills.png)\n\n*{own[0]['image']}, the first of the list.*")
        parts.append(_ablation(own))
    parts.append(_claims(cases))
    write_text(out / "README.md", "\n\n".join(parts) + "\n")


def _training() -> str:
    """Return a table of the models and their trainings."""
    table = models_table({f"{label} (`{name}`)": name for label, (_, name) in MODELS.items()}, "crops")
    return f"{table}\n\nTrained on: {find(MODELS['VAE-3'][1]).training['machine']}, one core a model."


def _ablation(own: Sequence[Case]) -> str:
    """Return tables of the fills with one part switched off."""
    parts = ["## What each part does\n\nThe same holes of 20 mm, with one part switched off; Δ to the whole method."]
    for label in SWITCHED:
        methods = [label, *(f"{label}, {switch}" for switch in SWITCHES)]
        parts.append(score_table(own, label, methods=methods))
    return "\n\n".join(parts)


def _claims(cases: Sequence[Case]) -> str:
    """Return a table of what earlier work reports, and whether it holds here."""
    lines = [
        "## Claims of earlier work, and what is seen here\n",
        "Paired over the holes, then averaged over each image's; a difference is called one when it is more than two "
        "standard errors over images from 0. Images of one subject are not independent, so the errors are rather too "
        "small.\n",
        *claims_head("claim", "holds?"),
    ]
    for task, own in by_task(cases, TASKS):
        for kernel in (3, 7):
            lines.append(claim(f"VAE ahead of GAN, kernel {kernel}", task, own, f"VAE-{kernel}", f"GAN-{kernel}"))
        for kind in ("VAE", "GAN"):
            lines.append(claim(f"Kernel 7 ahead of kernel 3, {kind}", task, own, f"{kind}-7", f"{kind}-3"))
        for label in SWITCHED if task.name == ABLATED else ():
            for part in ("prior", "weighting", "blending"):
                lines.append(claim(f"The {part} helps, {label}", task, own, label, f"{label}, no {part}"))
    for kernel in (3, 7):
        vae, gan = (find(MODELS[f"{kind}-{kernel}"][1]).training for kind in ("VAE", "GAN"))
        rates = [60_000 * each["minutes"] / (each["steps"] * each["batch"]) for each in (vae, gan)]
        words = f"VAE cheaper to train, kernel {kernel}: {rates[0]:.1f} against {rates[1]:.1f} s for 1000 crops"
        lines.append(f"| {words} | | | | {'yes' if rates[0] < rates[1] else 'no'} |")
    return "\n".join(lines)
