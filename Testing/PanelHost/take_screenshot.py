"""Saves a picture of the panel after a filling: ``python Testing/PanelHost/take_screenshot.py panel.png``."""

import argparse

import slicer
from panelhost import host


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", help="the PNG file to write")
    parser.add_argument("--width", type=int, default=360, help="of the panel, in pixels")
    parser.add_argument("--height", type=int, default=690, help="of the panel, in pixels")
    arguments = parser.parse_args()
    host.install()

    from MedInpaintLib import samples

    sample = samples.sample("brain-t1-lesion")
    slicer.util.loadVolume(str(sample.image))
    segmentation = slicer.util.loadSegmentation(str(sample.mask))
    segmentation.GetSegmentation().GetNthSegment(0).SetName("Lesions")
    panel = host.openPanel(arguments.width, arguments.height)
    panel.ui.applyButton.click()
    host.waitUntil(lambda: panel.panel.job is None)
    host.screenshot(panel, arguments.picture)
    host.closePanel(panel)


if __name__ == "__main__":
    main()
