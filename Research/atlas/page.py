"""The command and the page of the study `atlas`: tables, verdicts, pictures, and how the registration did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder, write_text

from ..shared.cases import Case, options, selected
from ..shared.facts import read_facts, write_facts
from ..shared.manifests import read_rows, write_rows
from ..shared.pages import CLAIMS, COLUMNS, TRAINED, claim, claims_head, introduction
from ..shared.scores import SCORES, mean_seconds, read_cases, write_scores
from ..shared.tables import about, by_task, rows_of, score_table
from .holes import TASKS
from .measure import ATLAS, BASE, CONSENSUS, METHODS, METRICS, MODELS, NETWORK, REFINED, methods, run, run_again
from .pictures import EDGES, FILLS, draw

REGISTRATIONS = "registrations.csv.gz"
#: What the methods with an average head are compared with.
AGAINST = (BASE, "mirror", NETWORK)
_REFINED = ", and `unet-3d` a network that corrects this mean"
#: The task whose first case is drawn.
SHOWN = "ball-40"


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = options("atlas", out=Path("docs/atlas"))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for what was measured")
    parser.add_argument(
        "--again",
        action="append",
        default=[],
        choices=methods(),
        help="measure this arm alone, in the holes of the page that is there; repeatable",
    )
    chosen = parser.parse_args(arguments)
    names = [task.name for task in TASKS]
    for name in chosen.task:
        if name not in names:
            raise InputError(f"There are no holes '{name}'; there are: {', '.join(names)}.")
    if chosen.again:
        cases = run_again(
            chosen.data,
            chosen.runs,
            read_cases(chosen.out),
            chosen.again,
            split=chosen.split,
            workers=chosen.workers,
        )
        write_page(cases, chosen.data, chosen.out, chosen.split)
        return
    cases = run(chosen.data, chosen.runs, **selected(chosen))
    if not cases:
        raise InputError(f"There is no image of the split '{chosen.split}' with '{chosen.match}' in its name.")
    write_page(cases, chosen.data, chosen.out, chosen.split)


def write_page(cases: Sequence[Case], data: Path, out: Path, split: str) -> None:
    """Write the tables, the facts, the pictures and, from these, ``README.md``."""
    make_folder(out)
    write_scores(cases, METRICS, out / SCORES)
    if all("registration" in case for case in cases):
        write_registrations(cases, out / REGISTRATIONS)
    task, shown = next(
        ((task, own[0]) for task, own in by_task(cases, TASKS) if task.name == SHOWN),
        next((task, own[0]) for task, own in by_task(cases, TASKS)),
    )
    draw(shown, task, data, split, out)
    write_facts(out, split=split, seconds=mean_seconds(cases), picture={"image": shown["image"], "task": task.name})
    write_text(out / "README.md", text(out))


def write_registrations(cases: Sequence[Case], path: Path) -> None:
    """Write a line for each case: the seconds of the registration, and how well the atlas fits."""
    rows: list[list[object]] = [["task", "image", "subject", "contrast", "seconds", "affine", "deformed", "reason"]]
    for case in cases:
        facts = case["registration"]
        values = ["" if facts[name] is None else facts[name] for name in ("seconds", "affine", "deformed", "reason")]
        rows.append([case["task"], case["image"], case["subject"], case["contrast"], *values])
    write_rows(path, rows)


def text(folder: Path) -> str:
    """Return the page that the tables and the facts in a folder make."""
    cases, facts = read_cases(folder), read_facts(folder)
    arms = [label for label in METHODS if any(label in rows_of([case]) for case in cases)]
    trained = [label for label in arms if label in MODELS]
    shown = facts["picture"]
    title = next(task.title for task in TASKS if task.name == shown["task"])
    parts = [
        introduction(
            "atlas",
            "What an average head knows of a hole",
            cases,
            facts,
            models="`atlas` brings an average head onto the image and into its contrast; `consensus` is the weighted "
            f"mean of it, the other side and patches{_REFINED if REFINED in arms else ''}. The average head "
            "(`python -m Research atlas-average`), the weights (`python -m Research consensus-weights`) and the "
            "networks are of people of the split **train**.",
            scores="Holes lie within the brain, away from lesions; strokes are shapes of SOOP, laid into the head's "
            "box. Scores are over the hole (convention `masked`): PSNR with a fixed range R (99.5 percentile of the "
            f"known foreground), SSIM in 3-D, {COLUMNS.format(BASE)} {TRAINED} Seconds are without the registration, "
            f"which is in a table of its own. Every number is in [{SCORES}]({SCORES}).",
        ),
        *_pictures(folder, f"{shown['image']}, {title}"),
        _claims(cases, arms),
    ]
    for task, own in by_task(cases, TASKS):
        present = [label for label in arms if label in rows_of(own)]
        table = score_table(own, BASE, methods=present, trained=trained)
        parts.append(f"## {task.title}\n\n{about(task, own)}\n\n{table}")
    parts.append(_registrations(read_rows(folder / REGISTRATIONS)))
    return "\n\n".join(parts) + "\n"


def _pictures(folder: Path, of: str) -> list[str]:
    """Return the pictures that lie in the folder, with what they show: there is none of an atlas that does not fit."""
    captions = {
        FILLS: ("Fills", f"*{of}, the first of the list.*"),
        EDGES: (
            "The warped atlas over the damaged head",
            "*The same image: where the atlas, brought onto what is known, expects white matter, grey matter and "
            "brain, also under the hole.*",
        ),
    }
    return [
        f"![{title}]({name})\n\n{caption}" for name, (title, caption) in captions.items() if (folder / name).is_file()
    ]


def _claims(cases: Sequence[Case], arms: Sequence[str]) -> str:
    """Return the table of verdicts: the methods with an average head against each of the others."""
    lines = ["## Are they better?\n", f"{CLAIMS}\n", *claims_head("method and other method", "better?")]
    pairs = [(mine, other) for mine in (ATLAS, CONSENSUS, REFINED) for other in AGAINST]
    for mine, other in [*pairs, (REFINED, ATLAS), (REFINED, CONSENSUS)]:
        if {mine, other} <= set(arms):
            for task, own in by_task(cases, TASKS):
                if {mine, other} <= set(rows_of(own)):
                    words = f"`{mine}` over `{other}`"
                    lines.append(claim(words, task, own, mine, other, trained=bool({mine, other} & set(MODELS))))
    return "\n".join(lines)


def _registrations(rows: Sequence[dict[str, str]]) -> str:
    """Return the table of the registration, a line for each scan."""
    lines = [
        "## The registration, scan by scan\n",
        "Means over the holes of a scan: seconds of one core, and the mean local correlation with the atlas within the "
        "brain, -1..1, by the affine map and after the deformation. Every one of them is in "
        f"[{REGISTRATIONS}]({REGISTRATIONS}). [Other algorithms](../registrations/README.md) were compared with it.\n",
        "| scan | contrast | registrations | s | affine | deformed | failed |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for image in dict.fromkeys(row["image"] for row in rows):
        own = [row for row in rows if row["image"] == image]
        means = [_mean(own, name) for name in ("seconds", "affine", "deformed")]
        cells = " | ".join(
            "" if mean is None else f"{mean:.{digits}f}" for mean, digits in zip(means, (1, 2, 2), strict=True)
        )
        failed = "; ".join(dict.fromkeys(row["reason"] for row in own if row["reason"]))
        lines.append(f"| {image} | {own[0]['contrast']} | {len(own)} | {cells} | {failed} |")
    return "\n".join(lines)


def _mean(rows: Sequence[dict[str, str]], name: str) -> float | None:
    """Return the mean of a column's cells that are not empty; None where all are."""
    values = [float(row[name]) for row in rows if row[name]]
    return float(np.mean(values)) if values else None
