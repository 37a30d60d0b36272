"""Plots in the scene: scores hole by hole, a line a method."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import slicer
from slicer.i18n import tr as _

from .. import scores

#: Told apart by people who are color-blind, too (Okabe and Ito: Color universal design, 2008); without their yellow,
#: which is not seen on a white ground.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")

#: Of the legend, in points, and what a line of it takes of a plot's height in a view that is rather small.
LEGEND_FONT, LEGEND_LINE = 10, 0.065
#: A legend takes no more than this of it.
LEGEND_MOST = 0.65

#: The role under which a chart keeps its lines, whichever of them are ticked in the menu of a view.
LINES_ROLE = "MedInpaint.Lines"


def addPsnrPlot(tableNode, means: Mapping[str, float], titles: Mapping[str, str], name: str):
    """Add a plot of a table that :func:`.evaluations.addPsnrByHole` has made.

    A line a method, since holes are easy or hard for all of them; a bar for each mean would have nothing to say which
    bar is whose. Means are in the legend.

    Args:
        tableNode: has a column ``hole`` and one for each method.
        means: method -> mean PSNR in dB, in the order of the legend.
        titles: method name -> what the panel calls it.
        name: the chart's; if it is taken, a number is added.

    Returns:
        The chart node, and its series nodes.
    """
    # Before there are nodes: what fails must leave none.
    legends = {method: _legend(titles[method], mean) for method, mean in means.items()}
    range_ = _rangeOf(_values(tableNode, list(means)), len(means))
    series = [_addSeries(tableNode, *each, number) for number, each in enumerate(legends.items())]
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", slicer.mrmlScene.GenerateUniqueName(name))
    with slicer.util.NodeModify(chart):
        for each in series:
            chart.AddNodeReferenceID(LINES_ROLE, each.GetID())
        chart.SetTitle(tableNode.GetName())
        chart.SetTitleFontSize(14)
        chart.SetXAxisTitle(_("Hole"))
        chart.SetYAxisTitle(_("PSNR, dB"))
        chart.SetLegendFontSize(LEGEND_FONT)
        chart.SetXAxisRangeAuto(False)
        chart.SetXAxisRange(0.5, tableNode.GetNumberOfRows() + 0.5)
        chart.SetYAxisRangeAuto(False)
        chart.SetYAxisRange(*range_)
    _setLines(chart, series)
    return chart, series


def show(chartNode) -> None:
    """Show a plot with all of its lines in a layout that has room; without a main window, only the choice is made."""
    lines = _linesOf(chartNode)
    # When a scene is loaded into a view that has shown a plot before, the view's menu unticks lines of the new one.
    if not all(chartNode.HasPlotSeriesNodeID(each.GetID()) for each in lines):
        _setLines(chartNode, lines)
    slicer.modules.plots.logic().ShowChartInLayout(chartNode)


def _linesOf(chartNode) -> list:
    """Those that are still there."""
    count = chartNode.GetNumberOfNodeReferences(LINES_ROLE)
    lines = (chartNode.GetNthNodeReference(LINES_ROLE, number) for number in range(count))
    return [each for each in lines if each is not None]


def _setLines(chartNode, series: Sequence) -> None:
    with slicer.util.NodeModify(chartNode):
        chartNode.RemoveAllPlotSeriesNodeIDs()
        for each in series:
            chartNode.AddAndObservePlotSeriesNodeID(each.GetID())


def _addSeries(tableNode, column: str, name: str, number: int):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
    with slicer.util.NodeModify(node):
        node.SetAndObserveTableNodeID(tableNode.GetID())
        node.SetXColumnName("hole")
        node.SetYColumnName(column)
        node.SetPlotType(node.PlotTypeScatter)
        node.SetMarkerStyle(node.MarkerStyleCircle)
        node.SetMarkerSize(8)
        # More methods than colors: the same colors again, dashed.
        again, color = divmod(number, len(COLORS))
        node.SetLineStyle((node.LineStyleSolid, node.LineStyleDash, node.LineStyleDot)[again % 3])
        node.SetColor(*(int(COLORS[color][first : first + 2], 16) / 255 for first in (1, 3, 5)))
    return node


def _legend(title: str, mean: float) -> str:
    shown = f"{mean:.1f}" if math.isfinite(mean) else "∞"
    return _("{method}: {mean} dB").format(method=scores.short(title), mean=shown)


def _values(tableNode, columns: Sequence[str]) -> list[float]:
    return np.concatenate([slicer.util.arrayFromTableColumn(tableNode, each) for each in columns]).tolist()


def _rangeOf(values: Sequence[float], lines: int) -> tuple[float, float]:
    """Return a range that holds the values, and above them room for a legend of so many lines."""
    known = [each for each in values if math.isfinite(each)] or [0.0]
    low, high = min(known), max(known)
    span = max(high - low, 1.0)
    legend = min(LEGEND_LINE * (lines + 1), LEGEND_MOST)
    return low - 0.05 * span, high + span * legend / (1 - legend)
