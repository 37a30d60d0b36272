"""The command of the study `forced-choice`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.files import write_text
from MedInpaintLib.models.store import find

from .. import STUDIES
from ..shared.cases import in_parallel, whole
from ..shared.conventions import OURS
from ..shared.facts import write_facts
from ..shared.manifests import read_rows, write_rows
from ..shared.scores import write_scores
from . import blinded, choices, classifier, judge
from .figure import draw_pairs, draw_rates
from .measure import METHODS, SPLITS, TASKS, Pictures, jobs_of, kept, run
from .page import CHOICES, SCORES, TOLD, points, text


def main(arguments: Sequence[str]) -> None:
    """Run the command: the study, or a page for people, or the count of their choices."""
    parser = argparse.ArgumentParser(prog="python -m Research forced-choice", description=STUDIES["forced-choice"][0])
    parser.add_argument("--data", type=Path, help="folder with MANIFEST.csv")
    parser.add_argument("--out", type=Path, default=Path("docs/forced-choice"), help="folder for the page")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for reduced films")
    parser.add_argument("--workers", type=whole, default=2, help="processes")
    people = parser.add_argument_group("to ask people")
    people.add_argument("--blinded", type=Path, metavar="PAGE.html", help="write a page of choices and its key instead")
    people.add_argument("--with-truth", action="store_true", help="show the truth beside the fills")
    people.add_argument("--hide-truth", action="store_true", help="hide the truth among the fills: which is real?")
    people.add_argument(
        "--task",
        choices=[task.name for task in TASKS],
        action="append",
        help="only holes of this kind; may be given twice",
    )
    people.add_argument("--holes", type=whole, default=20, help="show this many at most, one a person")
    people.add_argument("--seed", type=whole, default=1, help="other orders of holes and pictures for another number")
    people.add_argument("--count", type=Path, nargs="+", metavar="CSV", help="count the choices in these files instead")
    people.add_argument("--key", type=Path, metavar="CSV", help="the key that was written beside the page")
    chosen = parser.parse_args(arguments)
    if chosen.count:
        _count(chosen.count, chosen.key, chosen.out)
    elif chosen.data is None:
        raise ParameterError("The study needs --data DATA, a folder with MANIFEST.csv.")
    elif chosen.blinded:
        _ask(chosen)
    else:
        _study(chosen)


def _ask(chosen: argparse.Namespace) -> None:
    """Write the page for people and say where its key is."""
    if chosen.with_truth and chosen.hide_truth:
        raise ParameterError("The truth is shown beside the fills or hidden among them; give one of the two options.")
    truth = "beside" if chosen.with_truth else "hidden" if chosen.hide_truth else "absent"
    tasks = [task for task in TASKS if not chosen.task or task.name in chosen.task]
    jobs = [job for task in tasks for job in jobs_of(task, chosen.data, chosen.out, chosen.runs, ("test",))]
    pictures = []
    for number, one in enumerate(in_parallel(kept, jobs, workers=chosen.workers), start=1):
        print(f"{number}/{len(jobs)} images filled", flush=True)
        if one is not None:
            pictures.append(one)
    pictures.sort(key=lambda one: (one.case["task"], one.case["image"], one.case["seed"]))
    key = blinded.write_blinded(pictures, chosen.blinded, truth=truth, most=chosen.holes, seed=chosen.seed)
    print(f"{chosen.blinded}\n{key}: keep it from the readers")


def _count(files: Sequence[Path], key: Path | None, out: Path) -> None:
    """Count people's choices, print the table and write the page again with it."""
    if key is None:
        raise ParameterError("Choices are counted with --key KEY.csv, which was written beside the page.")
    rows = choices.count(files, key)
    print(choices.choices_table(rows))
    if (out / TOLD).is_file():
        table = [[row[name] for name in choices.COLUMNS] for row in rows]
        write_rows(out / CHOICES, [choices.COLUMNS, *table])
        write_text(out / "README.md", text(out))


def _study(chosen: argparse.Namespace) -> None:
    """Fill, judge, and write the tables, the facts, the pictures and the page."""
    out = chosen.out
    pictures = run(chosen.data, out, chosen.runs, workers=chosen.workers)
    told = judge.choices(pictures, TASKS, out / "cases" / "trainings", workers=chosen.workers)
    tested = [one for one in pictures if one.split == "test"]
    write_rows(out / TOLD, [judge.COLUMNS, *told])
    write_scores([one.case for one in tested], OURS, out / SCORES)
    write_facts(out, **_facts(pictures))
    rows = read_rows(out / TOLD)
    for task in TASKS:
        own = [one for one in tested if one.case["task"] == task.name]
        draw_pairs(own, judge.methods_of(task.name), rows, out / f"{task.name}.webp")
    scores = read_rows(out / SCORES)
    draw_rates({task.title: points(task, rows, scores) for task in TASKS}, out / "told.webp")
    write_text(out / "README.md", text(out))


def _facts(pictures: Sequence[Pictures]) -> dict[str, Any]:
    """Return what the page says and no table holds."""
    people: dict[str, dict[str, int]] = {task.name: dict.fromkeys(SPLITS, 0) for task in TASKS}
    pairs: dict[str, dict[str, int]] = {task.name: dict.fromkeys(SPLITS, 0) for task in TASKS}
    for one in pictures:  # one image a person
        people[one.case["task"]][one.split] += 1
        pairs[one.case["task"]][one.split] += len(one.truth)
    models = [each["parameters"]["model"] for own in METHODS.values() for each in own.values() if "parameters" in each]
    return {
        "people": people,
        "pairs": pairs,
        "weights": sum(each.numel() for each in classifier.Judge().parameters()),
        "epochs": classifier.EPOCHS,
        "batch": classifier.BATCH,
        "rate": classifier.RATE,
        "seen": classifier.SEEN,
        "trainings": judge.TRAININGS,
        "models": {name: find(name).weights_file["sha256"][:12] for name in models},
    }
