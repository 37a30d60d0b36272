"""The first five minutes: a sample in one click, and a filled volume in one more."""

from pathlib import Path

import slicer
from panelhost import host
from panelhost.loading import SampleDataLogic
from panelhost.phantom import addVolume

from MedInpaintSlicer import sampledata


def test_the_button_is_there_until_there_is_a_volume(panel):
    assert panel.fillPage.ui.tryButton.visible
    addVolume()
    panel.exit()
    panel.enter()
    assert not panel.fillPage.ui.tryButton.visible


def test_two_clicks_lead_from_the_open_panel_to_a_filled_volume(panel):
    ui = panel.fillPage.ui
    ui.tryButton.click()
    host.processEvents()
    assert not ui.tryButton.visible
    assert ui.inputVolumeSelector.currentNode().GetName() == "Brain T1"
    assert ui.segmentationSelector.currentNode().GetName() == "Lesions"
    assert len(ui.segmentsTable.selectedSegmentIDs()) == 1
    assert ui.applyButton.enabled, ui.applyHintLabel.text
    ui.applyButton.click()
    host.waitUntil(lambda: panel.fillPage.run.job is None)
    assert ui.errorLabel.text == ""
    assert slicer.mrmlScene.GetFirstNodeByName("Brain T1 filled (patch-regression)") is not None


def test_a_sample_that_cannot_be_loaded_is_told(panel, monkeypatch):
    def fail(name="brain-t1-lesion"):
        raise RuntimeError("The sample data are missing from this installation; install MedInpaint again.")

    monkeypatch.setattr(sampledata, "load", fail)
    panel.fillPage.ui.tryButton.click()
    assert "install MedInpaint again" in panel.fillPage.ui.errorLabel.text
    assert panel.fillPage.ui.tryButton.visible


def test_all_samples_are_offered_once_with_pictures_and_without_a_download(panel):
    sampledata.register()
    sampledata.register()
    sources = SampleDataLogic.sources[sampledata.CATEGORY]
    assert len(sources) == len(sampledata.offers()) == 3
    for source in sources:
        assert all(uri.startswith("file:") for uri in source["uris"])
        assert Path(source["thumbnailFileName"]).read_bytes().startswith(b"\x89PNG")


def test_every_sample_has_segments_with_names(panel):
    for name, offer in sampledata.offers().items():
        volume, segmentation = sampledata.load(name)
        assert volume.GetName() == offer.volume
        names = [segmentation.GetSegmentation().GetNthSegment(0).GetName()]
        assert all(each.startswith(offer.segmentation) for each in names)
