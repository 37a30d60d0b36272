"""What can be chosen in the tab Fill, and what is missing until Apply can be pressed."""

import numpy as np
import slicer
from panelhost import host, mrml
from panelhost.filling import addInputs, choose, chooseIn, comeBack
from panelhost.phantom import addSegmentation, addVolume, box, ramp

from Testing.PanelHost.clicks import applyAndWait, chooseHole


def test_apply_is_disabled_until_there_is_a_volume(panel):
    assert not panel.fillPage.ui.applyButton.enabled
    assert "Choose the volume" in panel.fillPage.ui.applyButton.toolTip


def test_apply_is_disabled_until_there_is_a_segmentation(panel):
    addVolume()
    host.processEvents()
    assert not panel.fillPage.ui.applyButton.enabled
    assert "Choose the segmentation" in panel.fillPage.ui.applyButton.toolTip


def test_apply_is_disabled_while_the_segmentation_has_no_segments(panel):
    addSegmentation(addVolume())
    assert not panel.fillPage.ui.applyButton.enabled
    assert "Segment Editor" in panel.fillPage.ui.applyButton.toolTip


def test_apply_is_disabled_until_a_segment_is_chosen(panel):
    addInputs()
    comeBack(panel)
    assert not panel.fillPage.ui.applyButton.enabled
    assert "segments in the table" in panel.fillPage.ui.applyButton.toolTip
    choose(panel, "lesion")
    assert panel.fillPage.ui.applyButton.enabled


def test_the_only_segment_is_chosen_by_itself(panel):
    addSegmentation(addVolume(), lesion=box())
    comeBack(panel)
    assert panel.fillPage.ui.segmentsTable.selectedSegmentIDs() == ("lesion",)
    assert panel.fillPage.ui.applyButton.enabled


def test_a_segment_that_is_added_later_is_noticed(panel):
    segmentation = addSegmentation(addVolume())
    comeBack(panel)
    assert not panel.fillPage.ui.applyButton.enabled
    segmentation.GetSegmentation().AddEmptySegment("lesion", "lesion")
    host.processEvents()
    assert panel.fillPage.ui.segmentsTable.selectedSegmentIDs() == ("lesion",)
    assert panel.fillPage.ui.applyButton.enabled


def test_a_chosen_segment_that_is_removed_is_noticed(panel):
    _, segmentation = chooseHole(panel)
    segmentation.GetSegmentation().RemoveSegment("lesion")
    host.processEvents()
    assert panel.fillPage.ui.segmentsTable.selectedSegmentIDs() in ((), ("edema",))
    assert "lesion" not in panel.logic.getParameterNode().segmentIds


def test_a_label_map_is_not_taken_for_an_image(panel):
    slicer.util.addVolumeFromArray(box().astype(np.uint8), name="Labels", nodeClassName="vtkMRMLLabelMapVolumeNode")
    volume, _ = addInputs()
    comeBack(panel)
    assert panel.logic.getParameterNode().inputVolume is volume


def test_the_input_cannot_be_chosen_as_output(panel):
    volume, _ = chooseHole(panel)
    panel.fillPage.ui.outputVolumeSelector.setCurrentNode(volume)
    assert not panel.fillPage.ui.applyButton.enabled
    assert "another output" in panel.fillPage.ui.applyButton.toolTip


def test_the_section_for_more_is_closed_and_says_when_it_is_in_use(panel):
    addInputs()
    guide = addVolume(name="T2")
    comeBack(panel)
    assert panel.fillPage.ui.moreCollapsibleButton.collapsed
    assert panel.fillPage.ui.moreCollapsibleButton.text == "Additional inputs"
    panel.fillPage.ui.guidesSelector.check(guide)
    assert panel.fillPage.ui.moreCollapsibleButton.text == "Additional inputs (in use)"


def test_guides_that_are_ticked_reach_the_result(panel):
    addInputs()
    guides = [addVolume(name="T2"), addVolume(name="FLAIR")]
    comeBack(panel)
    choose(panel, "lesion")
    chooseIn(panel.fillPage.ui.methodCombo, "patch")
    for guide in guides:
        panel.fillPage.ui.guidesSelector.check(guide)
    assert list(panel.logic.getParameterNode().guides) == guides
    panel.fillPage.ui.guidesSelector.uncheck(guides[1])
    applyAndWait(panel)
    assert panel.fillPage.ui.errorLabel.text == ""
    filled = slicer.mrmlScene.GetFirstNodeByName("T1 filled (patch)")
    assert filled.GetAttribute("MedInpaint.Guides") == '["T2"]'


def test_the_input_cannot_be_ticked_as_a_guide(panel):
    volume, _ = chooseHole(panel)
    panel.fillPage.ui.guidesSelector.check(volume)
    assert not panel.fillPage.ui.applyButton.enabled
    assert "cannot guide itself" in panel.fillPage.ui.applyHintLabel.text
    panel.fillPage.ui.guidesSelector.uncheck(volume)
    assert panel.fillPage.ui.applyButton.enabled


def test_the_output_cannot_be_ticked_as_a_guide(panel):
    addInputs()
    output = addVolume(name="Output")
    comeBack(panel)
    choose(panel, "lesion")
    panel.fillPage.ui.outputVolumeSelector.setCurrentNode(output)
    panel.fillPage.ui.guidesSelector.check(output)
    assert "cannot be a guide" in panel.fillPage.ui.applyHintLabel.text


def test_a_guide_that_is_removed_is_forgotten(panel):
    addInputs()
    guides = [addVolume(name="T2"), addVolume(name="FLAIR")]
    comeBack(panel)
    choose(panel, "lesion")
    panel.logic.getParameterNode().guides = guides
    assert list(panel.fillPage.ui.guidesSelector.checkedNodes()) == guides
    slicer.mrmlScene.RemoveNode(guides[0])
    host.processEvents()
    assert list(panel.fillPage.ui.guidesSelector.checkedNodes()) == guides[1:]
    assert panel.fillPage.ui.applyButton.enabled


def test_a_folder_of_exemplars_must_be_there_and_can_be_taken_back(panel, tmp_path):
    chooseHole(panel)
    panel.fillPage.ui.exemplarsPathEdit.currentPath = str(tmp_path / "missing")
    assert not panel.fillPage.ui.applyButton.enabled
    assert "There is no folder" in panel.fillPage.ui.applyHintLabel.text
    panel.fillPage.ui.exemplarsPathEdit.currentPath = str(tmp_path)
    assert panel.fillPage.ui.applyButton.enabled
    assert panel.logic.getParameterNode().exemplars == str(tmp_path)
    panel.fillPage.ui.exemplarsPathEdit.currentPath = ""
    assert panel.logic.getParameterNode().exemplars == ""
    assert panel.fillPage.ui.moreCollapsibleButton.text == "Additional inputs"


def test_guides_and_exemplars_survive_saving_and_loading_the_scene(panel, tmp_path):
    addInputs()
    guide = addVolume(name="T2")
    comeBack(panel)
    panel.fillPage.ui.guidesSelector.check(guide)
    panel.fillPage.ui.exemplarsPathEdit.currentPath = str(tmp_path)
    panel.fillPage.ui.selfCheckBox.click()
    panel.fillPage.ui.uncertaintyBox.click()
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    mrml.clearScene()
    assert panel.fillPage.ui.guidesSelector.checkedNodes() == ()
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    host.processEvents()
    assert [node.GetName() for node in panel.fillPage.ui.guidesSelector.checkedNodes()] == ["T2"]
    assert panel.fillPage.ui.exemplarsPathEdit.currentPath == str(tmp_path)
    assert panel.fillPage.ui.selfCheckBox.checked
    assert panel.fillPage.ui.uncertaintyBox.checked


def test_the_reason_why_apply_is_disabled_is_in_sight(panel):
    assert panel.fillPage.ui.applyHintLabel.visible
    assert (
        panel.fillPage.ui.applyHintLabel.text == panel.fillPage.ui.applyButton.toolTip == "Choose the volume to fill."
    )
    chooseHole(panel)
    assert not panel.fillPage.ui.applyHintLabel.visible


def test_choices_are_kept_in_the_scene(panel):
    _, segmentation = addInputs()
    comeBack(panel)
    choose(panel, "edema")
    chooseIn(panel.fillPage.ui.methodCombo, "nearest")
    chooseIn(panel.fillPage.ui.deviceCombo, "cpu")
    panel.fillPage.ui.dilateSlider.value = 1.5
    node = panel.logic.getParameterNode()
    assert (node.segmentation, list(node.segmentIds)) == (segmentation, ["edema"])
    assert (node.method, node.device, node.dilateMm) == ("nearest", "cpu", 1.5)
    node.method = "harmonic"
    assert panel.fillPage.ui.methodCombo.currentData == "harmonic"


def test_a_volume_without_voxels_cannot_be_filled_until_it_has_some(panel):
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    addSegmentation(addVolume(name="T1"), lesion=box())
    comeBack(panel)
    panel.fillPage.ui.inputVolumeSelector.setCurrentNode(empty)
    host.processEvents()
    assert not panel.fillPage.ui.applyButton.enabled
    assert panel.fillPage.ui.applyHintLabel.text == "Volume 'Empty' has no voxels; load its image first."
    slicer.util.updateVolumeFromArray(empty, ramp())
    host.processEvents()
    assert panel.fillPage.ui.applyButton.enabled


def test_a_choice_of_segments_does_not_pass_over_to_another_segmentation(panel):
    """Ids such as "Segment_1" are in many of them."""
    volume, _segmentation = addInputs()
    other = addSegmentation(volume, lesion=box(), more=box(k=(9, 11)))
    comeBack(panel)
    choose(panel, "lesion")
    panel.fillPage.ui.segmentationSelector.setCurrentNode(other)
    host.processEvents()
    assert panel.fillPage.ui.segmentsTable.selectedSegmentIDs() == ()
    assert "segments in the table" in panel.fillPage.ui.applyHintLabel.text


def test_why_a_color_volume_is_not_offered_is_said(panel):
    slicer.util.addVolumeFromArray(
        np.zeros((3, 4, 5, 3), np.uint8), name="Photo", nodeClassName="vtkMRMLVectorVolumeNode"
    )
    comeBack(panel)
    assert "Vector to Scalar Volume" in panel.fillPage.ui.applyHintLabel.text
    addVolume()
    comeBack(panel)
    assert "Vector to Scalar Volume" not in panel.fillPage.ui.applyHintLabel.text


def test_folded_options_say_that_they_are_in_use(panel):
    ui = panel.fillPage.ui
    panel.logic.getParameterNode().inputVolume = addVolume()
    assert ui.optionsCollapsibleButton.collapsed
    assert ui.optionsCollapsibleButton.text == "Options"
    ui.grainBox.checked = True
    host.processEvents()
    assert ui.optionsCollapsibleButton.text == "Options (in use)"
    ui.grainBox.checked = False
    chooseIn(ui.blendCombo, "feather")
    host.processEvents()
    assert ui.optionsCollapsibleButton.text == "Options (in use)"
