"""The Segment Editor effect "MedInpaint fill": fills the selected segment without leaving the Segment Editor.

This module has no panel: it registers the effect when Slicer has started. The effect is in the folder
SegmentEditorMedInpaintLib beside this file; the module MedInpaint does the fill.
"""

import time

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest


class SegmentEditorMedInpaint(ScriptedLoadableModule):
    """The module's registration, and the texts that Slicer shows about it."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("SegmentEditorMedInpaint")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations", "MedInpaint"]
        self.parent.contributors = ["MedInpaint contributors"]
        self.parent.hidden = True
        self.parent.helpText = _("This hidden module adds the effect 'MedInpaint fill' to the Segment Editor.")
        self.parent.acknowledgementText = _("Made by the MedInpaint contributors. License: Apache-2.0.")
        slicer.app.connect("startupCompleted()", self.registerEditorEffect)

    def registerEditorEffect(self) -> None:
        """Offer the effect in every Segment Editor."""
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        # Slicer loads the effect's file alone; this import makes the relative imports in it work.
        from SegmentEditorMedInpaintLib import sourceFile

        effect = effects.qSlicerSegmentEditorScriptedEffect(None)
        effect.setPythonSource(sourceFile())
        effect.self().register()


class SegmentEditorMedInpaintTest(ScriptedLoadableModuleTest):
    """Tests inside Slicer: choose the effect in an editor with the sample, and press its button."""

    #: A fill of the sample that takes longer than this (s) has failed.
    PATIENCE = 120

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        for test in (self.test_the_selected_segment_is_filled, self.test_a_fill_can_be_cancelled):
            self.setUp()
            test()

    def test_the_selected_segment_is_filled(self) -> None:
        """Check the new volume: changed inside the segment, bit-identical outside; the source is unchanged."""
        editor, volume, hole = self._editorWithSample()
        before = slicer.util.arrayFromVolume(volume).copy()
        effect = editor.activeEffect()
        effect.setParameter("Method", "harmonic")

        effect.self().options.applyButton.click()
        self._waitForEnd(effect.self())

        filled = effect.nodeReference("FilledVolume")
        after = slicer.util.arrayFromVolume(filled)
        assert (slicer.util.arrayFromVolume(volume) == before).all(), "the source volume has changed"
        assert (after[~hole] == before[~hole]).all(), "voxels outside the segment have changed"
        assert (after[hole] != before[hole]).any(), "nothing was filled"
        assert filled.GetAttribute("MedInpaint.Method") == "harmonic"
        self.delayDisplay("The selected segment is filled.")

    def test_a_fill_can_be_cancelled(self) -> None:
        """Check that pressing the button again leaves the scene unchanged."""
        editor, _volume, _hole = self._editorWithSample()
        effect = editor.activeEffect()
        effect.self().options.applyButton.click()
        assert effect.self().job is not None
        effect.self().options.applyButton.click()
        assert effect.self().job is None
        assert effect.nodeReference("FilledVolume") is None
        assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 1
        self.delayDisplay("The fill was cancelled.")

    def _editorWithSample(self):
        """Return a Segment Editor with the active effect, its source volume, and the segment's mask."""
        # The module MedInpaint has made the engine importable.
        from MedInpaintLib import samples

        sample = samples.sample("brain-t1-lesion")
        volume = slicer.util.loadVolume(str(sample.image))
        segmentation = slicer.util.loadSegmentation(str(sample.mask))
        segmentId = segmentation.GetSegmentation().GetNthSegmentID(0)
        hole = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segmentId, volume) > 0
        editor = slicer.qMRMLSegmentEditorWidget()
        editor.setMRMLScene(slicer.mrmlScene)
        editor.setMRMLSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
        editor.setSegmentationNode(segmentation)
        editor.setSourceVolumeNode(volume)
        editor.setCurrentSegmentID(segmentId)
        editor.setActiveEffectByName("MedInpaint fill")
        return editor, volume, hole

    def _waitForEnd(self, effect) -> None:
        end = time.monotonic() + self.PATIENCE
        while effect.job is not None:
            assert time.monotonic() < end, "the fill has not ended"
            slicer.app.processEvents()
            time.sleep(0.01)
