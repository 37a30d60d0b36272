"""The module's own test: the most important clicks, on the panel's real widgets and with the sample that comes with it.

It runs inside Slicer: developer mode, "Reload and Test"; or ``slicer.testing.runUnitTest``, as CTest does.
"""

import importlib.util
import time

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from . import sampledata

#: A job on the sample that takes longer than this (s) has failed.
PATIENCE = 300


class MedInpaintTest(ScriptedLoadableModuleTest):
    """Click through the panel as users do; each test begins with an empty scene.

    Attributes:
        panel: the ``MedInpaintWidget``.
    """

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()
        self.panel = self.openPanel()

    def runTest(self) -> None:
        for name in sorted(each for each in dir(self) if each.startswith("test_")):
            self.setUp()
            getattr(self, name)()
            self.delayDisplay(name.removeprefix("test_").replace("_", " "))

    def openPanel(self):
        """Show the module as the user does, and return its widget."""
        slicer.util.selectModule("MedInpaint")
        return slicer.util.getModuleWidget("MedInpaint")

    def test_a_sample_is_loaded_and_filled(self) -> None:
        """Check the new volume: changed in the hole, bit-identical outside; the input is unchanged."""
        volume, hole = self._loadSample()
        before = slicer.util.arrayFromVolume(volume).copy()
        filled = self._fill()
        after = slicer.util.arrayFromVolume(filled)
        assert (slicer.util.arrayFromVolume(volume) == before).all(), "the input volume has changed"
        assert (after[~hole] == before[~hole]).all(), "voxels outside the hole have changed"
        assert (after[hole] != before[hole]).any(), "nothing was filled"
        assert filled.GetName() in self.panel.fillPage.ui.resultLabel.text

    def test_the_chosen_method_fills(self) -> None:
        """Check that the method's form follows the combo box, and which method the result names."""
        self._loadSample()
        ui = self.panel.fillPage.ui
        _choose(ui.methodCombo, "patch")
        long = ui.methodParametersWidget.layout().count()
        _choose(ui.methodCombo, "harmonic")
        assert ui.methodParametersWidget.layout().count() < long, "the form still shows the other method"
        assert self._fill("harmonic").GetAttribute("MedInpaint.Method") == "harmonic"

    def test_cancel_leaves_the_scene_as_it_was(self) -> None:
        """Check that Cancel ends the run at once, and that nothing of it stays."""
        volume, _hole = self._loadSample()
        ui = self.panel.fillPage.ui
        ui.applyButton.click()
        assert self.panel.fillPage.run.job is not None, ui.errorLabel.text
        ui.cancelButton.click()
        assert self.panel.fillPage.run.job is None
        assert _volumes() == [volume]
        assert ui.applyButton.enabled, ui.applyHintLabel.text

    def test_the_self_check_scores_methods(self) -> None:
        """Check that the scores on trial holes are shown below the result."""
        self._loadSample()
        self.panel.fillPage.ui.selfCheckBox.click()
        self._fill()
        assert self.panel.fillPage.ui.selfCheckLabel.text, "there are no scores"

    def test_the_uncertainty_is_a_volume_of_its_own(self) -> None:
        """Check that it is zero outside the hole, and that Compare lays it over the result."""
        volume, hole = self._loadSample()
        ui = self.panel.fillPage.ui
        ui.uncertaintyBox.click()
        filled = self._fill("harmonic")
        (uncertainty,) = [each for each in _volumes() if each not in (volume, filled)]
        array = slicer.util.arrayFromVolume(uncertainty)
        assert not array[~hole].any(), "known voxels are uncertain"
        assert array[hole].any(), "no voxel of the hole is uncertain"
        _choose(ui.compareCombo, "uncertainty")
        for view in _views():
            assert view.GetForegroundVolumeID() == uncertainty.GetID()

    def test_compare_fades_and_goes_through_the_parts(self) -> None:
        """Check the layers of the slice views, and that the first part comes again after the last."""
        volume, _hole = self._loadSample("ct-slab")
        filled = self._fill("harmonic")
        ui = self.panel.fillPage.ui
        ui.fadeSlider.value = 25
        for view in _views():
            assert view.GetBackgroundVolumeID() == volume.GetID()
            assert view.GetForegroundVolumeID() == filled.GetID()
            assert abs(view.GetForegroundOpacity() - 0.25) < 0.01
        first = ui.nextPieceButton.text
        ui.nextPieceButton.click()
        assert ui.nextPieceButton.text != first
        ui.nextPieceButton.click()
        assert ui.nextPieceButton.text == first

    def test_the_edges_of_the_atlas_are_shown_while_their_box_is_checked(self) -> None:
        """Check the label layer of the slice views."""
        self._loadSample()
        self._fill("harmonic")
        ui = self.panel.fillPage.ui
        ui.atlasEdgesBox.click()
        _wait(lambda: not ui.atlasEdgesBox.checked or all(view.GetLabelVolumeID() for view in _views()))
        assert ui.atlasEdgesBox.checked, ui.atlasEdgesMessage.text
        ui.atlasEdgesBox.click()
        assert not any(view.GetLabelVolumeID() for view in _views())

    def test_the_live_preview_follows_the_brush(self) -> None:
        """Check that new voxels of the segment are filled, that no others change, and that the preview goes at last."""
        volume, hole = self._loadSample()
        ui = self.panel.fillPage.ui
        ui.livePreviewBox.click()
        (preview,) = [each for each in _volumes() if each is not volume]
        segmentation = ui.segmentationSelector.currentNode()
        painted = hole.copy()
        painted[:, :, 3:] |= hole[:, :, :-3]
        segmentId = segmentation.GetSegmentation().GetNthSegmentID(0)
        slicer.util.updateSegmentBinaryLabelmapFromArray(painted.astype("uint8"), segmentation, segmentId, volume)
        before = slicer.util.arrayFromVolume(volume)
        _wait(lambda: (slicer.util.arrayFromVolume(preview) != before)[painted & ~hole].any())
        assert (slicer.util.arrayFromVolume(preview) == before)[~painted].all(), "voxels that are not painted differ"
        ui.livePreviewBox.click()
        assert _volumes() == [volume]

    def test_undo_removes_the_result_and_what_was_made_of_it(self) -> None:
        """Check the volumes of the scene, and the offer to fill again."""
        volume, _hole = self._loadSample()
        ui = self.panel.fillPage.ui
        ui.uncertaintyBox.click()
        self._fill("harmonic")
        _choose(ui.compareCombo, "difference")
        assert len(_volumes()) == 4  # the input, the result, its uncertainty and its difference
        ui.undoButton.click()
        assert _volumes() == [volume]
        assert ui.applyButton.enabled, ui.applyHintLabel.text

    def test_the_lesion_is_put_back_into_a_segmentation_of_the_result(self) -> None:
        """Check that a copy has the lesion's segment, and that its regions are in a table."""
        volume, _hole = self._loadSample()
        filled = self._fill("harmonic")
        head = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Anatomy")
        head.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        segmentId = head.GetSegmentation().AddEmptySegment("head", "head")
        array = slicer.util.arrayFromVolume(filled)
        labels = (array > array.mean()).astype("uint8")
        slicer.util.updateSegmentBinaryLabelmapFromArray(labels, head, segmentId, filled)
        ui = self.panel.fillPage.ui
        ui.lesionBackSelector.setCurrentNode(head)
        ui.lesionBackButton.click()
        merged = slicer.mrmlScene.GetFirstNodeByName("Anatomy with lesion")
        assert merged is not None, ui.lesionBackMessage.text
        assert merged.GetSegmentation().GetNumberOfSegments() == 2
        assert merged.GetNodeReference("MedInpaint.Regions").GetNumberOfRows() == 2

    def test_a_contrast_is_estimated_or_the_panel_says_what_it_needs(self) -> None:
        """Check the grid of the estimate, where PyTorch is installed; else that the error names PyTorch."""
        volume, _hole = self._loadSample()
        page = self._bringToFront(self.panel.contrastPage)
        page.ui.t1Selector.setCurrentNode(volume)
        _choose(page.ui.wantedContrastCombo, "FLAIR")
        if not page.ui.applyButton.enabled:  # such as an installation without models
            assert page.ui.applyHintLabel.text
            return
        self._run(page)
        if importlib.util.find_spec("torch") is None:
            assert "torch" in page.ui.errorLabel.text, page.ui.errorLabel.text
            assert _volumes() == [volume]
            return
        assert page.ui.errorLabel.text == ""
        (estimate,) = [each for each in _volumes() if each is not volume]
        assert slicer.util.arrayFromVolume(estimate).shape == slicer.util.arrayFromVolume(volume).shape
        assert estimate.GetAttribute("MedInpaint.Target") == "FLAIR"

    def test_methods_are_scored_on_holes_with_a_known_truth(self) -> None:
        """Check that the table has a row for each hole, method and the yardstick."""
        self._loadSample()
        page = self._bringToFront(self.panel.evaluatePage)
        node = self.panel.logic.getParameterNode()
        node.evaluateMethods = ["harmonic", "biharmonic"]
        page.ui.evaluateCountSlider.value = 2
        self._run(page)
        assert page.ui.errorLabel.text == ""
        assert node.evaluateScores.GetNumberOfRows() == 2 * 3

    def test_a_batch_fills_the_checked_volumes(self) -> None:
        """Check that two volumes get a result each, with the segment and the method of the tab Fill."""
        volume, _hole = self._loadSample()
        copy = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, volume, "Second")
        _choose(self.panel.fillPage.ui.methodCombo, "harmonic")
        page = self._bringToFront(self.panel.batchPage)
        self.panel.logic.getParameterNode().batchVolumes = [volume, copy]
        self._run(page)
        assert page.ui.errorLabel.text == ""
        assert len(_volumes()) == 4

    def test_the_engine_is_sound(self) -> None:
        """Check the known answers of blending, metrics and solvers with the packages that Slicer has."""
        from MedInpaintLib import selftest

        failed = [f"{name}: {message}" for name, passed, message in selftest.run() if not passed]
        assert failed == []

    def _loadSample(self, name: str = "") -> tuple:
        """Click "Try it", or load another sample; return the volume and the array of its hole."""
        page = self._bringToFront(self.panel.fillPage)
        if name:
            node = self.panel.logic.getParameterNode()
            node.inputVolume, node.segmentation = sampledata.load(name)
            node.segmentIds = list(node.segmentation.GetSegmentation().GetSegmentIDs())
        else:
            page.ui.tryButton.click()
        slicer.app.processEvents()
        assert page.ui.applyButton.enabled, page.ui.applyHintLabel.text
        volume, segmentation = page.ui.inputVolumeSelector.currentNode(), page.ui.segmentationSelector.currentNode()
        hole = False
        for segmentId in segmentation.GetSegmentation().GetSegmentIDs():
            hole = hole | (slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segmentId, volume) > 0)
        return volume, hole

    def _fill(self, method: str = "auto"):
        """Choose a method, click Apply, wait, and return the new volume."""
        page = self.panel.fillPage
        before = _volumes()
        _choose(page.ui.methodCombo, method)
        self._run(page)
        assert page.ui.errorLabel.text == "", page.ui.errorLabel.text
        return next(each for each in _volumes() if each not in before)

    def _run(self, page) -> None:
        """Click Apply and wait for the end."""
        assert page.ui.applyButton.enabled, page.ui.applyHintLabel.text
        page.ui.applyButton.click()
        _wait(lambda: page.run.job is None)

    def _bringToFront(self, page):
        self.panel.showPage(page)
        slicer.app.processEvents()
        return page


def _choose(combo, name: str) -> None:
    """Choose an entry of a combo box by its data."""
    index = combo.findData(name)
    assert index >= 0, f"'{name}' is not offered"
    combo.currentIndex = index
    slicer.app.processEvents()


def _wait(condition) -> None:
    """Run the event loop until a condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"still waiting after {PATIENCE} s"
        slicer.app.processEvents()
        time.sleep(0.01)


def _volumes() -> list:
    return slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")


def _views() -> list:
    """Return what each slice view shows."""
    return slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
