"""The command ``uncertainty-constants``: learns how the errors of each method grow, from holes in known tissue.

It fills holes in images of train and val people by each method, prints the constants for
``MedInpaintLib/calibration_table.py``, and how well they cover errors in people who were left out. What was measured
before, also by ``consensus-weights`` into the same folder, is read from its files.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.calibration import Calibration
from MedInpaintLib.errors import InputError

from ..shared.cases import whole
from .balls import FILLS, file_of, keep, list_balls
from .fit import fit, holes_for_half, variances
from .holes import KINDS
from .judge import Coverage, coverage
from .measure import list_jobs, measure, samples_of
from .samples import OfMethod, read_samples

#: The splits of the people from whom is learned.
SPLITS = ("train", "val")
#: Fewer people than this support no constants.
PEOPLE = 3
#: Kind of image, as the engine knows it: modality and number of axes; and a method.
Key = tuple[tuple[str, int], str]


def main(arguments: Sequence[str]) -> None:
    """Run the command; see :data:`Research.__main__.USAGE`."""
    parser = argparse.ArgumentParser(prog="python -m Research uncertainty-constants", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for what was measured")
    parser.add_argument("--kind", action="append", default=[], help="only this kind of images; repeatable")
    parser.add_argument("--match", default="", help="only images with this in their name")
    parser.add_argument("--workers", type=whole, default=2, help="images at a time")
    parser.add_argument("--as-measured", action="store_true", help="measure nothing: learn from what there is")
    options = parser.parse_args(arguments)
    names = [kind.name for kind in KINDS]
    for name in options.kind:
        if name not in names:
            raise InputError(f"There is no kind of images '{name}'; there are: {', '.join(names)}.")
    kinds = [kind for kind in KINDS if not options.kind or kind.name in options.kind]
    jobs = list_jobs(kinds, options.data, options.runs, SPLITS, options.match)
    if not options.as_measured:
        measure(jobs, options.workers)
        for each in list_balls(options.data, options.runs, options.match):
            if not file_of(each, options.runs).exists():
                print(keep(each, options.runs), flush=True)
    by_method = {
        key: samples
        for key, samples in collect(options.data, options.runs, SPLITS, options.match, options.kind).items()
        if len({each.subject for each in samples}) >= PEOPLE
    }
    if not by_method:
        raise InputError(f"Constants are learned from {PEOPLE} people or more (files in '{options.runs}').")
    table = {key: fit(samples) for key, samples in by_method.items()}
    print(constants(table))
    half = holes_for_half([variances(samples, table[key]) for key, samples in by_method.items()])
    print(f"HOLES = {half:.1f}\n")
    print(f"Errors of people whom the constants have not seen:\n\n{left_out(by_method)}")


def collect(
    data: Path, runs: Path, splits: Sequence[str], match: str = "", names: Sequence[str] = ()
) -> dict[Key, list[OfMethod]]:
    """Return what was measured, by kind of image and method."""
    by_method: dict[Key, list[OfMethod]] = {}
    for kind in KINDS:
        if names and kind.name not in names:
            continue
        for _, samples in samples_of(list_jobs([kind], data, runs, splits, match)):
            for method in kind.methods:
                own = samples.of(method)
                if own is not None:
                    by_method.setdefault(((kind.modality, kind.axes), method), []).append(own)
    if "train" in splits and (not names or "heads" in names):
        for filled in list_balls(data, runs, match):
            file = file_of(filled, runs)
            for method in (*FILLS, "consensus") if file.exists() else ():
                own = read_samples(file).of(method)
                if own is not None:
                    by_method.setdefault((("MR", 3), method), []).append(own)
    return by_method


def constants(table: Mapping[Key, Calibration]) -> str:
    """Return the constants as Python.

    >>> print(constants({(("MR", 3), "mirror"): Calibration((0.1, 0.2, 0.3, 0.4, 0.5), 0.5)}))
    TABLE: dict[tuple[str, int], dict[str, Calibration]] = {
        ("MR", 3): {
            "mirror": Calibration((0.1, 0.2, 0.3, 0.4, 0.5), own=0.5),
        },
    }
    """
    lines = ["TABLE: dict[tuple[str, int], dict[str, Calibration]] = {"]
    for kind in dict.fromkeys(kind for kind, _ in table):
        lines.append(f'    ("{kind[0]}", {kind[1]}): {{')
        for (other, method), each in table.items():
            if other == kind:
                own = f", own={each.own:g}" if each.own else ""
                lines.append(f'        "{method}": Calibration({each.factors}{own}),')
        lines.append("    },")
    return "\n".join([*lines, "}"])


def left_out(by_method: Mapping[Key, Sequence[OfMethod]]) -> str:
    """Return a table in Markdown: coverage in each person by constants that were learned from all others."""
    lines = ["| images | method | people | holes | within 1 SD | within 2 SD |", "|---|---|---:|---:|---:|---:|"]
    for ((modality, axes), method), samples in by_method.items():
        people = sorted({each.subject for each in samples})
        learned = {person: fit([each for each in samples if each.subject != person]) for person in people}
        own = coverage(samples, lambda each, learned=learned: learned[each.subject])  # type: ignore[misc]
        if own is not None:
            lines.append(f"| {modality}, {axes}-D | {method} | {own.people} | {own.holes} | {cells(own)} |")
    return "\n".join(lines)


def cells(own: Coverage) -> str:
    """Return both shares in percent, each with its standard deviation over people."""
    pairs = ((own.one, own.spread_one), (own.two, own.spread_two))
    return " | ".join(f"{100 * share:.0f}" + ("" if np.isnan(sd) else f" ± {100 * sd:.0f}") for share, sd in pairs)
