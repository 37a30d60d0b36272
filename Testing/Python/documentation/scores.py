"""The committed tables of the studies, from which pages take their numbers."""

from __future__ import annotations

import csv
import gzip

from Testing import documentation


def table(name: str) -> list[dict[str, str]]:
    """Read the rows of a committed table of a page, such as ``fills/scores``."""
    with gzip.open(documentation.ROOT / "docs" / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
