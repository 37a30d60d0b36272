"""The table of regions: volumes before and after, and how much of each lies under the lesion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..report import RegionFacts
from ..texts import csv_cell, escaped
from .sides import side_of

#: Columns of the table, in the order of the file.
COLUMNS = tuple(RegionFacts.__annotations__)


def region(label: int, name: str, *, before: int, covered: int, after: int, voxel_ml: float) -> RegionFacts:
    """Return the row of a region.

    Args:
        label: its number.
        name: may be empty.
        before: voxels as segmented.
        covered: voxels of them under the lesion.
        after: voxels with the lesion put back.
        voxel_ml: volume of a voxel.
    """
    return RegionFacts(
        label=label,
        name=escaped(name),
        side=side_of(name),
        voxels_before=before,
        voxels_after=after,
        volume_before_ml=millilitres(before, voxel_ml),
        volume_after_ml=millilitres(after, voxel_ml),
        covered_ml=millilitres(covered, voxel_ml),
        covered_percent=round(100 * covered / before, 2) if before else 0.0,
    )


def table_of(
    before: Mapping[int, int],
    covered: Mapping[int, int],
    lesion: Mapping[int, int],
    names: Mapping[int, str],
    voxel_ml: float,
) -> list[RegionFacts]:
    """Return the rows of a label map, those with most voxels under the lesion first.

    Args:
        before, covered: voxels by label, as in :func:`region`.
        lesion: voxels by label that the lesion has got; none where it was cut out.
        names: of the labels.
        voxel_ml: volume of a voxel.
    """
    rows = [
        region(
            label,
            names.get(label, ""),
            before=before.get(label, 0),
            covered=covered.get(label, 0),
            after=before.get(label, 0) - covered.get(label, 0) + lesion.get(label, 0),
            voxel_ml=voxel_ml,
        )
        for label in {*before, *lesion}
    ]
    return in_order(rows)


def in_order(rows: Iterable[RegionFacts]) -> list[RegionFacts]:
    """Return rows sorted: those with most volume under the lesion first, then by label."""
    return sorted(rows, key=lambda row: (-row["covered_ml"], row["label"]))


def as_tsv(rows: Sequence[RegionFacts]) -> str:
    """Return the rows as a table with tabs between the columns and headings in the first line."""
    lines = [COLUMNS, *([csv_cell(row[column]) for column in COLUMNS] for row in rows)]  # type: ignore[literal-required]
    return "".join("\t".join(line) + "\n" for line in lines)


def millilitres(voxels: int, voxel_ml: float) -> float:
    """Return the volume of voxels, to a thousandth of a cubic millimetre."""
    return round(voxels * voxel_ml, 6)
