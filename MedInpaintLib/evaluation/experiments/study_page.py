"""The page of a study: what was trained, a table, plots, pictures, and what was found."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from ...files import replacing, write_text
from ...manifest import read_manifest
from ...models.store import find
from ..figure import save_comparison
from ..protocol import TRIVIAL, evaluate
from .cases import Case
from .comparison import difference, mean, of_exam
from .conventions import METRICS
from .given import curve
from .pages import write_scores
from .study import WITHOUT, Outcome, bundle_of, without
from .tables import count_holes, machine

BASE = WITHOUT[0]
#: Arms in a picture, at most.
SHOWN = 3


def write_page(outcome: Outcome, out: Path, size: str) -> None:
    """``README.md``, ``scores.csv``, ``curves.png`` and ``fills.png``.

    Args:
        outcome: of the study.
        out: folder for the page.
        size: the name of the study's size.
    """
    write_scores([_averaged(case) for case in outcome.found], METRICS, out / "scores.csv")
    draw_curves(outcome, out / "curves.png")
    caption = draw_fills(outcome, out / "fills.png")
    parts = [
        f"# {outcome.study.title}",
        outcome.study.question,
        f"**Found:** {outcome.study.finding(outcome)}",
        _table(outcome),
        "![Gain over iterations](curves.png)\n\n*Gain over the thin plate in validation (split val, each network on "
        "holes of the kind that it learns), against updates.*",
        f"![Fills](fills.png)\n\n*{caption}*",
        _protocol(outcome, size),
    ]
    write_text(out / "README.md", "\n\n".join(parts) + "\n")


def _averaged(case: Case) -> Case:
    """One row a method, the mean over the image's holes: with eight holes an image, lists of all grow long."""
    rows = []
    for method in dict.fromkeys(row["method"] for row in case["scores"]):
        means = {metric: mean([case], method, metric) for metric in METRICS}
        rows.append({"method": method, "hole": "mean", **means})
    return {**case, "scores": rows}


def _table(outcome: Outcome) -> str:
    """A row a method; for each exam its PSNR, the difference to the base in the same holes, and SSIM."""
    study = outcome.study
    exams = [(exam, own) for exam in study.exams if (own := of_exam(outcome.found, exam.label))]
    head = "| | " + " | ".join(f"{exam.label}: PSNR, dB | Δ | SSIM" for exam, _ in exams) + " |"
    lines = [head, "|---|" + "---:|---:|---:|" * len(exams)]
    for method in without(arm.label for arm in study.arms):
        cells = []
        for _, own in exams:
            gain = "" if method == BASE else str(difference(own, method, BASE)).removesuffix(" dB")
            cells += [f"{mean(own, method, 'psnr'):.2f}", gain, f"{mean(own, method, 'ssim'):.3f}"]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _protocol(outcome: Outcome, size: str) -> str:
    study, training = outcome.study, find(str(bundle_of(next(iter(outcome.folders.values()))))).training
    found = outcome.found
    images, subjects = ({case[what] for case in found} for what in ("image", "subject"))
    minutes = [find(str(bundle_of(folder))).training["minutes"] for folder in outcome.folders.values()]
    reduced = f", reduced to {study.across} pixels" if study.across else ""
    return (
        f"Each network: {training['steps']} steps of {training['batch']} frames, {outcome.size.cases} holes of the "
        f"split train, seed {training['seed']}, {min(minutes):.0f} to {max(minutes):.0f} minutes on a core. Tested on "
        f"{len(images)} images of {len(subjects)} subjects{reduced}, split **{outcome.split}**, "
        f"{sum(map(count_holes, found))} holes, seeds {', '.join(map(str, outcome.size.seeds))}. Scores over the hole "
        f"(convention `masked`), means over holes; Δ: difference to `{BASE}` in the same holes, mean ± standard error "
        "over images. More metrics, among them those of the course report's convention, are in "
        "[scores.csv](scores.csv), means over each image's holes. Made by\n\n"
        f"    medinpaint experiment {study.name} --data DATA --size {size}\n\n"
        f"on {datetime.date.today().isoformat()}, {machine()}."
    )


def draw_curves(outcome: Outcome, path: Path) -> None:
    """Gain in validation against updates, a line a network."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.6), dpi=110, layout="constrained")
    axis = figure.add_subplot()
    for label, folder in outcome.folders.items():
        points = [(step, gain) for step, gain, _ in curve(folder)]
        axis.plot(*zip(*points, strict=True), marker="o", markersize=3, linewidth=1.4, label=label)
    axis.axhline(0, color="0.6", linewidth=0.8)
    axis.set_xlabel("updates")
    axis.set_ylabel("gain over the thin plate, dB")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")


def draw_fills(outcome: Outcome, path: Path) -> str:
    """Inpainted, and difference to the truth, of some arms in one image; returns the caption."""
    study = outcome.study
    case = _typical(outcome.found)
    task = next(each for each in study.tasks(outcome.size) if each.name == case["task"])
    entry = next(each for each in read_manifest(outcome.data, outcome.split) if each.name == case["image"])
    image = task.load(entry)
    shown = study.arms if len(study.arms) <= SHOWN else (study.arms[0], study.arms[-1])
    methods: list[Any] = [BASE]
    for arm in shown:
        model = str(bundle_of(outcome.folders[arm.label]))
        methods.append((arm.label, {"method": arm.architecture, "parameters": {"model": model}}))
    table = evaluate(
        image, task.holes, methods, seed=case["seed"], modality=task.modality, name=entry.name, keep_fills=True
    )
    fills = {label: fill for label, fill in table.fills.items() if label != TRIVIAL}
    scores = {label: table.mean_scores(label) for label in fills}
    save_comparison(path, image, table.labels > 0, fills, scores, differences=True)
    return f"{task.title}; {entry.name}: the image in which {study.arms[0].label}'s gain is the median."


def _typical(found: list[Case]) -> Case:
    """Of the first exam, the case in which the first arm's gain is the median."""
    first = [case for case in found if case["title"] == found[0]["title"]]
    arm = next(row["method"] for row in first[0]["scores"] if row["method"] not in (TRIVIAL, *WITHOUT))
    ordered = sorted(first, key=lambda case: mean([case], arm, "psnr") - mean([case], BASE, "psnr"))
    return ordered[len(ordered) // 2]
