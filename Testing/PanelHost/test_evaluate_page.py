"""The tab "Evaluate", clicked through: choose, Apply, result, show; Cancel; and all that can be wrong."""

import json
import re

import numpy as np
import pytest
import slicer
from panelhost import host, mrml
from panelhost.batches import nodeNames
from panelhost.evaluations import YARDSTICK, report
from panelhost.filling import chooseIn
from panelhost.phantom import addHead, addSegmentation, addVolume, head, sceneContent
from panelhost.processes import isRunning
from PySide6 import QtCore, QtGui

import MedInpaintLib
from MedInpaintSlicer import evaluation
from Testing.PanelHost.clicks import applyAndWait, clickApply, messages, reason, runEndsWith, waitForEnd

HOLE = np.zeros(head("T1").shape, dtype=bool)
HOLE[4:6, 14:19, 12:17] = True
QUICK = ["patch-regression", "patch", "mirror", "biharmonic"]


@pytest.fixture
def panel():
    """The module's widget, open on an empty scene with this tab in front."""
    with host.openedPanel() as widget:
        widget.ui.tabWidget.currentIndex = widget.pages.index(widget.evaluatePage)
        host.processEvents()
        yield widget


def _open(panel):
    """As when the user comes back to the module after loading data."""
    panel.exit()
    panel.enter()
    host.processEvents()


def _addInputs(panel):
    """A volume, holes that fit into it, and methods that take no time."""
    volume = addHead("T1")
    _open(panel)
    _ui(panel).evaluateSizeSlider.value = 25
    _ui(panel).evaluateCountSlider.value = 2
    _tick(panel, "harmonic", "nearest")
    return volume


def _ui(panel):
    return panel.evaluatePage.ui


def _node(panel):
    return panel.logic.getParameterNode()


def _items(panel):
    """The offered methods, by what the list shows."""
    widget = _ui(panel).evaluateMethodsList
    return {widget.item(row).text(): widget.item(row) for row in range(widget.count)}


def _tick(panel, *names):
    """Tick these methods and no others, one after the other."""
    titles = {info.title: name for name, info in MedInpaintLib.list_methods().items()} | {"Automatic": "auto"}
    for title, item in _items(panel).items():
        if item.flags() & QtCore.Qt.ItemIsEnabled:
            item.setCheckState(QtCore.Qt.Checked if titles[title] in names else QtCore.Qt.Unchecked)


def _ticked(panel):
    return [title for title, item in _items(panel).items() if item.checkState() == QtCore.Qt.Checked]


def _visible(panel):
    names = ("evaluateSizeSlider", "evaluateSlabSlider", "evaluateCountSlider", "evaluateAvoidSelector")
    names += ("evaluateSegmentationSelector",)
    return {name[len("evaluate") :] for name in names if getattr(_ui(panel), name).visible}


@pytest.fixture
def done(panel, wordyWorker):
    """A tab whose worker has said a result at once."""

    def make(psnr, holes="spheres:25mm:2", **changes):
        result = {"event": "result", "output": "scores.csv", "report": report(psnr, holes, **changes)}
        wordyWorker(json.dumps(result), exitCode=0)
        clickApply(panel)
        waitForEnd(panel)
        assert _ui(panel).errorLabel.text == ""
        return _node(panel).evaluateScores

    return make


def test_a_click_on_apply_scores_the_methods_and_changes_nothing(panel):
    volume = _addInputs(panel)
    before = slicer.util.arrayFromVolume(volume).copy()
    clickApply(panel)
    assert not _ui(panel).applyButton.enabled
    assert _ui(panel).cancelButton.enabled
    assert _ui(panel).progressBar.visible
    assert panel.fillPage.run.job is None
    waitForEnd(panel)
    assert _ui(panel).errorLabel.text == ""
    scores = _node(panel).evaluateScores
    assert scores.GetName() == "T1 scores (spheres:25mm:2)"
    assert scores.GetNumberOfRows() == 6
    assert np.array_equal(slicer.util.arrayFromVolume(volume), before)
    assert re.match("Best by PSNR: Harmonic; better than the yardstick in", _ui(panel).resultLabel.text)
    text = _ui(panel).evaluateScoresLabel.text
    for words in ("3 methods, 2 hole(s) in 'T1'", "Harmonic", "Nearest voxel", "yardstick", "R = "):
        assert words in text
    assert _ui(panel).resultLabel.visible
    assert _ui(panel).evaluateScoresLabel.visible
    assert _ui(panel).applyButton.enabled
    assert not _ui(panel).progressBar.visible


def test_the_volume_of_the_tab_fill_is_taken_unless_another_is_chosen(panel, monkeypatch):
    asked = []
    monkeypatch.setattr(panel.logic, "evaluate", lambda volume, **named: asked.append(volume), raising=False)
    first, second = addHead("T1"), addHead("T2")
    _open(panel)
    for fill, own in ((first, None), (second, None), (second, first)):
        panel.fillPage.ui.inputVolumeSelector.setCurrentNode(fill)
        _ui(panel).evaluateVolumeSelector.setCurrentNode(own)
        name = (own or fill).GetName()
        assert f"6 spheres of 10 mm in '{name}'; " in _ui(panel).evaluateSummaryLabel.text
        clickApply(panel)
    assert asked == [first, second, first]


def test_quick_methods_are_ticked_at_first_and_the_yardstick_always(panel):
    addHead("T1")
    _open(panel)
    methods = MedInpaintLib.list_methods()
    assert list(_node(panel).evaluateMethods) == QUICK
    assert _ticked(panel) == [methods[name].title for name in (YARDSTICK, *QUICK)]
    yardstick = _items(panel)[methods[YARDSTICK].title]
    assert not yardstick.flags() & QtCore.Qt.ItemIsEnabled
    assert "4 method(s) and the yardstick" in _ui(panel).evaluateSummaryLabel.text


def test_every_method_that_needs_nothing_but_the_volume_is_offered_with_its_summary(panel):
    offered = {
        info.title: info.summary
        for info in MedInpaintLib.list_methods().values()
        if not info.needs_guides and not info.needs_exemplars
    }
    items = _items(panel)
    assert set(items) == {*offered, "Automatic"}
    usable = {title for title, item in items.items() if item.flags() & QtCore.Qt.ItemIsEnabled} - {"Automatic"}
    assert all(items[title].toolTip() == offered[title] for title in usable)


def test_methods_are_ticked_and_kept_in_the_scene(panel):
    addHead("T1")
    _open(panel)
    _tick(panel, "auto", "nearest")
    assert sorted(_node(panel).evaluateMethods) == ["auto", "nearest"]
    assert "2 method(s)" in _ui(panel).evaluateSummaryLabel.text
    _node(panel).evaluateMethods = ["harmonic", "no such method any more"]
    assert _ticked(panel) == [MedInpaintLib.list_methods()[name].title for name in (YARDSTICK, "harmonic")]
    assert "1 method(s)" in _ui(panel).evaluateSummaryLabel.text


def test_nothing_ticked_is_nothing_to_do(panel):
    addHead("T1")
    _open(panel)
    assert reason(panel) == ""
    _tick(panel)
    assert reason(panel) == "Tick one or more methods."
    _tick(panel, "patch")
    assert reason(panel) == ""


def test_without_a_volume_nothing_can_be_done(panel):
    assert reason(panel) == "Choose the volume to cut holes out of."


def test_each_shape_asks_for_what_it_needs(panel):
    addHead("T1")
    _open(panel)
    usual = {"SizeSlider", "CountSlider", "AvoidSelector"}
    combo = _ui(panel).evaluateShapeCombo
    names = [combo.itemData(index) for index in range(combo.count)]
    assert names[0] == "spheres"
    for name in names:
        chooseIn(combo, name)
        host.processEvents()
        if name == "segments":
            assert _visible(panel) == {"SegmentationSelector"}
        elif name in ("squares", "strips", "strokes"):
            assert _visible(panel) == {*usual, "SlabSlider"}
        else:
            assert _visible(panel) == usual
    assert {"spheres", "squares", "strips", "strokes", "blobs", "lesions", "segments"} == set(names)


def test_a_line_says_what_will_be_done(panel):
    addHead("T1")
    _open(panel)
    label = _ui(panel).evaluateSummaryLabel
    assert label.text == "6 spheres of 10 mm in 'T1'; 4 method(s) and the yardstick, mean of the surrounding shell."
    _ui(panel).evaluateCountSlider.value = 1
    _ui(panel).evaluateSizeSlider.value = 12.5
    assert label.text.startswith("1 sphere of 12.5 mm in 'T1'; ")
    chooseIn(_ui(panel).evaluateShapeCombo, "squares")
    _ui(panel).evaluateSlabSlider.value = 5
    assert label.text.startswith("1 square of 12.5 mm, 5 mm thick in 'T1'; ")
    chooseIn(_ui(panel).evaluateShapeCombo, "segments")
    assert label.text.startswith("The segments in 'T1'; ")


def test_holes_that_are_given_need_segments(panel):
    volume = addHead("T1")
    _open(panel)
    chooseIn(_ui(panel).evaluateShapeCombo, "segments")
    assert reason(panel) == "Choose the segmentation that marks the hole."
    segmentation = addSegmentation(volume)
    _ui(panel).evaluateSegmentationSelector.setCurrentNode(segmentation)
    assert "has no segments" in reason(panel)
    segmentation.GetSegmentation().AddEmptySegment("hole", "hole")
    assert reason(panel) == ""


def test_what_to_keep_off_needs_segments_or_is_nothing(panel):
    volume = addHead("T1")
    _open(panel)
    segmentation = addSegmentation(volume)
    _ui(panel).evaluateAvoidSelector.setCurrentNode(segmentation)
    assert "to keep off has no segments" in reason(panel)
    segmentation.GetSegmentation().AddEmptySegment("lesion", "lesion")
    assert reason(panel) == ""
    segmentation.GetSegmentation().RemoveSegment("lesion")
    assert "to keep off has no segments" in reason(panel)
    _ui(panel).evaluateAvoidSelector.setCurrentNode(None)
    assert reason(panel) == ""


@pytest.mark.parametrize("given", [False, True])
def test_the_choices_reach_the_logic(panel, monkeypatch, given):
    asked = []
    monkeypatch.setattr(panel.logic, "evaluate", lambda *args, **named: asked.append((args, named)), raising=False)
    volume = addHead("T1")
    marks = addSegmentation(volume, lesion=HOLE)
    _open(panel)
    ui = _ui(panel)
    chooseIn(ui.evaluateShapeCombo, "strips")
    ui.evaluateSizeSlider.value, ui.evaluateSlabSlider.value, ui.evaluateCountSlider.value = 7.5, 4, 3
    ui.evaluateAvoidSelector.setCurrentNode(marks)
    ui.evaluateSegmentationSelector.setCurrentNode(marks)
    ui.evaluateSeedBox.value = 11
    chooseIn(ui.evaluateDeviceCombo, "cpu")
    _tick(panel, "patch", "auto")
    if given:
        chooseIn(ui.evaluateShapeCombo, "segments")
    clickApply(panel)
    ((args, named),) = asked
    assert args == (volume,)
    assert named["holes"] == (() if given else "strips:7.5mm:3:slab=4mm")
    assert (named["segmentationNode"], named["avoid"]) == ((marks, None) if given else (None, marks))
    assert sorted(named["methods"]) == ["auto", "patch"]
    assert (named["seed"], named["device"], named["wait"]) == (11, "cpu", False)


def test_choices_survive_saving_and_loading_the_scene(panel, done, tmp_path):
    _addInputs(panel)
    chooseIn(_ui(panel).evaluateShapeCombo, "blobs")
    _ui(panel).evaluateSeedBox.value = 9
    done({YARDSTICK: [10.0], "nearest": [12.0]}, "blobs:25mm:1")
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    mrml.clearScene()
    assert _ui(panel).evaluateSeedBox.value == 0
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    host.processEvents()
    ui, node = _ui(panel), _node(panel)
    assert (ui.evaluateShapeCombo.currentData, ui.evaluateSeedBox.value) == ("blobs", 9)
    assert (ui.evaluateSizeSlider.value, ui.evaluateCountSlider.value) == (25, 2)
    assert node.evaluateScores.GetName() == "T1 scores (blobs:25mm:1)"
    assert ui.evaluateTableButton.enabled
    assert ui.evaluatePlotButton.enabled


def test_only_what_the_ticked_methods_need_is_asked_for(panel, done):
    _addInputs(panel)
    host.packagesAskedFor.clear()
    done({YARDSTICK: [10.0], "nearest": [12.0]})
    assert not {"torch", "opencv-python-headless"} & set(host.packagesAskedFor[0])
    _tick(panel, "telea", "unet")
    host.packagesAskedFor.clear()
    done({YARDSTICK: [10.0], "telea": [12.0]})
    assert {"torch", "safetensors", "opencv-python-headless"} <= set(host.packagesAskedFor[0])


def test_a_declined_installation_is_told(panel, monkeypatch):
    def decline(requirements, requester):
        raise RuntimeError("User declined package installation")

    monkeypatch.setattr(slicer.packaging, "pip_ensure", decline)
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda each: not str(each).startswith("opencv"))
    missing = property(lambda self: lambda: ("opencv-python-headless",) if self.name == "telea" else ())
    monkeypatch.setattr("MedInpaintLib.prediction.MethodInfo.missing", missing)
    _addInputs(panel)
    _tick(panel, "telea", "nearest")
    before = sceneContent()
    clickApply(panel)
    assert panel.evaluatePage.run.job is None
    (message,) = messages(panel, "evaluateScoresLabel")
    assert "The method 'Telea (fast marching)' needs the Python package opencv-python-headless" in message
    assert sceneContent() == before


def test_the_table_and_the_plot_are_shown_when_asked_for(panel, done):
    _addInputs(panel)
    layout = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLayoutNode")
    tableView = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableViewNode")
    plotView = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotViewNode")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpView)
    assert not _ui(panel).evaluateTableButton.enabled
    assert not _ui(panel).evaluatePlotButton.enabled
    scores = done({YARDSTICK: [10.0, 11.0], "nearest": [12.0, 14.0]})
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpView  # nobody has asked yet
    _ui(panel).evaluatePlotButton.click()
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpPlotView
    assert plotView.GetPlotChartNode().GetTitle() == "T1 PSNR by hole (spheres:25mm:2)"
    _ui(panel).evaluateTableButton.click()
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpPlotTableView
    assert tableView.GetTableNode() is scores


def test_what_is_removed_can_be_shown_no_more(panel, done):
    _addInputs(panel)
    scores = done({YARDSTICK: [10.0], "nearest": [12.0]})
    slicer.mrmlScene.RemoveNode(scores.GetNodeReference("MedInpaint.Chart"))
    _ui(panel).evaluatePlotButton.click()
    assert not _ui(panel).evaluatePlotButton.enabled
    assert _ui(panel).evaluateTableButton.enabled
    slicer.mrmlScene.RemoveNode(scores)
    _ui(panel).evaluateTableButton.click()
    assert not _ui(panel).evaluateTableButton.enabled


def test_a_second_run_leaves_the_first_one_alone(panel, done):
    _addInputs(panel)
    first = done({YARDSTICK: [10.0], "nearest": [12.0]})
    second = done({YARDSTICK: [10.0], "nearest": [13.0]})
    assert first.GetName() == "T1 scores (spheres:25mm:2)"
    assert second.GetName() == "T1 scores (spheres:25mm:2)_1"
    assert _node(panel).evaluateScores is second
    assert slicer.util.arrayFromTableColumn(first, "psnr").tolist() == [10, 12]


def test_a_result_is_kept_while_the_user_is_in_another_module(panel, wordyWorker):
    _addInputs(panel)
    result = {"event": "result", "output": "x.csv", "report": report({YARDSTICK: [10.0], "nearest": [12.0]})}
    wordyWorker(json.dumps(result), exitCode=0)
    clickApply(panel)
    panel.exit()
    waitForEnd(panel)
    panel.enter()
    assert _ui(panel).errorLabel.text == ""
    assert _ui(panel).evaluateTableButton.enabled
    assert "Best by PSNR" in _ui(panel).resultLabel.text


@pytest.mark.parametrize(
    "change",
    [
        lambda panel: setattr(_ui(panel).evaluateSizeSlider, "value", 30),
        lambda panel: setattr(_ui(panel).evaluateCountSlider, "value", 3),
        lambda panel: setattr(_ui(panel).evaluateSeedBox, "value", 3),
        lambda panel: chooseIn(_ui(panel).evaluateShapeCombo, "blobs"),
        lambda panel: chooseIn(_ui(panel).evaluateDeviceCombo, "cpu"),
        lambda panel: _tick(panel, "nearest"),
        lambda panel: _ui(panel).evaluateVolumeSelector.setCurrentNode(addVolume(name="Other")),
    ],
)
def test_another_choice_takes_back_what_was_said_but_not_the_scores(panel, done, change):
    _addInputs(panel)
    scores = done({YARDSTICK: [10.0], "nearest": [12.0]})
    assert len(messages(panel, "evaluateScoresLabel")) == 2
    change(panel)
    host.processEvents()
    assert messages(panel, "evaluateScoresLabel") == []
    assert _node(panel).evaluateScores is scores
    assert _ui(panel).evaluateTableButton.enabled


def test_cancel_ends_the_worker_and_leaves_the_scene_as_it_was(panel, endlessWorker):
    _addInputs(panel)
    before = sceneContent()
    clickApply(panel)
    host.waitUntil(lambda: _ui(panel).progressBar.value == 42)
    pids = json.loads(endlessWorker.read_text())
    _ui(panel).cancelButton.click()
    assert panel.evaluatePage.run.job is None
    host.waitUntil(lambda: not any(isRunning(pid) for pid in pids), seconds=5)
    assert "Cancelled" in _ui(panel).statusLabel.text
    assert _ui(panel).applyButton.enabled
    assert sceneContent() == before


def test_closing_the_scene_ends_what_runs_and_clears_the_tab(panel, endlessWorker):
    _addInputs(panel)
    runEndsWith(panel, endlessWorker, mrml.clearScene)
    assert messages(panel, "evaluateScoresLabel") == []
    assert not _ui(panel).applyButton.enabled
    assert _ui(panel).evaluateCountSlider.value == 6


def test_closing_the_scene_takes_the_last_scores_along(panel, done):
    _addInputs(panel)
    done({YARDSTICK: [10.0], "nearest": [12.0]})
    mrml.clearScene()
    host.processEvents()
    assert messages(panel, "evaluateScoresLabel") == []
    assert not _ui(panel).evaluateTableButton.enabled
    assert not _ui(panel).evaluatePlotButton.enabled


def test_removing_the_volume_ends_what_runs_at_once(panel, endlessWorker):
    volume = _addInputs(panel)
    runEndsWith(panel, endlessWorker, lambda: slicer.mrmlScene.RemoveNode(volume))
    assert "removed" in panel.evaluatePage.ui.errorLabel.text


def test_a_crash_and_its_warnings_are_shown(panel, wordyWorker):
    wordyWorker(json.dumps({"event": "warning", "message": "unet was left out."}), "Aborted", exitCode=1)
    _addInputs(panel)
    before = sceneContent()
    applyAndWait(panel)
    error, warning = messages(panel, "evaluateScoresLabel")
    assert "ended before it was done (exit code 1)" in error
    assert "Aborted" in error
    assert warning == "unet was left out."
    assert sceneContent() == before


def test_holes_that_do_not_fit_are_told_in_words(panel):
    _addInputs(panel)
    _ui(panel).evaluateSizeSlider.value = 80
    _ui(panel).evaluateCountSlider.value = 40
    applyAndWait(panel)
    assert "Ask for fewer or smaller holes" in _ui(panel).errorLabel.text


def test_a_volume_without_voxels_cannot_be_chosen_for_a_run(panel):
    _addInputs(panel)
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    _ui(panel).evaluateVolumeSelector.setCurrentNode(empty)
    assert reason(panel) == "Volume 'Empty' has no voxels; load its image first."
    slicer.util.updateVolumeFromArray(empty, head("T1"))
    assert reason(panel) == ""


def test_another_name_is_seen_at_once(panel):
    volume = addHead("T1")
    _open(panel)
    volume.SetName("Head")
    host.processEvents()
    assert "in 'Head'; " in _ui(panel).evaluateSummaryLabel.text


def test_undo_takes_the_tables_and_plots_back(panel, done):
    _addInputs(panel)
    button = _ui(panel).evaluateUndoButton
    assert not button.visible
    first = done({YARDSTICK: [10.0], "nearest": [12.0]})
    before = nodeNames()
    second = done({YARDSTICK: [10.0], "nearest": [13.0]})
    assert button.visible
    button.click()
    assert second.GetScene() is None
    assert nodeNames() == before
    assert messages(panel, "evaluateScoresLabel") == ["Undone; the scene is as it was before."]
    assert not button.visible
    assert _node(panel).evaluateScores is first
    assert _ui(panel).evaluateTableButton.enabled


def test_undo_goes_with_the_scene_and_does_no_harm_when_nodes_have_gone(panel, done):
    volume = _addInputs(panel)
    button = _ui(panel).evaluateUndoButton
    scores = done({YARDSTICK: [10.0], "nearest": [12.0]})
    slicer.mrmlScene.RemoveNode(scores)
    button.click()
    assert [volume] == slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert slicer.util.getNodesByClass("vtkMRMLTableNode") == []
    assert slicer.util.getNodesByClass("vtkMRMLPlotChartNode") == []
    assert not _ui(panel).evaluateTableButton.enabled
    done({YARDSTICK: [10.0], "nearest": [12.0]})
    assert button.visible
    mrml.clearScene()
    assert not button.visible


@pytest.mark.parametrize("width", [300, 340])
def test_the_table_of_all_methods_fits_into_the_panel(panel, width):
    panel.parent.resize(width, 900)
    host.processEvents()
    titles = {name: info.title for name, info in MedInpaintLib.list_methods().items()}
    psnr = {name: [123.4, 98.7] for name in titles}
    text = QtGui.QTextDocument()
    text.setDefaultFont(_ui(panel).evaluateScoresLabel.font)
    text.setDocumentMargin(0)
    text.setHtml(evaluation.table(report(psnr), titles, "T1"))
    # Less the frames around it, and a scroll bar.
    text.setTextWidth(width - 45)
    assert text.idealWidth() <= width - 45


def test_the_tab_fits_into_300_pixels(panel):
    for shape in ("strokes", "segments"):
        chooseIn(_ui(panel).evaluateShapeCombo, shape)
        host.processEvents()
        assert panel.parent.minimumSizeHint().width() <= 300


def test_one_call_from_a_script_returns_the_scores(panel):
    volume = addHead("T1")
    segmentation = addSegmentation(volume, hole=HOLE)
    scores = panel.logic.evaluate(volume, methods="nearest", segmentationNode=segmentation)
    assert scores.GetName() == "T1 scores (Segmentation)"
    assert slicer.util.arrayFromTableColumn(scores, "voxels").tolist() == [HOLE.sum()] * 2
    assert scores.GetNodeReference("MedInpaint.Summary").GetNumberOfRows() == 2
    several = panel.logic.evaluate(volume, ["spheres:25mm:1", "blobs:20mm:1", "spheres:25mm:1"], ["nearest"])
    assert several.GetName() == "T1 scores (2 sets of holes)"
    assert several.GetNumberOfNodeReferences("MedInpaint.Chart") == 2


def test_without_waiting_a_script_gets_a_job(panel):
    ended = []
    job = panel.logic.evaluate(addHead("T1"), "spheres:25mm:1", "nearest", wait=False, finished=ended.append)
    assert job.state == "running"
    host.waitUntil(lambda: ended)
    assert job.state == "done", job.error
    assert job.scoresTable.GetNumberOfRows() == 2
    assert job.summaryTable.GetNumberOfRows() == 2


def test_a_script_hears_what_is_wrong(panel):
    volume = addHead("T1")
    with pytest.raises(MedInpaintLib.MedInpaintError, match="no method 'magic'"):
        panel.logic.evaluate(volume, methods=["magic"])
    with pytest.raises(MedInpaintLib.MedInpaintError, match="fit into the foreground"):
        panel.logic.evaluate(volume, "spheres:900mm:1")


def test_methods_without_a_model_for_the_volume_cannot_be_ticked(panel, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))  # only the released models
    node = panel.logic.getParameterNode()
    node.evaluateVolume = addVolume()
    titles = {name: info.title for name, info in MedInpaintLib.list_methods().items()}
    pconv, encoder = (_items(panel)[titles[name]] for name in ("pconv", "context-encoder"))
    assert not encoder.flags() & QtCore.Qt.ItemIsEnabled
    assert "The recipe brain-mr-context-encoder makes one." in encoder.toolTip()
    node.evaluateMethods = ["pconv", "harmonic"]
    assert pconv.checkState() == QtCore.Qt.Checked
    node.evaluateVolume = addVolume(np.zeros((1, 20, 20), np.int16))  # may be a slice of a head, for which there is one
    assert pconv.checkState() == QtCore.Qt.Checked
    assert titles["harmonic"] in _ticked(panel)
