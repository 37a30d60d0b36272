"""The tab "Batch", clicked through: choose, Apply, result; Cancel; and all that can be wrong."""

import json

import numpy as np
import pytest
import slicer
from panelhost import host, mrml
from panelhost.batches import addSequence, damagedRamp, framesOf, nodeNames
from panelhost.filling import chooseIn
from panelhost.phantom import addSegmentation, addTransform, addVolume, box, ramp, sceneContent
from panelhost.processes import isRunning

from MedInpaintLib import together
from MedInpaintLib.errors import MaskError, MedInpaintError
from Testing.PanelHost.clicks import applyAndWait, clickApply, messages, reason, runEndsWith, waitForEnd


@pytest.fixture
def panel():
    """The module's widget, open on an empty scene with this tab in front."""
    with host.openedPanel() as widget:
        widget.ui.tabWidget.currentIndex = widget.pages.index(widget.batchPage)
        host.processEvents()
        yield widget


def _addVolumes(*names):
    return [addVolume(damagedRamp(number), name=name) for number, name in enumerate(names)]


def _check(panel, *volumes):
    for each in volumes:
        panel.batchPage.ui.batchVolumesSelector.check(each)
    host.processEvents()


def _chooseInFill(panel, segmentation, *segmentIds, method="harmonic"):
    """The hole and the method, in the tab Fill."""
    panel.fillPage.ui.segmentationSelector.setCurrentNode(segmentation)
    panel.fillPage.ui.segmentsTable.setSelectedSegmentIDs(segmentIds or ["lesion"])
    chooseIn(panel.fillPage.ui.methodCombo, method)
    host.processEvents()


def _chooseVolumes(panel, *names):
    """Everything that volumes need."""
    volumes = _addVolumes(*(names or ("T1", "T2", "FLAIR")))
    _check(panel, *volumes)
    _chooseInFill(panel, addSegmentation(volumes[0], lesion=box()))
    return volumes


def _chooseSequence(panel, count=4):
    """Everything that a sequence needs."""
    sequence, browser = addSequence([damagedRamp(number) for number in range(count)])
    chooseIn(panel.batchPage.ui.batchKindCombo, "sequence")
    panel.batchPage.ui.batchSequenceSelector.setCurrentNode(sequence)
    _chooseInFill(panel, addSegmentation(browser.GetProxyNode(sequence), lesion=box()))
    return sequence, browser


def _type(panel, text):
    panel.batchPage.ui.batchSegmentsEdit.text = text
    panel.batchPage.ui.batchSegmentsEdit.editingFinished.emit()


def _table(panel) -> list[tuple[str, str]]:
    table = panel.batchPage.ui.batchTable
    return [tuple(table.item(row, column).text() for column in range(2)) for row in range(table.rowCount)]


# What is done.


def test_a_click_fills_all_volumes_and_changes_none(panel, monkeypatch):
    shown = []
    monkeypatch.setattr(slicer.util, "setSliceViewerLayers", lambda background, **others: shown.append(background))
    volumes = _chooseVolumes(panel)
    assert _table(panel) == [(name, "Segmentation: lesion") for name in ("T1", "T2", "FLAIR")]
    clickApply(panel)
    assert not panel.batchPage.ui.applyButton.enabled
    assert panel.batchPage.ui.cancelButton.enabled
    host.waitUntil(lambda: panel.batchPage.ui.statusLabel.text.startswith("2 of 3: T2"))
    assert 33 <= panel.batchPage.ui.progressBar.value <= 67
    assert panel.batchPage.ui.progressBar.visible
    waitForEnd(panel)
    made = [slicer.mrmlScene.GetFirstNodeByName(f"{each.GetName()} filled (harmonic)") for each in volumes]
    for number, (volume, result) in enumerate(zip(volumes, made, strict=True)):
        assert np.array_equal(slicer.util.arrayFromVolume(result), ramp() + number)
        assert np.array_equal(slicer.util.arrayFromVolume(volume), damagedRamp(number))
    assert shown == made[:1]
    (text,) = messages(panel)
    assert text.startswith("3 of 3 volumes are filled, ")
    assert "'T1 filled (harmonic)', 'T2 filled (harmonic)', 'FLAIR filled (harmonic)'" in text
    assert "Method: Harmonic (Laplace)." in text
    assert made[0].GetAttribute("MedInpaint.Trust") in text
    assert panel.batchPage.ui.applyButton.enabled


def test_a_click_fills_all_frames_and_the_selected_one_stays_selected(panel, monkeypatch):
    shown = []
    monkeypatch.setattr(slicer.util, "setSliceViewerLayers", lambda background, **others: shown.append(background))
    sequence, browser = _chooseSequence(panel)
    browser.SetSelectedItemNumber(1)
    host.processEvents()
    assert _table(panel) == [(f"time {value} s", "Segmentation: lesion") for value in ("0.0", "0.5", "1.0", "1.5")]
    applyAndWait(panel)
    made = slicer.mrmlScene.GetFirstNode("CT filled (harmonic)", "vtkMRMLSequenceNode")
    assert [np.array_equal(array, ramp() + n) for n, array in enumerate(framesOf(made).values())] == [True] * 4
    assert [np.array_equal(array, damagedRamp(n)) for n, array in enumerate(framesOf(sequence).values())] == [True] * 4
    assert browser.GetSelectedItemNumber() == 1
    assert shown == [browser.GetProxyNode(made)]
    (text,) = messages(panel)
    assert text.startswith("'CT filled (harmonic)': 4 of 4 frames are filled, ")


def test_what_could_not_be_filled_is_told_and_the_rest_is_filled(panel):
    volumes = _chooseVolumes(panel)
    far = np.eye(4)
    far[:3, 3] = 500
    volumes[1].SetAndObserveTransformNodeID(addTransform(far).GetID())
    applyAndWait(panel)
    ui = panel.batchPage.ui
    assert ui.resultLabel.text.startswith("2 of 3 volumes are filled")
    assert ui.errorLabel.text.startswith("Not filled:\nT2: No voxel of volume 'T2' is inside")
    assert ui.errorLabel.visible


def test_frames_that_could_not_be_filled_are_told(panel):
    sequence, browser = _chooseSequence(panel, 2)
    frames = [addSegmentation(browser.GetProxyNode(sequence), lesion=hole) for hole in (box(), box() & False)]
    segmentations, _ = addSequence(frames, "Lesions", browser=browser)
    _chooseInFill(panel, browser.GetProxyNode(segmentations))
    assert _table(panel) == [(f"time {value} s", "Lesions: lesion (of this frame)") for value in ("0.0", "0.5")]
    applyAndWait(panel)
    assert "1 of 2 frames are filled" in panel.batchPage.ui.resultLabel.text
    assert "The others were copied unchanged." in panel.batchPage.ui.resultLabel.text
    assert panel.batchPage.ui.errorLabel.text.startswith("Not filled:\ntime 0.5 s: No voxel")


def test_warnings_say_at_the_end_what_they_are_about(panel):
    _chooseVolumes(panel, "T1", "T2")
    panel.logic.getParameterNode().dilateMm = 0.1
    applyAndWait(panel)
    assert panel.batchPage.ui.warningLabel.text.startswith("T1, T2: Growing by 0.1 mm")


def test_the_choices_of_the_tab_fill_reach_the_logic(panel, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(panel.logic, "inpaintVolumes", lambda *given, **named: asked.append((given, named)))
    monkeypatch.setattr(together, "cores", lambda: 5)
    volumes = _chooseVolumes(panel, "T1", "T2")
    node = panel.logic.getParameterNode()
    guide = addVolume(name="FLAIR")
    node.method, node.methodParameters = "patch", {"patch": json.dumps({"size": 5})}
    node.blend, node.device, node.dilateMm, node.grain = "feather", "cpu", 2, True
    node.guides, node.exemplars, node.selfCheck, node.uncertainty = [guide], str(tmp_path), True, True
    node.regions = True
    host.packagesAskedFor.clear()
    clickApply(panel)
    (given, segmentations, segmentIds), named = asked[0]
    assert given == volumes
    assert segmentations == dict.fromkeys(volumes, node.segmentation)
    assert segmentIds == dict.fromkeys(volumes, ("lesion",))
    for name in ("progress", "warning", "log", "finished"):
        named.pop(name)
    assert named == {
        "method": "patch",
        "parameters": {"size": 5},
        "blend": "feather",
        "device": "cpu",
        "dilateMm": 2,
        "force": False,
        "grain": True,
        "guides": [guide],
        "exemplars": str(tmp_path),
        "regions": True,
        "selfCheck": True,
        "seed": 0,
        "uncertainty": True,
        "wait": False,
        "workers": 4,
    }
    assert host.packagesAskedFor


def test_the_choices_of_the_tab_fill_are_said_in_a_line(panel, tmp_path):
    label = panel.batchPage.ui.batchSettingsLabel
    assert label.text == "Settings of the tab Fill: Automatic; device: Automatic."
    node = panel.logic.getParameterNode()
    node.method, node.blend, node.device, node.dilateMm = "harmonic", "feather", "cpu", 1.5
    node.methodParameters = {"harmonic": json.dumps({"tolerance": 0.01})}
    node.guides, node.exemplars, node.selfCheck, node.uncertainty = [addVolume(name="T2")], str(tmp_path), True, True
    node.regions = True
    assert label.text == (
        "Settings of the tab Fill: Harmonic (Laplace) (tolerance 0.01); blending: Feather; hole grown by 1.5 mm; "
        f"guided by 'T2'; exemplars in '{tmp_path}'; with self-check; with regions; with uncertainty; device: CPU."
    )


# The hole.


def test_each_volume_can_have_a_segmentation_of_its_own(panel):
    volumes = _addVolumes("T1", "T2", "FLAIR")
    drawn = addSegmentation(volumes[0], lesion=box(), edema=box(k=(8, 10)))
    _check(panel, *volumes)
    chooseIn(panel.batchPage.ui.batchHoleCombo, "own")
    nothing = "no segmentation was drawn on it or is named after it"
    assert _table(panel) == [("T1", "Segmentation: lesion, edema"), ("T2", nothing), ("FLAIR", nothing)]
    loaded = addSegmentation(addVolume(name="Elsewhere"), lesion=box())
    loaded.RemoveNodeReferenceIDs(loaded.GetReferenceImageGeometryReferenceRole())
    loaded.SetName("T2_lesions")
    _type(panel, "lesion")
    assert _table(panel) == [("T1", "Segmentation: lesion"), ("T2", "T2_lesions: lesion"), ("FLAIR", nothing)]
    panel.logic.getParameterNode().method = "harmonic"
    applyAndWait(panel)
    made = [slicer.mrmlScene.GetFirstNodeByName(f"{name} filled (harmonic)") for name in ("T1", "T2", "FLAIR")]
    assert [np.array_equal(slicer.util.arrayFromVolume(each), ramp() + n) for n, each in enumerate(made[:2])] == [
        True
    ] * 2
    assert made[2] is None
    assert panel.batchPage.ui.errorLabel.text == "Not filled:\nFLAIR: It has no segmentation that marks a hole."
    assert drawn.GetScene() is not None


def test_one_segmentation_can_be_chosen_besides_the_one_of_the_tab_fill(panel):
    volumes = _chooseVolumes(panel)
    other = addSegmentation(volumes[0], cyst=box(), edema=box(k=(8, 10)))
    other.SetName("Cysts")
    chooseIn(panel.batchPage.ui.batchHoleCombo, "one")
    assert reason(panel) == "Choose the segmentation that marks the hole."
    panel.batchPage.ui.batchSegmentationSelector.setCurrentNode(other)
    assert _table(panel)[0] == ("T1", "Cysts: cyst, edema")
    _type(panel, " edema ,")
    assert _table(panel)[0] == ("T1", "Cysts: edema")
    _type(panel, "tumor")
    assert reason(panel) == "This is wrong with the hole: 'Cysts' has no segment 'tumor'."
    assert panel.fillPage.ui.segmentsTable.selectedSegmentIDs() == ("lesion",)


def test_only_what_has_a_meaning_is_in_sight(panel):
    ui = panel.batchPage.ui

    def inSight():
        host.processEvents()
        names = ("batchVolumesSelector", "batchSequenceSelector", "batchSegmentationSelector", "batchSegmentsEdit")
        return [name for name in names if getattr(ui, name).visible]

    assert inSight() == ["batchVolumesSelector"]
    chooseIn(ui.batchHoleCombo, "own")
    assert inSight() == ["batchVolumesSelector", "batchSegmentsEdit"]
    chooseIn(ui.batchHoleCombo, "one")
    assert inSight() == ["batchVolumesSelector", "batchSegmentationSelector", "batchSegmentsEdit"]
    chooseIn(ui.batchKindCombo, "sequence")
    assert inSight() == ["batchSequenceSelector", "batchSegmentationSelector", "batchSegmentsEdit"]
    assert ui.batchHoleCombo.findData("own") == -1
    chooseIn(ui.batchKindCombo, "volumes")
    chooseIn(ui.batchHoleCombo, "own")
    chooseIn(ui.batchKindCombo, "sequence")
    assert ui.batchHoleCombo.currentData == "fill"
    assert inSight() == ["batchSequenceSelector"]


def test_only_sequences_of_volumes_are_offered(panel):
    volume = addVolume()
    addSequence([addSegmentation(volume, lesion=box())], "Lesions")
    sequence, _ = addSequence([ramp()])
    chooseIn(panel.batchPage.ui.batchKindCombo, "sequence")
    assert panel.batchPage.ui.batchSequenceSelector.nodeCount() == 1
    panel.batchPage.ui.batchSequenceSelector.setCurrentNode(sequence)
    assert panel.logic.getParameterNode().batchSequence is sequence


# What is missing.


def test_volumes_and_a_hole_are_needed(panel):
    assert reason(panel) == "Choose the volumes to fill."
    volumes = _addVolumes("T1", "T2")
    _check(panel, *volumes)
    assert reason(panel) == "Choose a segmentation and its segments in the tab Fill."
    segmentation = addSegmentation(volumes[0], lesion=box(), edema=box(k=(8, 10)))
    panel.fillPage.ui.segmentationSelector.setCurrentNode(segmentation)
    assert reason(panel) == "Choose a segmentation and its segments in the tab Fill."
    _chooseInFill(panel, segmentation)
    assert reason(panel) == ""
    panel.logic.getParameterNode().exemplars = "/nowhere"
    assert reason(panel) == "There is no folder '/nowhere' with exemplars."
    panel.logic.getParameterNode().exemplars = ""
    chooseIn(panel.batchPage.ui.batchHoleCombo, "own")
    assert reason(panel) == ""
    panel.batchPage.ui.batchVolumesSelector.uncheck(volumes[0])
    assert reason(panel) == "None of the volumes has a segmentation of its own; the table says why."
    panel.batchPage.ui.batchVolumesSelector.uncheck(volumes[1])
    assert reason(panel) == "Choose the volumes to fill."


def test_a_sequence_is_needed(panel):
    chooseIn(panel.batchPage.ui.batchKindCombo, "sequence")
    assert reason(panel) == "Choose a sequence of volumes."
    assert _table(panel) == []
    sequence, _ = _chooseSequence(panel)
    assert reason(panel) == ""
    sequence.RemoveAllDataNodes()
    panel.batchPage.refresh()
    assert reason(panel) == "Sequence 'CT' has no frames; load or record it first."


def test_a_frame_without_segmentation_is_seen_before(panel):
    sequence, browser = _chooseSequence(panel, 2)
    segmentations, _ = addSequence(
        [addSegmentation(browser.GetProxyNode(sequence), lesion=box())], "Lesions", browser=browser
    )
    _chooseInFill(panel, browser.GetProxyNode(segmentations))
    assert _table(panel)[1] == ("time 0.5 s", "'Lesions' has nothing here")


def test_a_segment_that_is_removed_before_apply_is_noticed(panel):
    _chooseVolumes(panel)
    panel.logic.getParameterNode().segmentation.GetSegmentation().RemoveSegment("lesion")
    panel.batchPage.apply()
    assert panel.batchPage.run.job is None


def test_when_nothing_could_be_filled_it_is_an_error(panel, wordyWorker):
    wordyWorker(json.dumps({"event": "error", "kind": "MaskError", "message": "Too much."}), exitCode=2)
    _chooseVolumes(panel, "T1", "T2")
    before = sceneContent()
    applyAndWait(panel)
    assert messages(panel) == ["Nothing was filled. T1, T2: Too much."]
    assert panel.batchPage.ui.applyButton.enabled
    assert sceneContent() == before


def test_a_declined_installation_is_told(panel, monkeypatch):
    def decline(requirements, requester, **others):
        raise RuntimeError("User declined package installation")

    monkeypatch.setattr(slicer.packaging, "pip_ensure", decline)
    monkeypatch.setattr(slicer.packaging, "pip_check", lambda each: not str(each).startswith("scipy"))
    _chooseVolumes(panel)
    clickApply(panel)
    assert panel.batchPage.run.job is None
    (message,) = messages(panel)
    assert "scipy" in message


def test_a_method_asks_for_what_it_needs(panel, monkeypatch, tmp_path):
    _chooseVolumes(panel)
    node = panel.logic.getParameterNode()
    node.method = "collagan"
    assert "needs guides" in reason(panel)
    node.guides = [addVolume(name="Guide")]
    assert reason(panel) == ""
    node.method = "exemplar"
    assert "needs a folder with other scans" in reason(panel)
    node.exemplars = str(tmp_path)
    assert reason(panel) == ""
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))
    monkeypatch.setattr("MedInpaintLib.models.store._RELEASED", ())
    node.method = "context-encoder"
    assert "There is no model for" in reason(panel)


def test_volumes_without_voxels_are_seen_before(panel):
    volumes = _chooseVolumes(panel, "T1")
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    noVoxels = "Volume 'Empty' has no voxels; load its image first."
    _check(panel, empty)
    assert _table(panel)[1] == ("Empty", noVoxels)
    assert reason(panel) == ""
    panel.batchPage.ui.batchVolumesSelector.uncheck(volumes[0])
    assert reason(panel) == noVoxels
    _check(panel, slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Another"))
    assert reason(panel) == "None of the volumes can be filled; the table says why."
    slicer.util.updateVolumeFromArray(empty, damagedRamp(0))
    assert reason(panel) == ""


def test_another_name_is_seen_at_once(panel):
    volumes = _chooseVolumes(panel, "T1")
    segmentation = panel.logic.getParameterNode().segmentation
    volumes[0].SetName("Head")
    segmentation.SetName("Marks")
    segmentation.GetSegmentation().GetSegment("lesion").SetName("tumor")
    host.processEvents()
    assert _table(panel) == [("Head", "Marks: tumor")]
    chooseIn(panel.batchPage.ui.batchHoleCombo, "own")
    loaded = addSegmentation(addVolume(name="Elsewhere"), cyst=box())
    loaded.RemoveNodeReferenceIDs(loaded.GetReferenceImageGeometryReferenceRole())
    segmentation.RemoveNodeReferenceIDs(segmentation.GetReferenceImageGeometryReferenceRole())
    panel.batchPage.refresh()
    assert reason(panel) == "None of the volumes has a segmentation of its own; the table says why."
    loaded.SetName("Head cysts")
    assert reason(panel) == ""
    assert _table(panel) == [("Head", "Head cysts: cyst")]


# Taking back.


@pytest.mark.parametrize("choose", [_chooseVolumes, _chooseSequence])
def test_undo_takes_back_what_was_made(panel, choose):
    choose(panel)
    view = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    shown = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")[0].GetID()
    view.SetBackgroundVolumeID(shown)
    panel.logic.getParameterNode().uncertainty = True
    before = nodeNames()
    button = panel.batchPage.ui.batchUndoButton
    host.processEvents()
    assert not button.visible
    applyAndWait(panel)
    host.processEvents()
    assert button.visible
    assert nodeNames() != before
    assert view.GetBackgroundVolumeID() != shown
    button.click()
    assert nodeNames() == before
    assert view.GetBackgroundVolumeID() == shown
    assert not button.visible
    assert messages(panel) == ["Undone; the scene is as it was before."]
    assert panel.batchPage.ui.applyButton.enabled


def test_undo_takes_back_what_was_kept_after_cancel(panel):
    _chooseVolumes(panel)
    before = nodeNames()
    clickApply(panel)
    host.waitUntil(lambda: panel.batchPage.ui.statusLabel.text.startswith("2 of "))
    panel.batchPage.ui.cancelButton.click()
    assert panel.batchPage.ui.batchUndoButton.visible
    panel.batchPage.ui.batchUndoButton.click()
    assert nodeNames() == before


def test_undo_is_offered_only_while_there_is_something_to_take_back(panel):
    volumes = _chooseVolumes(panel, "T1", "T2")
    button = panel.batchPage.ui.batchUndoButton
    applyAndWait(panel)
    made = [slicer.mrmlScene.GetFirstNodeByName(f"{each.GetName()} filled (harmonic)") for each in volumes]
    slicer.mrmlScene.RemoveNode(made[0])
    panel.batchPage.refresh()
    assert button.visible
    slicer.mrmlScene.RemoveNode(made[1])
    panel.batchPage.refresh()
    assert not button.visible
    panel.batchPage._undo.undo()
    assert all(each.GetScene() is not None for each in volumes)
    applyAndWait(panel)
    assert button.visible
    mrml.clearScene()
    assert not button.visible


# How it ends before its end.


def test_cancel_ends_the_worker_and_says_that_nothing_was_changed(panel, endlessWorker):
    _chooseVolumes(panel)
    before = sceneContent()
    clickApply(panel)
    host.waitUntil(lambda: panel.batchPage.ui.progressBar.value == 14)
    assert panel.batchPage.ui.statusLabel.text == "1 of 3: T1: Filling"
    pids = json.loads(endlessWorker.read_text())
    panel.batchPage.ui.cancelButton.click()
    assert panel.batchPage.run.job is None
    host.waitUntil(lambda: not any(isRunning(pid) for pid in pids), seconds=5)
    assert messages(panel) == ["Cancelled; nothing was changed."]
    assert panel.batchPage.ui.applyButton.enabled
    assert sceneContent() == before


@pytest.mark.parametrize("choose", [_chooseVolumes, _chooseSequence])
def test_cancel_keeps_what_has_been_filled_and_says_so(panel, choose):
    choose(panel)
    clickApply(panel)
    host.waitUntil(lambda: panel.batchPage.ui.statusLabel.text.startswith("2 of "))
    panel.batchPage.ui.cancelButton.click()
    status, result = messages(panel)
    assert status == "Cancelled; the results so far are kept."
    assert "1 of " in result
    if choose is _chooseVolumes:
        assert slicer.mrmlScene.GetFirstNodeByName("T1 filled (harmonic)") is not None
        assert slicer.mrmlScene.GetFirstNodeByName("T2 filled (harmonic)") is None
    else:
        made = slicer.mrmlScene.GetFirstNode("CT filled (harmonic)", "vtkMRMLSequenceNode")
        arrays = list(framesOf(made).values())
        assert np.array_equal(arrays[0], ramp())
        assert all(np.array_equal(arrays[number], damagedRamp(number)) for number in (1, 2, 3))
        assert "The others were copied unchanged." in result


@pytest.mark.parametrize("choose", [_chooseVolumes, _chooseSequence])
def test_closing_the_scene_ends_what_runs_and_clears_the_tab(panel, endlessWorker, choose):
    choose(panel)
    runEndsWith(panel, endlessWorker, mrml.clearScene)
    assert messages(panel) == []
    assert _table(panel) == []
    assert panel.batchPage.ui.batchKindCombo.currentData == "volumes"
    assert not panel.batchPage.ui.applyButton.enabled
    assert [each for each in nodeNames() if "ScalarVolumeNode" in each] == []


def test_removing_the_sequence_ends_what_runs_at_once(panel, endlessWorker):
    sequence, _ = _chooseSequence(panel)
    runEndsWith(panel, endlessWorker, lambda: slicer.mrmlScene.RemoveNode(sequence))
    assert "removed" in panel.batchPage.ui.errorLabel.text


@pytest.mark.parametrize(
    "change",
    [
        lambda panel: _check(panel, addVolume(name="Other")),
        lambda panel: chooseIn(panel.batchPage.ui.batchHoleCombo, "own"),
        lambda panel: chooseIn(panel.batchPage.ui.batchKindCombo, "sequence"),
        lambda panel: chooseIn(panel.fillPage.ui.methodCombo, "nearest"),
        lambda panel: setattr(panel.logic.getParameterNode(), "uncertainty", True),
    ],
)
def test_messages_go_when_the_user_chooses_otherwise(panel, wordyWorker, change):
    wordyWorker(exitCode=1)
    _chooseVolumes(panel)
    applyAndWait(panel)
    assert len(messages(panel)) == 1
    change(panel)
    host.processEvents()
    assert messages(panel) == []


# What lasts, and how it looks.


def test_the_choices_survive_saving_and_loading_the_scene(panel, tmp_path):
    _chooseSequence(panel)
    ui = panel.batchPage.ui
    other = addSegmentation(addVolume(name="T2"), cyst=box())
    other.SetName("Cysts")
    _check(panel, *_addVolumes("A", "B"))
    chooseIn(ui.batchHoleCombo, "one")
    ui.batchSegmentationSelector.setCurrentNode(other)
    _type(panel, "cyst")
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"))
    mrml.clearScene()
    assert ui.batchSequenceSelector.currentNode() is None
    assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    host.processEvents()
    assert ui.batchKindCombo.currentData == "sequence"
    assert ui.batchSequenceSelector.currentNode().GetName() == "CT"
    assert ui.batchHoleCombo.currentData == "one"
    assert ui.batchSegmentationSelector.currentNode().GetName() == "Cysts"
    assert ui.batchSegmentsEdit.text == "cyst"
    assert [each.GetName() for each in ui.batchVolumesSelector.checkedNodes()] == ["A", "B"]
    assert _table(panel) == [(f"time {value} s", "Cysts: cyst") for value in ("0.0", "0.5", "1.0", "1.5")]


@pytest.mark.parametrize("kind", ["volumes", "sequence"])
def test_the_tab_fits_into_300_pixels(panel, kind):
    chooseIn(panel.batchPage.ui.batchKindCombo, kind)
    chooseIn(panel.batchPage.ui.batchHoleCombo, "one")
    host.processEvents()
    assert panel.parent.minimumSizeHint().width() <= 300


def test_pictures_of_the_tab_are_kept_to_be_looked_at(panel):
    pictures = mrml.REPOSITORY / "panel-screenshots"
    pictures.mkdir(exist_ok=True)
    _chooseVolumes(panel)
    host.settle()
    host.screenshot(panel, pictures / "batch-volumes.png")
    _chooseSequence(panel)
    host.settle()
    host.screenshot(panel, pictures / "batch-sequence.png")
    assert all((pictures / f"batch-{name}.png").stat().st_size > 5_000 for name in ("volumes", "sequence"))


# From scripts.


def test_one_call_fills_many_volumes(panel):
    volumes = _addVolumes("T1", "T2")
    segmentation = addSegmentation(volumes[0], lesion=box())
    results = panel.logic.inpaintVolumes(volumes, {volumes[0]: segmentation}, method="harmonic")
    assert np.array_equal(slicer.util.arrayFromVolume(results[volumes[0]]), ramp())
    assert isinstance(results[volumes[1]], MaskError)
    with pytest.raises(MedInpaintError, match="Nothing was filled"):
        panel.logic.inpaintVolumes(volumes, {}, method="harmonic")


def test_one_call_fills_a_sequence(panel):
    sequence, browser = addSequence([damagedRamp(0), damagedRamp(1)])
    segmentation = addSegmentation(browser.GetProxyNode(sequence), lesion=box())
    ended = []
    for given in (browser, sequence):
        made = panel.logic.inpaintSequence(given, segmentation, ["lesion"], method="harmonic", finished=ended.append)
        assert [np.array_equal(array, ramp() + n) for n, array in enumerate(framesOf(made).values())] == [True] * 2
        assert browser.GetProxyNode(made) is ended[-1].outputVolume
    with pytest.raises(MaskError, match="no segment with the id"):
        panel.logic.inpaintSequence(addSequence([ramp()])[0], segmentation, ["gone"])
