"""Groups of parts: by size, by the tissue around them, and by contrast; and the best single method of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from .table import Row, by_method, mean_by_person

#: ml, from and below.
SIZES = ((0.0, 0.1), (0.1, 0.5), (0.5, 5.0), (5.0, 20.0), (20.0, 50.0), (50.0, 120.0), (120.0, 1000.0))
#: Parts of this many ml or more have all kinds of tissue around them.
MIXED_FROM = 5.0
ALL = "all"
#: The choice that is judged.
AUTO = "auto"


@dataclasses.dataclass(frozen=True)
class Group:
    """Parts that are alike, with the mean PSNR by person of each method that filled all of them."""

    name: str
    parts: int
    people: int
    means: dict[str, float]

    @property
    def best(self) -> str:
        """The best single method."""
        return max((method for method in self.means if method != AUTO), key=lambda method: self.means[method])


def size_of(ml: float) -> str:
    """Return the size of a part in words.

    >>> size_of(0.05), size_of(7.0), size_of(200.0)
    ('< 0.1 ml', '5-20 ml', '>= 120 ml')
    """
    low, high = next((low, high) for low, high in SIZES if ml < high)
    if low == 0:
        return f"< {high:g} ml"
    return f"{low:g}-{high:g} ml" if high < SIZES[-1][1] else f">= {low:g} ml"


def name_of(row: Row) -> str:
    """Return the group of a part in words."""
    tissue = row["tissue"] if row["ml"] < MIXED_FROM else ALL
    contrast = "T1" if row["contrast"] == "T1" else "other"
    return f"{size_of(row['ml'])}, {tissue}, {contrast}"


def grouped(rows: Sequence[Row]) -> list[Group]:
    """Return the groups of a table of scores, small parts first."""
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: ([row["ml"] >= high for _, high in SIZES], row["tissue"], row["contrast"])):
        groups.setdefault(name_of(row), []).append(row)
    return [_group(name, own) for name, own in groups.items()]


def _group(name: str, rows: Sequence[Row]) -> Group:
    methods = by_method(rows)
    parts = set.union(*(set(own) for own in methods.values()))
    means = {method: mean_by_person(own.values()) for method, own in methods.items() if own.keys() == parts}
    return Group(name, len(parts), len({row["subject"] for row in rows}), means)
