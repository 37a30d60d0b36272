"""The panel's own code, clicked through: choose, Apply, result; Cancel; and all that can be wrong."""

import functools
import json
import re
import sys
import time
import types

import numpy as np
import pytest
import slicer
from panelhost import host, mrml, workers
from panelhost.phantom import addSegmentation, addVolume, box, ramp, sceneContent
from panelhost.processes import isRunning
from PySide6 import QtGui, QtWidgets

import MedInpaintLib
from MedInpaintLib.methods import auto
from MedInpaintSlicer import selfcheck


def _addInputs():
    """A volume with a hole that a segment marks; the panel chooses both by itself."""
    array = ramp()
    array[box()] = 0
    volume = addVolume(array)
    return volume, addSegmentation(volume, lesion=box(), edema=box(k=(8, 10)))


def _open(panel):
    """As when the user comes back to the module after loading data."""
    panel.exit()
    panel.enter()
    return panel


def _choose(panel, *segmentIds):
    panel.fillPage.ui.segmentsTable.setSelectedSegmentIDs(segmentIds)


def _chooseIn(combo, name):
    combo.currentIndex = combo.findData(name)


def _clickApply(panel):
    assert panel.fillPage.ui.applyButton.enabled, panel.fillPage.ui.applyButton.toolTip
    panel.fillPage.ui.applyButton.click()


def _waitForEnd(panel):
    host.waitUntil(lambda: panel.fillPage.run.job is None)


@pytest.fixture
def endlessWorker(monkeypatch, tmp_path):
    """A worker that starts a child, says one word and then never ends; gives the file with both process ids."""
    return workers.endless(monkeypatch, tmp_path)


@pytest.fixture
def wordyWorker(monkeypatch, tmp_path):
    """Function that makes a worker which prints lines and ends with an exit code."""
    return functools.partial(workers.wordy, monkeypatch, tmp_path)


def test_apply_is_disabled_until_there_is_a_volume(panel):
    assert not panel.fillPage.ui.applyButton.enabled
    assert "Choose the volume" in panel.fillPage.ui.applyButton.toolTip


def test_apply_is_disabled_until_there_is_a_segmentation(panel):
    addVolume()
    assert not panel.fillPage.ui.applyButton.enabled
    assert "Choose the segmentation" in panel.fillPage.ui.applyButton.toolTip


def test_apply_is_disabled_while_the_segmentation_has_no_segments(panel):
    addSegmentation(addVolume())
    assert not panel.fillPage.ui.applyButton.enabled
    assert "Segment Editor" in panel.fillPage.ui.applyButton.toolTip


def test_apply_is_disabled_until_a_segment_is_chosen(panel):
    _addInputs()
    _open(panel)
    assert not panel.fillPage.ui.applyButton.enabled
    assert "segments in the table" in panel.fillPage.ui.applyButton.toolTip
    _choose(panel, "lesion")
    assert panel.fillPage.ui.applyButton.enabled


def test_the_only_segment_is_chosen_by_itself(panel):
    addSegmentation(addVolume(), lesion=box())
    _open(panel)
    assert panel.fillPage.ui.segmentsTable.selectedSegmentIDs() == ("lesion",)
    assert panel.fillPage.ui.applyButton.enabled


def test_a_segment_that_is_added_later_is_noticed(panel):
    segmentation = addSegmentation(addVolume())
    _open(panel)
    assert not panel.fillPage.ui.applyButton.enabled
    segmentation.GetSegmentation().AddEmptySegment("lesion", "lesion")
    host.processEvents()
    assert panel.fillPage.ui.segmentsTable.selectedSegmentIDs() == ("lesion",)
    assert panel.fillPage.ui.applyButton.enabled


def test_a_chosen_segment_that_is_removed_is_noticed(panel):
    _, segmentation = _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    segmentation.GetSegmentation().RemoveSegment("lesion")
    host.processEvents()
    assert panel.fillPage.ui.segmentsTable.selectedSegmentIDs() in ((), ("edema",))
    assert "lesion" not in panel.logic.getParameterNode().segmentIds


def test_a_label_map_is_not_taken_for_an_image(panel):
    slicer.util.addVolumeFromArray(box().astype(np.uint8), name="Labels", nodeClassName="vtkMRMLLabelMapVolumeNode")
    volume, _ = _addInputs()
    _open(panel)
    assert panel.logic.getParameterNode().inputVolume is volume


def test_the_input_cannot_be_chosen_as_output(panel):
    volume, _ = _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    panel.fillPage.ui.outputVolumeSelector.setCurrentNode(volume)
    assert not panel.fillPage.ui.applyButton.enabled
    assert "another output" in panel.fillPage.ui.applyButton.toolTip


def test_a_click_on_apply_fills_the_hole_in_a_new_volume(panel):
    volume, _ = _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "harmonic")
    _clickApply(panel)
    assert not panel.fillPage.ui.applyButton.enabled
    assert panel.fillPage.ui.cancelButton.enabled
    assert panel.fillPage.ui.progressBar.visible
    _waitForEnd(panel)
    assert panel.fillPage.ui.errorLabel.text == ""
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled (harmonic)")
    assert np.allclose(slicer.util.arrayFromVolume(filled), ramp(), atol=1)
    assert (slicer.util.arrayFromVolume(volume)[box()] == 0).all()
    assert panel.fillPage.ui.applyButton.enabled
    assert not panel.fillPage.ui.cancelButton.enabled
    assert not panel.fillPage.ui.progressBar.visible


def test_the_result_is_told_with_the_reason_and_how_far_to_trust_it(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion", "edema")
    _clickApply(panel)
    _waitForEnd(panel)
    text = panel.fillPage.ui.resultLabel.text
    assert panel.fillPage.ui.resultLabel.visible
    for word in ("'T1 filled (patch-regression)'", "mL", " s.", "because", "not for clinical use"):
        assert word in text


def _addLargerInputs():
    """A volume with room for trial holes: layers that bend, and a small hole."""
    k, j, i = np.indices((24, 32, 32))
    array = (100 + 40 * np.sin(k / 3 + j / 4) + 30 * np.cos(i / 5)).astype(np.int16)
    hole = np.zeros(array.shape, dtype=bool)
    hole[10:13, 14:17, 14:17] = True
    volume = addVolume(array, np.eye(4))
    return volume, addSegmentation(volume, lesion=hole)


def _tableRows(panel):
    return re.findall(r"<tr.*?</tr>", panel.fillPage.ui.selfCheckLabel.text)


def test_a_self_check_shows_what_was_tried_with_the_best_first(panel):
    _addLargerInputs()
    _open(panel)
    assert not panel.fillPage.ui.selfCheckLabel.visible
    panel.fillPage.ui.selfCheckBox.click()
    assert "Tries several methods" in panel.fillPage.ui.methodSummaryLabel.text
    _clickApply(panel)
    _waitForEnd(panel)
    assert panel.fillPage.ui.errorLabel.text == ""
    assert panel.fillPage.ui.selfCheckLabel.visible
    text = panel.fillPage.ui.selfCheckLabel.text
    for words in ("holes of the same shape in healthy tissue", "R = "):
        assert words in text
    _, best, *others = _tableRows(panel)
    assert "taken" in best
    assert others
    assert not any("taken" in row for row in others)
    filled = slicer.mrmlScene.GetNodesByClass("vtkMRMLScalarVolumeNode").GetItemAsObject(1)
    assert "expected PSNR" in filled.GetDescription()
    taken = MedInpaintLib.methods()[filled.GetAttribute("MedInpaint.Method")]
    assert taken.title.partition(" (")[0] in best
    panel.fillPage.ui.selfCheckBox.click()
    assert not panel.fillPage.ui.selfCheckLabel.visible


def test_a_self_check_of_one_method_says_what_to_expect_of_it(panel):
    _addLargerInputs()
    _open(panel)
    _chooseIn(panel.fillPage.ui.methodCombo, "harmonic")
    panel.fillPage.ui.selfCheckBox.click()
    _clickApply(panel)
    _waitForEnd(panel)
    assert "what to expect of Harmonic" in panel.fillPage.ui.selfCheckLabel.text
    assert len(_tableRows(panel)) == 2


@pytest.mark.parametrize("width", [300, 340])
def test_the_self_checks_table_fits_into_the_panel(panel, width):
    titles = {name: info.title for name, info in MedInpaintLib.methods().items()}
    spread = {"mean": 30.25, "sd": 12.25}
    found = {"psnr": spread, "ssim": {"mean": 0.912, "sd": 0.034}, "mae": {"mean": 123.4, "sd": 56.7}, "seconds": 123.4}
    checked = {
        "best": "telea",
        "holes": 8,
        "range": "R = 823, from 0 to 823 (99.5 percentile of the known foreground)",
        "expected": found,
        "methods": dict.fromkeys(titles, found),
        "left_out": {},
    }
    panel.parent.resize(width, 900)
    host.processEvents()
    label = panel.fillPage.ui.selfCheckLabel
    text = QtGui.QTextDocument()
    text.setDefaultFont(label.font)
    text.setDocumentMargin(0)
    text.setHtml(selfcheck.table(checked, titles))
    # Less the frames around it, and a scroll bar.
    text.setTextWidth(width - 45)
    assert text.idealWidth() <= width - 45


def test_without_a_place_for_trial_holes_there_is_a_warning_and_no_table(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "harmonic")
    panel.fillPage.ui.selfCheckBox.click()
    _clickApply(panel)
    _waitForEnd(panel)
    assert "self-check" in panel.fillPage.ui.warningLabel.text
    assert not panel.fillPage.ui.selfCheckLabel.visible
    assert panel.fillPage.ui.resultLabel.visible


def test_the_section_for_more_is_closed_and_says_when_it_is_in_use(panel):
    _addInputs()
    guide = addVolume(name="T2")
    _open(panel)
    assert panel.fillPage.ui.moreCollapsibleButton.collapsed
    assert panel.fillPage.ui.moreCollapsibleButton.text == "More to go by"
    panel.fillPage.ui.guidesSelector.check(guide)
    assert panel.fillPage.ui.moreCollapsibleButton.text == "More to go by (in use)"


def test_guides_that_are_ticked_reach_the_result(panel):
    _addInputs()
    guides = [addVolume(name="T2"), addVolume(name="FLAIR")]
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "patch")
    for guide in guides:
        panel.fillPage.ui.guidesSelector.check(guide)
    assert list(panel.logic.getParameterNode().guides) == guides
    panel.fillPage.ui.guidesSelector.uncheck(guides[1])
    _clickApply(panel)
    _waitForEnd(panel)
    assert panel.fillPage.ui.errorLabel.text == ""
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled (patch)")
    assert filled.GetAttribute("MedInpaint.Guides") == '["T2"]'


def test_the_input_cannot_be_ticked_as_a_guide(panel):
    volume, _ = _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    panel.fillPage.ui.guidesSelector.check(volume)
    assert not panel.fillPage.ui.applyButton.enabled
    assert "cannot guide itself" in panel.fillPage.ui.applyHintLabel.text
    panel.fillPage.ui.guidesSelector.uncheck(volume)
    assert panel.fillPage.ui.applyButton.enabled


def test_the_output_cannot_be_ticked_as_a_guide(panel):
    _addInputs()
    output = addVolume(name="Output")
    _open(panel)
    _choose(panel, "lesion")
    panel.fillPage.ui.outputVolumeSelector.setCurrentNode(output)
    panel.fillPage.ui.guidesSelector.check(output)
    assert "cannot be a guide" in panel.fillPage.ui.applyHintLabel.text


def test_a_guide_that_is_removed_is_forgotten(panel):
    _addInputs()
    guides = [addVolume(name="T2"), addVolume(name="FLAIR")]
    _open(panel)
    _choose(panel, "lesion")
    panel.logic.getParameterNode().guides = guides
    assert list(panel.fillPage.ui.guidesSelector.checkedNodes()) == guides
    slicer.mrmlScene.RemoveNode(guides[0])
    host.processEvents()
    assert list(panel.fillPage.ui.guidesSelector.checkedNodes()) == guides[1:]
    assert panel.fillPage.ui.applyButton.enabled


def test_a_folder_of_exemplars_must_be_there_and_can_be_taken_back(panel, tmp_path):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    panel.fillPage.ui.exemplarsPathEdit.currentPath = str(tmp_path / "missing")
    assert not panel.fillPage.ui.applyButton.enabled
    assert "There is no folder" in panel.fillPage.ui.applyHintLabel.text
    panel.fillPage.ui.exemplarsPathEdit.currentPath = str(tmp_path)
    assert panel.fillPage.ui.applyButton.enabled
    assert panel.logic.getParameterNode().exemplars == str(tmp_path)
    panel.fillPage.ui.exemplarsPathEdit.currentPath = ""
    assert panel.logic.getParameterNode().exemplars == ""
    assert panel.fillPage.ui.moreCollapsibleButton.text == "More to go by"


def test_guides_and_exemplars_survive_saving_and_loading_the_scene(panel, tmp_path):
    _addInputs()
    guide = addVolume(name="T2")
    _open(panel)
    panel.fillPage.ui.guidesSelector.check(guide)
    panel.fillPage.ui.exemplarsPathEdit.currentPath = str(tmp_path)
    panel.fillPage.ui.selfCheckBox.click()
    panel.fillPage.ui.uncertaintyBox.click()
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    mrml.clearScene()
    assert panel.fillPage.ui.guidesSelector.checkedNodes() == ()
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    host.processEvents()
    assert [node.GetName() for node in panel.fillPage.ui.guidesSelector.checkedNodes()] == ["T2"]
    assert panel.fillPage.ui.exemplarsPathEdit.currentPath == str(tmp_path)
    assert panel.fillPage.ui.selfCheckBox.checked
    assert panel.fillPage.ui.uncertaintyBox.checked


def test_the_uncertainty_is_a_second_volume_that_the_result_names(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "patch")
    panel.fillPage.ui.uncertaintyBox.click()
    _clickApply(panel)
    _waitForEnd(panel)
    assert panel.fillPage.ui.errorLabel.text == ""
    assert slicer.mrmlScene.GetFirstNodeByName("T1 uncertainty (patch)") is not None
    assert "Uncertainty: 'T1 uncertainty (patch)'." in panel.fillPage.ui.resultLabel.text


def test_the_chosen_output_volume_takes_the_result(panel):
    _addInputs()
    output = addVolume(np.zeros((2, 2, 2), np.float32), name="Mine")
    _open(panel)
    _choose(panel, "lesion")
    panel.fillPage.ui.outputVolumeSelector.setCurrentNode(output)
    _clickApply(panel)
    _waitForEnd(panel)
    assert slicer.util.arrayFromVolume(output).shape == ramp().shape
    assert slicer.mrmlScene.GetFirstNodeByName("T1 filled (patch-regression)") is None


def test_cancel_ends_the_whole_process_tree_at_once_and_leaves_the_scene_as_it_was(panel, endlessWorker):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    before = sceneContent()
    _clickApply(panel)
    host.waitUntil(lambda: panel.fillPage.ui.progressBar.value == 42)
    assert panel.fillPage.ui.statusLabel.text == "Filling"
    pids = json.loads(endlessWorker.read_text())
    start = time.monotonic()
    panel.fillPage.ui.cancelButton.click()
    assert panel.fillPage.run.job is None
    host.waitUntil(lambda: not any(isRunning(pid) for pid in pids), seconds=5)
    assert time.monotonic() - start < 1
    assert "Cancelled" in panel.fillPage.ui.statusLabel.text
    assert panel.fillPage.ui.applyButton.enabled
    assert sceneContent() == before


def test_closing_the_scene_ends_what_runs(panel, endlessWorker):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    host.waitUntil(endlessWorker.exists)
    mrml.clearScene()
    assert panel.fillPage.run.job is None
    assert not panel.fillPage.ui.applyButton.enabled
    host.waitUntil(lambda: not any(isRunning(pid) for pid in json.loads(endlessWorker.read_text())), seconds=5)


def test_closing_the_scene_clears_segments_and_messages(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    _waitForEnd(panel)
    assert panel.fillPage.ui.resultLabel.visible
    mrml.clearScene()
    assert panel.fillPage.ui.segmentsTable._list.count() == 0
    assert _messages(panel) == []
    assert panel.fillPage.ui.applyHintLabel.text == "Choose the volume to fill."


def test_removing_the_input_ends_what_runs_at_once(panel, endlessWorker):
    volume, _ = _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    host.waitUntil(endlessWorker.exists)
    slicer.mrmlScene.RemoveNode(volume)
    assert panel.fillPage.run.job is None
    assert "removed" in panel.fillPage.ui.errorLabel.text
    host.waitUntil(lambda: not any(isRunning(pid) for pid in json.loads(endlessWorker.read_text())), seconds=5)


def _messages(panel):
    names = ("statusLabel", "errorLabel", "warningLabel", "resultLabel", "selfCheckLabel")
    labels = [getattr(panel.fillPage.ui, name) for name in names]
    return [label.text for label in labels if label.text or label.visible]


@pytest.mark.parametrize(
    "change",
    [
        lambda panel: _choose(panel, "edema"),
        lambda panel: _chooseIn(panel.fillPage.ui.methodCombo, "harmonic"),
        lambda panel: _chooseIn(panel.fillPage.ui.blendCombo, "feather"),
        lambda panel: setattr(panel.fillPage.ui.dilateSlider, "value", 2),
        lambda panel: setattr(panel.fillPage.ui.selfCheckBox, "checked", True),
        lambda panel: setattr(panel.fillPage.ui.uncertaintyBox, "checked", True),
        lambda panel: setattr(panel.fillPage.ui.exemplarsPathEdit, "currentPath", str(mrml.REPOSITORY)),
        lambda panel: panel.fillPage.ui.guidesSelector.check(addVolume(name="T2")),
        lambda panel: setattr(_editor(panel, "clip"), "checked", False),
        lambda panel: panel.fillPage.ui.inputVolumeSelector.setCurrentNode(addVolume(name="Other")),
        lambda panel: panel.logic.getParameterNode().segmentation.GetSegmentation().RemoveSegment("lesion"),
    ],
)
def test_messages_go_when_the_user_chooses_otherwise(panel, change):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    _clickApply(panel)
    _waitForEnd(panel)
    host.processEvents()
    assert len(_messages(panel)) == 1
    change(panel)
    host.processEvents()
    assert _messages(panel) == []


def test_the_reason_why_apply_is_disabled_is_in_sight(panel):
    assert panel.fillPage.ui.applyHintLabel.visible
    assert (
        panel.fillPage.ui.applyHintLabel.text == panel.fillPage.ui.applyButton.toolTip == "Choose the volume to fill."
    )
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    assert not panel.fillPage.ui.applyHintLabel.visible


@pytest.mark.parametrize("width", [300, 360])
def test_a_panel_short_of_room_scrolls_to_the_result_instead_of_squeezing(panel, width):
    area = QtWidgets.QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(panel.parent)
    area.resize(width, 400)
    area.show()
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    panel.fillPage.ui.dilateSlider.value = 1
    _clickApply(panel)
    panel.fillPage.run.onWarning(
        "A warning that is so long that it needs several lines in a panel as narrow as this one. " * 2
    )
    _waitForEnd(panel)
    label = panel.fillPage.ui.resultLabel
    host.waitUntil(lambda: label.visibleRegion().boundingRect().height() == label.height, seconds=2)
    for name in ("resultLabel", "warningLabel", "methodSummaryLabel"):
        shown = getattr(panel.fillPage.ui, name)
        assert shown.height >= shown.heightForWidth(shown.width) > 0
    assert panel.fillPage.ui.segmentsTable.height >= 75
    assert (
        panel.fillPage.ui.dilateSlider.y >= panel.fillPage.ui.segmentsTable.y + panel.fillPage.ui.segmentsTable.height
    )
    narrow = label.minimumHeight
    area.resize(2 * width, 400)
    host.waitUntil(lambda: 0 < label.minimumHeight < narrow, seconds=2)
    panel.parent.setParent(None)


def test_leaving_the_module_lets_the_filling_go_on(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    panel.exit()
    _waitForEnd(panel)
    assert slicer.mrmlScene.GetFirstNodeByName("T1 filled (patch-regression)") is not None
    panel.enter()
    assert panel.fillPage.ui.applyButton.enabled
    assert "'T1 filled (patch-regression)'" in panel.fillPage.ui.resultLabel.text


def test_warnings_stay_in_sight(panel, wordyWorker):
    warnings = [
        json.dumps({"event": "warning", "message": text}) for text in ("The hole is large.", "It touches the border.")
    ]
    wordyWorker(*warnings, exitCode=1)
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    _waitForEnd(panel)
    assert panel.fillPage.ui.warningLabel.visible
    assert panel.fillPage.ui.warningLabel.text == "The hole is large.\nIt touches the border."


def test_an_error_of_the_engine_is_shown_and_the_panel_stays_usable(panel, wordyWorker):
    wordyWorker(json.dumps({"event": "error", "kind": "MaskError", "message": "The mask is empty."}), exitCode=2)
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    _waitForEnd(panel)
    assert panel.fillPage.ui.errorLabel.visible
    assert panel.fillPage.ui.errorLabel.text == "The mask is empty."
    assert panel.fillPage.ui.applyButton.enabled


def test_a_crash_of_the_worker_is_shown_with_its_last_lines(panel, wordyWorker):
    wordyWorker("Traceback (most recent call last):", "ZeroDivisionError: division by zero", exitCode=1)
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    _waitForEnd(panel)
    assert "exit code 1" in panel.fillPage.ui.errorLabel.text
    assert "ZeroDivisionError" in panel.fillPage.ui.errorLabel.text


def test_an_empty_segment_is_shown_as_an_error_before_anything_starts(panel):
    volume = addVolume()
    addSegmentation(volume, lesion=np.zeros_like(box()))
    _open(panel)
    _clickApply(panel)
    assert panel.fillPage.run.job is None
    assert "'lesion'" in panel.fillPage.ui.errorLabel.text
    assert panel.fillPage.ui.statusLabel.text == ""


def _decline(requirements, requester):
    raise RuntimeError("User declined package installation")


def test_a_declined_installation_says_what_the_method_needs_and_what_to_do(panel, monkeypatch):
    monkeypatch.setattr(slicer.packaging, "pip_ensure", _decline)
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda each: not str(each).startswith("opencv"))
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "telea")
    _clickApply(panel)
    assert panel.fillPage.run.job is None
    assert panel.fillPage.ui.errorLabel.text == (
        f"The method '{MedInpaintLib.methods()['telea'].title}' needs the Python package opencv-python-headless. "
        "Press Apply again and agree, or choose another method."
    )


def test_a_declined_installation_of_the_engines_packages_is_told(panel, monkeypatch):
    monkeypatch.setattr(slicer.packaging, "pip_ensure", _decline)
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda each: not str(each).startswith("scipy"))
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    assert "MedInpaint needs the Python package(s) scipy" in panel.fillPage.ui.errorLabel.text
    assert "another method" not in panel.fillPage.ui.errorLabel.text


def test_an_installation_that_failed_is_told(panel, monkeypatch):
    def fail(requirements, requester):
        raise RuntimeError("Another installation is running")

    monkeypatch.setattr(slicer.packaging, "pip_ensure", fail)
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    assert "could not be installed: Another installation is running" in panel.fillPage.ui.errorLabel.text


def test_packages_are_asked_for_when_apply_is_pressed_and_not_before(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    host.packagesAskedFor.clear()
    _clickApply(panel)
    _waitForEnd(panel)
    assert len(host.packagesAskedFor) == 1
    assert any(requirement.startswith("SimpleITK") for requirement in host.packagesAskedFor[0])


def test_a_methods_own_packages_are_asked_for_with_the_engines(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "telea")
    host.packagesAskedFor.clear()
    _clickApply(panel)
    _waitForEnd(panel)
    assert "opencv-python-headless" in host.packagesAskedFor[0]


def test_every_method_of_the_engine_is_offered_after_automatic(panel):
    combo = panel.fillPage.ui.methodCombo
    assert [combo.itemData(index) for index in range(combo.count)] == ["auto", *MedInpaintLib.methods()]


def test_every_method_shows_its_summary_and_a_row_for_each_parameter(panel):
    for name, info in MedInpaintLib.methods().items():
        _chooseIn(panel.fillPage.ui.methodCombo, name)
        assert panel.fillPage.ui.methodSummaryLabel.text == info.summary
        assert panel.fillPage.ui.methodParametersWidget.layout().rowCount() == len(info.describe())
        defaults = {parameter.name: parameter.default for parameter in info.describe()}
        assert panel.fillPage._form.values() == pytest.approx(defaults)


def test_each_method_keeps_its_own_parameters(panel):
    _chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    _editor(panel, "clip").checked = False
    _chooseIn(panel.fillPage.ui.methodCombo, "harmonic")
    _chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    assert panel.fillPage._form.values()["clip"] is False


def test_a_tolerance_is_typed_in_the_scientific_way(panel):
    _chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    _type(panel, "tolerance", "1e-4")
    assert panel.fillPage._form.values()["tolerance"] == 1e-4
    assert panel.fillPage.ui.parameterHintLabel.text == ""


@pytest.mark.parametrize("text", ["nonsense", "", "5", "-1", "nan", "inf"])
def test_a_number_out_of_range_is_refused_with_the_range(panel, text):
    _chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    _type(panel, "tolerance", "1e-4")
    _type(panel, "tolerance", text)
    assert _editor(panel, "tolerance").text == "0.0001"
    assert panel.fillPage._form.values()["tolerance"] == 1e-4
    assert panel.fillPage.ui.parameterHintLabel.visible
    assert re.fullmatch(r"Tolerance must be between 1e-\d+ and [\d.]+\.", panel.fillPage.ui.parameterHintLabel.text)
    _type(panel, "tolerance", "1e-3")
    assert not panel.fillPage.ui.parameterHintLabel.visible


def test_apply_does_not_start_with_a_number_that_was_refused(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    _editor(panel, "tolerance").text = "5"
    _clickApply(panel)
    assert panel.fillPage.run.job is None
    assert "Tolerance" in panel.fillPage.ui.parameterHintLabel.text


def test_the_automatic_choice_is_described_as_everywhere(panel):
    _chooseIn(panel.fillPage.ui.methodCombo, "auto")
    assert panel.fillPage.ui.methodSummaryLabel.text == auto.SUMMARY


def test_pytorch_is_installed_by_its_own_extension_where_that_is_there(panel, monkeypatch):
    import slicer.packaging

    from MedInpaintSlicer import installation

    asked = []
    logic = types.SimpleNamespace(installTorch=lambda askConfirmation: asked.append(askConfirmation))
    extension = types.SimpleNamespace(PyTorchUtilsLogic=lambda: logic)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
    installation.ensurePackages("Latent search", ("torch", "safetensors"))
    assert asked == []  # it is installed already
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda each: str(each) != "torch")
    installation.ensurePackages("OpenCV's", ("opencv-python-headless",))
    assert asked == []
    installation.ensurePackages("Latent search", ("torch", "safetensors"))
    assert asked == [True]


def test_a_model_is_typed(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "vae-latent")
    editor = _editor(panel, "model")
    assert editor.text == "auto"
    editor.text = "nowhere"
    _clickApply(panel)
    _waitForEnd(panel)
    assert "There is no model 'nowhere'" in panel.fillPage.ui.errorLabel.text


def test_the_parameters_reach_the_report(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    _editor(panel, "clip").checked = False
    _chooseIn(panel.fillPage.ui.blendCombo, "feather")
    panel.fillPage.ui.dilateSlider.value = 2
    _clickApply(panel)
    _waitForEnd(panel)
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled (biharmonic)")
    assert json.loads(filled.GetAttribute("MedInpaint.Parameters"))["clip"] is False
    assert filled.GetAttribute("MedInpaint.Blend") == "feather"
    assert int(filled.GetAttribute("MedInpaint.HoleVoxels")) > box().sum()


def test_choices_are_kept_in_the_scene(panel):
    _, segmentation = _addInputs()
    _open(panel)
    _choose(panel, "edema")
    _chooseIn(panel.fillPage.ui.methodCombo, "nearest")
    _chooseIn(panel.fillPage.ui.deviceCombo, "cpu")
    panel.fillPage.ui.dilateSlider.value = 1.5
    node = panel.logic.getParameterNode()
    assert (node.segmentation, list(node.segmentIds)) == (segmentation, ["edema"])
    assert (node.method, node.device, node.dilateMm) == ("nearest", "cpu", 1.5)
    node.method = "harmonic"
    assert panel.fillPage.ui.methodCombo.currentData == "harmonic"


def test_the_panel_fits_into_300_pixels(panel):
    _chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    host.processEvents()
    assert panel.parent.minimumSizeHint().width() <= 300


def test_pictures_of_the_panel_are_kept_to_be_looked_at(panel, wordyWorker):
    pictures = mrml.REPOSITORY / "panel-screenshots"
    pictures.mkdir(exist_ok=True)
    assert QtGui.QFontDatabase.families(), "without a font, the pictures have no text"
    host.screenshot(panel, pictures / "empty.png")
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    _waitForEnd(panel)
    host.screenshot(panel, pictures / "filled.png")
    wordyWorker(json.dumps({"event": "warning", "message": "The hole touches the border."}), "Aborted", exitCode=1)
    _clickApply(panel)
    _waitForEnd(panel)
    host.screenshot(panel, pictures / "failed.png")
    assert all((pictures / f"{name}.png").stat().st_size > 5_000 for name in ("empty", "filled", "failed"))


def _type(panel, name, text):
    editor = _editor(panel, name)
    editor.text = text
    editor.editingFinished.emit()


def _editor(panel, name):
    return panel.fillPage.ui.methodParametersWidget.findChild(object, f"{name}Editor")
