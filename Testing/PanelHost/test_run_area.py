"""The lower end of a tab: progress, the time left, and a result that cannot be shown."""

import json

import pytest
import slicer
from panelhost import host
from panelhost.filling import chooseIn, clickApply

from MedInpaintSlicer.pages import messages, runarea
from Testing.PanelHost.clicks import applyAndWait, chooseHole


@pytest.mark.parametrize(
    ("fraction", "seconds", "words"),
    [
        (0.0, 10, ""),
        (0.01, 10, ""),
        (0.5, 1, ""),
        (0.5, 30, "about 30 s left"),
        (0.25, 10, "about 30 s left"),
        (0.1, 60, "about 9 min left"),
        (0.999, 100, "about 1 s left"),
        (1.0, 10, ""),
    ],
)
def test_the_time_left_follows_from_what_is_done(fraction, seconds, words):
    assert messages.timeLeft(fraction, seconds) == words


def test_the_time_left_is_told_once_it_can_be(panel, endlessWorker, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(runarea.time, "monotonic", lambda: now[0])
    chooseHole(panel)
    clickApply(panel)
    panel.fillPage.run.onProgress(0.2, "Filling")
    assert panel.fillPage.ui.statusLabel.text == "Filling"
    now[0] += 10
    panel.fillPage.run.onProgress(0.5, "Filling")
    assert panel.fillPage.ui.statusLabel.text == "Filling: about 10 s left"
    panel.fillPage.ui.cancelButton.click()


def test_a_device_that_is_not_there_is_a_visible_warning(panel):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "unet")
    chooseIn(panel.fillPage.ui.deviceCombo, "cuda")
    clickApply(panel)
    host.waitUntil(lambda: panel.fillPage.run.job is None, seconds=120)
    assert panel.fillPage.ui.errorLabel.text == ""
    warning = panel.fillPage.ui.warningLabel
    assert warning.visible
    assert "'cuda'" in warning.text
    assert "CPU was used" in warning.text


def test_a_result_that_cannot_be_shown_does_not_leave_the_panel_stuck(panel, monkeypatch):
    def fail(job):
        raise RuntimeError("no such view")

    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "nearest")
    monkeypatch.setattr(panel.fillPage.compare, "show", lambda *arguments: fail(arguments))
    applyAndWait(panel)
    assert "no such view" in panel.fillPage.ui.errorLabel.text
    assert panel.fillPage.ui.applyButton.enabled
    assert not panel.fillPage.ui.cancelButton.enabled


@pytest.mark.parametrize("anyway", [False, True])
def test_a_hole_that_looks_inverted_is_filled_only_after_a_question(panel, monkeypatch, anyway):
    volume, segmentation = chooseHole(panel)
    segmentId = segmentation.GetSegmentation().GetSegmentIDs()[0]
    lesion = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segmentId, volume)
    slicer.util.updateSegmentBinaryLabelmapFromArray((lesion == 0).astype("uint8"), segmentation, segmentId, volume)
    questions = []
    monkeypatch.setattr(
        slicer.util, "confirmOkCancelDisplay", lambda text, windowTitle: questions.append(text) or anyway
    )
    chooseIn(panel.fillPage.ui.methodCombo, "nearest")
    applyAndWait(panel)
    assert len(questions) == 1
    assert "looks inverted" in questions[0]
    assert questions[0].endswith("Fill anyway?")
    assert ("looks inverted" in panel.fillPage.ui.errorLabel.text) != anyway
    assert bool(panel.fillPage.ui.resultLabel.text) == anyway


def test_a_warning_of_the_worker_is_told_once(panel, wordyWorker):
    warning = json.dumps({"event": "warning", "message": "The hole is large."})
    wordyWorker(warning, warning, exitCode=1)
    chooseHole(panel)
    applyAndWait(panel)
    assert panel.fillPage.ui.warningLabel.text == "The hole is large."
