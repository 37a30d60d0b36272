"""The tab "Contrast", clicked through: choose, Apply, result; Cancel; and all that can be wrong."""

import functools
import json

import numpy as np
import pytest
import slicer
from panelhost.phantom import HEAD_MATRIX, addHead, addSegmentation, addVolume, head, sceneContent

pytest.importorskip("PySide6.QtWidgets", reason="the panel's tests need the package PySide6-Essentials")

from panelhost import host, mrml, workers
from panelhost.filling import chooseIn
from panelhost.processes import isRunning

from MedInpaintLib.models import store
from Testing.PanelHost.clicks import applyAndWait, clickApply, messages, reason, waitForEnd

HOLE = np.zeros(head("T1").shape, dtype=bool)
HOLE[4:6, 14:19, 12:17] = True


@pytest.fixture
def panel():
    """The module's widget, open on an empty scene with this tab in front."""
    with host.openedPanel() as widget:
        widget.ui.tabWidget.currentIndex = 1
        host.processEvents()
        yield widget


@pytest.fixture
def wordyWorker(monkeypatch, tmp_path):
    """Function that makes a worker which prints lines and ends with an exit code."""
    return functools.partial(workers.wordy, monkeypatch, tmp_path)


def _chooseSources(panel):
    t1, t2 = addHead("T1"), addHead("T2")
    panel.contrastPage.ui.t1Selector.setCurrentNode(t1)
    panel.contrastPage.ui.t2Selector.setCurrentNode(t2)
    return t1, t2


def _chooseRepair(panel, **masks):
    """Everything that a repair needs."""
    _chooseSources(panel)
    flair = addHead("FLAIR")
    slicer.util.arrayFromVolume(flair)[HOLE] = 0
    panel.contrastPage.ui.flairSelector.setCurrentNode(flair)
    chooseIn(panel.contrastPage.ui.imputeModeCombo, "repair")
    segmentation = addSegmentation(flair, **(masks or {"lesion": HOLE}))
    panel.contrastPage.ui.imputeSegmentationSelector.setCurrentNode(segmentation)
    host.processEvents()
    return flair, segmentation


def test_filling_a_hole_comes_first(panel):
    tabs = panel.ui.tabWidget
    assert tabs.tabText(0) == "Fill"
    with host.openedPanel() as other:
        assert other.ui.tabWidget.currentIndex == 0


def test_a_click_on_apply_makes_a_new_volume_and_changes_none(panel):
    pytest.importorskip("torch")
    view = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    nodes = _chooseSources(panel)
    before = [slicer.util.arrayFromVolume(node).copy() for node in nodes]
    clickApply(panel)
    assert not panel.contrastPage.ui.applyButton.enabled
    assert "Cancel stops it" in panel.contrastPage.ui.applyButton.toolTip
    assert panel.contrastPage.ui.cancelButton.enabled
    assert panel.contrastPage.ui.progressBar.visible
    assert panel.fillPage.run.job is None
    waitForEnd(panel)
    assert panel.contrastPage.ui.errorLabel.text == ""
    made = slicer.mrmlScene.GetFirstNodeByName("FLAIR (estimated)")
    assert (view.GetBackgroundVolumeID(), view.GetForegroundVolumeID()) == (nodes[0].GetID(), made.GetID())
    assert view.GetForegroundOpacity() == 1
    # There is no before of what was made anew, and no difference between contrasts.
    ui = panel.contrastPage.ui
    assert (ui.belowLabel.text, ui.aboveLabel.text, ui.compareCombo.count) == ("Source", "Estimate", 1)
    assert not ui.outlineBox.enabled
    assert slicer.util.arrayFromVolume(made).shape == before[0].shape
    assert json.loads(made.GetAttribute("MedInpaint.Sources")) == {"T1": "T1", "T2": "T2"}
    text = panel.contrastPage.ui.resultLabel.text
    for words in (
        "'FLAIR (estimated)' is estimated from T1, T2",
        made.GetAttribute("MedInpaint.Model"),
        made.GetAttribute("MedInpaint.Trust"),
    ):
        assert words in text
    assert panel.contrastPage.ui.resultLabel.visible
    assert all(
        np.array_equal(slicer.util.arrayFromVolume(node), array) for node, array in zip(nodes, before, strict=True)
    )
    assert panel.contrastPage.ui.applyButton.enabled
    assert not panel.contrastPage.ui.progressBar.visible
    panel.contrastPage.ui.registerBox.click()
    assert messages(panel) == []


def test_a_repair_changes_the_segment_in_a_new_volume_and_nothing_else(panel):
    pytest.importorskip("torch")
    flair, _ = _chooseRepair(panel)
    damaged = slicer.util.arrayFromVolume(flair).copy()
    applyAndWait(panel)
    assert panel.contrastPage.ui.errorLabel.text == ""
    repaired = slicer.mrmlScene.GetFirstNodeByName("FLAIR filled (collagan)")
    array = slicer.util.arrayFromVolume(repaired)
    assert np.array_equal(array[~HOLE], damaged[~HOLE])
    assert (array[HOLE] > 0).all()
    assert np.array_equal(slicer.util.arrayFromVolume(flair), damaged)
    assert json.loads(repaired.GetAttribute("MedInpaint.Guides")) == ["T1", "T2"]
    assert json.loads(repaired.GetAttribute("MedInpaint.Parameters"))["guides"] == "T1, T2"
    assert "'FLAIR filled (collagan)' is filled" in panel.contrastPage.ui.resultLabel.text
    assert repaired.GetAttribute("MedInpaint.Trust") in panel.contrastPage.ui.resultLabel.text


def test_creating_needs_another_contrast_than_the_wanted_one(panel):
    others = "Choose one or more of the other contrasts: T1, T2, T1 post."
    assert reason(panel) == others
    panel.contrastPage.ui.flairSelector.setCurrentNode(addHead("FLAIR"))
    assert reason(panel) == others
    chooseIn(panel.contrastPage.ui.wantedContrastCombo, "T2")
    assert reason(panel) == ""
    panel.contrastPage.ui.flairSelector.setCurrentNode(None)
    assert reason(panel) == "Choose one or more of the other contrasts: T1, FLAIR, T1 post."


def test_what_does_not_go_together_is_told(panel):
    t1, t2 = _chooseSources(panel)
    panel.contrastPage.ui.t1PostSelector.setCurrentNode(t1)
    assert "'T1' is chosen for T1 and for T1 post" in reason(panel)
    panel.contrastPage.ui.t1PostSelector.setCurrentNode(None)
    panel.contrastPage.ui.likeVolumeSelector.setCurrentNode(t2)
    assert "'T2' is another contrast" in reason(panel)
    like = addHead("FLAIR")
    panel.contrastPage.ui.likeVolumeSelector.setCurrentNode(like)
    assert reason(panel) == ""
    for taken in (t1, like):
        panel.contrastPage.ui.estimatedVolumeSelector.setCurrentNode(taken)
        assert "another output" in reason(panel)
    panel.contrastPage.ui.estimatedVolumeSelector.setCurrentNode(None)
    assert reason(panel) == ""


def test_a_repair_needs_the_damaged_volume_others_and_a_segment(panel):
    chooseIn(panel.contrastPage.ui.imputeModeCombo, "repair")
    assert reason(panel) == "Choose the damaged FLAIR volume."
    flair = addHead("FLAIR")
    panel.contrastPage.ui.flairSelector.setCurrentNode(flair)
    assert reason(panel) == "Choose one or more of the other contrasts: T1, T2, T1 post."
    _chooseSources(panel)
    assert reason(panel) == "Choose the segmentation that marks the hole."
    segmentation = addSegmentation(flair)
    panel.contrastPage.ui.imputeSegmentationSelector.setCurrentNode(segmentation)
    assert "has no segments" in reason(panel)
    segmentation.GetSegmentation().AddEmptySegment("lesion", "Lesion")
    assert reason(panel) == ""
    assert panel.contrastPage.ui.imputeSegmentCombo.currentText == "Lesion"
    panel.contrastPage.ui.estimatedVolumeSelector.setCurrentNode(flair)
    assert "another output" in reason(panel)


def test_one_of_several_segments_must_be_chosen(panel):
    _, segmentation = _chooseRepair(panel, lesion=HOLE, edema=~HOLE)
    combo = panel.contrastPage.ui.imputeSegmentCombo
    assert [combo.itemText(index) for index in range(combo.count)] == ["Choose a segment", "lesion", "edema"]
    assert reason(panel) == "Choose the segment that marks the hole."
    chooseIn(combo, "lesion")
    assert reason(panel) == ""
    assert panel.logic.getParameterNode().imputeSegmentId == "lesion"
    segmentation.GetSegmentation().RemoveSegment("lesion")
    assert reason(panel) == ""
    assert combo.currentText == "edema"


def _enabled(panel):
    names = ("t1", "t2", "flair", "t1Post", "imputeSegmentation", "likeVolume")
    found = {name for name in names if getattr(panel.contrastPage.ui, f"{name}Selector").enabled}
    found |= {"segment"} if panel.contrastPage.ui.imputeSegmentCombo.enabled else set()
    return found | ({"register"} if panel.contrastPage.ui.registerBox.enabled else set())


def test_only_what_has_a_meaning_can_be_chosen(panel):
    assert _enabled(panel) == {"t1", "t2", "t1Post", "likeVolume", "register"}
    assert not panel.contrastPage.ui.flairLabel.enabled
    chooseIn(panel.contrastPage.ui.wantedContrastCombo, "T1C")
    assert _enabled(panel) == {"t1", "t2", "flair", "likeVolume", "register"}
    chooseIn(panel.contrastPage.ui.imputeModeCombo, "repair")
    assert _enabled(panel) == {"t1", "t2", "flair", "t1Post", "imputeSegmentation", "segment"}
    assert "T1 post volume" in panel.contrastPage.ui.imputeSummaryLabel.text
    chooseIn(panel.contrastPage.ui.imputeModeCombo, "create")
    _chooseSources(panel)
    assert (
        panel.contrastPage.ui.imputeSummaryLabel.text
        == "Estimates a whole T1 post volume from T1, T2, on the grid of T1."
    )


def test_a_segment_that_is_renamed_has_its_new_name(panel):
    _flair, segmentation = _chooseRepair(panel, lesion=HOLE, edema=HOLE)
    combo = panel.contrastPage.ui.imputeSegmentCombo
    chooseIn(combo, "edema")
    segmentation.GetSegmentation().GetSegment("edema").SetName("Swelling")
    host.processEvents()
    assert combo.currentText == "Swelling"
    assert panel.logic.getParameterNode().imputeSegmentId == "edema"


@pytest.mark.parametrize("choose", [_chooseSources, _chooseRepair])
def test_without_a_model_or_a_folder_that_can_be_read_the_reason_is_told(panel, monkeypatch, tmp_path, choose):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))
    monkeypatch.setattr(store, "_RELEASED", ())
    choose(panel)
    assert reason(panel) == "There is no model that estimates contrasts; add one in the tab Models."

    def refuse():
        raise PermissionError(13, "Permission denied", "models")

    monkeypatch.setattr(store, "models", refuse)
    (tmp_path / "new").mkdir()
    panel.contrastPage.refresh()
    assert "Permission denied" in reason(panel)
    monkeypatch.undo()
    panel.contrastPage.refresh()
    assert reason(panel) == ""


def test_the_choices_reach_the_logic(panel, monkeypatch):
    asked = []
    monkeypatch.setattr(panel.logic, "impute", lambda *given, **named: asked.append((given, named)), raising=False)
    t1, t2 = _chooseSources(panel)
    like, output = addHead("FLAIR"), addVolume(name="Mine")
    panel.contrastPage.ui.likeVolumeSelector.setCurrentNode(like)
    panel.contrastPage.ui.estimatedVolumeSelector.setCurrentNode(output)
    panel.contrastPage.ui.registerBox.click()
    chooseIn(panel.contrastPage.ui.imputeDeviceCombo, "cpu")
    host.packagesAskedFor.clear()
    clickApply(panel)
    (volumes, target), named = asked[0]
    assert (volumes, target) == ({"T1": t1, "T2": t2}, "FLAIR")
    assert (named["like"], named["outputVolume"]) == (like, output)
    assert (named["register"], named["device"], named["wait"]) == (True, "cpu", False)
    assert {"torch", "safetensors"} <= set(host.packagesAskedFor[0])


def test_a_declined_installation_is_told(panel, monkeypatch):
    def decline(requirements, requester):
        raise RuntimeError("User declined package installation")

    monkeypatch.setattr(slicer.packaging, "pip_ensure", decline)
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda each: not str(each).startswith("safetensors"))
    _chooseSources(panel)
    clickApply(panel)
    assert panel.contrastPage.run.job is None
    assert messages(panel) == [
        "MedInpaint needs the Python package(s) safetensors. Press Apply again and agree.",
    ]


@pytest.mark.parametrize("choose", [_chooseSources, _chooseRepair])
def test_cancel_ends_the_worker_and_leaves_the_scene_as_it_was(panel, endlessWorker, choose):
    choose(panel)
    before = sceneContent()
    clickApply(panel)
    host.waitUntil(lambda: panel.contrastPage.ui.progressBar.value == 42)
    assert panel.contrastPage.ui.statusLabel.text == "Filling"
    assert panel.fillPage.ui.statusLabel.text == ""
    pids = json.loads(endlessWorker.read_text())
    panel.contrastPage.ui.cancelButton.click()
    assert panel.contrastPage.run.job is None
    host.waitUntil(lambda: not any(isRunning(pid) for pid in pids), seconds=5)
    assert "Cancelled" in panel.contrastPage.ui.statusLabel.text
    assert panel.contrastPage.ui.applyButton.enabled
    assert sceneContent() == before


def test_closing_the_scene_ends_what_runs_and_clears_the_tab(panel, endlessWorker):
    _chooseRepair(panel)
    clickApply(panel)
    host.waitUntil(endlessWorker.exists)
    mrml.clearScene()
    assert panel.contrastPage.run.job is None
    assert messages(panel) == []
    assert panel.contrastPage.ui.imputeSegmentCombo.currentText == "None"
    assert panel.contrastPage.ui.imputeModeCombo.currentData == "create"
    assert not panel.contrastPage.ui.applyButton.enabled
    host.waitUntil(lambda: not any(isRunning(pid) for pid in json.loads(endlessWorker.read_text())), seconds=5)


def test_removing_the_reference_ends_what_runs_at_once(panel, endlessWorker):
    t1, _ = _chooseSources(panel)
    clickApply(panel)
    host.waitUntil(endlessWorker.exists)
    slicer.mrmlScene.RemoveNode(t1)
    assert panel.contrastPage.run.job is None
    assert "removed" in panel.contrastPage.ui.errorLabel.text
    host.waitUntil(lambda: not any(isRunning(pid) for pid in json.loads(endlessWorker.read_text())), seconds=5)


def test_an_error_of_the_engine_and_its_warnings_are_shown(panel, wordyWorker):
    wordyWorker(
        json.dumps({"event": "warning", "message": "The T2 image is on another grid."}),
        json.dumps({"event": "error", "kind": "GeometryError", "message": "Not the same anatomy."}),
        exitCode=2,
    )
    _chooseSources(panel)
    before = sceneContent()
    applyAndWait(panel)
    assert messages(panel) == ["Not the same anatomy.", "The T2 image is on another grid."]
    assert panel.contrastPage.ui.errorLabel.visible
    assert panel.contrastPage.ui.warningLabel.visible
    assert panel.fillPage.ui.errorLabel.text == ""
    assert panel.contrastPage.ui.applyButton.enabled
    assert sceneContent() == before


def test_wrong_input_gives_one_line_before_anything_starts(panel):
    _chooseSources(panel)
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    panel.contrastPage.ui.t2Selector.setCurrentNode(empty)
    before = sceneContent()
    clickApply(panel)
    assert panel.contrastPage.run.job is None
    assert messages(panel) == ["Volume 'Empty' has no voxels; load its image first."]
    assert sceneContent() == before


def test_an_empty_segment_gives_one_line_before_anything_starts(panel):
    _chooseRepair(panel, lesion=np.zeros_like(HOLE))
    before = sceneContent()
    clickApply(panel)
    assert panel.contrastPage.run.job is None
    (message,) = messages(panel)
    assert "'lesion'" in message
    assert sceneContent() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda panel: chooseIn(panel.contrastPage.ui.wantedContrastCombo, "T1C"),
        lambda panel: chooseIn(panel.contrastPage.ui.imputeModeCombo, "repair"),
        lambda panel: chooseIn(panel.contrastPage.ui.imputeDeviceCombo, "cpu"),
        lambda panel: panel.contrastPage.ui.registerBox.click(),
        lambda panel: panel.contrastPage.ui.t1PostSelector.setCurrentNode(addVolume(name="Gd")),
        lambda panel: panel.contrastPage.ui.likeVolumeSelector.setCurrentNode(addVolume(name="Earlier")),
        lambda panel: panel.contrastPage.ui.estimatedVolumeSelector.setCurrentNode(addVolume(name="Mine")),
    ],
)
def test_messages_go_when_the_user_chooses_otherwise(panel, wordyWorker, change):
    wordyWorker(exitCode=1)
    _chooseSources(panel)
    applyAndWait(panel)
    assert len(messages(panel)) == 1
    change(panel)
    host.processEvents()
    assert messages(panel) == []


def test_the_choices_survive_saving_and_loading_the_scene(panel, tmp_path):
    flair, _ = _chooseRepair(panel, lesion=HOLE, edema=~HOLE)
    chooseIn(panel.contrastPage.ui.imputeSegmentCombo, "edema")
    chooseIn(panel.contrastPage.ui.imputeDeviceCombo, "cpu")
    like, output = addVolume(name="Earlier"), addVolume(name="Mine")
    panel.logic.getParameterNode().registerFirst = True
    panel.contrastPage.ui.likeVolumeSelector.setCurrentNode(like)
    panel.contrastPage.ui.estimatedVolumeSelector.setCurrentNode(output)
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    mrml.clearScene()
    assert panel.contrastPage.ui.t1Selector.currentNode() is None
    assert not panel.contrastPage.ui.registerBox.checked
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    host.processEvents()
    node, ui = panel.logic.getParameterNode(), panel.contrastPage.ui
    chosen = {
        "t1": ui.t1Selector.currentNode(),
        "t2": ui.t2Selector.currentNode(),
        "flair": ui.flairSelector.currentNode(),
        "like": ui.likeVolumeSelector.currentNode(),
        "output": ui.estimatedVolumeSelector.currentNode(),
    }
    assert {name: each.GetName() for name, each in chosen.items()} == {
        "t1": "T1",
        "t2": "T2",
        "flair": flair.GetName(),
        "like": "Earlier",
        "output": "Mine",
    }
    assert (ui.wantedContrastCombo.currentData, ui.imputeModeCombo.currentData) == ("FLAIR", "repair")
    assert (ui.imputeSegmentCombo.currentData, ui.imputeDeviceCombo.currentData) == ("edema", "cpu")
    assert ui.registerBox.checked
    assert node.imputeSegmentId == "edema"


def test_the_two_tabs_run_side_by_side(panel, endlessWorker):
    flair, segmentation = _chooseRepair(panel)
    panel.fillPage.ui.inputVolumeSelector.setCurrentNode(flair)
    panel.fillPage.ui.segmentationSelector.setCurrentNode(segmentation)
    panel.fillPage.ui.segmentsTable.setSelectedSegmentIDs(["lesion"])
    clickApply(panel)
    assert panel.fillPage.ui.applyButton.enabled, panel.fillPage.ui.applyButton.toolTip
    panel.fillPage.ui.applyButton.click()
    assert panel.fillPage.run.job is not panel.contrastPage.run.job
    panel.contrastPage.ui.cancelButton.click()
    assert panel.fillPage.run.job is not None
    panel.fillPage.ui.cancelButton.click()


@pytest.mark.parametrize("mode", ["create", "repair"])
def test_the_tab_fits_into_300_pixels(panel, mode):
    chooseIn(panel.contrastPage.ui.imputeModeCombo, mode)
    host.processEvents()
    assert panel.parent.minimumSizeHint().width() <= 300


def test_what_was_said_while_the_tab_was_not_seen_has_its_height_when_it_is(panel):
    panel.ui.tabWidget.currentIndex = 0
    host.processEvents()
    panel.contrastPage.run.onWarning("A warning that is so long that it needs several lines in a narrow panel. " * 4)
    label = panel.contrastPage.ui.warningLabel
    panel.ui.tabWidget.currentIndex = 1
    host.waitUntil(lambda: label.visible and label.height >= label.heightForWidth(label.width) > 40, seconds=2)


def test_pictures_of_the_tab_are_kept_to_be_looked_at(panel):
    pictures = mrml.REPOSITORY / "panel-screenshots"
    pictures.mkdir(exist_ok=True)
    host.screenshot(panel, pictures / "impute-empty.png")
    _chooseRepair(panel)
    host.screenshot(panel, pictures / "impute-repair.png")
    assert all((pictures / f"impute-{name}.png").stat().st_size > 5_000 for name in ("empty", "repair"))


def test_one_call_from_a_script_gives_the_volume(panel):
    pytest.importorskip("torch")
    volumes = {"T1": addHead("T1"), "T2": addVolume(head("T2"), HEAD_MATRIX, "T2"), "FLAIR": None}
    made = panel.logic.impute(volumes, "FLAIR", device="cpu")
    assert made.GetAttribute("MedInpaint.Units") == "1000 is the median of the core of the head"
    assert slicer.util.arrayFromVolume(made).dtype == np.int16
