"""The command and the page of the study `film-masks`."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import write_text
from MedInpaintLib.manifest import Entry, read_manifest

from ..shared.cases import command, folder_of
from ..shared.facts import read_facts, write_facts
from ..shared.manifests import read_rows, write_rows
from .cases import KINDS, MarkedCase, read_cases

PAGE, FILLS = "README.md", "fills.csv.gz"
COLUMNS = ("image", "method", "used", "pixels", "share", "depth", "jump", "seconds")
#: Splits from which networks learn or are chosen, with what the page says of their films.
SEEN = {"train": "the networks have learned from this film", "val": "the networks were chosen on this film"}

_HEAD = (
    "# Masks that users have on films\n\n"
    "What chest films hold besides the body: text, devices, catheters, wires, the edge of the collimator. Each case is "
    "a real film with a real thing in it, outlined by hand and filled. Nobody knows what is behind the thing, so there "
    "is no PSNR here; look at the pictures, and read below each what can be seen in it."
)
_MASKS = (
    "## How to make such a mask\n\n"
    "Text, markers and metal are brighter than the anatomy around them: in the *Segment Editor* of 3D Slicer, choose "
    "*Threshold*, raise the lower limit until only the thing and bright bone are left, press *Use for masking*, and "
    "paint over the thing. A catheter or a lead is hardly brighter than a rib: draw along it with a small brush, or "
    "place seeds in it and beside it and choose *Grow from seeds*. An edge of the collimator is one threshold, from "
    "the dark or the bright side. Then grow the segment by two pixels with *Margin*: where a rim of the thing is left, "
    "the fill continues it, as a dark or bright spot."
)
_NOT = (
    "## When not to fill\n\n"
    "- Never for a diagnosis: nobody knows what was behind the thing, and a nodule or a fracture there is gone. Keep "
    "the film, and show the mask with the fill.\n"
    "- Not where the thing covers what you measure: a device over the border of the heart hides it, and the fill puts "
    "another one there.\n"
    "- Not beyond the edge of the collimator, unless a program needs a full frame: nothing is known on the other side, "
    "so the fill only continues the last pixels outwards.\n"
    "- Not to make films without devices for a program that looks for devices: it may learn to see fills."
)
_SCORES = (
    "*Jump* is the step across the rim of the hole over that of the film (`boundary_jump`): 1 is as in the film, below "
    "1 the rim is smoother, far above 1 a seam shows. It says nothing of the middle of the hole. *s* is the time of "
    "one call, on the CPU, and a rough guide. `auto` is the method that MedInpaint chooses itself; where that is one "
    "of the others, the picture shows it once. Grey values of the close-ups are stretched to what is known in them. "
    "The networks correct the fill by patches; where a sentence names `unet`, the others look much like it, some "
    "fainter."
)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        InputError: the data lack a film.
    """
    chosen = command("film-masks", Path("docs/film-masks")).parse_args(arguments)
    cases = read_cases()
    entries = find_films(cases, chosen.data)
    # Methods and their networks are not needed to write the page.
    from .measure import networks

    learned = networks()
    keep = folder_of(chosen.out / "cases", list(learned.values()))
    rows: list[list[str]] = []
    warnings: list[list[str]] = []
    for number, (case, entry) in enumerate(zip(cases, entries, strict=True), start=1):
        measured = kept(case, entry, learned, chosen.out / picture(case), keep)
        rows += measured["rows"]
        warnings.append(measured["warnings"])
        print(f"{number}/{len(cases)} {case.image}", flush=True)
    write_rows(chosen.out / FILLS, [COLUMNS, *rows])
    write_facts(chosen.out, splits=[each.split for each in entries], models=learned, warnings=warnings)
    write_text(chosen.out / PAGE, text(chosen.out))
    print(chosen.out / PAGE)


def find_films(cases: Sequence[MarkedCase], data: Path) -> list[Entry]:
    """Return the films of the cases.

    Raises:
        InputError: the data lack one.
    """
    entries = {entry.name: entry for entry in read_manifest(data)}
    missing = [case.image for case in cases if case.image not in entries]
    if missing:
        raise InputError(f"The data in '{data}' lack films that are marked: {', '.join(missing)}.")
    return [entries[case.image] for case in cases]


def kept(case: MarkedCase, entry: Entry, learned: dict[str, str], path: Path, keep: Path) -> dict[str, Any]:
    """Return what :func:`measure` returned for a case before, from its file, or measure it and write the file.

    Args:
        case: the film and its outline; another outline is measured again, other words are not.
        entry: of the film.
        learned: method -> model.
        path: of the picture.
        keep: an existing folder, for these models.
    """
    outline = hashlib.sha256(repr((case.image, case.grow, case.shapes)).encode()).hexdigest()[:12]
    file = keep / f"{outline}.json"
    if not (file.is_file() and path.is_file()):
        write_text(file, json.dumps(measure(case, entry, learned, path)) + "\n")
    measured: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return measured


def measure(case: MarkedCase, entry: Entry, learned: dict[str, str], path: Path) -> dict[str, Any]:
    """Fill a film, draw the picture, and return the ``rows`` of the table and the ``warnings`` of the reports.

    Args:
        case: the film and its outline.
        entry: of the film.
        learned: method -> model.
        path: of the picture.
    """
    from MedInpaintLib.volume import Volume

    from .masks import draw_mask
    from .measure import depth, fill_all
    from .picture import draw

    film = Volume.read(entry.path)
    mask = draw_mask(case.shapes, film.array.shape, case.grow)
    fills = fill_all(film, mask, learned)
    draw(film.array, mask, fills, path)
    hole = [str(np.count_nonzero(mask)), f"{mask.mean():.5f}", f"{depth(mask):.1f}"]
    rows = []
    for each in fills:
        jump = "" if each.jump is None else f"{each.jump:.3f}"
        rows.append([case.image, each.method, each.used, *hole, jump, f"{each.seconds:.1f}"])
    return {"rows": rows, "warnings": [f"`{each.method}`: {warning}" for each in fills for warning in each.warnings]}


def picture(case: MarkedCase) -> str:
    """Return the name of the picture of a case."""
    return f"{case.film}.webp"


def text(folder: Path) -> str:
    """Return the page that the table and the facts in a folder make, with the words of masks.toml."""
    facts, cases = read_facts(folder), read_cases()
    table: dict[str, list[dict[str, str]]] = {}
    for row in read_rows(folder / FILLS):
        table.setdefault(row["image"], []).append(row)
    numbered = list(enumerate(cases, start=1))
    parts = [_HEAD, _splits(facts), _overview(numbered, table, facts), _MASKS, _NOT, f"## The fills\n\n{_SCORES}"]
    for kind, own in itertools.groupby(numbered, key=lambda each: each[1].kind):
        parts.append(f"### {KINDS[kind]}")
        parts += [_case(number, case, table[case.image], facts) for number, case in own]
    return "\n\n".join([*parts, _made(facts)]) + "\n"


def _splits(facts: dict[str, Any]) -> str:
    """Say how many films are of which split, and why some are not of test."""
    splits = facts["splits"]
    counts = ", ".join(f"{splits.count(name)} of **{name}**" for name in ("test", "val", "train") if name in splits)
    words = f"{len(splits)} films, by split: {counts}."
    if "train" in splits:
        words += (
            " Films of train are there because no such device was recognised in test or val; the networks have "
            "learned from these films, device included."
        )
    return words


def _overview(
    cases: Sequence[tuple[int, MarkedCase]], table: dict[str, list[dict[str, str]]], facts: dict[str, Any]
) -> str:
    """Return a table with a line per case: what is marked, in which film, and how large the hole is."""
    lines = ["| | marked | film | split | hole, px | of the film | depth, px |", "|---:|---|---|---|---:|---:|---:|"]
    for number, case in cases:
        hole = table[case.image][0]
        lines.append(
            f"| [{number}](#{number}) | {case.marked} | `{case.film}` | "
            f"{facts['splits'][number - 1]} | {hole['pixels']} | {float(hole['share']):.1%} | {hole['depth']} |"
        )
    lines.append("\n*Depth*: how far the innermost pixel of the hole is from the nearest known one.")
    return "\n".join(lines)


def _case(number: int, case: MarkedCase, rows: Sequence[dict[str, str]], facts: dict[str, Any]) -> str:
    """Return the part of the page on one film."""
    split = facts["splits"][number - 1]
    learned = f" (split {split}: {SEEN[split]})" if split in SEEN else ""
    lines = ["| method | jump | s |", "|---|---:|---:|"]
    for row in rows:
        used = "" if row["used"] == row["method"] else f" (`{row['used']}`)"
        lines.append(f"| `{row['method']}`{used} | {row['jump']} | {row['seconds']} |")
    parts = [
        f"#### {number}",
        f"{case.marked[0].upper()}{case.marked[1:]}{learned}.",
        f"![The film with the outline, and its fills]({picture(case)})",
        f"**Seen:** {case.seen}",
        "\n".join(lines),
    ]
    return "\n\n".join([*parts, *(f"Warning by {each}" for each in facts["warnings"][number - 1])])


def _made(facts: dict[str, Any]) -> str:
    """Return how the page was made."""
    models = ", ".join(f"`{model}`" for model in facts["models"].values())
    return (
        "## How it was made\n\n"
        "The outlines are boxes, ellipses, polygons and lines in "
        "[masks.toml](../../Research/film_masks/masks.toml), drawn by eye, "
        "not by a radiologist, and grown by up to two pixels. "
        "Films have 512 pixels across, and are filled at that size with the methods' own settings; "
        f"models: {models}. The films are of NIH ChestX-ray8 (Wang et al., CVPR 2017). Made by\n\n"
        f"    python -m Research film-masks --data DATA\n\non {facts['made']}."
    )
