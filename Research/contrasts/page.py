"""The command and the page of the study `contrasts`: tables, what they show, pictures."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.files import make_folder, replacing, write_text
from MedInpaintLib.models.bundle import rescore

from ..shared.cases import training_options, written
from ..shared.manifests import write_rows
from ..shared.tables import machine
from .lesions_kept import BESIDE_MM, BRIGHT, LEAST_ML, RIM_MM
from .measure import (
    ARMS,
    MAIN,
    QUESTIONS,
    RECIPE,
    REGRESSION,
    SIZES,
    WITHOUT,
    Outcome,
    Row,
    Session,
    estimates,
    read_sessions,
    run,
    without_network,
)

#: What the scores are; also written on the card.
PROTOCOL = (
    "whole brain, slice by slice: NMSE, and 2-D SSIM at the range of the truth's 99.5 percentile in the brain; "
    "intensities on the core's scale, not fitted to the truth; python -m Research contrasts"
)
RELEASED = "released"


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = training_options("contrasts", Path("docs/contrasts"), SIZES)
    parser.add_argument("--released", default=RECIPE, help="a model that is tested, too; empty for none")
    parser.add_argument("--cards", action="store_true", help="write the scores into the released model's card, too")
    chosen = parser.parse_args(arguments)
    size = SIZES[chosen.size]
    if chosen.steps:
        size = dataclasses.replace(size, steps=chosen.steps)
    outcome = run(
        size,
        chosen.data,
        chosen.runs,
        chosen.out,
        released=chosen.released or None,
        split=chosen.split,
        accelerator=chosen.accelerator,
        workers=chosen.workers,
    )
    write_page(outcome, chosen.data, chosen.out, written("contrasts", chosen))
    if chosen.cards and chosen.released:
        write_cards(outcome)
    print(chosen.out / "README.md")


def write_page(outcome: Outcome, data: Path, out: Path, command: str) -> None:
    """Write ``README.md``, ``scores.csv.gz`` and a picture per session.

    Args:
        outcome: of the study.
        data: folder with MANIFEST.csv.
        out: folder for the page.
        command: that makes the page.
    """
    make_folder(out)
    _write_scores(outcome.rows, out / "scores.csv.gz")
    sessions = read_sessions(data, outcome.split)
    wanted, there = MAIN
    parts = [
        "# A contrast is missing",
        f"{wanted} is estimated from {' and '.join(there)}, by networks that learned from "
        f"{_people(outcome)} people; and by what needs no network.",
        f"**Found:** {finding(outcome)}",
        main_table(outcome),
        "Comparisons are paired by slice. Slices of one person are not independent: how many of them are better says "
        "much of that person, and little of the next one.",
        "## Which contrasts are there",
        f"NMSE of {wanted} when fewer contrasts are there, all slices. Without dropout, a network has always seen all "
        "others.",
        subsets(outcome),
        "## Other contrasts wanted",
        others(outcome),
        "## Lesions",
        f"Lesions are what the true FLAIR shows brighter than {BRIGHT:g} times the brain's median, {RIM_MM:g} mm and "
        f"more from its rim, from {LEAST_ML:g} ml on. Contrast: mean in them less that of the tissue "
        f"{BESIDE_MM[0]:g} to {BESIDE_MM[1]:g} mm beside them, over that. By brightness alone, what lies near a coil "
        "may count, too.",
        lesion_table(outcome),
        *(_picture(session, outcome, data, out) for session in sessions),
        "## How it was measured",
        _protocol(outcome, sessions, command),
    ]
    write_text(out / "README.md", "\n\n".join(parts) + "\n")


def of(outcome: Outcome, question: tuple[str, Sequence[str]], method: str, session: str = "") -> list[Row]:
    """Return the rows of a question and method, of one session or all, in the order of the slices."""
    wanted, there = question
    return [
        row
        for row in outcome.rows
        if (row["wanted"], row["there"], row["method"]) == (wanted, "+".join(there), method)
        and session in ("", row["session"])
    ]


def methods(outcome: Outcome, question: tuple[str, Sequence[str]]) -> list[str]:
    """Return all methods that answer a question: without a network, networks, the released model."""
    known = [*WITHOUT, *(arm.label for arm in ARMS), RELEASED]
    return [each for each in known if of(outcome, question, each)]


def _mean(rows: Sequence[Row], metric: str) -> float:
    """Return the mean over rows; NaN where there are none."""
    return float(np.mean([row[metric] for row in rows])) if rows else math.nan


def better(outcome: Outcome, one: str, other: str, metric: str = "nmse") -> tuple[float, int, int]:
    """Compare two methods on the main question, paired by slice.

    Returns:
        the gain of one over the other, in the mean over sessions of the mean over their slices; on how many slices it
        is better; of how many.
    """
    first, second = (of(outcome, MAIN, each) for each in (one, other))
    sign = -1 if metric == "nmse" else 1
    gains: dict[str, list[float]] = {}
    for a, b in zip(first, second, strict=True):
        gains.setdefault(a["session"], []).append(sign * (a[metric] - b[metric]))
    every = [gain for each in gains.values() for gain in each]
    return float(np.mean([np.mean(each) for each in gains.values()])), sum(gain > 0 for gain in every), len(every)


def finding(outcome: Outcome) -> str:
    """Return how the network compares with regression and translators, and what its parts add."""
    best = RELEASED if of(outcome, MAIN, RELEASED) else ARMS[0].label
    first, own = ARMS[0].label, _mean(of(outcome, MAIN, best), "nmse")
    base = _mean(of(outcome, MAIN, REGRESSION), "nmse")
    _, wins, count = better(outcome, best, REGRESSION)
    words = [
        f"`{best}` has an NMSE of {own:.3f} against {base:.3f} of the regression ({wins} of {count} slices are better)"
    ]
    for arm in ARMS[1:]:
        gain, wins, count = better(outcome, first, arm.label)
        verb = "better" if gain > 0 else "worse"
        words.append(f"`{first}` is {verb} than `{arm.label}` by {abs(gain):.3f} ({wins} of {count} slices)")
    bright, kept, contrasts = _lesions(outcome, best)
    return (
        f"{'; '.join(words)}. Of {bright:.0f} ml that are bright in the true {MAIN[0]}, lesions above all, `{best}` "
        f"shows {kept:.0f} ml as bright; it sets them off from what is beside them by {contrasts}: **it does not show "
        "lesions as they are**."
    )


def _lesions(outcome: Outcome, method: str) -> tuple[float, float, str]:
    """Return ml that are bright in the truth, of these ml in the estimate, and the contrasts in words."""
    own = [lesions for _, name, lesions in outcome.lesions if name == method]
    words = ", ".join(f"{each.contrast:.2f} in place of {each.true_contrast:.2f}" for each in own)
    return sum(each.true_ml for each in own), sum(each.kept_ml for each in own), words


def main_table(outcome: Outcome) -> str:
    """Return a row per method: NMSE and SSIM of each session, and in how many slices it beats the regression."""
    names = list(dict.fromkeys(row["session"] for row in outcome.rows))
    head = "| | " + " | ".join(f"{name}: NMSE | SSIM" for name in names) + f" | better than {REGRESSION} |"
    lines = [head, "|---|" + "---:|---:|" * len(names) + "---:|"]
    for method in methods(outcome, MAIN):
        cells = []
        for name in names:
            rows = of(outcome, MAIN, method, name)
            cells += [f"{_mean(rows, 'nmse'):.3f}", f"{_mean(rows, 'ssim'):.3f}"]
        _, wins, count = better(outcome, method, REGRESSION)
        lines.append(f"| {method} | {' | '.join(cells)} | {'' if method == REGRESSION else f'{wins}/{count}'} |")
    counts = [f"{len(of(outcome, MAIN, REGRESSION, name))} slices | |" for name in names]
    lines.append("| *scored on* | " + " ".join(counts) + " |")
    return "\n".join(lines)


def subsets(outcome: Outcome) -> str:
    """Return a table of the main contrast by the contrasts that are present."""
    asked = [question for question in QUESTIONS if question[0] == MAIN[0]]
    return _by_question(outcome, asked, (REGRESSION, ARMS[0].label, "without dropout", RELEASED))


def others(outcome: Outcome) -> str:
    """Return a table of the other wanted contrasts."""
    asked = [question for question in QUESTIONS if question[0] != MAIN[0]]
    known = dict.fromkeys(row["method"] for row in outcome.rows)
    return _by_question(outcome, asked, [each for each in known if any(of(outcome, one, each) for one in asked)])


def _by_question(outcome: Outcome, asked: Sequence[tuple[str, Sequence[str]]], shown: Sequence[str]) -> str:
    """Return NMSE and SSIM over all slices: a row per method, two columns per question."""
    asked = [question for question in asked if of(outcome, question, REGRESSION)]
    head = "| | " + " | ".join(f"{wanted} from {'+'.join(there)}: NMSE | SSIM" for wanted, there in asked) + " |"
    lines = [head, "|---|" + "---:|---:|" * len(asked)]
    for method in shown:
        answers = [of(outcome, question, method) for question in asked]
        cells = [f"{_mean(rows, metric):.3f}" if rows else "" for rows in answers for metric in ("nmse", "ssim")]
        if any(cells):
            lines.append(f"| {method} | {' | '.join(cells)} |")
    counts = [f"{len(of(outcome, question, REGRESSION))} slices | |" for question in asked]
    lines.append("| *scored on* | " + " ".join(counts) + " |")
    return "\n".join(lines)


def lesion_table(outcome: Outcome) -> str:
    """Return a row per method and session."""
    lines = [
        "| session | method | bright, ml | kept | missed | invented | contrast |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for session, method, kept in outcome.lesions:
        if method == "truth":
            cells = [f"{kept.true_ml:.1f}", "", "", "", f"{kept.true_contrast:.2f}"]
        else:
            volumes = (kept.found_ml, kept.kept_ml, kept.missed_ml, kept.invented_ml)
            cells = [*(f"{each:.1f}" for each in volumes), f"{kept.contrast:.2f}"]
        lines.append(f"| {session} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _picture(session: Session, outcome: Outcome, data: Path, out: Path) -> str:
    """Draw the slice with the most bright tissue: the present contrasts, estimates, truth and differences."""
    from matplotlib.figure import Figure

    wanted, there = MAIN
    shown = {name: outcome.models[name] for name in (RELEASED, ARMS[0].label, "pix2pix") if name in outcome.models}
    fills = without_network(read_sessions(data, "train"))(session, wanted, there)
    estimated = {REGRESSION: fills[REGRESSION], **estimates(session, wanted, there, shown)}
    truth = session.scaled[wanted]
    bright = session.turned.turn((truth > BRIGHT * np.median(truth[session.inside])) & session.inside)
    at = int(bright.sum(axis=(1, 2)).argmax())
    panels = {name: session.scaled[name] for name in there} | estimated | {f"true {wanted}": truth}
    figure = Figure(figsize=(2.1 * len(panels), 5.4), dpi=90, layout="constrained", facecolor="black")
    axes = figure.subplots(2, len(panels))
    for (name, image), (above, below) in zip(panels.items(), axes.T, strict=True):
        flat = session.turned.turn(image)[at]
        top = 0.5 if name not in there else float(np.percentile(flat, 99.5))
        above.imshow(flat, cmap="gray", vmin=0, vmax=top)
        above.set_title(name, color="white", fontsize=9)
        above.axis("off")
        below.axis("off")
        if name in estimated:
            off = flat - session.turned.turn(truth)[at]
            below.imshow(
                np.where(session.turned.turn(session.inside)[at], off, 0), cmap="RdBu_r", vmin=-0.25, vmax=0.25
            )
            below.set_title("less the truth", color="white", fontsize=8)
    name = f"{session.name.replace(' ', '-')}.png"
    with replacing(out / name) as temporary:
        figure.savefig(temporary, format="png")
    return (
        f"![{session.name}]({name})\n\n*{session.name}, the slice with the most bright tissue in the true {wanted}; "
        "differences in the brain from -0.25 (blue) to 0.25 (red), where the brain's median is about 0.25.*"
    )


def _people(outcome: Outcome) -> int:
    """Return from how many people the networks learned."""
    return sum(row["subjects"] for row in next(iter(outcome.models.values())).training["data"])


def _protocol(outcome: Outcome, sessions: Sequence[Session], command: str) -> str:
    """Return a paragraph on how the numbers were measured."""
    training = outcome.models[ARMS[0].label].training
    lines = ["| network | learned in | weights | minutes |", "|---|---|---:|---:|"]
    for label, bundle in outcome.models.items():
        minutes = f"{bundle.training['minutes']:.0f}" if "minutes" in bundle.training else ""
        lines.append(f"| {label} | {bundle.training['steps']} steps | {bundle.megabytes:.1f} MB | {minutes} |")
    return (
        "\n".join(lines) + "\n\n"
        f"All networks but the released one: one training each by the same loop, the same steps of {training['batch']} "
        f"crops of the split train, seed {training['seed']} ({training['machine']}), with the same U-Net; each "
        "translator with the losses of its paper. What is released of each training is the check with the best "
        "validation (split val). Scores: "
        f"{PROTOCOL}. Slices with 500 pixels of brain or more, of {len(sessions)} sessions of "
        f"{len({session.subject for session in sessions})} people, split **{outcome.split}**. With so few people, "
        "differences between networks hold for these people and this training; nothing here says how the next patient "
        "fares. Every slice is in [scores.csv.gz](scores.csv.gz). Made by\n\n"
        f"    {command}\n\n"
        f"on {datetime.date.today().isoformat()}, {machine()}."
    )


def _write_scores(rows: Sequence[Row], path: Path) -> None:
    """Write a line per method, question and slice."""
    lines = [[f"{value:.5g}" if isinstance(value, float) else value for value in row.values()] for row in rows]
    write_rows(path, [list(rows[0]), *lines])


def write_cards(outcome: Outcome) -> None:
    """Write the released model's scores into its card; they replace earlier ones of the same split and protocol."""
    bundle = outcome.models[RELEASED]
    kept = [row for row in bundle.scores if (row["protocol"], row["split"]) != (PROTOCOL, outcome.split)]
    added = []
    for question in QUESTIONS:
        for method in (REGRESSION, RELEASED):
            rows = of(outcome, question, method)
            if rows:
                added.append(
                    {
                        "protocol": PROTOCOL,
                        "split": outcome.split,
                        "wanted": question[0],
                        "from": "+".join(question[1]),
                        "slices": len(rows),
                        "method": bundle.name if method == RELEASED else method,
                        **{
                            metric: {
                                "mean": round(_mean(rows, metric), 4),
                                "sd": round(float(np.std([row[metric] for row in rows])), 4),
                            }
                            for metric in ("nmse", "ssim")
                        },
                    }
                )
    rescore(bundle, [*kept, *added], "collagan")
