"""The scores of the released model on its card, made from the tables of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..shared.cards import Card
from ..shared.statistics import reading
from .arms import QUESTIONS, REGRESSION, RELEASED
from .table import read_table

#: What the scores are; also said on the page.
PROTOCOL = (
    "whole brain, slice by slice: NMSE, and 2-D SSIM at the range of the truth's 99.5 percentile in the brain; "
    "intensities on the core's scale, not fitted to the truth; python -m Research contrasts"
)
METHOD = "collagan"


def cards(folder: Path) -> Iterator[Card]:
    """Yield the scores of the released model and of regression for its card, from the tables in a folder.

    Means and standard deviations are over people, of the means over each one's slices.
    """
    table = read_table(folder)
    scores = []
    for question in QUESTIONS:
        for method in (RELEASED, REGRESSION) if table.of(question, RELEASED) else ():
            means = {metric: [*table.by_person(question, method, metric).values()] for metric in ("nmse", "ssim")}
            score = {
                "protocol": PROTOCOL,
                "split": table.facts["split"],
                "wanted": question[0],
                "from": "+".join(question[1]),
                "people": len(means["nmse"]),
                "slices": len(table.of(question, method)),
                "method": METHOD if method == RELEASED else method,
                **{
                    metric: {"mean": round(float(np.mean(each)), 4), "sd": round(float(np.std(each)), 4)}
                    for metric, each in means.items()
                },
            }
            if method == RELEASED:
                difference = table.difference(question, RELEASED, REGRESSION)
                score[f"NMSE against {REGRESSION}, by person"] = reading(difference, "better", "worse")
            scores.append(score)
    if scores:
        yield Card(table.facts["released"], METHOD, scores)
