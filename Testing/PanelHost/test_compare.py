"""After a result: before and after, difference, uncertainty, outlines, the parts of the hole, and Undo."""

import json
import re
import sys

import numpy as np
import pytest
import slicer
import vtk
from panelhost import host, mrml, processes, workers
from panelhost.phantom import addSegmentation, addTransform, addVolume, box, obliqueMatrix, ramp, rotation, sceneContent

from MedInpaintSlicer.jobs import process


@pytest.fixture
def view():
    """A slice view's layers; the scene must be empty before."""
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")


@pytest.fixture
def sliceNode():
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode")


def _addInputs():
    array = ramp()
    array[box()] = 0
    volume = addVolume(array)
    return volume, addSegmentation(volume, lesion=box())


def _fill(panel, uncertainty=False):
    panel.exit()
    panel.enter()
    ui = panel.fillPage.ui
    ui.methodCombo.currentIndex = ui.methodCombo.findData("harmonic")
    ui.uncertaintyBox.checked = uncertainty
    assert ui.applyButton.enabled, ui.applyButton.toolTip
    ui.applyButton.click()
    host.waitUntil(lambda: panel.fillPage.run.job is None)
    assert ui.errorLabel.text == ""
    return ui


def _choose(ui, name):
    ui.compareCombo.currentIndex = ui.compareCombo.findData(name)
    host.processEvents()


def _layers(view):
    nodes = (slicer.mrmlScene.GetNodeByID(each or "") for each in _ids(view))
    return [node.GetName() if node is not None else None for node in nodes]


def _ids(view):
    return view.GetBackgroundVolumeID(), view.GetForegroundVolumeID()


def test_there_is_nothing_to_compare_before_a_result(panel):
    _addInputs()
    assert not panel.fillPage.ui.compareCollapsibleButton.visible


def test_the_result_is_shown_at_once_over_what_was_there(panel, view):
    _addInputs()
    ui = _fill(panel)
    assert ui.compareCollapsibleButton.visible
    assert _layers(view) == ["T1", "T1 filled (harmonic)"]
    assert view.GetForegroundOpacity() == 1


def test_the_slider_fades_between_before_and_after(panel, view):
    _addInputs()
    ui = _fill(panel)
    ui.fadeSlider.value = 25
    assert view.GetForegroundOpacity() == pytest.approx(0.25)


def test_flicker_shows_the_two_in_turn_until_it_is_switched_off(panel, view):
    _addInputs()
    ui = _fill(panel)
    ui.flickerButton.click()
    host.waitUntil(lambda: view.GetForegroundOpacity() == 0, seconds=3)
    host.waitUntil(lambda: view.GetForegroundOpacity() == 1, seconds=3)
    ui.flickerButton.click()
    assert view.GetForegroundOpacity() == 1
    host.settle(1.0)
    assert view.GetForegroundOpacity() == 1


def test_the_difference_is_a_volume_of_its_own_made_once(panel, view):
    volume, _ = _addInputs()
    ui = _fill(panel)
    _choose(ui, "difference")
    assert _layers(view) == ["T1 filled (harmonic)", "T1 filled (harmonic) difference"]
    difference = slicer.mrmlScene.GetFirstNodeByName("T1 filled (harmonic) difference")
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled (harmonic)")
    expected = slicer.util.arrayFromVolume(filled).astype(float) - slicer.util.arrayFromVolume(volume)
    assert np.array_equal(slicer.util.arrayFromVolume(difference), expected)
    assert not expected[~box()].any()
    assert slicer.util.arrayFromVTKMatrix(_matrix(difference)) == pytest.approx(obliqueMatrix())
    _choose(ui, "before")
    _choose(ui, "difference")
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 3


def _matrix(node):
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


def test_the_uncertainty_lies_over_the_result_with_a_legend(panel, view):
    _addInputs()
    ui = _fill(panel, uncertainty=True)
    _choose(ui, "uncertainty")
    assert _layers(view) == ["T1 filled (harmonic)", "T1 uncertainty (harmonic)"]
    node = slicer.mrmlScene.GetFirstNodeByName("T1 uncertainty (harmonic)")
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node)
    assert legend.GetVisibility()
    assert legend.GetTitleText() == "Uncertainty"
    _choose(ui, "before")
    assert not legend.GetVisibility()


def test_what_is_chosen_is_seen_wherever_the_slider_was_left(panel, view):
    _addInputs()
    ui = _fill(panel)
    ui.fadeSlider.value = 0
    _choose(ui, "difference")
    assert view.GetForegroundOpacity() == 1


def test_the_uncertainty_is_not_offered_where_it_was_not_asked_for(panel):
    _addInputs()
    assert _fill(panel).compareCombo.findData("uncertainty") == -1


def test_the_segments_do_not_hide_the_result_and_their_outlines_are_optional(panel):
    _, segmentation = _addInputs()
    segmentation.GetSegmentation().AddEmptySegment("other", "other")
    panel.logic.getParameterNode().segmentIds = ["lesion"]
    ui = _fill(panel)
    assert _looks(segmentation, "lesion") == (False, True)
    assert _looks(segmentation, "other") == (True, True)
    ui.outlineBox.click()
    assert _looks(segmentation, "lesion") == (False, False)
    ui.undoButton.click()
    assert _looks(segmentation, "lesion") == (True, True)


def _looks(segmentation, segmentId):
    """Whether a segment's fill and outline are seen in slice views."""
    display = segmentation.GetDisplayNode()
    return display.GetSegmentVisibility2DFill(segmentId), display.GetSegmentVisibility2DOutline(segmentId)


def test_segments_look_as_ever_in_other_modules(panel):
    """The next lesion is painted there."""
    _, segmentation = _addInputs()
    ui = _fill(panel)
    ui.outlineBox.click()
    panel.exit()
    assert _looks(segmentation, "lesion") == (True, True)
    panel.enter()
    assert _looks(segmentation, "lesion") == (False, False)
    ui.outlineBox.click()
    ui.methodCombo.currentIndex = ui.methodCombo.findData("nearest")
    ui.applyButton.click()
    host.waitUntil(lambda: panel.fillPage.run.job is None)
    ui.undoButton.click()
    assert _looks(segmentation, "lesion") == (True, True)


def test_nothing_moves_by_itself_in_another_module_or_behind_another_tab(panel, view):
    _addInputs()
    ui = _fill(panel)
    for leave in (panel.exit, lambda: setattr(panel.ui.tabWidget, "currentIndex", 1)):
        panel.enter()
        panel.ui.tabWidget.currentIndex = 0
        ui.flickerButton.click()
        leave()
        view.SetForegroundOpacity(0.5)
        host.settle(0.8)
        assert view.GetForegroundOpacity() == 0.5


def test_a_result_that_comes_while_another_module_is_open_leaves_its_views_alone(panel, view):
    volume, segmentation = _addInputs()
    panel.exit()
    panel.enter()
    ui = panel.fillPage.ui
    ui.methodCombo.currentIndex = ui.methodCombo.findData("harmonic")
    ui.applyButton.click()
    panel.exit()
    view.SetBackgroundVolumeID(volume.GetID())
    host.waitUntil(lambda: panel.fillPage.run.job is None)
    assert _layers(view) == ["T1", None]
    assert _looks(segmentation, "lesion") == (True, True)
    panel.enter()
    assert _layers(view) == ["T1", "T1 filled (harmonic)"]
    assert ui.compareCollapsibleButton.visible


def test_without_a_common_grid_there_is_no_difference(panel, view):
    volume, _ = _addInputs()
    ui = _fill(panel)
    slicer.util.updateVolumeFromArray(volume, np.zeros((2, 2, 2), np.int16))
    _choose(ui, "difference")
    assert _layers(view) == ["T1 filled (harmonic)", "T1 filled (harmonic)"]


def test_undo_while_the_next_one_runs_leaves_what_is_said_of_that(panel, monkeypatch, tmp_path):
    _addInputs()
    ui = _fill(panel)
    workers.endless(monkeypatch, tmp_path)
    ui.applyButton.click()
    host.waitUntil(lambda: ui.progressBar.value == 42)
    panel.fillPage.run.onWarning("The CPU was used.")
    ui.undoButton.click()
    assert ui.warningLabel.text == "The CPU was used."
    assert ui.statusLabel.text == "Filling"
    ui.cancelButton.click()


def test_the_views_go_through_the_largest_part_then_through_the_next(panel, sliceNode):
    large, small = box(k=(2, 6), j=(2, 8), i=(2, 8)), box(k=(9, 11), j=(12, 14), i=(10, 12))
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=large | small)
    for node in (volume, segmentation):
        node.SetAndObserveTransformNodeID(addTransform(rotation(40, "X")).GetID())
    ui = _fill(panel)
    for mask, text in ((large, "1 of 2"), (small, "2 of 2"), (large, "1 of 2")):
        assert f"Next part ({text})" == ui.nextPieceButton.text
        middle = np.argwhere(mask).mean(axis=0)[::-1]
        point = (rotation(40, "X") @ obliqueMatrix() @ [*middle, 1])[:3]
        center = [sliceNode.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
        assert np.abs(center - point).max() < 2  # within a voxel, 0.8 x 0.9 x 2 mm
        ui.nextPieceButton.click()


def test_a_click_on_a_part_in_the_table_shows_it(panel, sliceNode):
    masks = {"large": box(k=(2, 6), j=(2, 8), i=(2, 8)), "small": box(k=(9, 11), j=(12, 14), i=(10, 12))}
    addSegmentation(addVolume(), lesion=masks["large"] | masks["small"])
    ui = _fill(panel)
    rows = re.findall(r'<tr.*?<a href="(.*?)">', ui.partsLabel.text)
    assert len(rows) == 2
    for link, part in ((rows[1], "small"), (rows[0], "large")):
        ui.partsLabel.linkActivated.emit(link)
        center = [sliceNode.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
        i, j, k = np.rint(np.linalg.inv(obliqueMatrix()) @ [*center, 1.0])[:3].astype(int)
        assert masks[part][k, j, i]
    assert "1 of 2" in ui.nextPieceButton.text
    ui.undoButton.click()
    assert not ui.partsLabel.visible


def test_undo_removes_all_that_was_made_and_shows_what_was_shown(panel, view):
    volume, _ = _addInputs()
    other = addVolume(name="Other")
    view.SetBackgroundVolumeID(other.GetID())
    before = set(sceneContent())
    array = slicer.util.arrayFromVolume(volume).copy()
    ui = _fill(panel, uncertainty=True)
    _choose(ui, "difference")
    ui.undoButton.click()
    assert set(slicer.util.getNodes("T1*")) == {"T1"}
    # A table of colors for differences may stay; it belongs to no result.
    assert {slicer.mrmlScene.GetNodeByID(each).GetName() for each in set(sceneContent()) - before} <= {
        "MedInpaint difference",
        "MedInpaint",
    }
    assert _ids(view) == (other.GetID(), None)
    assert not ui.compareCollapsibleButton.visible
    assert "Undone" in ui.statusLabel.text
    assert ui.resultLabel.text == ""
    assert np.array_equal(slicer.util.arrayFromVolume(volume), array)
    assert ui.applyButton.enabled


def test_undo_gives_a_chosen_output_back_what_it_held(panel):
    _addInputs()
    output = addVolume(np.full((3, 4, 5), 7.5, np.float32), np.diag([2.0, 3.0, 4.0, 1.0]), name="Mine")
    output.SetAttribute("DICOM.instanceUIDs", "1.2.3")
    output.SetDescription("my own")
    output.GetDisplayNode().SetAutoWindowLevel(False)
    output.GetDisplayNode().SetWindowLevel(11, 5)
    panel.fillPage.ui.outputVolumeSelector.setCurrentNode(output)
    ui = _fill(panel)
    assert slicer.util.arrayFromVolume(output).shape == ramp().shape
    ui.undoButton.click()
    assert np.array_equal(slicer.util.arrayFromVolume(output), np.full((3, 4, 5), 7.5, np.float32))
    assert slicer.util.arrayFromVTKMatrix(_matrix(output)) == pytest.approx(np.diag([2.0, 3.0, 4.0, 1.0]))
    assert output.GetAttribute("DICOM.instanceUIDs") == "1.2.3"
    assert output.GetAttribute("MedInpaint.Method") is None
    assert output.GetDescription() == "my own"
    assert output.GetDisplayNode().GetWindow() == 11
    assert panel.logic.getParameterNode().outputVolume is output


def test_a_result_that_was_removed_by_hand_does_no_harm(panel, view):
    _addInputs()
    ui = _fill(panel, uncertainty=True)
    slicer.mrmlScene.RemoveNode(slicer.mrmlScene.GetFirstNodeByName("T1 filled (harmonic)"))
    assert not ui.compareCollapsibleButton.visible
    assert ui.resultLabel.text == ""
    for name in ("difference", "uncertainty", "before"):
        _choose(ui, name)
    ui.fadeSlider.value = 10
    ui.nextPieceButton.click()
    ui.undoButton.click()
    assert ui.applyButton.enabled


def test_closing_the_scene_ends_the_comparison(panel):
    _addInputs()
    ui = _fill(panel)
    ui.flickerButton.click()
    mrml.clearScene()
    assert not ui.compareCollapsibleButton.visible
    assert not ui.flickerButton.checked
    host.settle(0.8)


def test_a_second_result_can_be_taken_back_and_the_first_one_stays(panel, view):
    _addInputs()
    ui = _fill(panel)
    ui.methodCombo.currentIndex = ui.methodCombo.findData("nearest")
    ui.applyButton.click()
    host.waitUntil(lambda: panel.fillPage.run.job is None)
    assert _layers(view)[1] == "T1 filled (nearest)"
    ui.undoButton.click()
    assert _layers(view) == ["T1", "T1 filled (harmonic)"]
    assert slicer.mrmlScene.GetFirstNodeByName("T1 filled (nearest)") is None


EDGES = """
import json, sys
from MedInpaintLib import Volume
job = json.load(open(sys.argv[1]))
image = Volume.read(job["image"])
labels = image.of_another_quantity((image.array > 0).astype("uint8"))
labels.write(job["output"])
print(json.dumps({"event": "progress", "fraction": 0.5, "stage": "Registering"}), flush=True)
report = {"warnings": [], "edges": {}}
print(json.dumps({"event": "result", "output": job["output"], "report": report}), flush=True)
"""


def _pretendToFindEdges(monkeypatch):
    """A worker that takes all voxels above 0 for edges."""
    monkeypatch.setattr(process, "workerCommand", lambda jobFile: [sys.executable, "-c", EDGES, jobFile])


def _label(view):
    node = slicer.mrmlScene.GetNodeByID(view.GetLabelVolumeID() or "")
    return node.GetName() if node is not None else None


def test_the_edges_of_the_atlas_are_shown_and_hidden_and_go_with_undo(panel, view, monkeypatch):
    _addInputs()
    before = set(sceneContent())
    ui = _fill(panel)
    assert ui.atlasEdgesBox.enabled
    assert not ui.atlasEdgesBox.checked
    _pretendToFindEdges(monkeypatch)
    ui.atlasEdgesBox.click()
    host.waitUntil(lambda: _label(view) == "T1 atlas edges")
    assert "yellow" in ui.atlasEdgesMessage.text
    assert panel.parent.minimumSizeHint().width() <= 300
    ui.atlasEdgesBox.click()
    assert _label(view) is None
    assert not ui.atlasEdgesMessage.visible
    monkeypatch.setattr(process, "workerCommand", lambda jobFile: pytest.fail("the edges are there already"))
    ui.atlasEdgesBox.click()
    assert _label(view) == "T1 atlas edges"
    ui.undoButton.click()
    assert _label(view) is None
    left = {slicer.mrmlScene.GetNodeByID(each).GetName() for each in set(sceneContent()) - before}
    assert left <= {"MedInpaint atlas edges", "MedInpaint difference", "MedInpaint"}
    assert not ui.atlasEdgesBox.checked
    assert not ui.atlasEdgesBox.enabled


def test_where_the_atlas_does_not_fit_the_panel_says_why(panel, view):
    _addInputs()
    ui = _fill(panel)
    ui.atlasEdgesBox.click()
    host.waitUntil(lambda: not ui.atlasEdgesBox.checked, seconds=60)
    assert ui.atlasEdgesMessage.text == "The atlas does not fit this image: the image cannot show a head."
    assert panel.parent.minimumSizeHint().width() <= 300
    assert _label(view) is None
    panel.logic.getParameterNode().segmentation.GetSegmentation().RemoveSegment("lesion")
    ui.atlasEdgesBox.click()
    assert not ui.atlasEdgesBox.checked
    assert "has no segments" in ui.atlasEdgesMessage.text


def test_unchecking_stops_the_search_for_the_edges(panel, view, monkeypatch, tmp_path):
    _addInputs()
    ui = _fill(panel)
    pids = workers.endless(monkeypatch, tmp_path)
    ui.atlasEdgesBox.click()
    host.waitUntil(lambda: "42 %" in ui.atlasEdgesMessage.text)
    ui.atlasEdgesBox.click()
    assert not ui.atlasEdgesMessage.visible
    host.waitUntil(lambda: not any(map(processes.isRunning, json.loads(pids.read_text()))))
    assert _label(view) is None


def test_edges_that_are_found_in_another_module_wait_for_the_user(panel, view, monkeypatch):
    _addInputs()
    ui = _fill(panel)
    _pretendToFindEdges(monkeypatch)
    ui.atlasEdgesBox.click()
    panel.exit()
    host.waitUntil(lambda: slicer.mrmlScene.GetFirstNodeByName("T1 atlas edges") is not None)
    host.processEvents()
    assert _label(view) is None
    panel.enter()
    assert _label(view) == "T1 atlas edges"


def test_the_lesion_is_put_back_into_a_segmentation_that_is_chosen(panel):
    volume, _lesion = _addInputs()
    ui = _fill(panel)
    assert ui.lesionBackCollapsibleButton.visible
    assert not ui.lesionBackButton.enabled
    anatomy = addSegmentation(volume, brain=box((2, 10), (3, 13), (2, 12)), far=box((0, 1), (0, 1), (0, 1)))
    anatomy.SetName("Anatomy")
    ui.lesionBackSelector.setCurrentNode(anatomy)
    assert ui.lesionBackButton.enabled
    ui.lesionBackButton.click()
    assert "'Anatomy with lesion' has the lesion" in ui.lesionBackMessage.text
    node = slicer.mrmlScene.GetFirstNodeByName("Anatomy with lesion")
    assert node.GetSegmentation().GetSegmentIdBySegmentName("Lesion")
    assert node.GetNodeReference("MedInpaint.Regions").GetNumberOfRows() == 3
    anatomy.GetSegmentation().RemoveSegment("brain")
    ui.lesionBackButton.click()
    assert "covers no segment" in ui.lesionBackMessage.text
    ui.undoButton.click()
    assert not ui.lesionBackCollapsibleButton.visible
    assert slicer.mrmlScene.IsNodePresent(node)
