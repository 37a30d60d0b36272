"""What a fill brings: the volume, what is said of it, the self-check, the uncertainty."""

import itertools
import re

import numpy as np
import pytest
import slicer
from panelhost import host, mrml
from panelhost.filling import addInputs, choose, chooseIn, clickApply, comeBack, editorOf, messages, waitForEnd
from panelhost.phantom import addSegmentation, addVolume, box, ramp
from PySide6 import QtGui

import MedInpaintLib
from MedInpaintSlicer import parts, selfcheck
from Testing.PanelHost.clicks import applyAndWait, chooseHole

#: Pixels of the panel's width that are taken by the frames around a label and a scroll bar.
FRAMES = 45


def test_a_click_on_apply_fills_the_hole_in_a_new_volume(panel):
    volume, _ = chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "harmonic")
    clickApply(panel)
    assert not panel.fillPage.ui.applyButton.enabled
    assert panel.fillPage.ui.cancelButton.enabled
    assert panel.fillPage.ui.progressBar.visible
    waitForEnd(panel)
    assert panel.fillPage.ui.errorLabel.text == ""
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled (harmonic)")
    assert np.allclose(slicer.util.arrayFromVolume(filled), ramp(), atol=1)
    assert (slicer.util.arrayFromVolume(volume)[box()] == 0).all()
    assert panel.fillPage.ui.applyButton.enabled
    assert not panel.fillPage.ui.cancelButton.enabled
    assert not panel.fillPage.ui.progressBar.visible


def test_the_result_is_told_with_the_reason_and_how_far_to_trust_it(panel):
    addInputs()
    comeBack(panel)
    choose(panel, "lesion", "edema")
    applyAndWait(panel)
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
    comeBack(panel)
    assert not panel.fillPage.ui.selfCheckLabel.visible
    panel.fillPage.ui.selfCheckBox.click()
    assert "Tries several methods" in panel.fillPage.ui.methodSummaryLabel.text
    applyAndWait(panel)
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
    taken = MedInpaintLib.list_methods()[filled.GetAttribute("MedInpaint.Method")]
    assert taken.title.partition(" (")[0] in best
    panel.fillPage.ui.selfCheckBox.click()
    assert not panel.fillPage.ui.selfCheckLabel.visible


def test_a_self_check_of_one_method_says_what_to_expect_of_it(panel):
    _addLargerInputs()
    comeBack(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "harmonic")
    panel.fillPage.ui.selfCheckBox.click()
    applyAndWait(panel)
    assert "what to expect of Harmonic" in panel.fillPage.ui.selfCheckLabel.text
    assert len(_tableRows(panel)) == 2


def _parts(count):
    """Parts with the widest of all texts, the worst first."""
    return [
        {
            "number": 1234 + number,
            "voxels": 1,
            "volume_ml": 0.000125,
            "depth_mm": 123.4,
            "method": method,
            "reason": "small, so its surroundings say what is in it",
            "warnings": ["It is dark."] if number == 0 else [],
            "scores": {"psnr": {"mean": 130.25, "sd": 1.0}},
        }
        for number, method in zip(range(count), itertools.cycle(MedInpaintLib.list_methods()), strict=False)
    ]


def test_a_single_part_has_no_table(panel):
    chooseHole(panel)
    applyAndWait(panel)
    assert not panel.fillPage.ui.partsLabel.visible


def test_the_pointer_over_a_part_shows_why_and_its_warnings(panel):
    label, tips = panel.fillPage.ui.partsLabel, []
    titles = {name: info.title for name, info in MedInpaintLib.list_methods().items()}
    panel.fillPage._parts.show(_parts(2), titles)
    for link in ("0", "1", ""):
        label.linkHovered.emit(link)
        tips.append(label.toolTip)
    first, second, nothing = tips
    assert "small, so its surroundings say what is in it" in first
    assert "It is dark." in first
    assert "small, so its surroundings say what is in it" in second
    assert "It is dark." not in second
    assert "Click a number" in nothing


@pytest.mark.parametrize("width", [300, 340])
def test_the_table_of_parts_fits_into_the_panel(panel, width):
    titles = {name: info.title for name, info in MedInpaintLib.list_methods().items()}
    assert _leastWidth(panel.fillPage.ui.partsLabel, parts.table(_parts(40), titles), width) <= width - FRAMES


@pytest.mark.parametrize("width", [300, 340])
def test_the_self_checks_table_fits_into_the_panel(panel, width):
    titles = {name: info.title for name, info in MedInpaintLib.list_methods().items()}
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
    assert _leastWidth(panel.fillPage.ui.selfCheckLabel, selfcheck.table(checked, titles), width) <= width - FRAMES


def _leastWidth(label, richText, width):
    """Return the width that a text needs in a label of the panel."""
    text = QtGui.QTextDocument()
    text.setDefaultFont(label.font)
    text.setDocumentMargin(0)
    text.setHtml(richText)
    text.setTextWidth(width - FRAMES)
    return text.idealWidth()


def test_without_a_place_for_trial_holes_there_is_a_warning_and_no_table(panel):
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "harmonic")
    panel.fillPage.ui.selfCheckBox.click()
    applyAndWait(panel)
    assert "self-check" in panel.fillPage.ui.warningLabel.text
    assert not panel.fillPage.ui.selfCheckLabel.visible
    assert panel.fillPage.ui.resultLabel.visible


def test_the_uncertainty_is_a_second_volume_that_the_result_names(panel):
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "patch")
    panel.fillPage.ui.uncertaintyBox.click()
    applyAndWait(panel)
    assert panel.fillPage.ui.errorLabel.text == ""
    assert slicer.mrmlScene.GetFirstNodeByName("T1 uncertainty (patch)") is not None
    text = panel.fillPage.ui.resultLabel.text
    assert "Uncertainty: 'T1 uncertainty (patch)', calibrated by other people." in text


def test_samples_are_a_sequence_that_the_result_names_and_undo_removes(panel):
    volume, _ = chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    panel.fillPage.ui.samplesBox.value = 3
    applyAndWait(panel)
    assert panel.fillPage.ui.errorLabel.text == ""
    (sequence,) = slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    assert sequence.GetNumberOfDataNodes() == 3
    assert f"3 samples: '{sequence.GetName()}'" in panel.fillPage.ui.resultLabel.text
    panel.fillPage.ui.undoButton.click()
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode") == []
    assert set(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == {volume}


def test_the_chosen_output_volume_takes_the_result(panel):
    addInputs()
    output = addVolume(np.zeros((2, 2, 2), np.float32), name="Mine")
    comeBack(panel)
    choose(panel, "lesion")
    panel.fillPage.ui.outputVolumeSelector.setCurrentNode(output)
    applyAndWait(panel)
    assert slicer.util.arrayFromVolume(output).shape == ramp().shape
    assert slicer.mrmlScene.GetFirstNodeByName("T1 filled (patch-regression)") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda panel: choose(panel, "edema"),
        lambda panel: chooseIn(panel.fillPage.ui.methodCombo, "harmonic"),
        lambda panel: chooseIn(panel.fillPage.ui.blendCombo, "feather"),
        lambda panel: setattr(panel.fillPage.ui.dilateSlider, "value", 2),
        lambda panel: setattr(panel.fillPage.ui.grainBox, "checked", True),
        lambda panel: setattr(panel.fillPage.ui.selfCheckBox, "checked", True),
        lambda panel: setattr(panel.fillPage.ui.uncertaintyBox, "checked", True),
        lambda panel: setattr(panel.fillPage.ui.samplesBox, "value", 2),
        lambda panel: setattr(panel.fillPage.ui.exemplarsPathEdit, "currentPath", str(mrml.REPOSITORY)),
        lambda panel: panel.fillPage.ui.guidesSelector.check(addVolume(name="T2")),
        lambda panel: setattr(editorOf(panel, "clip"), "checked", False),
        lambda panel: panel.fillPage.ui.inputVolumeSelector.setCurrentNode(addVolume(name="Other")),
        lambda panel: panel.logic.getParameterNode().segmentation.GetSegmentation().RemoveSegment("lesion"),
    ],
)
def test_messages_go_when_the_user_chooses_otherwise(panel, change):
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    applyAndWait(panel)
    host.processEvents()
    assert len(messages(panel)) == 1
    change(panel)
    host.processEvents()
    assert messages(panel) == []


def test_leaving_the_module_lets_the_filling_go_on(panel):
    chooseHole(panel)
    clickApply(panel)
    panel.exit()
    waitForEnd(panel)
    assert slicer.mrmlScene.GetFirstNodeByName("T1 filled (patch-regression)") is not None
    panel.enter()
    assert panel.fillPage.ui.applyButton.enabled
    assert "'T1 filled (patch-regression)'" in panel.fillPage.ui.resultLabel.text
