"""The panel's own code, clicked through: choose, Apply, result; Cancel; and all that can be wrong."""

import json
import sys
import time

import numpy as np
import pytest
import slicer
from panelhost import host, mrml
from panelhost.phantom import addSegmentation, addVolume, box, ramp, sceneContent
from panelhost.processes import isRunning
from PySide6 import QtGui

import MedInpaintLib
from MedInpaintSlicer import process


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
    panel.ui.segmentsTable.setSelectedSegmentIDs(segmentIds)


def _chooseIn(combo, name):
    combo.currentIndex = combo.findData(name)


def _clickApply(panel):
    assert panel.ui.applyButton.enabled, panel.ui.applyButton.toolTip
    panel.ui.applyButton.click()


def _waitForEnd(panel):
    host.waitUntil(lambda: panel.panel.job is None)


@pytest.fixture
def endlessWorker(monkeypatch, tmp_path):
    """A worker that starts a child, says one word and then never ends; gives the file with both process ids."""
    pids = tmp_path / "pids.json"
    script = tmp_path / "worker.py"
    script.write_text(
        "import json, os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pids)!r}, 'w').write(json.dumps([os.getpid(), child.pid]))\n"
        "print(json.dumps({'event': 'progress', 'fraction': 0.42, 'stage': 'Filling'}), flush=True)\n"
        "time.sleep(600)\n"
    )
    monkeypatch.setattr(process, "workerCommand", lambda jobFile: [sys.executable, str(script)])
    return pids


@pytest.fixture
def wordyWorker(monkeypatch, tmp_path):
    """Function that makes a worker which prints lines and ends with an exit code."""

    def make(*lines, exitCode):
        script = tmp_path / "worker.py"
        script.write_text(
            "".join(f"print({line!r}, flush=True)\n" for line in lines) + f"raise SystemExit({exitCode})\n"
        )
        monkeypatch.setattr(process, "workerCommand", lambda jobFile: [sys.executable, str(script)])

    return make


def test_apply_is_disabled_until_there_is_a_volume(panel):
    assert not panel.ui.applyButton.enabled
    assert "Choose the volume" in panel.ui.applyButton.toolTip


def test_apply_is_disabled_until_there_is_a_segmentation(panel):
    addVolume()
    assert not panel.ui.applyButton.enabled
    assert "Choose the segmentation" in panel.ui.applyButton.toolTip


def test_apply_is_disabled_while_the_segmentation_has_no_segments(panel):
    addSegmentation(addVolume())
    assert not panel.ui.applyButton.enabled
    assert "Segment Editor" in panel.ui.applyButton.toolTip


def test_apply_is_disabled_until_a_segment_is_chosen(panel):
    _addInputs()
    _open(panel)
    assert not panel.ui.applyButton.enabled
    assert "segments in the table" in panel.ui.applyButton.toolTip
    _choose(panel, "lesion")
    assert panel.ui.applyButton.enabled


def test_the_only_segment_is_chosen_by_itself(panel):
    addSegmentation(addVolume(), lesion=box())
    _open(panel)
    assert panel.ui.segmentsTable.selectedSegmentIDs() == ("lesion",)
    assert panel.ui.applyButton.enabled


def test_a_segment_that_is_added_later_is_noticed(panel):
    segmentation = addSegmentation(addVolume())
    _open(panel)
    assert not panel.ui.applyButton.enabled
    segmentation.GetSegmentation().AddEmptySegment("lesion", "lesion")
    host.processEvents()
    assert panel.ui.segmentsTable.selectedSegmentIDs() == ("lesion",)
    assert panel.ui.applyButton.enabled


def test_a_chosen_segment_that_is_removed_is_noticed(panel):
    _, segmentation = _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    segmentation.GetSegmentation().RemoveSegment("lesion")
    host.processEvents()
    assert panel.ui.segmentsTable.selectedSegmentIDs() in ((), ("edema",))
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
    panel.ui.outputVolumeSelector.setCurrentNode(volume)
    assert not panel.ui.applyButton.enabled
    assert "another output" in panel.ui.applyButton.toolTip


def test_a_click_on_apply_fills_the_hole_in_a_new_volume(panel):
    volume, _ = _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.ui.methodCombo, "harmonic")
    _clickApply(panel)
    assert not panel.ui.applyButton.enabled
    assert panel.ui.cancelButton.enabled
    assert panel.ui.progressBar.visible
    _waitForEnd(panel)
    assert panel.ui.errorLabel.text == ""
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled")
    assert np.allclose(slicer.util.arrayFromVolume(filled), ramp(), atol=1)
    assert (slicer.util.arrayFromVolume(volume)[box()] == 0).all()
    assert panel.ui.applyButton.enabled
    assert not panel.ui.cancelButton.enabled
    assert not panel.ui.progressBar.visible


def test_the_result_is_told_with_the_reason_and_how_far_to_trust_it(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion", "edema")
    _clickApply(panel)
    _waitForEnd(panel)
    text = panel.ui.resultLabel.text
    assert panel.ui.resultLabel.visible
    for word in ("'T1 filled'", "mL", " s.", "because", "not for clinical use"):
        assert word in text


def test_the_chosen_output_volume_takes_the_result(panel):
    _addInputs()
    output = addVolume(np.zeros((2, 2, 2), np.float32), name="Mine")
    _open(panel)
    _choose(panel, "lesion")
    panel.ui.outputVolumeSelector.setCurrentNode(output)
    _clickApply(panel)
    _waitForEnd(panel)
    assert slicer.util.arrayFromVolume(output).shape == ramp().shape
    assert slicer.mrmlScene.GetFirstNodeByName("T1 filled") is None


def test_cancel_ends_the_whole_process_tree_at_once_and_leaves_the_scene_as_it_was(panel, endlessWorker):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    before = sceneContent()
    _clickApply(panel)
    host.waitUntil(lambda: panel.ui.progressBar.value == 42)
    assert panel.ui.statusLabel.text == "Filling"
    pids = json.loads(endlessWorker.read_text())
    start = time.monotonic()
    panel.ui.cancelButton.click()
    assert panel.panel.job is None
    host.waitUntil(lambda: not any(isRunning(pid) for pid in pids), seconds=5)
    assert time.monotonic() - start < 1
    assert "Cancelled" in panel.ui.statusLabel.text
    assert panel.ui.applyButton.enabled
    assert sceneContent() == before


def test_closing_the_scene_ends_what_runs(panel, endlessWorker):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    host.waitUntil(endlessWorker.exists)
    mrml.clearScene()
    assert panel.panel.job is None
    assert not panel.ui.applyButton.enabled
    host.waitUntil(lambda: not any(isRunning(pid) for pid in json.loads(endlessWorker.read_text())), seconds=5)


def test_leaving_the_module_lets_the_filling_go_on(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    panel.exit()
    _waitForEnd(panel)
    assert slicer.mrmlScene.GetFirstNodeByName("T1 filled") is not None
    panel.enter()
    assert panel.ui.applyButton.enabled
    assert "'T1 filled'" in panel.ui.resultLabel.text


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
    assert panel.ui.warningLabel.visible
    assert panel.ui.warningLabel.text == "The hole is large.\nIt touches the border."


def test_an_error_of_the_engine_is_shown_and_the_panel_stays_usable(panel, wordyWorker):
    wordyWorker(json.dumps({"event": "error", "kind": "MaskError", "message": "The mask is empty."}), exitCode=2)
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    _waitForEnd(panel)
    assert panel.ui.errorLabel.visible
    assert panel.ui.errorLabel.text == "The mask is empty."
    assert panel.ui.applyButton.enabled


def test_a_crash_of_the_worker_is_shown_with_its_last_lines(panel, wordyWorker):
    wordyWorker("Traceback (most recent call last):", "ZeroDivisionError: division by zero", exitCode=1)
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    _waitForEnd(panel)
    assert "exit code 1" in panel.ui.errorLabel.text
    assert "ZeroDivisionError" in panel.ui.errorLabel.text


def test_an_empty_segment_is_shown_as_an_error_before_anything_starts(panel):
    volume = addVolume()
    addSegmentation(volume, lesion=np.zeros_like(box()))
    _open(panel)
    _clickApply(panel)
    assert panel.panel.job is None
    assert "'lesion'" in panel.ui.errorLabel.text
    assert panel.ui.statusLabel.text == ""


def test_a_declined_installation_is_shown_as_an_error(panel, monkeypatch):
    def decline(requirements, requester):
        raise RuntimeError("Declined by the user.")

    monkeypatch.setattr(slicer.packaging, "pip_ensure", decline)
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _clickApply(panel)
    assert panel.panel.job is None
    assert panel.ui.errorLabel.text == "Declined by the user."


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
    _chooseIn(panel.ui.methodCombo, "telea")
    host.packagesAskedFor.clear()
    _clickApply(panel)
    _waitForEnd(panel)
    assert "opencv-python-headless" in host.packagesAskedFor[0]


def test_every_method_of_the_engine_is_offered_after_automatic(panel):
    combo = panel.ui.methodCombo
    assert [combo.itemData(index) for index in range(combo.count)] == ["auto", *MedInpaintLib.methods()]


def test_every_method_shows_its_summary_and_a_row_for_each_parameter(panel):
    for name, info in MedInpaintLib.methods().items():
        _chooseIn(panel.ui.methodCombo, name)
        assert panel.ui.methodSummaryLabel.text == info.summary
        assert panel.ui.methodParametersWidget.layout().rowCount() == len(info.describe())
        defaults = {parameter.name: parameter.default for parameter in info.describe()}
        assert panel.panel._form.values() == pytest.approx(defaults)


def test_each_method_keeps_its_own_parameters(panel):
    _chooseIn(panel.ui.methodCombo, "biharmonic")
    _editor(panel, "clip").checked = False
    _chooseIn(panel.ui.methodCombo, "harmonic")
    _chooseIn(panel.ui.methodCombo, "biharmonic")
    assert panel.panel._form.values()["clip"] is False


def test_a_tolerance_is_typed_in_the_scientific_way(panel):
    _chooseIn(panel.ui.methodCombo, "biharmonic")
    editor = _editor(panel, "tolerance")
    editor.text = "1e-4"
    editor.editingFinished.emit()
    assert panel.panel._form.values()["tolerance"] == 1e-4
    editor.text = "nonsense"
    editor.editingFinished.emit()
    assert editor.text == "1e-05"


def test_the_parameters_reach_the_report(panel):
    _addInputs()
    _open(panel)
    _choose(panel, "lesion")
    _chooseIn(panel.ui.methodCombo, "biharmonic")
    _editor(panel, "clip").checked = False
    _chooseIn(panel.ui.blendCombo, "feather")
    panel.ui.dilateSlider.value = 2
    _clickApply(panel)
    _waitForEnd(panel)
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled")
    assert json.loads(filled.GetAttribute("MedInpaint.Parameters"))["clip"] is False
    assert filled.GetAttribute("MedInpaint.Blend") == "feather"
    assert int(filled.GetAttribute("MedInpaint.HoleVoxels")) > box().sum()


def test_choices_are_kept_in_the_scene(panel):
    _, segmentation = _addInputs()
    _open(panel)
    _choose(panel, "edema")
    _chooseIn(panel.ui.methodCombo, "nearest")
    _chooseIn(panel.ui.deviceCombo, "cpu")
    panel.ui.dilateSlider.value = 1.5
    node = panel.logic.getParameterNode()
    assert (node.segmentation, list(node.segmentIds)) == (segmentation, ["edema"])
    assert (node.method, node.device, node.dilateMm) == ("nearest", "cpu", 1.5)
    node.method = "harmonic"
    assert panel.ui.methodCombo.currentData == "harmonic"


def test_the_panel_fits_into_300_pixels(panel):
    _chooseIn(panel.ui.methodCombo, "biharmonic")
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


def _editor(panel, name):
    return panel.ui.methodParametersWidget.findChild(object, f"{name}Editor")
