"""Saves a picture of the panel: ``python Testing/PanelHost/take_screenshot.py panel.png [--tab impute]``.

The first tab is shown after a filling of the sample. For the second one, which takes several contrasts where the sample
has one, a second is made up; a model that estimates contrasts must be there, unless ``--no-apply`` is given.
"""

import argparse

import slicer
from panelhost import host


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", help="the PNG file to write")
    parser.add_argument(
        "--tab", choices=("fill", "impute", "evaluate", "batch", "models"), default="fill", help="which tab is shown"
    )
    parser.add_argument("--repair", action="store_true", help="repair a contrast instead of creating it (tab impute)")
    parser.add_argument("--apply", action=argparse.BooleanOptionalAction, default=True, help="press Apply first")
    parser.add_argument("--width", type=int, default=360, help="of the panel, in pixels")
    parser.add_argument("--height", type=int, default=690, help="of the panel, in pixels")
    arguments = parser.parse_args()
    host.install()

    from MedInpaintLib import samples

    sample = samples.sample("brain-t1-lesion")
    volume = slicer.util.loadVolume(str(sample.image))
    segmentation = slicer.util.loadSegmentation(str(sample.mask))
    segmentation.GetSegmentation().GetNthSegment(0).SetName("Lesions")
    if arguments.tab == "impute":
        chooseContrasts(volume, arguments.repair)
    if arguments.tab == "batch":
        chooseMany(volume)
    panel = host.openPanel(arguments.width, arguments.height)
    shown = {
        "fill": panel.fillPage,
        "impute": panel.contrastPage,
        "evaluate": panel.evaluatePage,
        "batch": panel.batchPage,
        "models": panel.modelsPage,
    }[arguments.tab]
    panel.showPage(shown)
    if arguments.apply and shown is not panel.modelsPage:
        shown.ui.applyButton.click()
        host.waitUntil(lambda: shown.run.job is None)
    host.settle()
    host.screenshot(panel, arguments.picture)
    host.closePanel(panel)


def chooseContrasts(volume, repair: bool) -> None:
    """T1 and, made of it, what stands in for the other contrasts."""
    import MedInpaint

    node = MedInpaint.MedInpaintLogic().getParameterNode()
    volume.SetName("T1")
    node.t1Volume = volume
    node.t2Volume = _darkForBright(volume, "T2")
    if repair:
        node.flairVolume = _darkForBright(volume, "FLAIR")
        node.imputeMode = "repair"


def chooseMany(volume) -> None:
    """The sample, and what is made of it, with the hole that the sample has."""
    import MedInpaint

    node = MedInpaint.MedInpaintLogic().getParameterNode()
    volume.SetName("T1")
    node.batchVolumes = [volume, *(_darkForBright(volume, name) for name in ("T2", "FLAIR"))]
    node.method = "harmonic"


def _darkForBright(volume, name: str):
    array = slicer.util.arrayFromVolume(volume).astype("float32")
    other = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, volume, name)
    slicer.util.updateVolumeFromArray(other, array * (1.2 * array.max() - array))
    return other


if __name__ == "__main__":
    main()
