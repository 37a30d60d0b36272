"""The command and the page of the study `tissue-volumes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.manifest import Entry, read_manifest

from ..shared.cases import command
from ..shared.facts import read_facts, write_facts
from ..shared.manifests import read_rows, write_rows
from ..shared.statistics import difference_by_person, reading

PAGE, VOLUMES, DARK = "README.md", "volumes.csv.gz", "csf.csv.gz"
#: Healthy people without skull, and patients with MS of whom all lesions are marked.
HEALTHY, PATIENTS = "mr_t1/ds002748-", ("lju-cs07", "lju-cs19")
#: What the others are compared with.
BASE = "biharmonic"

Row = Mapping[str, str]

_HEAD = (
    "# What lesions do to the volumes of tissue\n\n"
    "Lesions of multiple sclerosis are as dark as grey matter in a T1, so programs that measure tissue count them as "
    "grey matter. Studies fill them with white matter first. How large is the error that is left?"
)
_ERRORS = (
    "*Error* is the volume of a tissue, less that in the healthy image, in percent of the latter; the mean over people "
    "of its absolute value. Lesions masked out count as white matter. *Compared* is by how much the absolute error is "
    f"smaller than after `{BASE}`, in percentage points, averaged over people, with its 95 % t-interval. *s* is the "
    "mean time of a fill, a rough guide."
)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        InputError: the data lack the images.
    """
    parser = command("tissue-volumes", Path("docs/tissue-volumes"))
    parser.add_argument("--split", default="test", help="train, val or test; patients are of train in any case")
    parser.add_argument("--method", action="append", default=[], help="only this method; repeatable")
    chosen = parser.parse_args(arguments)
    people = [each for each in read_manifest(chosen.data, chosen.split) if each.name.startswith(HEALTHY)]
    patients = find_patients(read_manifest(chosen.data))
    if not people or not patients:
        raise InputError(f"The data in '{chosen.data}' lack images '{HEALTHY}*' of {chosen.split}, or the patients.")
    # The engine is not needed to write the page.
    from . import measure

    make_folder(chosen.out)
    volumes: list[Any] = []
    dark: list[Any] = []
    for entry in people:
        volumes += measure.volumes(entry, chosen.method)
        dark += measure.beside(entry, chosen.method)
        print(entry.name, flush=True)
    for image, mask in patients:
        dark += measure.real(image, mask, chosen.method)
        print(image.name, flush=True)
    _write(chosen.out / VOLUMES, volumes, ("grey", "white"))
    _write(chosen.out / DARK, dark, ("csf",))
    amounts = {"ml": measure.ML, "ml_beside": measure.ML_BESIDE}
    write_facts(chosen.out, split=chosen.split, only=chosen.method, **amounts)
    write_text(chosen.out / PAGE, text(chosen.out))
    print(chosen.out / PAGE)


def find_patients(entries: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Return the T1 and the mask of each patient; patients that lack one are left out."""
    named = {(each.subject, each.contrast): each for each in entries}
    pairs = [(named.get((each, "T1")), named.get((each, "MASK-lesion"))) for each in PATIENTS]
    return [(image, mask) for image, mask in pairs if image and mask]


def _write(path: Path, rows: Sequence[Mapping[str, Any]], measured: Sequence[str]) -> None:
    """Write a table, with a line for each image and what was done with its lesions."""
    columns = ["image", "subject", "what", "voxels", *measured, "used", "seconds"]
    cells = [
        [f"{row[each]:.4f}" if each in measured else row[each] for each in columns[:-1]]
        + ["" if row["seconds"] is None else f"{row['seconds']:.1f}"]
        for row in rows
    ]
    write_rows(path, [columns, *cells])


def text(folder: Path) -> str:
    """Return the page that the tables and the facts in a folder make."""
    facts, volumes, dark = read_facts(folder), read_rows(folder / VOLUMES), read_rows(folder / DARK)
    real = [row for row in dark if row["subject"] in PATIENTS]
    made = [row for row in dark if row["subject"] not in PATIENTS]
    people = len({row["subject"] for row in volumes})
    only = "".join(f" --method {each}" for each in facts["only"])
    parts = [
        _HEAD,
        f"T1 of {people} healthy people (`ds002748`, split **{facts['split']}**, skull removed), with {facts['ml']:g} "
        "ml of lesions in white matter: shapes of real lesions, 4 to 12 mm, darkened by 0.8 to 1.4 times the contrast "
        "of white and grey matter. Three tissues are told apart by k-means, a bias field and neighbours that agree "
        "([segmentation.py](../../Research/tissue_volumes/segmentation.py)); that of the healthy image is the truth. "
        f"Made by\n\n    python -m Research tissue-volumes --data DATA --split {facts['split']}{only}\n\n"
        f"on {facts['made']}.",
        f"## Errors of the volumes\n\n{_errors(volumes)}\n\n{_ERRORS}",
        "## Lesions beside the ventricles\n\n"
        f"{facts['ml_beside']:g} ml or fewer of such lesions within 3 mm of a ventricle, a person; no voxel of them "
        "was CSF. The share of their voxels, in percent, that are nearer to CSF than to grey or white matter when "
        f"filled:\n\n{_shares(made, people=True)}",
        "The same for all lesions of two patients (split **train**, `lju-cs`), whose masks are a consensus of readers. "
        f"Nobody knows what is under them; CSF it is not.\n\n{_shares(real, people=False)}",
    ]
    return "\n\n".join(parts) + "\n"


def _by_method(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return what was done -> its rows, in the order of the table."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["what"], []).append(row)
    return groups


def _errors(rows: Sequence[Row]) -> str:
    """Return the table of errors."""
    groups = _by_method(rows)
    lines = [
        "| lesions | error of grey, % | error of white, % | compared: grey | compared: white | s |",
        "|---|---:|---:|---|---|---:|",
    ]
    for what, own in groups.items():
        means = [f"{np.mean([abs(float(row[tissue])) for row in own]):.3f}" for tissue in ("grey", "white")]
        compared = ["" if what == BASE else _compared(own, groups[BASE], tissue) for tissue in ("grey", "white")]
        lines.append(f"| {' | '.join([_name(what, own), *means, *compared, _seconds(own)])} |")
    return "\n".join(lines)


def _compared(own: Sequence[Row], base: Sequence[Row], measured: str) -> str:
    """Return by how much an absolute value is smaller than the base's, by person, and the verdict."""
    before = {row["subject"]: abs(float(row[measured])) for row in base}
    gains = {row["subject"]: [before[row["subject"]] - abs(float(row[measured]))] for row in own}
    return reading(difference_by_person(gains, measured))


def _shares(rows: Sequence[Row], *, people: bool) -> str:
    """Return the table of shares that became CSF: the mean and the largest over people, or a column for each."""
    groups = _by_method(rows)
    subjects = list(dict.fromkeys(row["subject"] for row in rows))
    columns = ["mean", "largest", "compared"] if people else [f"`{each}`" for each in subjects]
    lines = [f"| method | {' | '.join(columns)} | s |", f"|---|{'---:|' * len(columns)}---:|"]
    for what, own in groups.items():
        shares = [float(row["csf"]) for row in own]
        if people:
            compared = "" if what == BASE else _compared(own, groups[BASE], "csf")
            cells = [f"{np.mean(shares):.2f}", f"{max(shares):.2f}", compared]
        else:
            cells = [f"{share:.2f}" for share in shares]
        lines.append(f"| {' | '.join([_name(what, own), *cells, _seconds(own)])} |")
    return "\n".join(lines)


def _name(what: str, rows: Sequence[Row]) -> str:
    """Return the first cell: a method with those that it took, where these are others."""
    if not rows[0]["used"]:
        return what
    names = sorted({name for row in rows for name in row["used"].split(", ")} - {what})
    used = [f"`{name}`" for name in names]
    return f"`{what}`" + (f" ({', '.join(used)})" if used else "")


def _seconds(rows: Sequence[Row]) -> str:
    return f"{np.mean([float(row['seconds']) for row in rows]):.1f}" if rows[0]["seconds"] else ""
