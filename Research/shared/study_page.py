"""The page of a study: what was trained, tables, plots, pictures, and what was found."""

from __future__ import annotations

import datetime
from pathlib import Path

from MedInpaintLib.files import replacing, write_text
from MedInpaintLib.models.store import find
from .cases import Case
from .comparison import difference, mean, of_exam
from .conventions import METRICS
from .given import curve
from .pages import draw, write_scores
from .study import WITHOUT, Exam, Outcome, bundle_of, without
from .tables import count_holes, machine

BASE = WITHOUT[0]


def write_page(outcome: Outcome, out: Path, command: str) -> None:
    """``README.md``, ``scores.csv``, ``curves.png`` and a picture an exam.

    Args:
        outcome: of the study.
        out: folder for the page.
        command: that makes it.
    """
    write_scores([_averaged(case) for case in outcome.found], METRICS, out / "scores.csv")
    draw_curves(outcome, out / "curves.png")
    parts = [
        f"# {outcome.study.title}",
        outcome.study.question,
        f"**Found:** {outcome.study.finding(outcome)}",
        _table(outcome),
        "![Gain over updates](curves.png)\n\n*Gain over the thin plate in validation (split val; each network on holes "
        "and images of the kind that it learns) against updates.*",
        *(_picture(outcome, exam, number, out) for number, exam in enumerate(outcome.study.exams, start=1)),
        _trainings(outcome),
        _protocol(outcome, command),
    ]
    write_text(out / "README.md", "\n\n".join(parts) + "\n")


def _averaged(case: Case) -> Case:
    """One row a method, the mean over the image's holes: with eight holes an image, lists of all grow long."""
    rows = []
    for method in dict.fromkeys(row["method"] for row in case["scores"]):
        first = next(row for row in case["scores"] if row["method"] == method)
        means = {metric: mean([case], method, metric) for metric in METRICS if first[metric] is not None}
        rows.append({"method": method, "hole": "mean", **dict.fromkeys(METRICS), **means})
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
    counts = [
        f"{sum(map(count_holes, own))} holes, {len({case['image'] for case in own})} images | |" for _, own in exams
    ]
    lines.append("| *scored on* | " + " | ".join(counts) + " |")
    return "\n".join(lines)


def _picture(outcome: Outcome, exam: Exam, number: int, out: Path) -> str:
    """Inpainted, and difference to the truth, in the image in which the first arm's gain is the median."""
    study = outcome.study
    arms = {arm.label: arm for arm in study.arms}
    shown = [arms[label] for label in dict.fromkeys(exam.shown or arms)]
    own = of_exam(outcome.found, exam.label)
    first = shown[0].label
    case = sorted(own, key=lambda each: mean([each], first, "psnr") - mean([each], BASE, "psnr"))[len(own) // 2]
    task = next(each for each in study.tasks(outcome.size) if each.title == exam.label)
    options = {
        arm.label: {"method": arm.architecture, "parameters": {"model": str(bundle_of(outcome.folders[arm.label]))}}
        for arm in shown
    }
    name = f"fills-{number}.png"
    draw(case, task, options, BASE, outcome.data, outcome.split, out / name, differences=True)
    return f"![Fills]({name})\n\n*{exam.label}; {case['image']}, in which the gain of `{first}` is the median.*"


def _trainings(outcome: Outcome) -> str:
    """What each network is, and what it learned from."""
    lines = [
        "| network | architecture | learned from | people | weights | step size | minutes |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for arm in outcome.study.arms:
        bundle = find(str(bundle_of(outcome.folders[arm.label])))
        training, recipe = bundle.training, outcome.study.recipe(arm, outcome.size)
        source = ", ".join([*arm.holes, *arm.contrasts])
        lines.append(
            f"| {arm.label} | {arm.architecture} | {source} | {sum(row['subjects'] for row in training['data'])} | "
            f"{bundle.megabytes:.1f} MB | {recipe.task['rate']:g} | {training['minutes']:.0f} |"
        )
    return "\n".join(lines)


def _protocol(outcome: Outcome, command: str) -> str:
    study, found = outcome.study, outcome.found
    training = find(str(bundle_of(next(iter(outcome.folders.values()))))).training
    images, subjects = ({case[what] for case in found} for what in ("image", "subject"))
    reduced = f", reduced to {study.across} pixels" if study.across else ""
    return (
        f"Each network: one training of {training['steps']} steps of {training['batch']} frames, on "
        f"{outcome.size.cases} holes of the split train ({training['machine']}, two at a time). Tested on "
        f"{len(images)} images of {len(subjects)} people{reduced}, split **{outcome.split}**, "
        f"{sum(map(count_holes, found))} holes. "
        "Scores over the hole (convention `masked`; PSNR up to 60 dB), means over holes; Δ: difference to "
        f"`{BASE}` in the same holes, averaged over each person's, mean ± standard error over people. The error holds "
        "the chance of who is tested, not that of the training (the study *seeds* has how much that is). More metrics, "
        "among them, for films, those of the course report's convention, are in [scores.csv](scores.csv), means over "
        f"each image's holes. Made by\n\n    {command}\n\n"
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
