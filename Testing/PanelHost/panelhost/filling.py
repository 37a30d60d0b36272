"""Helps tests to use the tab Fill."""

from . import host
from .phantom import addSegmentation, addVolume, box, ramp


def addInputs():
    """A volume with a hole that a segment marks; the panel chooses both by itself."""
    array = ramp()
    array[box()] = 0
    volume = addVolume(array)
    return volume, addSegmentation(volume, lesion=box(), edema=box(k=(8, 10)))


def comeBack(panel):
    """As when the user comes back to the module after loading data."""
    panel.exit()
    panel.enter()
    return panel


def choose(panel, *segmentIds):
    panel.fillPage.ui.segmentsTable.setSelectedSegmentIDs(segmentIds)


def chooseIn(combo, name):
    combo.currentIndex = combo.findData(name)


def clickApply(panel):
    assert panel.fillPage.ui.applyButton.enabled, panel.fillPage.ui.applyButton.toolTip
    panel.fillPage.ui.applyButton.click()


def waitForEnd(panel):
    host.waitUntil(lambda: panel.fillPage.run.job is None)


def messages(panel):
    names = ("statusLabel", "errorLabel", "warningLabel", "resultLabel", "selfCheckLabel")
    labels = [getattr(panel.fillPage.ui, name) for name in names]
    return [label.text for label in labels if label.text or label.visible]


def typeIn(panel, name, text):
    editor = editorOf(panel, name)
    editor.text = text
    editor.editingFinished.emit()


def editorOf(panel, name):
    return panel.fillPage.ui.methodParametersWidget.findChild(object, f"{name}Editor")
