"""The page of the study `forced-choice`, from the tables and facts in its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..shared.cases import Task
from ..shared.conventions import MOST, OURS
from ..shared.facts import read_facts
from ..shared.manifests import read_rows
from ..shared.statistics import CHANCE_OF_TRAINING, Difference, Verdict, difference_by_person, reading
from . import choices, judge
from .measure import TASKS

TOLD, SCORES, CHOICES = "told.csv.gz", "scores.csv.gz", "choices.csv.gz"
#: What the course report says is appealing but not accurate; and the network that stands for it where it has no model.
APPEALING = {"mr": "rfr", "films": "unet"}
Rows = Sequence[Mapping[str, str]]
#: Person -> values.
ByPerson = dict[str, list[float]]


def text(folder: Path) -> str:
    """Return the page from the tables and facts in its folder."""
    facts = read_facts(folder)
    told, scores = read_rows(folder / TOLD), read_rows(folder / SCORES)
    parts = [_introduction(facts, told)]
    for task in TASKS:
        people, pairs = facts["people"][task.name], facts["pairs"][task.name]
        parts.append(
            f"## {task.title}\n\n`{task.holes}`, one image a person. Learned from {people['train']} people "
            f"({pairs['train']} pairs), stopped by {people['val']} ({pairs['val']}), asked about {people['test']} "
            f"({pairs['test']}).\n\n{_table(task, told, scores)}\n\n![Pairs]({task.name}.webp)\n\n"
            "*Holes of the first people by name; below each fill, in how many trainings of its classifier it was told "
            "from the truth.*"
        )
    parts.append("![Told and accuracy](told.webp)\n\n*Each method: how often it is told, and its PSNR.*")
    parts.append(_appealing(told, scores))
    counted = read_rows(folder / CHOICES) if (folder / CHOICES).is_file() else []
    parts.append(_people(counted))
    return "\n\n".join(parts) + "\n"


def _introduction(facts: Mapping[str, Any], told: Rows) -> str:
    """Return the question, how it is asked, and what the numbers are."""
    chance, trainings = CHANCE_OF_TRAINING["told"], facts["trainings"]
    models = ", ".join(f"`{name}` ({sha})" for name, sha in facts["models"].items())
    return (
        "# Can a fill be told from the truth?\n\n"
        "A fill can look right and be wrong. Here a classifier is asked what a person could be asked: of two pictures "
        "of one hole, the true one and the filled one, which is the truth? A classifier that cannot tell is right in "
        "half of the pairs, one that can in all. Made by\n\n"
        "    python -m Research forced-choice --data DATA\n\n"
        f"on {facts['made']}. Tables: [{TOLD}]({TOLD}), [{SCORES}]({SCORES}). Models, with the first digits of the "
        f"sha256 of their weights: {models}.\n\n"
        f"- **Classifiers.** Each method has its own: four convolutions, {facts['weights']:,} weights, which see "
        f"{facts['seen']} x {facts['seen']} pixels around the hole in 256 levels of grey. It learns from pairs, turned "
        f"and mirrored at random, by the loss softplus(score(fill) - score(truth)): Adam at {facts['rate']:g}, "
        f"{facts['batch']} pairs a step, {facts['epochs']} passes; the weights with the least loss on the split val "
        f"are kept. It is trained {trainings} times (seeds 0 to {trainings - 1}), and the answers are averaged. "
        "Numbers of passes and of pairs a step were changed once after a look at how far trainings differ on test.\n"
        "- **People.** No person is in two splits; all numbers are on the split test. The networks that fill have "
        "learned from people of the split train, too, so their fills there may be closer to the truth than those that "
        "the classifiers are asked about.\n"
        "- **Told** is the share of pairs in which the truth gets the higher score: the mean over people of each one's "
        "pairs, with its 95 % t-interval. 0.5 is chance; less often is better. Two trainings of a classifier differ by "
        f"up to {_largest_difference(told):.3f}, so differences up to {chance:g} do not count. How much would change "
        "if a network that fills were trained again was not measured: all results here are those of the released "
        "models.\n"
        f"- **Errors** are over the hole, mean over people: PSNR (up to {MOST:g} dB), RMSE in percent of the range R, "
        "texture (gradient energy over the truth's; 1 is ideal).\n\n"
        "A classifier is no person: it may see what no reader sees, and the other way round. One that learned from "
        "more pairs may tell more."
    )


def _told(told: Rows, task: str, method: str, training: str = "") -> ByPerson:
    """Return whether the truth was told, for each person's pictures and all trainings, or one."""
    people: ByPerson = {}
    for row in told:
        if (row["task"], row["method"]) == (task, method) and training in ("", row["training"]):
            people.setdefault(row["person"], []).append(float(row["told"]))
    return people


def _scores(scores: Rows, task: str, method: str, metric: str) -> ByPerson:
    """Return a score for each person's holes; RMSE in percent of the range R."""
    people: ByPerson = {}
    for row in scores:
        if (row["task"], row["method"]) == (task, method) and row[metric]:
            share = 100 / float(row["R"]) if metric == "rmse" else 1.0
            people.setdefault(row["subject"], []).append(share * float(row[metric]))
    return people


def _mean(people: ByPerson) -> float:
    """Return the mean over people of each one's mean."""
    return float(np.mean([np.mean(each) for each in people.values()]))


def _less(first: ByPerson, second: ByPerson) -> ByPerson:
    """Return the first values less the second, which are of the same pictures in the same order."""
    return {person: [a - b for a, b in zip(first[person], second[person], strict=True)] for person in first}


def _largest_difference(told: Rows) -> float:
    """Return the largest difference between two trainings of a classifier."""
    trainings = sorted({row["training"] for row in told})
    rates = [
        [_mean(_told(told, task, method, training)) for training in trainings]
        for task, method in sorted({(row["task"], row["method"]) for row in told})
    ]
    return max(max(each) - min(each) for each in rates)


def _beyond_chance(told: Rows, task: str, method: str) -> Difference:
    """Return by how much a method is told more often than by chance."""
    people = {person: [each - 0.5 for each in own] for person, own in _told(told, task, method).items()}
    return difference_by_person(people, "told", trained=True)


def points(task: Task, told: Rows, scores: Rows) -> dict[str, tuple[float, Difference]]:
    """Return method -> PSNR and how much more often than by chance it is told, for the figure."""
    return {
        method: (_mean(_scores(scores, task.name, method, "psnr")), _beyond_chance(told, task.name, method))
        for method in judge.methods_of(task.name)
    }


def _table(task: Task, told: Rows, scores: Rows) -> str:
    """Return a line for each method: how often it is told, and how accurate it is."""
    words = {
        Verdict.BETTER: "can be told from the truth",
        Verdict.WORSE: "is called the truth more often than the truth",
    }
    lines = [
        "| method | told (95 %) | reading | people | PSNR dB | RMSE, % of R | texture |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for method in judge.methods_of(task.name):
        beyond = _beyond_chance(told, task.name, method)
        psnr, rmse, texture = (_mean(_scores(scores, task.name, method, each)) for each in OURS if each != "ssim")
        ends = [min(max(0.5 + each, 0.0), 1.0) for each in (beyond.low, beyond.high)]
        lines.append(
            f"| {method} | {0.5 + beyond.mean:.3f} ({ends[0]:.3f} to {ends[1]:.3f}) | "
            f"{words.get(beyond.verdict, beyond.verdict.value)} | {beyond.people} | {psnr:.2f} | {rmse:.2f} | "
            f"{texture:.2f} |"
        )
    return "\n".join(lines)


def _appealing(told: Rows, scores: Rows) -> str:
    """Return whether the networks look better than other fills and are less accurate, pair by pair."""
    words = {Verdict.BETTER: "is told less often", Verdict.WORSE: "is told more often"}
    lines = ["| fill and other fill | holes | told | PSNR | looks better, is worse? |", "|---|---|---|---|---|"]
    answers = []
    for task in TASKS:
        own = APPEALING[task.name]
        for other in judge.methods_of(task.name):
            if other == own:
                continue
            believable = difference_by_person(
                _less(_told(told, task.name, other), _told(told, task.name, own)), "told", trained=True
            )
            accurate = difference_by_person(
                _less(_scores(scores, task.name, own, "psnr"), _scores(scores, task.name, other, "psnr")), trained=True
            )
            answer = _answer(believable.verdict, accurate.verdict)
            if own == "rfr":
                answers.append(answer)
            lines.append(
                f"| `{own}` and `{other}` | {task.holes} | {reading(believable, *words.values())} | "
                f"{reading(accurate)} | {answer} |"
            )
    return "\n".join(
        [
            "## Appealing, but not accurate?\n",
            "The course report on Recurrent Feature Reasoning says that its fills are visually appealing but lack "
            "accuracy. Then they would be told less often than other fills of the same holes, and have a lower PSNR. "
            "There is no released `rfr` for films; `unet` is compared there. Positive: better, of the first fill.\n",
            *lines,
            "",
            _sentence(answers),
        ]
    )


def _answer(believable: Verdict, accurate: Verdict) -> str:
    """Return whether a fill is told less often *and* is less accurate; one clear verdict to the contrary is enough."""
    contrary = ["told more often"] if believable is Verdict.WORSE else []
    contrary += ["more accurate"] if accurate is Verdict.BETTER else []
    if contrary:
        return f"no: {' and '.join(contrary)}"
    return "yes" if (believable, accurate) == (Verdict.BETTER, Verdict.WORSE) else "not shown"


def _sentence(answers: Sequence[str]) -> str:
    """Return what the comparisons of `rfr` say about the statement."""
    yes, no = answers.count("yes"), sum(answer.startswith("no:") for answer in answers)
    verdict = (
        "The statement holds for the released model in all of them."
        if yes == len(answers)
        else "None of them supports the statement."
        if yes == 0
        else "The statement depends on what it is compared with."
    )
    return (
        f"Comparisons of `rfr`: {len(answers)}. The fill looks better and is less accurate: {yes}. The opposite of one "
        f"of the two: {no}. Neither is shown: {len(answers) - yes - no}. {verdict}"
    )


def _people(counted: choices.Rows) -> str:
    """Return what people chose, or that nobody was asked, and how to ask."""
    asked = (
        choices.choices_table(counted)
        if counted
        else "No readers have been asked yet, so there is nothing to say about what people choose."
    )
    return (
        f"## People's choice\n\n{asked}\n\n"
        "To ask readers, write a page of fills in random order, one hole for each person of the split test. It is "
        "one file, needs no network, is used with the keys 1, 2, 3, ..., and saves the choices as a CSV file. Which "
        "picture is by which method stands in `choices-key.csv` beside it alone; keep that from the readers.\n\n"
        "```console\n"
        "python -m Research forced-choice --data DATA --blinded choices.html\n"
        "python -m Research forced-choice --data DATA --blinded choices.html --with-truth\n"
        "python -m Research forced-choice --data DATA --blinded choices.html --hide-truth\n"
        "```\n\n"
        "The first asks which fill is the most believable, the second the same beside the truth, the third which "
        "picture is real, with the truth among them. This counts the files that readers send back, by reader and over "
        "readers, and puts the table here:\n\n"
        "```console\n"
        "python -m Research forced-choice --count choices-1.csv choices-2.csv --key choices-key.csv\n"
        "```"
    )
