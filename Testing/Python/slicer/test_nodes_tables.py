"""The scores of an evaluation in the scene: tables, a plot, and what they say of how they were made."""

import json
import math

import numpy as np
import pytest
import slicer
from panelhost.evaluations import YARDSTICK, report
from panelhost.phantom import addTransform, addVolume, obliqueMatrix, rotation, sceneContent

from MedInpaintSlicer import evaluation
from MedInpaintSlicer.nodes import evaluations, hierarchy, plots, tables

TITLES = {"telea": "Telea (fast marching)", "patch": "Patches", YARDSTICK: "Mean of the shell"}
PSNR = {YARDSTICK: [10.0, 20.0, 30.0], "telea": [14.0, 23.0, 32.0], "patch": [15.0, 22.0, 35.0]}
LAYOUT = slicer.vtkMRMLLayoutNode


def _column(node, name) -> list:
    """A column's values as Python has them."""
    array = node.GetTable().GetColumnByName(name)
    return [array.GetValue(row) for row in range(array.GetNumberOfValues())]


def _columns(node) -> list[str]:
    return [node.GetColumnName(number) for number in range(node.GetNumberOfColumns())]


def _plot(psnr=PSNR, volumeName="T1"):
    """The chart and its series, of the PSNR hole by hole."""
    found = report(psnr)
    table = evaluations.addPsnrByHole(found, "spheres:10mm:3", TITLES, addVolume(name=volumeName))
    return plots.addPsnrPlot(table, evaluation.meanPsnr(found, "spheres:10mm:3"), TITLES, "T1 plot")


def test_columns_keep_their_types_titles_and_values_through_saving(tmp_path):
    node = tables.addTable(
        "Mine",
        [
            tables.Column("text", "Text", ["a b", "ä, c"]),
            tables.Column("whole", "Whole", [1, -2]),
            tables.Column("real", "Real <x>", [math.inf, math.nan], "What it is."),
        ],
    )
    assert node.GetLocked()
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    node = slicer.mrmlScene.GetFirstNodeByName("Mine")
    assert _column(node, "text") == ["a b", "ä, c"]
    assert _column(node, "whole") == [1, -2]
    infinite, missing = _column(node, "real")
    assert infinite == math.inf
    assert math.isnan(missing)
    assert [node.GetTable().GetColumnByName(name).IsNumeric() for name in _columns(node)] == [0, 1, 1]
    assert [node.GetColumnTitle(name) for name in _columns(node)] == ["Text", "Whole", "Real <x>"]
    assert node.GetColumnDescription("real") == "What it is."
    assert node.GetUseColumnTitleAsColumnHeader()


def test_the_scores_have_a_row_for_each_method_and_hole():
    node = evaluations.addScores(report(PSNR), addVolume(), np.eye(4))
    assert node.GetName() == "T1 scores (spheres:10mm:3)"
    assert _column(node, "method") == [YARDSTICK] * 3 + ["telea"] * 3 + ["patch"] * 3
    assert _column(node, "hole") == [1, 2, 3] * 3
    assert _column(node, "voxels") == [501, 502, 503] * 3
    assert _column(node, "psnr") == [10, 20, 30, 14, 23, 32, 15, 22, 35]
    assert set(_column(node, "holes")) == {"spheres:10mm:3"}
    assert node.GetColumnTitle("psnr") == "PSNR dB"
    assert [node.GetColumnDescription(name).split()[0] for name in ("psnr", "mae", "gradient_energy")] == [
        "Higher",
        "Lower",
        "1",
    ]


def test_a_metric_that_is_nowhere_defined_has_no_column():
    for node in (
        evaluations.addScores(report(PSNR), addVolume(), np.eye(4)),
        evaluations.addSummary(report(PSNR), TITLES, addVolume()),
    ):
        assert any(name.startswith("ssim") for name in _columns(node))
        assert not any(name.startswith("ssim_inner") for name in _columns(node))


def test_holes_lie_where_the_volume_lies():
    volume = addVolume()
    volume.SetAndObserveTransformNodeID(addTransform(rotation(90, "Z")).GetID())
    node = evaluations.addScores(report(PSNR), volume, obliqueMatrix())
    found = [_column(node, f"center_{axis}")[1] for axis in "RAS"]
    # The center of the second hole is (k, j, i) = (1, 2, 5).
    expected = rotation(90, "Z") @ obliqueMatrix() @ [5, 2, 1, 1]
    assert found == pytest.approx(expected[:3], abs=0.01)


def test_the_summary_has_the_best_first_with_its_spread_and_its_gain():
    node = evaluations.addSummary(report(PSNR), TITLES, addVolume())
    assert _column(node, "method") == ["patch", "telea", YARDSTICK]
    assert _column(node, "title") == ["Patches", "Telea", "Mean of the shell"]
    assert _column(node, "psnr_mean") == pytest.approx([24, 23, 20])
    assert _column(node, "psnr_sd") == pytest.approx(
        [np.std(PSNR[name], ddof=1) for name in ("patch", "telea", YARDSTICK)]
    )
    assert _column(node, "psnr_gain_mean") == pytest.approx([4, 3, 0])
    assert _column(node, "better") == [3, 3, 0]
    assert _column(node, "count") == [3, 3, 3]
    assert _column(node, "seconds") == [1.25] * 3
    assert _column(node, "device") == ["cpu"] * 3


def test_a_perfect_fill_and_a_single_hole_can_be_kept():
    found = report({YARDSTICK: [10.0], "patch": [None]})
    scores, summary = (
        evaluations.addScores(found, addVolume(), np.eye(4)),
        evaluations.addSummary(found, TITLES, addVolume()),
    )
    assert _column(scores, "psnr") == [10, math.inf]
    assert _column(summary, "psnr_mean") == [math.inf, 10]
    assert all(math.isnan(each) for each in _column(summary, "psnr_sd"))
    assert math.isnan(_column(summary, "psnr_gain_mean")[0])


def test_by_hole_there_is_a_column_for_each_method_the_best_first():
    node = evaluations.addPsnrByHole(report(PSNR), "spheres:10mm:3", TITLES, addVolume())
    assert _columns(node) == ["hole", "patch", "telea", YARDSTICK]
    assert _column(node, "patch") == PSNR["patch"]
    assert node.GetColumnTitle("telea") == "Telea (fast marching)"


def test_the_plot_has_a_line_for_each_method_with_its_mean_in_the_legend():
    chart, series = _plot()
    assert [each.GetName() for each in series] == ["Patches: 24.0 dB", "Telea: 23.0 dB", "Mean of the shell: 20.0 dB"]
    assert [chart.GetNthPlotSeriesNode(number) for number in range(chart.GetNumberOfPlotSeriesNodes())] == series
    assert [each.GetYColumnName() for each in series] == ["patch", "telea", YARDSTICK]
    assert {each.GetXColumnName() for each in series} == {"hole"}
    assert {each.GetPlotType() for each in series} == {slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter}
    assert len({each.GetColor() for each in series}) == 3
    assert chart.GetTitle() == "T1 PSNR by hole (spheres:10mm:3)"
    assert "dB" in chart.GetYAxisTitle()


def test_all_of_the_plot_is_seen_below_its_legend():
    chart, _ = _plot()
    low, high = chart.GetYAxisRange()
    assert low < 10
    # Three lines of a legend, in a plot of ten to fifteen lines' height.
    assert (high - 35) / (high - low) > 0.2
    left, right = chart.GetXAxisRange()
    assert left < 1
    assert right > 3


def test_more_methods_than_colors_are_told_apart_by_their_lines():
    names = [f"method-{number}" for number in range(2 * len(plots.COLORS))]
    columns = [tables.Column("hole", "Hole", [1]), *(tables.Column(name, name, [20.0]) for name in names)]
    _, series = plots.addPsnrPlot(
        tables.addTable("Many", columns), dict.fromkeys(names, 20.0), {name: name for name in names}, "Plot"
    )
    assert len({(each.GetColor(), each.GetLineStyle()) for each in series}) == len(names)


def test_a_perfect_fill_has_no_point_in_the_plot():
    chart, series = _plot({YARDSTICK: [10.0, 20.0], "patch": [None, 30.0], "telea": [None, None]})
    assert np.isfinite(chart.GetYAxisRange()).all()
    assert [each.GetName() for each in series] == ["Patches: ∞ dB", "Telea: ∞ dB", "Mean of the shell: 15.0 dB"]
    values = slicer.util.arrayFromTableColumn(series[0].GetTableNode(), "patch")
    assert math.isnan(values[0])
    assert values[1] == 30


def test_names_are_given_once():
    nodes = [evaluations.addScores(report(PSNR), addVolume(), np.eye(4)) for _ in range(2)]
    assert [node.GetName() for node in nodes] == ["T1 scores (spheres:10mm:3)", "T1 scores (spheres:10mm:3)_1"]


def test_nodes_say_how_they_were_made_and_lead_to_each_other_after_loading(tmp_path):
    found = report(PSNR, left_out={"unet": "no model"}, warnings=["unet was left out: no model"])
    volume = addVolume()
    scores = evaluations.addScores(found, volume, np.eye(4))
    summary = evaluations.addSummary(found, TITLES, volume)
    chart, _ = _plot()
    evaluations.refer(scores, summary, [chart])
    evaluations.describe([scores, chart], found, "T1")
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    scores = slicer.mrmlScene.GetFirstNodeByName("T1 scores (spheres:10mm:3)")
    chart = evaluations.chartOf(scores)
    assert chart.GetName() == "T1 plot"
    assert scores.GetNodeReference(evaluations.SUMMARY_ROLE).GetName() == "T1 summary (spheres:10mm:3)"
    assert chart.GetNumberOfPlotSeriesNodes() == 3
    assert chart.GetPlotSeriesNode().GetName() == "Patches: 24.0 dB"
    for node in (scores, chart):
        for words in ("MedInpaintLib 1.2.3", "3 methods", "spheres:10mm:3 in 'T1'", "masked", "R = 823", "seed 7"):
            assert words in node.GetDescription()
        assert json.loads(node.GetAttribute("MedInpaint.Methods")) == [YARDSTICK, "telea", "patch"]
        assert json.loads(node.GetAttribute("MedInpaint.LeftOut")) == {"unet": "no model"}
        assert node.GetAttribute("MedInpaint.Machine") == "Linux x86_64, 2 cores"
        assert node.GetAttribute("MedInpaint.Seed") == "7"


def test_a_removed_plot_is_led_to_no_more():
    scores = evaluations.addScores(report(PSNR), addVolume(), np.eye(4))
    chart, _ = _plot()
    evaluations.refer(scores, scores, [chart])
    slicer.mrmlScene.RemoveNode(chart)
    assert evaluations.chartOf(scores) is None


@pytest.mark.parametrize("inStudy", [False, True])
def test_a_folder_beside_the_volume_has_all_of_it(inStudy):
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    volume, parent = addVolume(), tree.GetSceneItemID()
    if inStudy:
        parent = tree.CreateStudyItem(parent, "Study")
        tree.CreateItem(parent, volume)
    nodes = [tables.addTable(name, [tables.Column("a", "A", [1])]) for name in ("one", "two")]
    hierarchy.addFolderBeside(volume, "Scores", nodes)
    folders = {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in nodes}
    (folder,) = folders
    assert tree.GetItemName(folder) == "Scores"
    assert tree.GetItemParent(folder) == parent


def test_what_is_removed_takes_its_folder_along_unless_something_else_is_in_it():
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    volume = addVolume()
    kept, *removed = (tables.addTable(name, [tables.Column("a", "A", [1])]) for name in ("one", "two", "three"))
    hierarchy.addFolderBeside(volume, "Shared", [kept, removed[0]])
    hierarchy.addFolderBeside(volume, "Own", [removed[1]])
    hierarchy.removeWithFolders(removed)
    hierarchy.removeWithFolders(removed)  # a second time, nothing is there any more
    assert tree.GetItemByName("Own") == tree.GetInvalidItemID()
    assert tree.GetItemName(tree.GetItemParent(tree.GetItemByDataNode(kept))) == "Shared"
    assert not any(slicer.mrmlScene.IsNodePresent(node) for node in removed)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LAYOUT.SlicerLayoutFourUpView, LAYOUT.SlicerLayoutFourUpTableView),
        (LAYOUT.SlicerLayoutFourUpPlotView, LAYOUT.SlicerLayoutFourUpPlotTableView),
        (LAYOUT.SlicerLayoutFourUpTableView, LAYOUT.SlicerLayoutFourUpTableView),
    ],
)
def test_a_table_is_shown_in_a_layout_that_has_one(before, after):
    layout = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(before)
    view = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableViewNode")
    table = tables.addTable("Mine", [tables.Column("a", "A", [1])])
    tables.show(table)
    assert layout.GetViewArrangement() == after
    assert view.GetTableNodeID() == table.GetID()


def test_a_plot_is_shown_in_a_layout_that_has_one():
    layout = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(LAYOUT.SlicerLayoutFourUpView)
    view = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotViewNode")
    chart, _ = _plot()
    plots.show(chart)
    assert layout.GetViewArrangement() == LAYOUT.SlicerLayoutFourUpPlotView
    assert view.GetPlotChartNodeID() == chart.GetID()


def test_lines_that_a_view_has_unticked_while_loading_come_back_in_their_order():
    chart, series = _plot()
    chart.RemovePlotSeriesNodeID(series[0].GetID())
    plots.show(chart)
    assert [chart.GetNthPlotSeriesNode(number) for number in range(3)] == series
    slicer.mrmlScene.RemoveNode(series[1])
    plots.show(chart)
    assert chart.GetNumberOfPlotSeriesNodes() == 2


def test_without_a_main_window_nothing_is_shown_and_nothing_breaks():
    chart, _ = _plot()
    before = set(sceneContent())
    plots.show(chart)
    tables.show(chart.GetPlotSeriesNode().GetTableNode())
    assert not slicer.util.getNodesByClass("vtkMRMLLayoutNode")
    assert set(sceneContent()) == before
