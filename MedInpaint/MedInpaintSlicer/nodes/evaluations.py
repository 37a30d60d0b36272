"""The tables of an evaluation in the scene, and the attributes that say how they were made."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from slicer.i18n import tr as _

from .. import evaluation, scores
from . import attributes
from .tables import Column, addTable
from .views import inWorld

if TYPE_CHECKING:
    from MedInpaintLib.report import EvaluationReport

#: The roles of the scores' references to the summary and the plots.
SUMMARY_ROLE, CHART_ROLE = "MedInpaint.Summary", "MedInpaint.Chart"

#: The notice of an evaluation's tables and plots.
SCORES_NOTICE = "Scores of synthetic holes in one image, not for clinical use."


def addScores(report: "EvaluationReport", volumeNode, ijkToRAS: np.ndarray):
    """Add a table with a row for each set of holes, method and hole, and a column for each defined metric.

    Args:
        report: the engine's report.
        volumeNode: the volume that the holes were cut out of.
        ijkToRAS: its grid's matrix, without the parent transform.
    """
    rows = report["rows"]
    columns = [
        Column("holes", _("Holes"), [row["holes"] for row in rows], _("The set of holes.")),
        _methodColumn(rows),
        Column("hole", _("Hole"), [row["hole"] for row in rows], _("Its number in the set.")),
        Column("voxels", _("Voxels"), [row["voxels"] for row in rows], _("Size of the hole.")),
        *_centerColumns(rows, volumeNode, ijkToRAS),
    ]
    columns += [
        Column(metric, info["heading"], _scores(rows, metric), _better(info))
        for metric, info in _metrics(report).items()
    ]
    return addTable(_nameOf(_("{volume} scores ({holes})"), report, volumeNode), columns)


def addSummary(report: "EvaluationReport", titles: Mapping[str, str], volumeNode):
    """Add a table with a row for each set of holes and method, the best first: mean and SD of each metric.

    Gains are over the best of the trivial methods, hole by hole.
    """
    metrics = _metrics(report)
    entries = [entry for holes in evaluation.sets(report) for entry in evaluation.ranked(report, holes)]
    columns = [
        Column("holes", _("Holes"), [entry["holes"] for entry in entries], _("The set of holes.")),
        _methodColumn(entries),
        Column("title", _("Title"), [scores.short(titles[entry["method"]]) for entry in entries]),
        Column("count", _("n"), [entry["count"] for entry in entries], _("Number of holes.")),
    ]
    for metric, info in metrics.items():
        columns += _meanColumns(metric, info, [entry["scores"][metric] for entry in entries])
    for metric in (metric for metric in metrics if metric in entries[0]["gain"]):
        columns += _gainColumns(metric, metrics[metric], [entry["gain"][metric] for entry in entries])
    wins = [entry["better"] for entry in entries]
    seconds = [float(entry["seconds"]) for entry in entries]
    columns += [
        Column("better", _("Better in"), wins, _("Number of holes in which it is better than the yardstick, by PSNR.")),
        Column("seconds", _("Seconds"), seconds, _("Time to fill all holes.")),
        Column("device", _("Device"), [entry["device"] for entry in entries], _("Where it was computed.")),
    ]
    return addTable(_nameOf(_("{volume} summary ({holes})"), report, volumeNode), columns)


def addPsnrByHole(report: "EvaluationReport", holes: str, titles: Mapping[str, str], volumeNode):
    """Add a table with a row for each hole of a set and a column for each method, the best first: PSNR in dB."""
    methods = [entry["method"] for entry in evaluation.ranked(report, holes)]
    psnr = {method: evaluation.psnrByHole(report, holes, method) for method in methods}
    numbers = list(psnr[methods[0]])
    columns = [Column("hole", _("Hole"), numbers)]
    columns += [
        # A plot of infinite values would have no scale.
        Column(method, titles[method], [_finite(psnr[method][number]) for number in numbers], _("PSNR in dB."))
        for method in methods
    ]
    name = _("{volume} PSNR by hole ({holes})").format(volume=volumeNode.GetName(), holes=holes)
    return addTable(name, columns)


def refer(scoresTable, summaryTable, charts) -> None:
    """Add references from the scores to the summary and the plots."""
    scoresTable.SetNodeReferenceID(SUMMARY_ROLE, summaryTable.GetID())
    for chart in charts:
        scoresTable.AddNodeReferenceID(CHART_ROLE, chart.GetID())


def chartOf(scoresTable):
    """Return the first plot of an evaluation, or None if it was removed."""
    return scoresTable.GetNodeReference(CHART_ROLE)


def describe(nodes, report: "EvaluationReport", inputName: str) -> None:
    """Write to nodes how the evaluation was made; attributes are saved with the scene.

    Args:
        report: the engine's, with all warnings that the user has seen.
        inputName: name of the volume that the holes were cut out of.
    """
    date, methods = attributes.now(), list(dict.fromkeys(entry["method"] for entry in report["methods"]))
    holes, machine = evaluation.sets(report), report["holes"][0]["about"]["machine"]
    for node in nodes:
        node.SetDescription(
            f"{report['software']}: {len(methods)} methods scored on {', '.join(holes)} in '{inputName}', "
            f"convention {report['convention']}, {report['range']}, seed {report['seed']}, {date}. {SCORES_NOTICE}"
        )
        attributes.setAll(
            node,
            {
                "Software": report["software"],
                "Method": "evaluate",
                "Methods": json.dumps(methods),
                "Holes": json.dumps(holes),
                "Convention": report["convention"],
                "Range": report["range"],
                "Seed": str(report["seed"]),
                "Device": report["device"],
                "Machine": machine,
                "Input": inputName,
                "LeftOut": json.dumps(report["left_out"]),
                "Warnings": json.dumps(report["warnings"]),
                "Date": date,
                "Notice": SCORES_NOTICE,
            },
        )


def _nameOf(pattern: str, report: "EvaluationReport", volumeNode) -> str:
    """Return a name with the volume and the set of holes, or the number of sets."""
    holes = evaluation.sets(report)
    description = holes[0] if len(holes) == 1 else _("{count} sets of holes").format(count=len(holes))
    return pattern.format(volume=volumeNode.GetName(), holes=description)


def _metrics(report: "EvaluationReport") -> dict:
    """Return the facts of the metrics that are defined in one hole or more; PSNR always is."""
    rows = report["rows"]
    return {
        metric: info
        for metric, info in report["metrics"].items()
        if not all(math.isnan(each) for each in _scores(rows, metric))
    }


def _methodColumn(entries: Sequence[Mapping]) -> Column:
    methods = [entry["method"] for entry in entries]
    return Column("method", _("Method"), methods, _("Its name in scripts and on the command line."))


def _centerColumns(rows: Sequence[Mapping], volumeNode, ijkToRAS: np.ndarray) -> list[Column]:
    points = [(ijkToRAS @ [*reversed(row["centre"]), 1.0])[:3] for row in rows]
    about = _("Center of the hole, mm in the scene.")
    coordinates = zip(*inWorld(volumeNode, points), strict=True)
    return [
        Column(f"center_{axis}", axis, [round(mm, 2) for mm in values], about)
        for axis, values in zip("RAS", coordinates, strict=True)
    ]


def _scores(rows: Sequence[Mapping], metric: str) -> list[float]:
    return [evaluation.number(row["scores"][metric], metric) for row in rows]


def _meanColumns(metric: str, info: Mapping, stats: Sequence[Mapping]) -> list[Column]:
    means = [evaluation.number(each["mean"], metric) for each in stats]
    return [Column(f"{metric}_mean", info["heading"], means, _better(info)), _sdColumn(metric, info["heading"], stats)]


def _gainColumns(metric: str, info: Mapping, stats: Sequence[Mapping]) -> list[Column]:
    heading = _("{metric} gain").format(metric=info["heading"])
    about = _("Difference to the yardstick in the same hole.")
    means = [_orNaN(each["mean"]) for each in stats]
    return [Column(f"{metric}_gain_mean", heading, means, about), _sdColumn(f"{metric}_gain", heading, stats)]


def _sdColumn(name: str, heading: str, stats: Sequence[Mapping]) -> Column:
    return Column(f"{name}_sd", _("{metric} SD").format(metric=heading), [_orNaN(each["sd"]) for each in stats])


def _better(info: Mapping) -> str:
    return {"higher": _("Higher is better."), "lower": _("Lower is better."), "one": _("1 is best.")}[info["better"]]


def _orNaN(score: float | None) -> float:
    return math.nan if score is None else float(score)


def _finite(number: float) -> float:
    return number if math.isfinite(number) else math.nan
