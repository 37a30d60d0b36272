"""The rules of `auto`: the best methods by depth, contrast and thickness of slices, on the splits train and val."""

from __future__ import annotations

from collections.abc import Sequence

from .groups import AUTO
from .holes import BALL, MS
from .measure import FEWER, FLIP, METHODS
from .table import Row, by_method, mean_by_person, part_of

#: mm from the innermost voxel to the nearest known one, from and below.
DEPTHS = ((0.0, 1.5), (1.5, 2.5), (2.5, 3.5), (3.5, 5.0), (5.0, 8.0), (8.0, 12.0), (12.0, 99.0))
#: A cheaper method is as good as the best within this many dB.
TIE = 0.1
#: Methods that filled a smaller share of a line's parts are left out of it, so that the others keep their parts.
MEASURED = 0.6
#: Fills that `auto` does not choose among.
_ASIDE = (AUTO, FLIP)
NETWORKS = ("unet", "pconv", "rfr")
#: Contrast, or thick slices: label -> which rows.
_SCANS = {
    "T1": lambda row: row["contrast"] == "T1" and row["thickness"] < 1.5,
    "other contrasts": lambda row: row["contrast"] != "T1" and row["thickness"] < 1.5,
    "thick slices": lambda row: row["thickness"] >= 1.5,
}


def section(rows: Sequence[Row]) -> str:
    """Return the part of the page on the rules."""
    parts = [
        "## Where the rules of `auto` come from",
        "Parts of train and val by their depth (the distance from the innermost voxel to the nearest known one): mean "
        f"PSNR in dB by person. In bold the method with the least cost among those within {TIE:g} dB of the best: one "
        f"among all, and one among those without a network. At most {FEWER[MS]} lesions and {FEWER[BALL]} balls a "
        "person; a method is left out of a line when it filled few of its parts.",
    ]
    for title, belongs in _SCANS.items():
        own = [row for row in rows if belongs(row) and row["method"] not in _ASIDE]
        if own:
            parts.append(f"### {title}\n\n{_table(own)}")
    return "\n\n".join(parts)


def best_of(means: dict[str, float]) -> str:
    """Return the cheapest method within :data:`TIE` of the best; methods are listed in the order of their cost.

    >>> best_of({"harmonic": 20.0, "biharmonic": 24.95, "unet": 25.0})
    'biharmonic'
    """
    most = max(means.values())
    return next(method for method in METHODS if method in means and means[method] >= most - TIE)


def _table(rows: Sequence[Row]) -> str:
    methods = [method for method in METHODS if method in {row["method"] for row in rows}]
    lines = [
        "| depth mm | parts | people | " + " | ".join(methods) + " |",
        "|---|---:|---:|" + "---:|" * len(methods),
    ]
    for low, high in DEPTHS:
        own = [row for row in rows if low <= row["depth_mm"] < high]
        if not own:
            continue
        scores = by_method(own)
        parts = len(set.union(*(set(each) for each in scores.values())))
        scores = {method: each for method, each in scores.items() if len(each) >= MEASURED * parts}
        common = sorted(set.intersection(*(set(each) for each in scores.values())))
        if not common:
            continue
        means = {method: mean_by_person(each[key] for key in common) for method, each in scores.items()}
        without = {method: mean for method, mean in means.items() if method not in NETWORKS}
        bold = {best_of(means), best_of(without)}
        cells = [
            "" if method not in means else f"**{means[method]:.2f}**" if method in bold else f"{means[method]:.2f}"
            for method in methods
        ]
        people = len({row["subject"] for row in own if part_of(row) in common})
        span = f"{low:g}-{high:g}" if high < DEPTHS[-1][1] else f">= {low:g}"
        lines.append(f"| {span} | {len(common)} | {people} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
