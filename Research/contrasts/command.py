"""The command of the study `contrasts`: trainings, tables, facts and pictures, and from these the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.models.bundle import Bundle
from MedInpaintLib.models.store import find

from ..shared.cards import write_cards
from ..shared.cases import fingerprint, training_options, written
from ..shared.facts import write_facts
from .arms import MAIN, PUBLISHED, RECIPE, RELEASED, SIZES, asked, label_of, trained
from .card import cards
from .measure import measure
from .page import text
from .pictures import SHOWN, draw
from .segmenter import segmenter
from .sessions import read_sessions
from .table import write_table


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = training_options("contrasts", Path("docs/contrasts"), SIZES)
    parser.add_argument("--released", default=RECIPE, help="a model that is tested, too; empty for none")
    parser.add_argument("--published", default="", help="the folder of a model by the recipe of the paper's network")
    parser.add_argument("--cards", action="store_true", help="write the scores into the released model's card, too")
    chosen = parser.parse_args(arguments)
    size, data, out = SIZES[chosen.size], chosen.data, chosen.out
    if chosen.steps:
        size = dataclasses.replace(size, steps=chosen.steps)
    models = trained(size, data, chosen.runs, accelerator=chosen.accelerator, workers=chosen.workers)
    for name, model in ((RELEASED, chosen.released), (PUBLISHED, chosen.published)):
        if model:
            models[name] = find(model)
    of_lesions = segmenter(data, chosen.runs, size.segmenter, chosen.accelerator)
    measured = measure(
        models,
        of_lesions,
        size,
        data,
        out,
        source=fingerprint(data, "MR"),
        split=chosen.split,
        workers=chosen.workers,
    )
    make_folder(out)
    write_table(measured, out)
    shown = {name: bundle for name, bundle in models.items() if label_of(name) in SHOWN and asked(name, MAIN)}
    learning = read_sessions(data, "train")
    pictures = [[each.name, *draw(each, shown, learning, out)] for each in read_sessions(data, chosen.split)]
    write_facts(
        out,
        command=written("contrasts", chosen) + (" --published FOLDER" if chosen.published else ""),
        split=chosen.split,
        released=chosen.released,
        people=_people(models),
        networks=[_network(name, bundle) for name, bundle in models.items()],
        segmenter=of_lesions.facts,
        pictures=pictures,
    )
    write_text(out / "README.md", text(out))
    if chosen.cards:
        write_cards(cards(out))
    print(out / "README.md")


def _people(models: Mapping[str, Bundle]) -> int:
    """Return from how many people the networks learned."""
    return sum(row["subjects"] for row in next(iter(models.values())).training["data"])


def _network(name: str, bundle: Bundle) -> dict[str, Any]:
    """Return what the page says of a network."""
    return {
        "name": name,
        "architecture": bundle.architecture,
        "width": bundle.arguments.get("width"),
        "parameters": sum(each.numel() for each in bundle.weights().values()),
        **{key: bundle.training.get(key) for key in ("steps", "batch", "seed", "machine")},
        "minutes": bundle.training.get("minutes"),
    }
