"""The scores of an evaluation, ordered and worded as the panel and the results show them.

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

#: The methods that are ticked by default: good ones of different kinds that take seconds.
QUICK_METHODS = ("patch-regression", "patch", "mirror", "biharmonic")
#: The trivial fill that the engine always adds. Not imported from the engine: that code needs packages which Slicer's
#: Python may not have yet.
YARDSTICK = "shell-mean"


def sets(report: "EvaluationReport") -> list[str]:
    """Return the names of the sets of holes."""
    return [entry["holes"] for entry in report["holes"]]


def renamed(report: "EvaluationReport", holes: str, name: str) -> "EvaluationReport":
    """Return the report with a set of holes renamed."""

    def rename(entries: list[dict]) -> list[dict]:
        return [{**each, "holes": name} if each["holes"] == holes else each for each in entries]

    return {
        **report,
        "holes": rename(report["holes"]),
        "rows": rename(report["rows"]),
        "methods": rename(report["methods"]),
    }


def ranked(report: "EvaluationReport", holes: str) -> list[dict]:
    """Return the report's entries for the methods in a set of holes, the best mean PSNR first.

    Their ``scores`` are mean, standard deviation and number by metric.
    """
    entries = [entry for entry in report["methods"] if entry["holes"] == holes]
    return sorted(entries, key=lambda entry: -scores.psnr(entry["scores"]))


def number(score: float | None, metric: str) -> float:
    """Return a score or a mean as a number; the report is JSON and has None for values that are not finite.

    Only PSNR can be infinite, where nothing differs. Other metrics are undefined, e.g. the SSIM inside a hole that is
    all rim.
    """
    if score is not None:
        return float(score)
    return math.inf if metric.startswith("psnr") else math.nan


def meanPsnr(report: "EvaluationReport", holes: str) -> dict[str, float]:
    """Return method -> mean PSNR in dB in a set of holes, the best first."""
    return {each["method"]: number(each["scores"]["psnr"]["mean"], "psnr") for each in ranked(report, holes)}


def psnrByHole(report: "EvaluationReport", holes: str, method: str) -> dict[int, float]:
    """Return hole -> PSNR in dB, of a method in a set of holes."""
    rows = [row for row in report["rows"] if (row["holes"], row["method"]) == (holes, method)]
    return {row["hole"]: number(row["scores"]["psnr"], "psnr") for row in rows}


def table(report: "EvaluationReport", titles: Mapping[str, str], volumeName: str) -> str:
    """Return rich text: for each set of holes a headline, and a table with the best method first.

    Args:
        report: the engine's report.
        titles: method name -> title in the panel.
        volumeName: name of the volume that the holes were cut out of.
    """
    paragraphs = []
    for holes in report["holes"]:
        entries = ranked(report, holes["holes"])
        headline = _(
            "<b>Evaluation:</b> {methods} methods, {count} hole(s) in '{volume}' ({holes}). Mean ± SD; {range}."
        ).format(
            methods=len(entries),
            count=holes["count"],
            volume=html.escape(volumeName),
            holes=html.escape(holes["holes"]),
            range=html.escape(holes["about"]["range"]),
        )
        rows = [(entry["method"], {**entry["scores"], "seconds": entry["seconds"]}) for entry in entries]
        marks = {report["trivial"]: _("yardstick")}
        paragraphs += [scores.paragraph(headline), scores.table(rows, titles, marks)]
    return "".join(paragraphs)


def verdict(report: "EvaluationReport", titles: Mapping[str, str]) -> str:
    """Say which method is best and by how much, in a line for each set of holes.

    Methods are compared within the same holes, because holes differ more than methods do.
    """
    lines = {holes: _verdictOf(report, holes, titles) for holes in sets(report)}
    if len(lines) == 1:
        return next(iter(lines.values()))
    return "\n".join(f"{holes}: {line}" for holes, line in lines.items())


def _verdictOf(report: "EvaluationReport", holes: str, titles: Mapping[str, str]) -> str:
    best, *rivals = (entry["method"] for entry in ranked(report, holes))
    name = scores.short(titles[best])
    if best == report["trivial"]:
        return _("No method beats the yardstick, {name}.").format(name=name)
    comparisons = [_comparison(report, holes, best, report["trivial"], _("the yardstick"))]
    if rivals[0] != report["trivial"]:
        comparisons.append(_comparison(report, holes, best, rivals[0], scores.short(titles[rivals[0]])))
    return _("Best by PSNR: {name}; {compared}.").format(name=name, compared="; ".join(comparisons))


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
