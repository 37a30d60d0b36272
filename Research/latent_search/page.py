"""The command and the page of the study `latent-search`: tables, a figure, and what they show of earlier claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.files import write_text
from MedInpaintLib.models.store import find

from ..shared.cards import card_scores, write_cards
from ..shared.cases import Case, options, selected
from ..shared.facts import read_facts, write_facts
from ..shared.pages import (
    CLAIMS,
    MASKED_3D,
    SCORES_3D,
    claim,
    claims_head,
    describe_models,
    draw,
    introduction,
    models_table,
)
from ..shared.scores import write_scores
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
        write_cards(card_scores(cases, MODELS, TASKS, METRICS, base=BASE, split=chosen.split, protocol=protocol))


def write_page(cases: Sequence[Case], data: Path, out: Path, split: str) -> None:
    """Write ``README.md``, ``scores.csv.gz`` and the figure, beside the folder ``cases``."""
    write_scores(cases, METRICS, out / "scores.csv.gz")
    write_facts(out, split=split)
    parts = [
        introduction(
            "latent-search",
            "Latent search in GANs and VAEs",
            cases,
            read_facts(out),
            models="The models have learned from the split train; the methods' constants were chosen on val.",
            scores=f"{SCORES_3D.format(BASE)} The error in the image's units (RMSE) is in "
            "[scores.csv.gz](scores.csv.gz).",
        ),
        _training(),
        "## GAN against VAE, kernel 3 against 7",
    ]
    for task, own in by_task(cases, TASKS):
        methods = ["shell-mean", BASE, *MODELS]
        parts.append(
            f"### {task.title}\n\n{about(task, own)}\n\n{score_table(own, BASE, methods=methods, trained=MODELS)}"
        )
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
    models = describe_models({f"{label} (`{name}`)": name for label, (_, name) in MODELS.items()})
    table = models_table(models, "crops")
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
        f"{CLAIMS}\n",
        *claims_head("claim", "holds?"),
    ]
    for task, own in by_task(cases, TASKS):
        for kernel in (3, 7):
            lines.append(
                claim(f"VAE ahead of GAN, kernel {kernel}", task, own, f"VAE-{kernel}", f"GAN-{kernel}", trained=True)
            )
        for kind in ("VAE", "GAN"):
            lines.append(
                claim(f"Kernel 7 ahead of kernel 3, {kind}", task, own, f"{kind}-7", f"{kind}-3", trained=True)
            )
        for label in SWITCHED if task.name == ABLATED else ():
            for part in ("prior", "weighting", "blending"):
                # The same weights: no chance of a training lies between the two.
                lines.append(
                    claim(f"The {part} helps, {label}", task, own, label, f"{label}, no {part}", trained=False)
                )
    for kernel in (3, 7):
        vae, gan = (find(MODELS[f"{kind}-{kernel}"][1]).training for kind in ("VAE", "GAN"))
        rates = [60_000 * each["minutes"] / (each["steps"] * each["batch"]) for each in (vae, gan)]
        words = f"VAE cheaper to train, kernel {kernel}: {rates[0]:.1f} against {rates[1]:.1f} s for 1000 crops"
        lines.append(f"| {words} | | {'yes' if rates[0] < rates[1] else 'no'} | |")
    return "\n".join(lines)
