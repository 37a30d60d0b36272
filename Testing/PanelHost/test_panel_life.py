"""The panel's life: left and entered again, reloaded, Slicer quit while something runs."""

import gc
import json
import sys

import pytest
import slicer
from panelhost import host, mrml
from panelhost.filling import addInputs, choose, clickApply, comeBack
from panelhost.phantom import addVolume
from panelhost.processes import isRunning

from MedInpaintSlicer.parameters import MedInpaintParameterNode
from Testing.PanelHost.clicks import chooseHole


@pytest.fixture
def running(endlessWorker):
    """Function that starts a fill which never ends in a panel; gives the ids of its processes."""

    def start(panel):
        addInputs()
        comeBack(panel)
        choose(panel, "lesion")
        clickApply(panel)
        host.waitUntil(lambda: panel.fillPage.ui.progressBar.value == 42)
        return json.loads(endlessWorker.read_text())

    return start


def _waitUntilAllHaveEnded(pids):
    host.waitUntil(lambda: not any(isRunning(pid) for pid in pids), seconds=5)


def test_every_tab_has_a_title_and_says_what_it_is_for(panel):
    tabs = panel.ui.tabWidget
    titles = [tabs.tabText(index) for index in range(tabs.count)]
    assert titles == [page.title() for page in panel.pages]
    assert len(set(titles)) == len(titles)
    assert all(tabs.tabToolTip(index) for index in range(tabs.count))


def test_quitting_ends_what_runs(running):
    with host.openedPanel() as panel:
        pids = running(panel)
    _waitUntilAllHaveEnded(pids)


def test_reloading_the_module_ends_what_runs_and_opens_a_working_panel(running):
    mrml.clearScene()
    old = host.openPanel()
    pids = running(old)
    # What Slicer's reload does: the old widget is cleaned up, and a new one is made in its place.
    host.closePanel(old)
    _waitUntilAllHaveEnded(pids)
    new = host.openPanel()
    assert new.fillPage.ui.applyButton.enabled
    assert new.fillPage.ui.inputVolumeSelector.currentNode().GetName() == "T1"
    host.closePanel(new)
    mrml.clearScene()


def test_a_reload_forgets_the_modules_own_packages(panel, monkeypatch):
    forgotten = []
    base = host.ScriptedLoadableModuleWidget
    monkeypatch.setattr(base, "onReload", lambda self: forgotten.extend(_ownModules()), raising=False)
    kept = {name: sys.modules[name] for name in _ownModules()}
    try:
        panel.onReload()
        assert forgotten == []
    finally:
        sys.modules.update(kept)


def _ownModules():
    return [name for name in sys.modules if name.partition(".")[0] in ("MedInpaintSlicer", "MedInpaintLib")]


def test_a_panel_that_is_not_seen_takes_no_notice_of_the_scene(panel):
    panel.exit()
    addVolume()
    mrml.clearScene()
    assert not panel.fillPage.ui.applyButton.enabled
    panel.enter()
    assert panel.fillPage.ui.applyHintLabel.text == "Choose the volume to fill."


def test_a_result_that_comes_while_another_module_is_open_is_there_on_return(panel):
    chooseHole(panel)
    clickApply(panel)
    panel.exit()
    host.waitUntil(lambda: panel.fillPage.run.job is None)
    panel.enter()
    assert panel.fillPage.ui.compareCollapsibleButton.visible
    panel.fillPage.ui.undoButton.click()
    assert slicer.util.getNodes("T1*") == {"T1": panel.fillPage.ui.inputVolumeSelector.currentNode()}


def test_coming_and_going_leaves_nothing_behind(panel):
    addInputs()
    for _number in range(20):
        comeBack(panel)
    gc.collect()
    kept = [each for each in gc.get_objects() if type(each) is MedInpaintParameterNode]
    assert len(kept) <= 2


def test_a_tab_that_cannot_show_the_scene_does_not_keep_the_others_from_it(panel, monkeypatch):
    def fail():
        raise KeyError("PD")

    addInputs()
    comeBack(panel)
    monkeypatch.setattr(panel.fillPage, "_show", fail)
    volume = addVolume(name="Other")
    panel.logic.getParameterNode().evaluateVolume = volume
    assert panel.evaluatePage.ui.evaluateVolumeSelector.currentNode() is volume


def test_the_whole_panel_fits_into_300_pixels(panel):
    panel.parent.resize(300, 800)
    for index in range(panel.ui.tabWidget.count):
        panel.ui.tabWidget.currentIndex = index
        host.processEvents()
        assert panel.parent.minimumSizeHint().width() <= 300, panel.ui.tabWidget.tabText(index)
