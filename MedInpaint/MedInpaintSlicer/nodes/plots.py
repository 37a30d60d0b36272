"""Plots in the scene: scores hole by hole, with a line for each method."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import slicer
from slicer.i18n import tr as _

from .. import scores

#: Colors for color-blind readers, too (Okabe and Ito: Color universal design, 2008), without their yellow, which is
#: invisible on white.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")

#: The legend's font size in points, and the height of its lines as a fraction of a small plot's height.
LEGEND_FONT, LEGEND_LINE = 10, 0.065
#: The legend's maximum height, as a fraction of the plot's.
LEGEND_MOST = 0.65

#: The role of a chart's references to all its lines, including those unticked in the menu of a view.
LINES_ROLE = "MedInpaint.Lines"


def addPsnrPlot(tableNode, means: Mapping[str, float], titles: Mapping[str, str], name: str):
    """Add a plot of a table of :func:`.evaluations.addPsnrByHole`, with a line for each method and means in the legend.

    Lines show that holes are easy or hard for all methods; bars of the means could not be labeled.

    Args:
        tableNode: has a column ``hole`` and one for each method.
        means: method -> mean PSNR in dB, in the order of the legend.
        titles: method name -> title in the panel.
        name: the chart's name; a number is added if it exists.

    Returns:
        The chart node, and its series nodes.
    """
    # Before adding nodes, so that an error leaves none.
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
    """Show a plot with all its lines in a layout that has a plot view; without a main window, only select it."""
    lines = _linesOf(chartNode)
    # When a scene is loaded, a view that has shown another plot unticks lines of the new one.
    if not all(chartNode.HasPlotSeriesNodeID(each.GetID()) for each in lines):
        _setLines(chartNode, lines)
    slicer.modules.plots.logic().ShowChartInLayout(chartNode)


def _linesOf(chartNode) -> list:
    """Return a chart's lines that are still in the scene."""
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
        # With more methods than colors, the colors are repeated with dashed lines.
        repetition, color = divmod(number, len(COLORS))
        node.SetLineStyle((node.LineStyleSolid, node.LineStyleDash, node.LineStyleDot)[repetition % 3])
        node.SetColor(*(int(COLORS[color][first : first + 2], 16) / 255 for first in (1, 3, 5)))
    return node


def _legend(title: str, mean: float) -> str:
    meanText = f"{mean:.1f}" if math.isfinite(mean) else "∞"
    return _("{method}: {mean} dB").format(method=scores.short(title), mean=meanText)


def _values(tableNode, columns: Sequence[str]) -> list[float]:
    return np.concatenate([slicer.util.arrayFromTableColumn(tableNode, each) for each in columns]).tolist()


def _rangeOf(values: Sequence[float], lines: int) -> tuple[float, float]:
    """Return the range of the values, extended above by the legend's height."""
    known = [each for each in values if math.isfinite(each)] or [0.0]
    low, high = min(known), max(known)
    span = max(high - low, 1.0)
    legend = min(LEGEND_LINE * (lines + 1), LEGEND_MOST)
    return low - 0.05 * span, high + span * legend / (1 - legend)
