"""2,000 random clicks, choices and scene events: no traceback, no tab that is stuck, no input that has changed."""

import json
from pathlib import Path

import numpy as np
import pytest
import slicer
from panelhost import host
from panelhost.clicking import QUICK, Clicker
from panelhost.filling import choose, chooseIn, comeBack
from panelhost.phantom import addSegmentation, addVolume, box, ramp
from PySide6 import QtCore

from MedInpaintLib import job
from MedInpaintSlicer.jobs import process

#: Seeds, and events with each: together what is promised.
SEEDS, EVENTS = range(8), 250


class ChanceRunner:
    """Plays the worker process within this one: the engine's own work where that is quick, and all ways to fail.

    What would take long fails, crashes or never ends.
    """

    rng = np.random.default_rng()

    def __init__(self) -> None:
        self._killed = False

    def start(self, command, folder, onLine, onExit) -> None:
        QtCore.QTimer.singleShot(int(self.rng.integers(40)), lambda: self._work(command, onLine, onExit))

    def kill(self) -> None:
        self._killed = True

    def _work(self, command, onLine, onExit) -> None:
        if self._killed:
            onExit(-9)
            return
        fate = self.rng.choice(["work", "fail", "crash", "never"], p=[0.6, 0.15, 0.15, 0.1])
        if fate == "work" and _isQuick(command):
            lines = []
            code = job.guarded(lambda: job.execute(job.read(command[-1]), lines.append), lines.append)
            for line in lines:
                onLine(json.dumps(line))
            onExit(code)
        elif fate == "never":
            onLine(json.dumps({"event": "progress", "fraction": 0.3, "stage": "Filling"}))
        elif fate == "crash":
            onLine("Fatal Python error: Segmentation fault")
            onExit(-11)
        else:
            onLine(json.dumps({"event": "warning", "message": "It looks bad."}))
            onLine(json.dumps({"event": "error", "kind": "MethodError", "message": "It did not work."}))
            onExit(1)


def _isQuick(command) -> bool:
    if not command[-1].endswith(".json"):
        return False
    fields = json.loads(Path(command[-1]).read_text(encoding="utf-8"))
    if fields["job"] == "evaluate":
        return set(fields["methods"]) <= set(QUICK)
    return fields["job"] == "fill" and fields["method"] in QUICK and not fields["self_check"]


@pytest.fixture
def chance(monkeypatch):
    """Everything that is not the panel's own answers by chance: workers, installations, questions, file dialogs."""
    import qt

    monkeypatch.setattr(process, "BackgroundRunner", ChanceRunner)

    def pipEnsure(requirements, requester, **options):
        if ChanceRunner.rng.random() < 0.1:
            raise RuntimeError("User declined package installation")

    monkeypatch.setattr(slicer.packaging, "pip_ensure", pipEnsure)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *a, **k: bool(ChanceRunner.rng.random() < 0.5))
    if hasattr(qt, "QFileDialog"):
        for name in ("getExistingDirectory", "getOpenFileName"):
            monkeypatch.setattr(qt.QFileDialog, name, lambda *a, **k: "", raising=False)


@pytest.mark.parametrize("seed", [*SEEDS[:3], *(pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[3:])])
def test_nothing_goes_wrong_whatever_is_clicked(chance, seed):
    ChanceRunner.rng = np.random.default_rng(1000 + seed)
    with host.openedPanel() as panel, Clicker(panel, seed) as clicker:
        for _number in range(EVENTS):
            clicker.act()
            assert clicker.faults == [], "\n".join(clicker.events[-25:])
        _fillsAsEver(panel)
        assert clicker.faults == []


def _fillsAsEver(panel) -> None:
    """After all of that, a user can still do what the panel is for."""
    for page in panel.pages:
        page.cancel()
    slicer.mrmlScene.Clear(False)
    array = ramp()
    array[box()] = 0
    addSegmentation(addVolume(array), lesion=box())
    comeBack(panel)
    choose(panel, "lesion")
    ui = panel.fillPage.ui
    chooseIn(ui.methodCombo, "harmonic")
    ui.selfCheckBox.checked = False
    for _attempt in range(60):  # the worker is still one that fails by chance
        assert ui.applyButton.enabled, ui.applyHintLabel.text
        ui.applyButton.click()
        host.settle(0.1)
        if ui.resultLabel.text:
            break
        ui.cancelButton.click()
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled (harmonic)")
    assert np.allclose(slicer.util.arrayFromVolume(filled)[~box()], ramp()[~box()])
