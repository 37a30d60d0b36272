"""What tables of scores say of a claim."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..shared.manifests import read_rows
from ..shared.statistics import LOWER_IS_BETTER, TEXTURE, Difference, Verdict, difference_by_person, texture_error
from .claim import Answer, Comparison, Number

#: How often a fill is told from the truth.
TOLD = "told"
#: What a claim expects -> the verdicts that agree with it. No verdict shows that there is no difference.
AGREE = {
    "better": (Verdict.BETTER,),
    "worse": (Verdict.WORSE,),
    "not better": (Verdict.WORSE, Verdict.UNCLEAR),
    "same": (),
}

#: (image, seed of the holes, hole) -> person and score.
Scores = dict[tuple[str, str, str], tuple[str, float]]


class Table:
    """A table of scores: a row for each method and hole, or for contrasts for each method and slice."""

    def __init__(self, path: Path) -> None:
        """Read a table; one that is not there has no rows."""
        self._rows = [_alike(row) for row in read_rows(path)] if path.is_file() else []

    def difference(self, comparison: Comparison) -> Difference | None:
        """Return the gain of the first method over the second by person; None where the table lacks one of them."""
        metric, task = comparison.metric, comparison.task
        sign = -1 if metric in LOWER_IS_BETTER else 1
        first = self._scores(task, comparison.first, metric)
        if isinstance(comparison.second, str):
            second = self._scores(comparison.second_task or task, comparison.second, metric)
        else:
            second = {key: (person, comparison.second) for key, (person, _) in first.items()}
        if comparison.second_task:
            first, second = _by_image(first), _by_image(second)
        gains = _paired(first, second, sign)
        if comparison.minus:
            one, other = (self._scores(task, method, metric) for method in comparison.minus)
            gains = _paired(gains, _paired(one, other, sign), 1)
        if not gains:
            return None
        people: dict[str, list[float]] = {}
        for person, gain in gains.values():
            people.setdefault(person, []).append(gain)
        return difference_by_person(people, metric, trained=comparison.trained)

    def number(self, wanted: Number) -> float | None:
        """Return a number; None where the table lacks it."""
        scores = self._scores(wanted.task, wanted.method, wanted.metric)
        if not scores:
            return None
        if wanted.how == "median":
            return float(np.median([score for _, score in scores.values()]))
        people: dict[str, list[float]] = {}
        for person, score in scores.values():
            people.setdefault(person, []).append(score)
        return float(np.mean([np.mean(each) for each in people.values()]))

    def _scores(self, task: str, method: str, metric: str) -> Scores:
        column = "gradient_energy" if metric == TEXTURE else metric
        scores = {
            (row["image"], row["seed"], row["hole"]): (row["subject"], float(row[column]))
            for row in self._rows
            if row["task"] == task and row["method"] == method and row.get(column)
        }
        if metric == TEXTURE:
            return {key: (person, texture_error(score)) for key, (person, score) in scores.items()}
        return scores


def answer(differences: Iterable[tuple[Difference, str]]) -> Answer:
    """Return the verdict on a claim from the verdicts on its differences.

    Args:
        differences: at least one, each with what is claimed of it, of :data:`.claim.EXPECTATIONS`.
    """
    verdicts = [(difference.verdict, difference.verdict in AGREE[expect]) for difference, expect in differences]
    clear = [agrees for verdict, agrees in verdicts if verdict in (Verdict.BETTER, Verdict.WORSE)]
    if not clear:
        return Answer.TOO_FEW if {verdict for verdict, _ in verdicts} == {Verdict.TOO_FEW} else Answer.UNCLEAR
    if not any(clear):
        return Answer.NOT
    return Answer.HOLDS if all(agrees for _, agrees in verdicts) else Answer.IN_PART


def _alike(row: dict[str, str]) -> dict[str, str]:
    """Return a row of any study with the columns task, image, subject, seed and hole."""
    if TOLD in row:  # a picture of a hole, judged by a training of a classifier
        return {**row, "subject": row["person"], "seed": f"{row['view']} {row['training']}"}
    if "arm" in row:  # a head with a lesion: errors of volumes by one segmentation, or of a registration
        errors: dict[str, str] = {each: str(abs(float(row[each]))) for each in ("grey", "white", "near") if each in row}
        holes = {"seed": "", "hole": row.get("segmenter", "")}
        return {**row, "task": row["kind"], "method": row["arm"], **holes, **errors}
    if "session" in row:  # called by its person and, where there are several, its number
        task = f"{row['wanted']} from {row['there']}"
        return {**row, "task": task, "image": row["session"], "seed": "", "hole": row["slice"]}
    return row


def _by_image(scores: Scores) -> Scores:
    """Return the mean over the holes of each image."""
    images: dict[tuple[str, str], list[float]] = {}
    for (image, _, _), (person, score) in scores.items():
        images.setdefault((image, person), []).append(score)
    return {(image, "", ""): (person, float(np.mean(each))) for (image, person), each in images.items()}


def _paired(first: Scores, second: Scores, sign: int) -> Scores:
    """Return the first scores less the second, where both are there."""
    return {key: (person, sign * (score - second[key][1])) for key, (person, score) in first.items() if key in second}
