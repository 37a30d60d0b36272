"""How long the first fill takes in Slicer, from opening the module, with how many clicks.

To be run inside it, with nothing else running::

    Slicer --testing --additional-module-paths MedInpaint --python-script Testing/Benchmarks/first_fill.py
"""

import time

import slicer


def main() -> None:
    """Open the module, click "Try it" and Apply as a user would, and print what that took."""
    start = time.perf_counter()
    slicer.util.selectModule("MedInpaint")  # the first click
    slicer.app.processEvents()
    page = slicer.util.getModuleWidget("MedInpaint").fillPage
    clicks = [page.ui.tryButton, page.ui.applyButton]
    for button in clicks:
        assert button.enabled, button.toolTip
        button.click()
        slicer.app.processEvents()
    while page.run.job is not None:
        slicer.app.processEvents()
    assert page.ui.errorLabel.text == "", page.ui.errorLabel.text
    print(f"{1 + len(clicks)} clicks, {time.perf_counter() - start:.1f} s: {page.ui.resultLabel.text.splitlines()[0]}")


if __name__ in ("__main__", "builtins"):
    main()
