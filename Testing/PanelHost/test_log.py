"""The log at the lower end of the panel, and what it prints of the installation."""

import json

from panelhost import host, workers
from panelhost.phantom import addSegmentation, addVolume, box
from PySide6 import QtWidgets

from MedInpaintSlicer.jobs import process


def _text(panel):
    return panel.ui.logEdit.toPlainText()


def _fill(panel):
    addSegmentation(addVolume(), lesion=box())
    panel.exit()
    panel.enter()
    panel.fillPage.ui.applyButton.click()
    host.waitUntil(lambda: panel.fillPage.run.job is None)


def test_the_log_is_closed_and_empty_at_first(panel):
    assert panel.ui.logCollapsibleButton.collapsed
    assert _text(panel) == ""


def test_a_run_is_logged_with_its_stages_and_its_result(panel):
    _fill(panel)
    lines = _text(panel).splitlines()
    assert lines[0].endswith("Fill: started")
    assert any(line.endswith("Fill: Reading") for line in lines)
    assert any("is filled" in line for line in lines)
    assert len([line for line in lines if line.endswith("Fill: Done")]) == 1


def test_what_a_worker_prints_besides_events_is_logged_with_warnings_and_errors(panel, monkeypatch, tmp_path):
    warning = json.dumps({"event": "warning", "message": "The hole is large."})
    workers.wordy(monkeypatch, tmp_path, "a library's chatter", warning, exitCode=1)
    _fill(panel)
    for words in ("a library's chatter", "Warning: The hole is large.", "Error: The worker process ended"):
        assert words in _text(panel)


def test_the_log_can_be_copied_and_emptied(panel):
    panel.log.add("one\ntwo")
    assert [line.partition("  ")[2] for line in _text(panel).splitlines()] == ["one", "two"]
    panel.ui.copyLogButton.click()
    assert QtWidgets.QApplication.clipboard().text() == _text(panel)
    panel.ui.clearLogButton.click()
    assert _text(panel) == ""


def test_the_installation_is_checked_in_a_process_of_its_own(panel):
    panel.ui.checkInstallationButton.click()
    assert not panel.ui.checkInstallationButton.enabled
    assert not panel.ui.logCollapsibleButton.collapsed
    host.waitUntil(lambda: panel.ui.checkInstallationButton.enabled, seconds=120)
    for words in ("Slicer 5.13", "numpy", "SimpleITK", "brain-mr-unet", "memory"):
        assert words in _text(panel), _text(panel)


def test_a_check_that_cannot_be_started_says_so_and_can_be_tried_again(panel, monkeypatch):
    monkeypatch.setattr(process, "engineCommand", lambda *arguments: ["/nowhere/PythonSlicer"])
    button = panel.ui.checkInstallationButton
    button.click()
    assert button.enabled
    for words in ("Slicer 5.13", "cannot be started", "/nowhere/PythonSlicer", "install Slicer and MedInpaint again"):
        assert words in _text(panel)
    monkeypatch.undo()
    button.click()
    host.waitUntil(lambda: button.enabled, seconds=120)
    assert "numpy" in _text(panel)


def test_only_the_last_lines_are_kept(panel):
    panel.log.add("\n".join(f"line {number}" for number in range(6000)))
    lines = _text(panel).splitlines()
    assert len(lines) == 5000
    assert lines[-1].endswith("line 5999")


def test_a_check_that_runs_while_the_panel_is_closed_is_ended(panel):
    panel.ui.checkInstallationButton.click()
    panel.log.close()
    before = _text(panel)
    host.settle(0.5)
    assert _text(panel) == before
