"""The live preview: it follows the brush, in the panel and in the Segment Editor, and leaves nothing behind."""

import numpy as np
import pytest
import slicer
from clicks import applyAndWait, chooseHole, clickApply, waitForEnd
from panelhost import host, mrml
from panelhost.filling import choose, comeBack
from panelhost.phantom import addTransform, addVolume, box, ramp, rotation

from MedInpaintSlicer.nodes.livepreview import ATTRIBUTE
from MedInpaintSlicer.pages import livepreview


@pytest.fixture
def hole(panel):
    """A volume with a hole, chosen in the panel, in a slice view that shows the volume."""
    volume, segmentation = chooseHole(panel)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode").SetBackgroundVolumeID(volume.GetID())
    return volume, segmentation


def previews():
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in volumes if node.GetAttribute(ATTRIBUTE)]


def shown():
    """The voxels of the foreground, which must be the preview's."""
    (preview,) = previews()
    view = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert view.GetForegroundVolumeID() == preview.GetID()
    assert view.GetForegroundOpacity() == 1
    return slicer.util.arrayFromVolume(preview)


def isGone():
    view = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    return previews() == [] and (view is None or not view.GetForegroundVolumeID())


def paint(segmentation, mask, segmentId="lesion"):
    """As the brush does, on the first volume's grid."""
    volume = slicer.mrmlScene.GetFirstNodeByName("T1")
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), segmentation, segmentId, volume)


def settle():
    host.settle(3 * livepreview.DELAY / 1000)


def turnOn(panel):
    panel.fillPage.ui.livePreviewBox.checked = True


def message(panel):
    return panel.fillPage.ui.livePreviewMessage.text


def test_the_fill_follows_the_brush_while_the_user_is_in_the_segment_editor(panel, hole):
    volume, segmentation = hole
    turnOn(panel)
    assert np.array_equal(shown(), ramp())
    assert "follows each stroke" in message(panel)
    panel.exit()
    bigger = box(k=(4, 9))
    paint(segmentation, bigger)
    slicer.util.arrayFromVolume(previews()[0])[bigger] = 0
    settle()
    assert np.array_equal(shown()[bigger], ramp()[bigger])
    assert len(previews()) == 1
    panel.enter()
    panel.fillPage.ui.livePreviewBox.checked = False
    assert isGone()
    assert message(panel) == ""
    assert (slicer.util.arrayFromVolume(volume)[box()] == 0).all()


def test_strokes_that_follow_each_other_are_waited_for(panel, hole, monkeypatch):
    _volume, segmentation = hole
    turnOn(panel)
    page, times = panel.fillPage._live, []
    monkeypatch.setattr(page, "_show", lambda marks: times.append(marks))
    for stop in (6, 7, 8, 9):
        paint(segmentation, box(k=(4, stop)))
        host.processEvents()
    settle()
    assert len(times) == 1


def test_while_a_mouse_button_is_down_the_brush_goes_first(panel, hole, monkeypatch):
    _volume, segmentation = hole
    turnOn(panel)
    bigger = box(k=(4, 9))
    monkeypatch.setattr(livepreview.qt.QApplication, "mouseButtons", lambda: 1)
    paint(segmentation, bigger)
    slicer.util.arrayFromVolume(previews()[0])[bigger] = 0
    settle()
    assert (shown()[bigger] == 0).all()
    monkeypatch.undo()
    settle()
    assert np.array_equal(shown()[bigger], ramp()[bigger])


def test_segments_are_outlines_meanwhile(panel, hole):
    display = hole[1].GetDisplayNode()
    turnOn(panel)
    assert [display.GetSegmentVisibility2DFill(each) for each in ("lesion", "edema")] == [False, True]
    choose(panel, "edema")
    settle()
    assert [display.GetSegmentVisibility2DFill(each) for each in ("lesion", "edema")] == [True, False]
    panel.fillPage.ui.livePreviewBox.checked = False
    assert [display.GetSegmentVisibility2DFill(each) for each in ("lesion", "edema")] == [True, True]


def test_apply_removes_the_preview_and_fills_by_the_method(panel, hole):
    turnOn(panel)
    applyAndWait(panel)
    assert previews() == []
    assert not panel.fillPage.ui.livePreviewBox.checked
    assert slicer.mrmlScene.GetFirstNodeByName("T1 filled (patch-regression)") is not None


def test_another_volume_gets_a_preview_of_its_own(panel, hole):
    turnOn(panel)
    panel.fillPage.ui.inputVolumeSelector.setCurrentNode(addVolume(ramp() + 50, name="T2"))
    settle()
    assert np.array_equal(shown(), ramp() + 50)


def test_other_voxels_and_another_transform_are_followed(panel, hole):
    volume, segmentation = hole
    turnOn(panel)
    slicer.util.updateVolumeFromArray(volume, ramp() + 7)
    settle()
    assert np.array_equal(shown(), ramp() + 7)
    transform = addTransform(rotation(3, "X"))
    for node in (volume, segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    settle()
    assert previews()[0].GetParentTransformNode() is transform


@pytest.mark.parametrize("which", ["volume", "segmentation", "preview"])
def test_it_ends_when_a_node_is_removed(panel, hole, which):
    turnOn(panel)
    removed = {"volume": hole[0], "segmentation": hole[1], "preview": previews()[0]}[which]
    slicer.mrmlScene.RemoveNode(removed)
    assert isGone()
    assert not panel.fillPage.ui.livePreviewBox.checked


@pytest.mark.parametrize("end", ["scene", "module"])
def test_it_ends_with_the_scene_and_with_the_module(panel, hole, end):
    turnOn(panel)
    if end == "scene":
        mrml.clearScene()
    else:
        panel.cleanup()
    assert isGone()


def test_without_a_segment_it_waits_for_one(panel, hole):
    choose(panel)
    turnOn(panel)
    assert "begins when" in message(panel)
    assert previews() == []
    choose(panel, "lesion")
    host.waitUntil(previews)
    settle()
    assert np.array_equal(shown(), ramp())


def test_a_volume_without_voxels_is_refused_in_a_line(panel, hole):
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    panel.fillPage.ui.inputVolumeSelector.setCurrentNode(empty)
    turnOn(panel)
    assert "'Empty' has no voxels" in message(panel)
    assert not panel.fillPage.ui.livePreviewBox.checked
    comeBack(panel)


def isColored(hole):
    return hole[1].GetDisplayNode().GetSegmentVisibility2DFill("lesion")


def test_the_comparison_of_a_result_is_paused_meanwhile(panel, hole):
    applyAndWait(panel)
    turnOn(panel)
    panel.exit()
    settle()
    assert not isColored(hole)
    panel.fillPage.ui.livePreviewBox.checked = False
    assert isColored(hole)
    panel.enter()
    assert not isColored(hole)
    panel.fillPage.ui.undoButton.click()
    assert isColored(hole)


def test_it_ends_with_undo(panel, hole):
    applyAndWait(panel)
    turnOn(panel)
    panel.fillPage.ui.undoButton.click()
    assert isGone()
    assert isColored(hole)


def test_a_result_ends_a_preview_that_was_begun_while_it_was_made(panel, hole):
    clickApply(panel)
    turnOn(panel)
    waitForEnd(panel)
    assert previews() == []
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled (patch-regression)")
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode").GetForegroundVolumeID() == filled.GetID()


def test_another_preview_ends_the_one_that_is_shown(panel, hole):
    turnOn(panel)
    box = livepreview.qt.QCheckBox("Live preview")
    other = livepreview.LivePreviewBox(box, lambda text: None, lambda: livepreview.Marks(*hole, ("lesion",)))
    box.connect("toggled(bool)", other.show)
    box.checked = True
    assert not panel.fillPage.ui.livePreviewBox.checked
    assert np.array_equal(shown(), ramp())
    livepreview.stop()
    assert isGone()
    assert not box.checked
    assert isColored(hole)


def test_it_ends_with_a_line_when_the_volume_loses_its_voxels(panel, hole):
    turnOn(panel)
    hole[0].SetAndObserveImageData(None)
    paint(hole[1], box(k=(4, 9)))
    settle()
    assert "'T1' has no voxels" in message(panel)
    assert isGone()


# In the Segment Editor.


@pytest.fixture
def editor(monkeypatch):
    """A Segment Editor with the effect chosen; other tests of it are in test_effect.py."""
    from test_effect import Editor

    made = Editor(monkeypatch)
    yield made
    made.widget.close()
    mrml.clearScene()


def live(editor):
    return editor.options.liveBox


def filledIn(mask):
    """Whether the preview has filled a part of the volume's hole; there are zeros, and around it values above 30."""
    return bool((shown()[mask] > 20).all())


def test_the_effect_previews_the_selected_segment_while_the_user_paints(editor):
    live(editor).checked = True
    assert filledIn(box())
    editor.choose("Paint")
    editor.widget.setCurrentSegmentID("other")
    paint(editor.segmentation, box(k=(9, 11)), "other")
    settle()
    assert filledIn(box(k=(9, 11)))
    assert (shown()[box()] == 0).all()
    editor.choose("MedInpaint fill")
    live(editor).checked = False
    assert isGone()
    assert editor.shown is editor.volume


def test_the_effects_preview_waits_for_another_segment_when_its_own_is_removed(editor):
    live(editor).checked = True
    editor.choose("Paint")
    segments = editor.segmentation.GetSegmentation()
    editor.widget.setCurrentSegmentID("")
    segments.RemoveSegment("lesion")
    settle()
    assert isGone()
    editor.widget.setCurrentSegmentID("other")
    paint(editor.segmentation, box(k=(9, 11)), "other")
    settle()
    assert filledIn(box(k=(9, 11)))


def test_the_effects_preview_grows_with_its_hole(editor):
    paint(editor.segmentation, box(k=(5, 7)))
    live(editor).checked = True
    assert not filledIn(box())
    editor.options.growSlider.value = 2.0
    settle()
    assert filledIn(box())


def test_apply_in_the_effect_removes_the_preview(editor):
    live(editor).checked = True
    filled = editor.fill()
    assert previews() == []
    assert not live(editor).checked
    assert (slicer.util.arrayFromVolume(filled)[box()] > 20).all()


@pytest.mark.parametrize("end", ["scene", "editor"])
def test_the_effects_preview_ends_with_the_scene_and_the_editor(editor, end):
    live(editor).checked = True
    if end == "scene":
        mrml.clearScene()
    else:
        editor.effect.cleanup()
    assert isGone()
