"""The page of a study of trained networks, made from the files in its folder alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.evaluation.protocol import TRIVIAL

from .cases import Case
from .comparison import BASE, WITHOUT, Comparison, difference, in_words, mean, of_condition
from .conventions import MOST
from .curves import CAPTION, PICTURE, TABLE
from .facts import read_facts
from .pages import COLOURS
from .scores import SCORES, read_scores
from .statistics import CONFIDENCE, LEAST_PEOPLE, TEXTURE, Difference, Verdict, texture_error
from .study import Condition, Study

#: The caption of pages without a table of curves: their trainings were validated by PSNR alone.
_GAIN = (
    "Gain over the thin plate in validation (split val; each network on holes and images of the kind that it learns) "
    "against updates."
)
INTERVAL = f"{CONFIDENCE * 100:g} % interval over people"


def text(study: Study, folder: Path) -> str:
    """Return the page.

    Args:
        study: that was run.
        folder: with its ``scores.csv.gz`` and ``facts.json``.
    """
    cases, facts = read_cases(study, folder), read_facts(folder)
    conditions = [(n, each) for n, each in enumerate(study.conditions, start=1) if of_condition(cases, each.label)]
    parts = [
        f"# {study.title}",
        study.question,
        "## Findings",
        *([study.remark(cases)] if study.remark else []),
        _comparisons(study, cases),
        f"In brackets: {INTERVAL}; [how a verdict is read](#how-it-was-measured).",
        "## Scores",
        f"PSNR, SSIM and texture are means over images; Δ is the difference in PSNR to `{BASE}`, the thin plate, on "
        "the same images, averaged by person, so it is not always the difference of the means; in brackets: "
        f"{INTERVAL}. Texture is the gradient energy in the hole over the truth's: 1 is ideal, and networks are "
        "compared by the distance from 1.",
        *(_condition(study, cases, facts, number, condition) for number, condition in conditions),
        "## Trainings",
        f"![Validation against updates]({PICTURE})",
        f"*{CAPTION if (folder / TABLE).is_file() else _GAIN}*",
        networks_table(facts["networks"]),
        "## How it was measured",
        _protocol(study, cases, facts),
    ]
    return "\n\n".join(parts) + "\n"


def read_cases(study: Study, folder: Path) -> list[Case]:
    """Return the cases in the table of a study's folder; a case's ``title`` is the label of its condition."""
    titles = {study.task_name(condition): condition.label for condition in study.conditions}
    return [
        {**case, "title": titles[case["task"]], "scores": [_with_texture(row) for row in case["scores"]]}
        for case in read_scores(folder / SCORES)
    ]


def _with_texture(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the error of its texture, None where the truth is flat and has none."""
    energy = row["gradient_energy"]
    return {**row, TEXTURE: None if energy is None else texture_error(energy)}


def picture(number: int) -> str:
    """Return the name of the picture of a condition."""
    return f"fills-{number}.webp"


def _comparisons(study: Study, cases: Sequence[Case]) -> str:
    """Return a table of what is compared: the verdict, and the difference that it is read from."""
    lines = [
        "| images | verdict by PSNR | difference in PSNR | in SSIM | in texture | people |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for comparison in study.comparisons:
        gain, *others = (difference(cases, comparison, metric) for metric in ("psnr", "ssim", TEXTURE))
        cells = [in_words(comparison, gain), str(gain), *map(_short, others), str(gain.people)]
        lines.append(f"| {comparison.condition} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _short(gain: Difference) -> str:
    """Return a difference, after its verdict where that is clear."""
    clear = {Verdict.BETTER: "better: ", Verdict.WORSE: "worse: "}
    return f"{clear.get(gain.verdict, '')}{gain}"


def _condition(study: Study, cases: Sequence[Case], facts: dict[str, Any], number: int, condition: Condition) -> str:
    """Return the part of the page on one condition: a row for each method, and a picture if one was drawn."""
    label = condition.label
    own = of_condition(cases, label)
    lines = ["| method | PSNR, dB | Δ, dB | SSIM | texture |", "|---|---:|---:|---:|---:|"]
    for method in (TRIVIAL, *WITHOUT, *(arm.label for arm in study.tested(condition))):
        gain = "" if method == BASE else str(difference(own, Comparison(label, method))).replace(" dB", "")
        ssim, texture = (mean(own, method, metric) for metric in ("ssim", "gradient_energy"))
        lines.append(f"| {method} | {mean(own, method):.2f} | {gain} | {ssim:.3f} | {texture:.2f} |")
    parts = [
        f"### {label}",
        f"{facts['holes'][label]} holes in {_count(own, 'image')} images of {_count(own, 'subject')} people.",
        "\n".join(lines),
    ]
    if label in facts["pictures"]:
        shown = facts["pictures"][label]
        parts += [
            f"![Fills]({picture(number)})",
            f"*{shown['image']}, in which the gain of `{shown['arm']}` is the median. {COLOURS}*",
        ]
    return "\n\n".join(parts)


def _count(cases: Sequence[Case], what: str) -> int:
    """Return how many different images or people the cases are of."""
    return len({case[what] for case in cases})


def networks_table(networks: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of the networks in a page's facts: size, step size and what they learned from."""
    lines = [
        "| network | architecture | learned from | people | weights | step size | minutes |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for each in networks:
        lines.append(
            f"| {each['network']} | {each['architecture']} | {each['learned_from']} | {each['people']} | "
            f"{each['megabytes']:.1f} MB | {each['step_size']:g} | {each['minutes']:.0f} |"
        )
    return "\n".join(lines)


def _seeds(seeds: Iterable[int]) -> str:
    """Return the different seeds in words, such as ``seed 0`` or ``seeds 0, 1``."""
    different = sorted(set(seeds))
    return f"seed{'s' if len(different) > 1 else ''} {', '.join(map(str, different))}"


def _protocol(study: Study, cases: Sequence[Case], facts: dict[str, Any]) -> str:
    """Return how the numbers were measured and how they are read."""
    sizes = dict.fromkeys(each.across or study.across for each in study.conditions)
    reduced = f", reduced to {', '.join(map(str, sizes))} pixels" if study.across else ""
    films = ", among them those of the course report's convention," if study.modality == "film" else ""
    return (
        f"Each network: one training of {facts['steps']} steps of {facts['batch']} frames, on {facts['cases']} holes "
        f"of the split train, {_seeds(arm.seed for arm in study.arms)} ({facts['trained_on']}, two at a time). Tested "
        f"on {_count(cases, 'image')} images of {_count(cases, 'subject')} people{reduced}, split "
        f"**{facts['split']}**, {sum(facts['holes'].values())} holes. Scores are over the hole (convention "
        f"`masked`; PSNR up to {MOST:g} dB) and averaged over each image's holes.\n\n"
        "A difference is paired by image, averaged over each person's images and then over people; its t-interval "
        "holds the chance of who is tested, not that of the training. So a method is called better or worse only where "
        f"at least {LEAST_PEOPLE} people were tested, the interval leaves out 0 and, for a trained network, the "
        "difference is larger than [those between trainings by the same recipe](../seeds/README.md).\n\n"
        f"More metrics{films} are in [{SCORES}]({SCORES}). Made by\n\n    {facts['command']}\n\n"
        f"on {facts['made']}."
    )
