"""The page of the experiment :mod:`.latent_search`: tables, a figure, and what they say of earlier claims."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...files import write_text
from ...manifest import read_manifest
from ...models.bundle import rescore
from ...models.store import find
from ..figure import save_comparison
from ..protocol import evaluate
from ..report import Spread
from .cases import Case, Task
from .latent_search import ABLATED, METRICS, MODELS, SWITCHED, SWITCHES, TASKS, variants
from .tables import about, count_holes, machine, rows_of, score_table

BASE = "biharmonic"
PROTOCOL = (
    "masked, 3-D SSIM, range: 99.5 percentile of the known foreground; "
    "MedInpaintLib.evaluation.experiments.latent_search"
)


def write_page(found: Sequence[Case], data: Path, out: Path, split: str) -> None:
    """Everything beside ``cases``: ``README.md``, ``scores.csv`` and the figure."""
    _write_scores(found, out / "scores.csv")
    parts = [_introduction(found, split), _training(), "## GAN against VAE, kernel 3 against 7"]
    for task in TASKS:
        own = [case for case in found if case["task"] == task.name]
        if own:
            methods = ["shell-mean", BASE, *MODELS]
            parts.append(f"### {task.title}\n\n{about(task, own)}\n\n{score_table(own, BASE, methods=methods)}")
    own = [case for case in found if case["task"] == ABLATED]
    if own:
        _draw(own[0], data, split, out / "fills.png")
        parts.append(f"![Fills](fills.png)\n\n*{own[0]['image']}, the first of the list.*")
        parts.append(_ablation(own))
    parts.append(_claims(found))
    write_text(out / "README.md", "\n\n".join(parts) + "\n")


def write_cards(found: Sequence[Case], split: str) -> None:
    """The scores of each model into its card, in place of what was there of this split."""
    for label, (method, name) in MODELS.items():
        bundle = find(name)
        kept = [score for score in bundle.scores if score["protocol"] != PROTOCOL or score["split"] != split]
        rescore(bundle, [*kept, *_card_scores(found, label, split)], method)


def _card_scores(found: Sequence[Case], label: str, split: str) -> Iterator[dict[str, Any]]:
    for task in TASKS:
        own = [case for case in found if case["task"] == task.name]
        for method in (label, BASE) if own else ():
            rows = rows_of(own)[method].values()
            spreads = {metric: Spread.of([row[metric] for row in rows]) for metric in METRICS}
            yield {
                "protocol": PROTOCOL,
                "split": split,
                "holes": f"{task.holes}, {about(task, own).split('`, ')[1]}",
                "method": method,
                **{name: {"mean": round(each.mean, 4), "sd": round(each.sd, 4)} for name, each in spreads.items()},
            }


def _introduction(found: Sequence[Case], split: str) -> str:
    images, subjects = ({case[what] for case in found} for what in ("image", "subject"))
    return (
        "# Latent search in GANs and VAEs\n\n"
        f"{len(images)} images of {len(subjects)} subjects, split **{split}**; {len(found)} cases, "
        f"{sum(map(count_holes, found))} holes. The models have learned from the split train; the methods' constants "
        "were chosen on val. Made by\n\n"
        "    python -m MedInpaintLib.evaluation.experiments.latent_search --data DATA --out docs/latent "
        f"--split {split}\n\n"
        f"on {datetime.date.today().isoformat()}, {machine()}, one core a case. Scores are over the hole (convention "
        "`masked`): PSNR with a fixed range R (99.5 percentile of the known foreground), SSIM in 3-D, *texture* = "
        "gradient energy in the hole over the truth's (1 is ideal), mean ± standard deviation over holes; *Δ* is the "
        f"difference to `{BASE}` in the same hole, *better* in how many it is positive, *s* the mean time to fill a "
        "case. The error in the image's units (RMSE) is in [scores.csv](scores.csv)."
    )


def _training() -> str:
    lines = [
        "## The models\n",
        "| model | weights | steps of training | minutes | validation, PSNR dB |",
        "|---|---:|---:|---:|---:|",
    ]
    for label, (_, name) in MODELS.items():
        bundle = find(name)
        training, score = bundle.training, bundle.scores[0]
        lines.append(
            f"| {label} (`{name}`) | {bundle.megabytes:.1f} MB | {training['steps']} x {training['batch']} crops | "
            f"{training['minutes']:.0f} | {score['psnr']:.2f} |"
        )
    lines.append(f"\nTrained on: {find(MODELS['VAE-3'][1]).training['machine']}, one core a model.")
    return "\n".join(lines)


def _ablation(own: Sequence[Case]) -> str:
    parts = ["## What each part does\n\nThe same holes of 20 mm, with one part switched off; Δ to the whole method."]
    for label in SWITCHED:
        methods = [label, *(f"{label}, {switch}" for switch in SWITCHES)]
        parts.append(score_table(own, label, methods=methods))
    return "\n\n".join(parts)


def _claims(found: Sequence[Case]) -> str:
    """What earlier work reports, and whether it holds here."""
    lines = [
        "## Claims of earlier work, and what is seen here\n",
        "Paired over the holes, then averaged over each image's; a difference is called one when it is more than two "
        "standard errors over images from 0. Images of one subject are not independent, so the errors are rather too "
        "small.\n",
        "| claim | holes | difference in PSNR, dB | in SSIM | holds? |",
        "|---|---|---:|---:|---|",
    ]
    for task in TASKS:
        own = [case for case in found if case["task"] == task.name]
        if not own:
            continue
        for kernel in (3, 7):
            lines.append(_claim(f"VAE ahead of GAN, kernel {kernel}", task, own, f"VAE-{kernel}", f"GAN-{kernel}"))
        for kind in ("VAE", "GAN"):
            lines.append(_claim(f"Kernel 7 ahead of kernel 3, {kind}", task, own, f"{kind}-7", f"{kind}-3"))
        for label in SWITCHED if task.name == ABLATED else ():
            for part in ("prior", "weighting", "blending"):
                lines.append(_claim(f"The {part} helps, {label}", task, own, label, f"{label}, no {part}"))
    for kernel in (3, 7):
        vae, gan = (find(MODELS[f"{kind}-{kernel}"][1]).training for kind in ("VAE", "GAN"))
        rates = [60_000 * each["minutes"] / (each["steps"] * each["batch"]) for each in (vae, gan)]
        words = f"VAE cheaper to train, kernel {kernel}: {rates[0]:.1f} against {rates[1]:.1f} s for 1000 crops"
        lines.append(f"| {words} | | | | {'yes' if rates[0] < rates[1] else 'no'} |")
    return "\n".join(lines)


def _claim(words: str, task: Task, own: Sequence[Case], better: str, worse: str) -> str:
    rows = rows_of(own)
    cells, holds = [], ""
    for metric, digits in (("psnr", 2), ("ssim", 3)):
        gains: dict[str, list[float]] = {}
        for (number, hole), row in rows[better].items():
            gain = row[metric] - rows[worse][number, hole][metric]
            gains.setdefault(own[number]["image"], []).append(gain)
        spread = Spread.of([float(np.mean(each)) for each in gains.values()])
        error = spread.sd / np.sqrt(spread.n) if spread.n > 1 else np.inf
        cells.append(f"{spread.mean:+.{digits}f} ± {error:.{digits}f}")
        if metric == "psnr":
            holds = "yes" if spread.mean > 2 * error else "no" if spread.mean < -2 * error else "not to be told apart"
    return f"| {words} | {task.holes} | {cells[0]} | {cells[1]} | {holds} |"


def _write_scores(found: Sequence[Case], path: Path) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["task", "image", "subject", "seed", "R", "method", "hole", *METRICS])
    for case in found:
        for row in case["scores"]:
            about_it = [case["task"], case["image"], case["subject"], case["seed"], f"{case['range']:.6g}"]
            writer.writerow([*about_it, row["method"], row["hole"], *(f"{row[metric]:.5g}" for metric in METRICS)])
    write_text(path, out.getvalue())


def _draw(case: Case, data: Path, split: str, path: Path) -> None:
    """The first case, filled by every model, side by side."""
    task = next(each for each in TASKS if each.name == case["task"])
    entry = next(each for each in read_manifest(data, split) if each.name == case["image"])
    image = task.load(entry)
    options = {label: each for label, each in variants(task).items() if label in MODELS}
    table = evaluate(
        image,
        task.holes,
        [BASE, *options.items()],
        seed=case["seed"],
        modality=task.modality,
        name=entry.name,
        keep_fills=True,
    )
    fills = {label: table.fills[label] for label in (BASE, *options)}
    save_comparison(path, image, table.labels > 0, fills, {label: table.mean_scores(label) for label in fills})


__all__ = ["write_cards", "write_page"]
