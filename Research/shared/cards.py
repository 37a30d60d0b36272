"""The scores of a study on the cards of the released models, made from the tables of its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from MedInpaintLib.evaluation.report import Spread
from MedInpaintLib.models.bundle import rescore
from MedInpaintLib.models.store import find

from .cases import Case, Task
from .statistics import reading
from .tables import about, by_task, compare, rows_of


class Card(NamedTuple):
    """The scores of one model in one protocol, for :func:`write_cards`."""

    model: str
    method: str
    scores: list[dict[str, Any]]


def card_scores(
    cases: Sequence[Case],
    models: Mapping[str, tuple[str, str]],
    tasks: Sequence[Task],
    metrics: Sequence[str],
    *,
    base: str,
    split: str,
    protocol: str,
) -> Iterator[Card]:
    """Yield the scores of each model, and of the method that it is compared with, on each task.

    Args:
        cases: all.
        models: label -> method and model.
        tasks: of the study.
        metrics: to write: mean and standard deviation over holes.
        base: the method that each model is compared with by person.
        split: of the data.
        protocol: in words: convention, range, and the study.
    """
    for label, (method, name) in models.items():
        scores = []
        for task, own in by_task(cases, tasks):
            difference = compare(own, label, base, trained=True)
            for each in (label, base):
                rows = rows_of(own)[each].values()
                score = {
                    "protocol": protocol,
                    "split": split,
                    "holes": about(task, own).replace("`", ""),
                    "method": each,
                    **{metric: _spread([row[metric] for row in rows]) for metric in metrics},
                }
                if each == label:
                    score[f"against {base}, by person"] = reading(difference, "better", "worse")
                scores.append(score)
        yield Card(name, method, scores)


def _spread(values: Sequence[float | None]) -> dict[str, float]:
    """Return mean and standard deviation over holes, without those where the truth is flat and has no texture."""
    spread = Spread.of([value for value in values if value is not None])
    return {"mean": round(spread.mean, 4), "sd": round(spread.sd, 4)}


def write_cards(cards: Iterable[Card]) -> None:
    """Write scores into the models' cards, in place of earlier ones of the same split and protocol."""
    for name, method, scores in cards:
        bundle = find(name)
        replaced = {(score["protocol"], score["split"]) for score in scores}
        kept = [score for score in bundle.scores if (score["protocol"], score["split"]) not in replaced]
        rescore(bundle, [*kept, *scores], method)
