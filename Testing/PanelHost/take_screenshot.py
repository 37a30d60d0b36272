"""Saves a picture of the panel after a filling: ``python Testing/PanelHost/take_screenshot.py panel.png``."""

import argparse

import numpy as np
import slicer
from panelhost import host
from panelhost.phantom import addSegmentation, addVolume


def addHead():
    """A ball with a dark lesion in it, and the segment that marks the lesion."""
    k, j, i = np.indices((40, 64, 64))
    distance = np.sqrt((2 * (k - 20)) ** 2 + (j - 32) ** 2 + (i - 32) ** 2)
    lesion = (2 * (k - 20)) ** 2 + (j - 28) ** 2 + (i - 40) ** 2 < 60
    image = np.where(distance < 28, 600 - 8 * distance, 0) + np.random.default_rng(0).normal(0, 10, distance.shape)
    image[lesion] = 150
    volume = addVolume(image.astype(np.int16), np.diag([1.0, 1.0, 2.0, 1.0]), name="MRHead")
    segmentation = addSegmentation(volume, Lesion=lesion, Ventricles=distance < 5)
    segmentation.SetName("Segmentation")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", help="the PNG file to write")
    parser.add_argument("--width", type=int, default=360, help="of the panel, in pixels")
    arguments = parser.parse_args()
    host.install()
    addHead()
    panel = host.openPanel(width=arguments.width, height=700)
    panel.ui.segmentsTable.setSelectedSegmentIDs(["Lesion"])
    panel.ui.applyButton.click()
    host.waitUntil(lambda: panel.panel.job is None)
    host.screenshot(panel, arguments.picture)
    host.closePanel(panel)
    slicer.mrmlScene.Clear(False)


if __name__ == "__main__":
    main()
