"""The command and the page of a study of trained networks: trainings, tables, plots, pictures, and the finding."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from pathlib import Path

from MedInpaintLib.files import replacing, write_text
from MedInpaintLib.models.store import find

from .cases import Case, training_options, written
from .comparison import difference, mean, of_condition
from .conventions import METRICS
from .pages import draw
from .scores import write_scores
from .study import SIZES, WITHOUT, Condition, Outcome, Study, bundle_of, run, without
from .tables import count_holes, machine
from .trainings import curve

BASE = WITHOUT[0]


def main(study: Study, arguments: Sequence[str]) -> None:
    """Run the command of a study."""
    chosen = training_options(study.name, Path("docs/experiments"), SIZES, study.question).parse_args(arguments)
    size = SIZES[chosen.size]
    if chosen.steps:
        size = dataclasses.replace(size, steps=chosen.steps)
    out = chosen.out / study.name
    outcome = run(
        study,
        size,
        chosen.data,
        chosen.runs,
        out,
        split=chosen.split,
        accelerator=chosen.accelerator,
        workers=chosen.workers,
    )
    write_page(outcome, out, written(study.name, chosen))
    print(f"{out / 'README.md'}\n{study.finding(outcome)}")


def write_page(outcome: Outcome, out: Path, command: str) -> None:
    """Write ``README.md``, ``scores.csv.gz``, ``curves.png`` and a picture per condition.

    Args:
        outcome: of the study.
        out: folder for the page.
        command: that makes the page.
    """
    write_scores([_averaged(case) for case in outcome.cases], METRICS, out / "scores.csv.gz")
    draw_curves(outcome, out / "curves.png")
    parts = [
        f"# {outcome.study.title}",
        outcome.study.question,
        f"**Found:** {outcome.study.finding(outcome)}",
        _table(outcome),
        "![Gain over updates](curves.png)\n\n*Gain over the thin plate in validation (split val; each network on holes "
        "and images of the kind that it learns) against updates.*",
        *(
            _picture(outcome, condition, number, out)
            for number, condition in enumerate(outcome.study.conditions, start=1)
        ),
        _trainings(outcome),
        _protocol(outcome, command),
    ]
    write_text(out / "README.md", "\n\n".join(parts) + "\n")


def _averaged(case: Case) -> Case:
    """Return a case with one row per method, the mean over the image's holes, which keeps ``scores.csv.gz`` small."""
    rows = []
    for method in dict.fromkeys(row["method"] for row in case["scores"]):
        first = next(row for row in case["scores"] if row["method"] == method)
        means = {metric: mean([case], method, metric) for metric in METRICS if first[metric] is not None}
        rows.append({"method": method, "hole": "mean", **dict.fromkeys(METRICS), **means})
    return {**case, "scores": rows}


def _table(outcome: Outcome) -> str:
    """Return a row per method: for each condition PSNR, the difference to the base in the same holes, and SSIM."""
    study = outcome.study
    conditions = [
        (condition, own) for condition in study.conditions if (own := of_condition(outcome.cases, condition.label))
    ]
    head = "| | " + " | ".join(f"{condition.label}: PSNR, dB | Δ | SSIM" for condition, _ in conditions) + " |"
    lines = [head, "|---|" + "---:|---:|---:|" * len(conditions)]
    for method in without(arm.label for arm in study.arms):
        cells = []
        for _, own in conditions:
            gain = "" if method == BASE else str(difference(own, method, BASE)).removesuffix(" dB")
            cells += [f"{mean(own, method, 'psnr'):.2f}", gain, f"{mean(own, method, 'ssim'):.3f}"]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    counts = [
        f"{sum(map(count_holes, own))} holes, {len({case['image'] for case in own})} images | |"
        for _, own in conditions
    ]
    lines.append("| *scored on* | " + " | ".join(counts) + " |")
    return "\n".join(lines)


def _picture(outcome: Outcome, condition: Condition, number: int, out: Path) -> str:
    """Draw fills and their differences to the truth in the image with the median gain of the first arm shown."""
    study = outcome.study
    arms = {arm.label: arm for arm in study.arms}
    shown = [arms[label] for label in dict.fromkeys(condition.shown or arms)]
    own = of_condition(outcome.cases, condition.label)
    first = shown[0].label
    case = sorted(own, key=lambda each: mean([each], first, "psnr") - mean([each], BASE, "psnr"))[len(own) // 2]
    task = next(each for each in study.tasks(outcome.size) if each.title == condition.label)
    options = {
        arm.label: {"method": arm.architecture, "parameters": {"model": str(bundle_of(outcome.folders[arm.label]))}}
        for arm in shown
    }
    name = f"fills-{number}.png"
    draw(case, task, options, BASE, outcome.data, outcome.split, out / name, differences=True)
    return f"![Fills]({name})\n\n*{condition.label}; {case['image']}, in which the gain of `{first}` is the median.*"


def _trainings(outcome: Outcome) -> str:
    """Return a table of the networks: size, step size and what they learned from."""
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
    """Return a paragraph on how the numbers were measured."""
    study, cases = outcome.study, outcome.cases
    training = find(str(bundle_of(next(iter(outcome.folders.values()))))).training
    images, subjects = ({case[what] for case in cases} for what in ("image", "subject"))
    reduced = f", reduced to {study.across} pixels" if study.across else ""
    return (
        f"Each network: one training of {training['steps']} steps of {training['batch']} frames, on "
        f"{outcome.size.cases} holes of the split train ({training['machine']}, two at a time). Tested on "
        f"{len(images)} images of {len(subjects)} people{reduced}, split **{outcome.split}**, "
        f"{sum(map(count_holes, cases))} holes. "
        "Scores over the hole (convention `masked`; PSNR up to 60 dB), means over holes; Δ: difference to "
        f"`{BASE}` in the same holes, averaged over each person's, mean ± standard error over people. The error holds "
        "the chance of who is tested, not that of the training ([seeds](../seeds/README.md) has how much that is). "
        "More metrics, among them, for films, those of the course report's convention, are in "
        f"[scores.csv.gz](scores.csv.gz), means over each image's holes. Made by\n\n    {command}\n\n"
        f"on {datetime.date.today().isoformat()}, {machine()}."
    )


def draw_curves(outcome: Outcome, path: Path) -> None:
    """Draw the validation's gain against updates, a line per network."""
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
