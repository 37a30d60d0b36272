"""Clicks that tests of several tabs share; they go to the tab in front."""

from panelhost import host
from panelhost.filling import addInputs, choose, comeBack


def chooseHole(panel):
    """Add a volume with a hole and choose both in the tab Fill; return the volume and its segmentation."""
    inputs = addInputs()
    comeBack(panel)
    choose(panel, "lesion")
    return inputs


def clickApply(panel):
    """Click Apply, which must be enabled."""
    button = _front(panel).ui.applyButton
    assert button.enabled, button.toolTip
    button.click()


def waitForEnd(panel):
    """Wait until nothing runs any more."""
    page = _front(panel)
    host.waitUntil(lambda: page.run.job is None, seconds=120)


def applyAndWait(panel):
    """Click Apply and wait for the end."""
    clickApply(panel)
    waitForEnd(panel)


def reason(panel):
    """Return why Apply cannot be pressed; it is in sight as well as in the tool tip."""
    host.processEvents()
    ui = _front(panel).ui
    assert ui.applyHintLabel.visible == bool(ui.applyHintLabel.text) == (not ui.applyButton.enabled)
    if not ui.applyButton.enabled:
        assert ui.applyButton.toolTip == ui.applyHintLabel.text
    return ui.applyHintLabel.text


def messages(panel, *more):
    """List the texts that are shown below the form; ``more`` are names of other labels."""
    names = ("statusLabel", "errorLabel", "warningLabel", "resultLabel", *more)
    labels = [getattr(_front(panel).ui, name) for name in names]
    return [label.text for label in labels if label.text]


def _front(panel):
    return panel.pages[panel.ui.tabWidget.currentIndex]
