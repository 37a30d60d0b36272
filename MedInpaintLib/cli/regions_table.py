"""What ``medinpaint lesion-back`` prints: the lesion, and the regions that it hits."""

from __future__ import annotations

from typing import Any

from ..texts import escaped

#: Rows of the table: the rest is in the report.
ROWS = 10


def lesion_back_lines(output: str, report: dict[str, Any]) -> str:
    """Describe a lesion that was put back into a segmentation, with a table of the regions hit most."""
    lesion = report["lesion"]
    labels = " and ".join(map(str, lesion["labels"]))
    what = f"label {labels}" if len(lesion["labels"]) == 1 else f"labels {labels}" if labels else "cut out"
    sides = "" if lesion["left_ml"] is None else f" (left {lesion['left_ml']:.2f}, right {lesion['right_ml']:.2f})"
    lines = [
        output,
        f"  Lesion: {what}, {lesion['volume_ml']:.2f} ml{sides}, {lesion['background_ml']:.2f} ml of it on no label",
        f"  Numbering: {report['numbering']}; {report['numbering_reason']}",
        f"  {report['hit_regions']} of {sum(row['voxels_before'] > 0 for row in report['regions'])} regions hit, "
        f"{report['lost_regions']} as a whole; all labels together: "
        f"{report['labelled_before_ml']:.2f} ml before, {report['labelled_after_ml']:.2f} ml after",
    ]
    return "\n".join([*lines, *_table([row for row in report["regions"] if row["covered_percent"] > 0])])


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    names = [escaped(row["name"]) or "-" for row in rows[:ROWS]]
    width = max(len("region"), *map(len, names))
    lines = [f"  {'label':>7}  {'region':<{width}}  {'ml before':>10}  {'ml after':>10}  {'lesion ml':>10}  {'%':>6}"]
    lines += [
        f"  {row['label']:>7}  {name:<{width}}  {row['volume_before_ml']:>10.2f}  {row['volume_after_ml']:>10.2f}  "
        f"{row['covered_ml']:>10.3f}  {row['covered_percent']:>6.1f}"
        for name, row in zip(names, rows, strict=False)
    ]
    if len(rows) > ROWS:
        lines.append(f"  Most covered first; all {len(rows)} regions hit are in the table and the report.")
    return lines
