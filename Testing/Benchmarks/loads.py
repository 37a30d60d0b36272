"""What people have: many lesions, a stroke, a tumour, hundreds of dropouts; seconds, memory, honest progress.

    DATA=FOLDER python Testing/Benchmarks/loads.py

``FOLDER`` holds the images with their ``MANIFEST.csv``; without it, nothing is measured. Each row is a process of its
own, and its seconds are also a ratio to ``biharmonic`` on the same load in the same run. Writes ``docs/loads``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command does
os.environ["MEDINPAINT_REGISTRATIONS"] = "off"  # so that each row brings the atlas onto its image itself

import dataclasses
import datetime
import functools
import json
import math
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import measure, peak

import MedInpaintLib as mi
from MedInpaintLib import filling

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "loads" / "README.md"
#: The healthy T1 into which shapes are laid.
HEALTHY = "mr_t1/ds002748-47/t1"
#: A one-sided shape of ``lesion_shapes/soop.npz`` that has 140 ml in that head.
STROKE = "bwsrsub-398"
#: Voxels of a CT-like volume of 0.75 mm, and of the holes in it.
CT, CT_SPACING, CT_HOLES, CT_HOLE_MM = (512, 512, 800), 0.75, 300, 5.0
#: Progress is judged between these shares of the time: at the very end a promise of no time left is always far off.
FIRST, LAST = 0.1, 0.9

#: An image, a mask, and options of the fill.
Input = tuple[mi.Volume, mi.Volume, dict[str, Any]]
_input: dict[str, Input] = {}


@dataclasses.dataclass(frozen=True)
class Load:
    """A load: its title, how it is made, and the methods that fill it beside ``biharmonic``."""

    title: str
    make: Callable[[Path], Input]
    methods: tuple[str, ...] = ("auto",)


def masked(image: str, mask: str, dilate: float, data: Path) -> Input:
    """Return an image with a mask of real lesions."""
    return _read(data, image), _read(data, mask), {"dilate_mm": dilate, "labels": ["all"]}


def lesions(data: Path) -> Input:
    """Return a healthy head with 15 ml of lesion shapes, those of the study `real-lesions`."""
    return _in_head(data, "ms")


def balls(data: Path) -> Input:
    """Return the same head with six balls of 20 mm."""
    return _in_head(data, "balls")


def stroke(data: Path) -> Input:
    """Return the same head with a large stroke in one hemisphere."""
    from Research.real_lesions.strokes import lay, read_shapes

    head = _head(data)
    hole = lay(read_shapes(data, {STROKE})[0], head)
    return head.image, mi.Volume(hole.astype(np.uint8), head.image.spacing), {}


def dropouts(count: int, data: Path) -> Input:
    """Return noise over a smooth body in a CT-like volume, with small holes that are far apart."""
    rng = np.random.default_rng(0)
    image = np.empty(CT, dtype=np.int16)
    noise = rng.normal(scale=20, size=(64, 64, 64))
    waves = [np.sin(np.linspace(0, 9, size)) for size in CT[1:]]
    body = 40 + 60 * np.add.outer(*waves)
    tiled = np.tile(noise, [1, *(-(-size // 64) for size in CT[1:])])[:, : CT[1], : CT[2]]
    for k in range(CT[0]):
        image[k] = body + tiled[k % 64]
    mask = np.zeros(CT, dtype=np.uint8)
    cells = (5, 6, 10)  # 300 cells of the volume, a hole about the middle of each
    radius = CT_HOLE_MM / 2 / CT_SPACING
    reach = math.ceil(radius)
    ball = (np.indices((2 * reach + 1,) * 3) - reach).__pow__(2).sum(axis=0) <= radius**2
    for number in range(count):
        cell = np.unravel_index(number, cells)
        middle = [
            int((at + 0.5) * size / many) + int(rng.integers(-20, 21))
            for at, size, many in zip(cell, CT, cells, strict=True)
        ]
        mask[tuple(slice(at - reach, at + reach + 1) for at in middle)] |= ball
    return mi.Volume(image, (CT_SPACING,) * 3), mi.Volume(mask, (CT_SPACING,) * 3), {"modality": "CT"}


LOADS = {
    "ms-83": Load(
        "MS, lju-cs19, grown by 1 mm",
        functools.partial(masked, "mr_multicontrast/lju-cs19/t1", "mr_multicontrast/lju-cs19/lesion_mask", 1.0),
    ),
    "ms-4": Load(
        "MS, lju-cs07, grown by 1 mm",
        functools.partial(masked, "mr_multicontrast/lju-cs07/t1", "mr_multicontrast/lju-cs07/lesion_mask", 1.0),
    ),
    "ms-15": Load("15 ml of MS shapes in a healthy T1", lesions),
    "stroke": Load("a stroke in one hemisphere of a healthy T1", stroke),
    "tumour": Load(
        "BraTS inpainting mask",
        functools.partial(
            masked, "mr_multicontrast/brats-gli-00001/t1", "mr_multicontrast/brats-gli-00001/inpaint_mask", 0.0
        ),
    ),
    "balls": Load("six balls of 20 mm in a healthy T1", balls, ("mirror", "auto")),
    "dropouts": Load(f"{CT_HOLES} holes of 5 mm in 512 x 512 x 800", functools.partial(dropouts, CT_HOLES)),
    "dropout": Load("one such hole", functools.partial(dropouts, 1)),
}
#: How many parts are filled at a time.
WORKERS = (1, 2)


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        load, method, workers: what was filled, and how.
        millilitres, parts: of the hole.
        seconds: of the fill.
        megabytes: the most memory that the process had, image and mask included.
        off: the worst factor by which the time left was off, see :func:`worst_factor`; None for fills that are over
            before there was a report.
    """

    load: str
    method: str
    workers: int
    millilitres: float
    parts: int
    seconds: float
    megabytes: float
    off: float | None


def write(name: str, data: Path, file: Path) -> None:
    """Make a load and write it to a file: how it is made must not count as the memory of the fill."""
    image, mask, options = LOADS[name].make(data)
    np.savez(file, image=image.array, mask=mask.array, spacing=image.spacing, options=json.dumps(options))


def prepare(file: Path) -> None:
    """Read a load in this process, and load what a fill imports."""
    with np.load(file) as kept:
        spacing = tuple(kept["spacing"].tolist())
        options = json.loads(str(kept["options"]))
        _input["now"] = mi.Volume(kept["image"], spacing), mi.Volume(kept["mask"], spacing), options
    small = np.random.default_rng(0).normal(size=(24, 24, 24))
    mi.inpaint(small, np.indices(small.shape).sum(axis=0) == 30, modality="MR")


def fill(method: str, workers: int) -> dict[str, Any]:
    """Fill the load that was prepared; return the facts of a row."""
    filling.main_can_start_again = lambda: True  # as in the command, whose main module starts no work by itself
    image, mask, options = _input["now"]
    events: list[tuple[float, float]] = []
    progress = mi.Progress(report=lambda fraction, stage: events.append((time.perf_counter(), fraction)))
    started = time.perf_counter()
    result = mi.inpaint(image, mask, method=method, workers=workers, progress=progress, **options)
    ended = time.perf_counter()
    return {
        "millilitres": result.report["hole"]["voxels"] * math.prod(image.spacing) / 1000,
        "parts": len(result.report["parts"]),
        "seconds": ended - started,
        "megabytes": peak() + workers * _largest_child(),
        "off": worst_factor(events, started, ended),
    }


def _largest_child() -> float:
    """Return the peak memory of the largest worker process in MB; 0 where there was none."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def worst_factor(events: list[tuple[float, float]], started: float, ended: float) -> float | None:
    """Return the worst factor between the time left that each report of progress promised and the true one.

    Args:
        events: time and fraction of each report.
        started, ended: of the work.

    >>> worst_factor([(0.0, 0.0), (2.0, 0.2), (5.0, 0.25), (9.5, 0.9)], 0.0, 10.0)
    3.0
    """
    factors = []
    for now, fraction in events:
        gone, left = now - started, ended - now
        if fraction > 0 and FIRST <= gone / (ended - started) <= LAST:
            promised = gone * (1 - fraction) / fraction
            factors.append(max(promised, 1e-3) / left if promised > left else left / max(promised, 1e-3))
    return max(factors, default=None)


def run(data: Path, only: list[str]) -> list[Row]:
    """Measure all rows, and print each when it is done."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, load in LOADS.items():
            if only and name not in only:
                continue
            file = Path(folder, f"{name}.npz")
            measure(write, name, data, file, repeats=1)  # elsewhere: a process begins with the peak of its parent
            for method, workers in [("biharmonic", 1), *((method, n) for method in load.methods for n in WORKERS)]:
                measured = measure(fill, method, workers, repeats=1, warm_up=functools.partial(prepare, file))
                rows.append(Row(name, method, workers, **measured.value))
                print(line(rows[-1], rows), flush=True)
            file.unlink()
    return rows


HEAD = (
    "| load | ml | parts | method | workers | s | times `biharmonic` | peak MB | time left, worst factor |\n"
    "|---|---:|---:|---|---:|---:|---:|---:|---:|"
)


def line(row: Row, rows: list[Row]) -> str:
    """Return a row of the table."""
    base = next(each for each in rows if each.load == row.load and each.method == "biharmonic")
    off = "" if row.off is None else f"{row.off:.1f}"
    return (
        f"| {LOADS[row.load].title} | {row.millilitres:.1f} | {row.parts} | {row.method} | {row.workers} | "
        f"{row.seconds:.1f} | {row.seconds / base.seconds:.1f} | {row.megabytes:.0f} | {off} |"
    )


def page(rows: list[Row]) -> str:
    """Return the page."""
    made = f"{datetime.date.today().isoformat()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    parts = [
        "# Loads",
        "What people have, filled by `auto`: many lesions, a stroke, a tumour, hundreds of dropouts. Made by\n\n"
        "    make bench DATA=FOLDER\n\n"
        f"on {made}, Python {platform.python_version()}, numpy {np.__version__}. Each row is a process of its own; "
        "reading files is not counted; *peak MB* is the memory of the process with image and mask, and of its workers "
        "where it has some. *Time left, "
        "worst factor*: each report of progress promises how much time is left (time gone, by the fraction that is "
        "done and the one that is not); the worst factor between that and the true time left, between the first and "
        "the last tenth of the time.",
        "\n".join([HEAD, *(line(row, rows) for row in rows)]),
    ]
    many, one = (
        {row.method: row for row in rows if row.load == name and row.workers == 1} for name in ("dropouts", "dropout")
    )
    for method in sorted(many.keys() & one.keys()):
        parts.append(
            f"{CT_HOLES} holes against one, `{method}`: {many[method].seconds / one[method].seconds:.1f} times the "
            f"time, {many[method].megabytes / one[method].megabytes:.1f} times the memory."
        )
    return "\n\n".join(parts) + "\n"


def _read(data: Path, name: str) -> mi.Volume:
    return mi.Volume.read(data / f"{name}.nii.gz")


def _head(data: Path) -> Any:
    from Research.real_lesions.heads import list_heads, read_head

    return next(read_head(data, entry, about) for entry, about in list_heads(data, "test") if entry.name == HEALTHY)


def _in_head(data: Path, kind: str) -> Input:
    from Research.real_lesions.holes import cut

    head = _head(data)
    labels = cut(head, kind, data)
    assert labels is not None
    return head.image, mi.Volume((labels > 0).astype(np.uint8), head.image.spacing), {"modality": "MR"}


def main() -> None:
    """Measure and write the page; arguments: names of loads, which are printed only."""
    data = os.environ.get("DATA", "")
    if not data:
        print("Left out: the loads are made from images; give their folder, as in make bench DATA=FOLDER.")
        return
    print(HEAD)
    rows = run(Path(data).resolve(), sys.argv[1:])
    if not sys.argv[1:]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    # Research is no installed package.
    sys.path.insert(0, str(ROOT))
    main()
