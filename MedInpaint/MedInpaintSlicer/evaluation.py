"""The scores of an evaluation, in the order and the words of the panel and the results.

A set of holes comes from one description, such as ``spheres:10mm:6``, or one segmentation.
"""

import html
import math
import statistics
from collections.abc import Mapping
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from . import scores

if TYPE_CHECKING:
    from MedInpaintLib.report import EvaluationReport

#: Ticked until something else is: good ones of different kinds that take seconds.
QUICK_METHODS = ("patch-regression", "patch", "mirror", "biharmonic")
#: The trivial fill that the engine always adds. Its own name for it is in code that needs packages, and Slicer's Python
#: may not have them yet.
YARDSTICK = "shell-mean"


def sets(report: "EvaluationReport") -> list[str]:
    """Return what the sets of holes are called."""
    return [each["holes"] for each in report["holes"]]


def renamed(report: "EvaluationReport", holes: str, name: str) -> "EvaluationReport":
    """Return the report with another name for a set of holes."""

    def rename(entries: list[dict]) -> list[dict]:
        return [{**each, "holes": name} if each["holes"] == holes else each for each in entries]

    return {
        **report,
        "holes": rename(report["holes"]),
        "rows": rename(report["rows"]),
        "methods": rename(report["methods"]),
    }


def ranked(report: "EvaluationReport", holes: str) -> list[dict]:
    """Return the results of each method in a set of holes, the best mean PSNR first.

    Returns:
        The entries of the report, whose ``scores`` are mean, standard deviation and number by metric.
    """
    found = [each for each in report["methods"] if each["holes"] == holes]
    return sorted(found, key=lambda each: -scores.psnr(each["scores"]))


def number(found: float | None, metric: str) -> float:
    """Return a score or a mean as a number: the report, being JSON, has None for what is not finite.

    Infinite is only the PSNR, where nothing differs. The others are not defined then, such as the SSIM of the inside of
    a hole that is all rim.
    """
    if found is not None:
        return float(found)
    return math.inf if metric.startswith("psnr") else math.nan


def meanPsnr(report: "EvaluationReport", holes: str) -> dict[str, float]:
    """Return method -> mean PSNR in dB in a set of holes, the best first."""
    return {each["method"]: number(each["scores"]["psnr"]["mean"], "psnr") for each in ranked(report, holes)}


def psnrByHole(report: "EvaluationReport", holes: str, method: str) -> dict[int, float]:
    """Return hole -> PSNR in dB, of a method in a set of holes."""
    rows = [row for row in report["rows"] if (row["holes"], row["method"]) == (holes, method)]
    return {row["hole"]: number(row["scores"]["psnr"], "psnr") for row in rows}


def table(report: "EvaluationReport", titles: Mapping[str, str], volumeName: str) -> str:
    """Return rich text: for each set of holes what was scored, and a table with the best method first.

    Args:
        report: the engine's.
        titles: method name -> what the panel calls it.
        volumeName: of the volume that the holes were cut out of.
    """
    parts = []
    for each in report["holes"]:
        found = ranked(report, each["holes"])
        headline = _(
            "<b>Evaluation:</b> {methods} methods, {count} hole(s) in '{volume}' ({holes}). Mean ± SD; {range}."
        ).format(
            methods=len(found),
            count=each["count"],
            volume=html.escape(volumeName),
            holes=html.escape(each["holes"]),
            range=html.escape(each["about"]["range"]),
        )
        rows = [(entry["method"], {**entry["scores"], "seconds": entry["seconds"]}) for entry in found]
        marks = {report["trivial"]: _("yardstick")}
        parts += [scores.paragraph(headline), scores.table(rows, titles, marks)]
    return "".join(parts)


def verdict(report: "EvaluationReport", titles: Mapping[str, str]) -> str:
    """Say which method is the best, and by how much, hole by hole; a line for each set of holes.

    Holes differ by more than methods do, so methods are compared within the same holes.
    """
    lines = {holes: _verdictOf(report, holes, titles) for holes in sets(report)}
    if len(lines) == 1:
        return next(iter(lines.values()))
    return "\n".join(f"{holes}: {line}" for holes, line in lines.items())


def _verdictOf(report: "EvaluationReport", holes: str, titles: Mapping[str, str]) -> str:
    best, *others = (each["method"] for each in ranked(report, holes))
    name = scores.short(titles[best])
    if best == report["trivial"]:
        return _("No method beats the yardstick, {name}.").format(name=name)
    compared = [_comparison(report, holes, best, report["trivial"], _("the yardstick"))]
    if others[0] != report["trivial"]:
        compared.append(_comparison(report, holes, best, others[0], scores.short(titles[others[0]])))
    return _("Best by PSNR: {name}; {compared}.").format(name=name, compared="; ".join(compared))


def _comparison(report: "EvaluationReport", holes: str, method: str, other: str, otherName: str) -> str:
    mine, theirs = psnrByHole(report, holes, method), psnrByHole(report, holes, other)
    text = _("better than {other} in {wins} of {count} hole(s)").format(
        other=otherName, wins=sum(mine[hole] > theirs[hole] for hole in mine), count=len(mine)
    )
    if not all(math.isfinite(psnr) for psnr in (*mine.values(), *theirs.values())):
        return text
    gains = [mine[hole] - theirs[hole] for hole in mine]
    spread = f" ± {statistics.stdev(gains):.1f}" if len(gains) > 1 else ""
    return _("{text}, by {mean:+.1f}{spread} dB").format(text=text, mean=statistics.mean(gains), spread=spread)
