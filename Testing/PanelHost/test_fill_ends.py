"""How a fill ends that does not come to its end: Cancel, a scene that closes, errors, a crash."""

import json
import time

import numpy as np
import slicer
from panelhost import host, mrml
from panelhost.filling import clickApply, comeBack, messages
from panelhost.phantom import addSegmentation, addVolume, box, sceneContent
from panelhost.processes import isRunning

from Testing.PanelHost.clicks import applyAndWait, chooseHole


def test_cancel_ends_the_whole_process_tree_at_once_and_leaves_the_scene_as_it_was(panel, endlessWorker):
    chooseHole(panel)
    before = sceneContent()
    clickApply(panel)
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
    chooseHole(panel)
    clickApply(panel)
    host.waitUntil(endlessWorker.exists)
    mrml.clearScene()
    assert panel.fillPage.run.job is None
    assert not panel.fillPage.ui.applyButton.enabled
    host.waitUntil(lambda: not any(isRunning(pid) for pid in json.loads(endlessWorker.read_text())), seconds=5)


def test_closing_the_scene_clears_segments_and_messages(panel):
    chooseHole(panel)
    applyAndWait(panel)
    assert panel.fillPage.ui.resultLabel.visible
    mrml.clearScene()
    assert panel.fillPage.ui.segmentsTable._list.count() == 0
    assert messages(panel) == []
    assert panel.fillPage.ui.applyHintLabel.text == "Choose the volume to fill."


def test_removing_the_input_ends_what_runs_at_once(panel, endlessWorker):
    volume, _ = chooseHole(panel)
    clickApply(panel)
    host.waitUntil(endlessWorker.exists)
    slicer.mrmlScene.RemoveNode(volume)
    assert panel.fillPage.run.job is None
    assert "removed" in panel.fillPage.ui.errorLabel.text
    host.waitUntil(lambda: not any(isRunning(pid) for pid in json.loads(endlessWorker.read_text())), seconds=5)


def test_warnings_stay_in_sight(panel, wordyWorker):
    warnings = [
        json.dumps({"event": "warning", "message": text}) for text in ("The hole is large.", "It touches the border.")
    ]
    wordyWorker(*warnings, exitCode=1)
    chooseHole(panel)
    applyAndWait(panel)
    assert panel.fillPage.ui.warningLabel.visible
    assert panel.fillPage.ui.warningLabel.text == "The hole is large.\nIt touches the border."


def test_an_error_of_the_engine_is_shown_and_the_panel_stays_usable(panel, wordyWorker):
    wordyWorker(json.dumps({"event": "error", "kind": "MaskError", "message": "The mask is empty."}), exitCode=2)
    chooseHole(panel)
    applyAndWait(panel)
    assert panel.fillPage.ui.errorLabel.visible
    assert panel.fillPage.ui.errorLabel.text == "The mask is empty."
    assert panel.fillPage.ui.applyButton.enabled


def test_a_crash_of_the_worker_is_shown_with_its_last_lines(panel, wordyWorker):
    wordyWorker("Traceback (most recent call last):", "ZeroDivisionError: division by zero", exitCode=1)
    chooseHole(panel)
    applyAndWait(panel)
    assert "exit code 1" in panel.fillPage.ui.errorLabel.text
    assert "ZeroDivisionError" in panel.fillPage.ui.errorLabel.text


def test_an_empty_segment_is_shown_as_an_error_before_anything_starts(panel):
    volume = addVolume()
    addSegmentation(volume, lesion=np.zeros_like(box()))
    comeBack(panel)
    clickApply(panel)
    assert panel.fillPage.run.job is None
    assert "'lesion'" in panel.fillPage.ui.errorLabel.text
    assert panel.fillPage.ui.statusLabel.text == ""
