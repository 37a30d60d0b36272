"""The tab Fill where there is little room."""

import json

import pytest
from panelhost import host, mrml
from panelhost.filling import chooseIn, clickApply, waitForEnd
from PySide6 import QtGui, QtWidgets

from Testing.PanelHost.clicks import applyAndWait, chooseHole


@pytest.mark.parametrize("width", [300, 360])
def test_a_panel_short_of_room_scrolls_to_the_result_instead_of_squeezing(panel, width):
    area = QtWidgets.QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(panel.parent)
    area.resize(width, 400)
    area.show()
    chooseHole(panel)
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    panel.fillPage.ui.dilateSlider.value = 1
    clickApply(panel)
    panel.fillPage.run.onWarning(
        "A warning that is so long that it needs several lines in a panel as narrow as this one. " * 2
    )
    waitForEnd(panel)
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


def test_the_panel_fits_into_300_pixels(panel):
    chooseIn(panel.fillPage.ui.methodCombo, "biharmonic")
    host.processEvents()
    assert panel.parent.minimumSizeHint().width() <= 300


def test_pictures_of_the_panel_are_kept_to_be_looked_at(panel, wordyWorker):
    pictures = mrml.REPOSITORY / "panel-screenshots"
    pictures.mkdir(exist_ok=True)
    assert QtGui.QFontDatabase.families(), "without a font, the pictures have no text"
    host.screenshot(panel, pictures / "empty.png")
    chooseHole(panel)
    applyAndWait(panel)
    host.screenshot(panel, pictures / "filled.png")
    wordyWorker(json.dumps({"event": "warning", "message": "The hole touches the border."}), "Aborted", exitCode=1)
    applyAndWait(panel)
    host.screenshot(panel, pictures / "failed.png")
    assert all((pictures / f"{name}.png").stat().st_size > 5_000 for name in ("empty", "filled", "failed"))
