"""The Segment Editor effect, used as in the Segment Editor: choose, Apply, result; Cancel; and all that can fail."""

import json
import sys
import types

import numpy as np
import pytest
import slicer
import vtk
from panelhost import bundles, host, mrml
from panelhost import effect as effecthost
from panelhost.phantom import addSegmentation, addTransform, addVolume, box, ramp, rotation
from panelhost.processes import isRunning
from PySide6 import QtCore, QtGui, QtWidgets

import MedInpaintLib
from MedInpaintLib.errors import MissingDependencyError
from MedInpaintLib.models import store

NAME = "MedInpaint fill"


class Editor:
    """A Segment Editor with two lesions painted, and the effect chosen.

    Attributes:
        widget: the editor itself.
        volume, segmentation: the source volume, with zeros in its lesions; the segments "lesion", "other" and "empty".
        modules, pages, statusBar: which modules and tabs were gone to, and what the status bar has said.
    """

    def __init__(self, monkeypatch) -> None:
        module = effecthost.install()
        assert module is not None
        mrml.clearScene()
        self.modules, self.statusBar = [], []
        monkeypatch.setattr(slicer.util, "selectModule", self.modules.append, raising=False)
        self.pages = []
        panel = types.SimpleNamespace(fillPage="Fill", showPage=self.pages.append)
        monkeypatch.setattr(slicer.util, "getModuleWidget", lambda name: panel, raising=False)
        monkeypatch.setattr(
            slicer.util, "showStatusMessage", lambda message, duration=0: self.statusBar.append(message)
        )
        array = ramp()
        array[box() | box(k=(9, 11))] = 0
        self.volume = addVolume(array)
        self.segmentation = addSegmentation(self.volume, lesion=box(), other=box(k=(9, 11)), empty=np.zeros_like(box()))
        self.view = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
        slicer.util.setSliceViewerLayers(background=self.volume)
        self.widget = slicer.qMRMLSegmentEditorWidget()
        self.widget.setMRMLScene(slicer.mrmlScene)
        self.node = _parameterSetNode()
        self.widget.setMRMLSegmentEditorNode(self.node)
        self.widget.setSegmentationNode(self.segmentation)
        self.widget.setSourceVolumeNode(self.volume)
        self.widget.setCurrentSegmentID("lesion")
        self.choose(NAME)
        self.widget.window.resize(300, 600)
        self.widget.window.show()

    @property
    def scripted(self):
        """What the effect knows as ``scriptedEffect``."""
        return self.widget.scripted[0]

    @property
    def effect(self):
        return self.scripted.self()

    @property
    def options(self):
        return self.effect.options

    @property
    def said(self) -> str:
        return self.options.messageLabel.text

    @property
    def shown(self):
        """The background of the slice view."""
        return slicer.mrmlScene.GetNodeByID(self.view.GetBackgroundVolumeID())

    @property
    def filled(self):
        return self.scripted.nodeReference("FilledVolume")

    def choose(self, effectName: str) -> None:
        self.widget.setActiveEffectByName(effectName)

    def apply(self, method="harmonic") -> None:
        """Press Apply."""
        self.scripted.setParameter("Method", method)
        assert self.options.applyButton.enabled, self.said
        self.options.applyButton.click()

    def wait(self) -> None:
        host.waitUntil(lambda: self.effect.job is None)

    def fill(self, method="harmonic"):
        """Press Apply, wait, and give the result."""
        self.apply(method)
        self.wait()
        assert self.filled is not None, self.said
        return self.filled

    def volumes(self) -> list:
        return slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")


@pytest.fixture
def editor(monkeypatch):
    made = Editor(monkeypatch)
    yield made
    made.widget.close()
    mrml.clearScene()


def _parameterSetNode():
    """That of the module Segment Editor, which stays when the scene is closed."""
    node = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
    if node is None:
        node = slicer.vtkMRMLSegmentEditorNode()
        node.SetSingletonTag("SegmentEditor")
        node = slicer.mrmlScene.AddNode(node)
    return node


def _array(node):
    return slicer.util.arrayFromVolume(node)


def _hasSaid(editor, *words) -> bool:
    return all(word in editor.said for word in words)


# The effect in the editor.


def test_the_effect_is_registered_when_slicer_has_started(editor):
    registered = slicer.qSlicerSegmentEditorEffectFactory.instance().registeredEffects
    assert [each.name for each in registered] == [NAME]
    assert registered[0] is not editor.scripted


def test_it_works_on_one_segment_and_leaves_the_views_alone(editor):
    assert editor.scripted.perSegment
    assert editor.scripted.requireSegments
    assert not editor.scripted.showEffectCursorInSliceView
    assert editor.scripted.title == "MedInpaint fill"


def test_the_icon_is_drawn_for_each_theme(editor):
    app, light = host.application(), editor.effect.icon()
    palette = app.palette()
    try:
        app.setPalette(QtGui.QPalette(QtGui.QColor(45, 45, 45)))
        dark = editor.effect.icon()
    finally:
        app.setPalette(palette)
    pictures = [icon.pixmap(128, 128).toImage() for icon in (light, dark)]
    assert all(picture.width() == 128 for picture in pictures)

    def outline(picture):
        # Of what is no color: the fill is orange in both.
        pixels = [picture.pixelColor(x, y) for x in range(128) for y in range(128)]
        gray = [pixel.lightness() for pixel in pixels if pixel.alpha() == 255 and pixel.saturation() < 80]
        return np.median(gray)

    assert outline(pictures[0]) < outline(pictures[1])


def test_all_widgets_have_tool_tips(editor):
    kinds = (QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QProgressBar)
    own = [each for each in vars(editor.options).values() if isinstance(each, QtWidgets.QWidget)]
    assert len([each for each in own if isinstance(each, kinds)]) == 7
    assert [each for each in own if not each.toolTip] == []


def test_the_options_fit_into_300_pixels(editor):
    editor.fill("auto")
    editor.widget.window.resize(300, 700)
    host.settle(0.6)
    frame, page = editor.scripted.optionsFrame(), editor.widget.window.viewport()
    assert page.width() <= 300
    assert frame.width <= page.width()
    for each in vars(editor.options).values():
        if isinstance(each, QtWidgets.QWidget) and each.visible:
            right = each.mapTo(frame, QtCore.QPoint(each.width, 0)).x()
            assert right <= frame.width, each
            assert each.width >= each.minimumSizeHint().width(), each
    label = editor.options.messageLabel
    assert label.height >= label.heightForWidth(label.width)


def test_the_help_says_what_stays_as_it_is_and_what_it_is_not_for(editor):
    text = editor.effect.helpText()
    assert "outside the segment is exactly as" in text
    assert "not for clinical use" in text


def test_nothing_of_the_engine_is_loaded_before_the_effect_is_chosen(editor):
    other = slicer.qMRMLSegmentEditorWidget()
    other.setMRMLSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    assert other.scripted[0].self().options.methodCombo.count == 0
    other.close()


# Choices.


def test_automatic_and_every_method_that_needs_no_other_images_are_offered_with_their_summaries(editor):
    combo = editor.options.methodCombo
    offered = {combo.itemData(row): combo.itemText(row) for row in range(combo.count) if combo.itemData(row)}
    every = {"auto": "Automatic", **{name: info.title for name, info in MedInpaintLib.list_methods().items()}}
    for name in ("collagan", "exemplar"):
        del every[name]
    assert offered == every
    combo.currentIndex = combo.findData("patch")
    summary = MedInpaintLib.list_methods()["patch"].summary
    assert combo.itemData(combo.currentIndex, QtCore.Qt.ToolTipRole) == summary
    assert summary in combo.toolTip


def test_choices_are_kept_in_the_parameter_node(editor):
    options, output = editor.options, addVolume(name="Output")
    options.methodCombo.currentIndex = options.methodCombo.findData("nearest")
    options.growSlider.value = 1.5
    options.uncertaintyBox.checked = True
    options.outputSelector.setCurrentNode(output)
    kept = [editor.node.GetAttribute(f"{NAME}.{name}") for name in ("Method", "GrowMm", "Uncertainty")]
    assert kept == ["nearest", "1.5", "1"]
    assert editor.node.GetNodeReference(f"{NAME}.OutputVolume") is output


def test_what_a_script_chooses_is_shown(editor):
    editor.scripted.setParameter("Method", "nearest")
    editor.scripted.setParameter("GrowMm", 2.5)
    editor.scripted.setParameter("Uncertainty", 1)
    assert editor.options.methodCombo.currentData == "nearest"
    assert editor.options.growSlider.value == 2.5
    assert editor.options.uncertaintyBox.checked


def test_choices_are_saved_with_the_scene(editor, tmp_path):
    for name, value in (("Method", "nearest"), ("GrowMm", 2.5)):
        editor.scripted.setParameter(name, value)
    path = str(tmp_path / "scene.mrml")
    for node in (editor.volume, editor.segmentation):
        slicer.mrmlScene.RemoveNode(node)
    slicer.mrmlScene.Commit(path)
    mrml.clearScene()
    slicer.mrmlScene.SetURL(path)
    slicer.mrmlScene.Connect()
    loaded = slicer.util.getNodesByClass("vtkMRMLSegmentEditorNode")[-1]
    editor.widget.setMRMLSegmentEditorNode(loaded)
    assert editor.scripted.parameter("Method") == "nearest"
    assert editor.scripted.doubleParameter("GrowMm") == 2.5


def test_the_source_volume_cannot_be_chosen_as_output(editor):
    addVolume(name="Output")
    selector = editor.options.outputSelector
    assert [node.GetName() for node in selector._nodes()] == ["Output"]


def test_an_output_that_becomes_the_source_volume_is_the_output_no_more(editor):
    output, _bystander = addVolume(name="Output"), addVolume(name="Bystander")
    editor.options.outputSelector.setCurrentNode(output)
    editor.widget.setSourceVolumeNode(output)
    assert editor.scripted.nodeReference("OutputVolume") is None
    assert editor.options.outputSelector.currentNode() is None


# Filling.


def test_apply_fills_the_selected_segment_in_a_new_volume(editor):
    before = _array(editor.volume).copy()
    filled = editor.fill()
    after = _array(filled)
    assert filled is not editor.volume
    assert np.allclose(after[box()], ramp()[box()], atol=1)
    assert (after[~box()] == before[~box()]).all()  # the other lesion too
    assert (_array(editor.volume) == before).all()
    assert editor.scripted.parameter("Method") == filled.GetAttribute("MedInpaint.Method")
    assert json.loads(filled.GetAttribute("MedInpaint.Segments")) == ["lesion"]


def test_another_segment_can_be_filled_next(editor):
    editor.fill()
    editor.widget.setCurrentSegmentID("other")
    other = box(k=(9, 11))
    assert (_array(editor.fill())[box()] == 0).all()
    assert (_array(editor.filled)[other] != 0).all()


def test_the_result_is_the_background_and_the_segmentation_stays_visible(editor):
    filled = editor.fill()
    assert editor.shown is filled
    assert editor.segmentation.GetDisplayNode().GetVisibility()
    assert editor.node.GetSourceVolumeNode() is editor.volume


def test_the_result_is_told_with_the_reason_and_how_far_to_trust_it(editor):
    filled = editor.fill("auto")
    taken = MedInpaintLib.list_methods()[filled.GetAttribute("MedInpaint.Method")]
    assert _hasSaid(editor, filled.GetName(), "mL", taken.title, "because", taken.trust, "not for clinical use")


def test_the_hole_can_be_grown(editor):
    editor.options.growSlider.value = 1.0
    changed = _array(editor.fill("nearest")) != _array(editor.volume)
    assert changed[~box()].any()


def test_an_uncertainty_volume_can_be_had(editor):
    editor.options.uncertaintyBox.checked = True
    uncertainty = editor.fill().GetNodeReference("MedInpaint.Uncertainty")
    assert (_array(uncertainty)[box()] > 0).any()
    assert _hasSaid(editor, uncertainty.GetName())


def test_a_chosen_volume_takes_the_result(editor):
    output = addVolume(name="Output")
    editor.options.outputSelector.setCurrentNode(output)
    count = len(editor.volumes())
    assert editor.fill() is output
    assert len(editor.volumes()) == count
    assert np.allclose(_array(output)[box()], ramp()[box()], atol=1)


def test_transforms_of_the_volume_and_the_segmentation_are_minded(editor):
    transform = addTransform(rotation(30, "Z"))
    for node in (editor.volume, editor.segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    filled = editor.fill()
    assert filled.GetTransformNodeID() == transform.GetID()
    assert np.allclose(_array(filled)[box()], ramp()[box()], atol=1)


def test_what_the_user_should_know_is_said_beside_the_result(editor):
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 1, 0.3)
    editor.volume.SetIJKToRASMatrix(matrix)
    segmentation = addSegmentation(editor.volume, lesion=box())
    editor.widget.setSegmentationNode(segmentation)
    editor.widget.setCurrentSegmentID("lesion")
    editor.choose(NAME)
    editor.fill()
    assert "sheared" in editor.options.warningLabel.text
    assert editor.options.warningLabel.visible
    editor.widget.setSourceVolumeNode(addVolume(name="Straight"))
    editor.fill()
    assert not editor.options.warningLabel.visible


def test_scripts_can_fill_too(editor):
    editor.scripted.setParameter("Method", "nearest")
    editor.effect.onApply()
    editor.effect.onApply()  # one at a time
    editor.wait()
    assert len(editor.volumes()) == 2
    assert editor.filled.GetAttribute("MedInpaint.Method") == "nearest"


# While it runs.


def test_the_button_cancels_what_runs(editor, endlessWorker):
    nodes = len(editor.volumes())
    editor.apply()
    host.waitUntil(lambda: editor.options.progressBar.value == 42)
    assert editor.options.applyButton.text == "Cancel"
    assert editor.options.progressBar.visible
    assert editor.said == "Filling"
    editor.options.applyButton.click()
    assert editor.effect.job is None
    assert editor.options.applyButton.text == "Apply"
    assert not editor.options.progressBar.visible
    assert _hasSaid(editor, "nothing was changed")
    assert len(editor.volumes()) == nodes
    assert editor.shown is editor.volume
    host.waitUntil(lambda: not any(map(isRunning, json.loads(endlessWorker.read_text()))))


def test_a_fill_goes_on_while_the_next_lesion_is_painted(editor):
    editor.apply()
    editor.choose("Paint")
    assert editor.effect.job is not None
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        np.ones_like(box(), dtype=np.uint8), editor.segmentation, "lesion", editor.volume
    )
    editor.wait()
    # What was painted meanwhile is not in it.
    assert (_array(editor.filled)[~box()] == _array(editor.volume)[~box()]).all()
    # The view is the painter's.
    assert editor.shown is editor.volume
    assert len(editor.statusBar) == 1
    assert f"'{editor.filled.GetName()}' is filled" in editor.statusBar[0]
    editor.choose(NAME)
    assert _hasSaid(editor, editor.filled.GetName())
    assert editor.options.applyButton.text == "Apply"


def test_an_effect_that_is_chosen_again_shows_what_runs(editor, endlessWorker):
    editor.apply()
    editor.choose("Paint")
    editor.choose(NAME)
    assert editor.options.applyButton.text == "Cancel"
    assert editor.options.progressBar.visible
    editor.effect.cancel()


def test_the_result_is_shown_after_the_editor_was_left(editor):
    editor.apply()
    editor.choose("")
    editor.wait()
    assert editor.shown is editor.filled


def test_a_failure_is_told_where_the_user_is(editor, wordyWorker):
    wordyWorker("Segmentation fault", exitCode=139)
    editor.apply()
    editor.choose("Paint")
    editor.wait()
    assert "exit code 139" in editor.statusBar[0]
    editor.choose(NAME)
    assert _hasSaid(editor, "exit code 139")


def test_a_hole_that_looks_wrong_is_filled_after_a_question(editor, wordyWorker, monkeypatch):
    questions = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, windowTitle: not questions.append(text))
    started = []
    start = editor.effect._start
    monkeypatch.setattr(editor.effect, "_start", lambda force: started.append(force) or start(force))
    doubt = {"event": "error", "kind": "DoubtError", "message": "It looks inverted."}
    wordyWorker(json.dumps(doubt), exitCode=2)
    editor.apply()
    host.waitUntil(lambda: started == [False, True], seconds=60)
    assert questions[0] == "It looks inverted.\n\nFill anyway?"
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, windowTitle: False)
    editor.wait()
    assert _hasSaid(editor, "It looks inverted.")


def test_painting_shows_the_source_volume_again(editor):
    filled = editor.fill()
    editor.choose("")
    assert editor.shown is filled
    editor.choose(NAME)
    editor.choose("Paint")
    assert editor.shown is editor.volume


def test_a_scene_that_is_closed_ends_what_runs(editor, endlessWorker):
    editor.apply()
    job = editor.effect.job
    host.waitUntil(endlessWorker.exists)
    mrml.clearScene()
    assert job.state == "cancelled"
    assert editor.effect.job is None
    assert editor.volumes() == []
    host.waitUntil(lambda: not any(map(isRunning, json.loads(endlessWorker.read_text()))))


def test_a_scene_can_be_closed_without_complaints(editor, capfd):
    editor.fill()
    mrml.clearScene()
    assert editor.widget.activeEffect() is None
    assert editor.effect._message == ("", "")
    editor.widget.setSegmentationNode(addSegmentation(addVolume(), lesion=box()))
    host.settle(0.5)
    assert "Traceback" not in capfd.readouterr().err


def test_an_editor_that_is_closed_ends_what_runs(monkeypatch, endlessWorker, capfd):
    editor = Editor(monkeypatch)
    editor.apply()
    job = editor.effect.job
    host.waitUntil(endlessWorker.exists)
    editor.widget.close()
    assert job.state == "cancelled"
    host.waitUntil(lambda: not any(map(isRunning, json.loads(endlessWorker.read_text()))))
    mrml.clearScene()
    host.settle(0.5)
    # Nobody minds any more.
    assert "Traceback" not in capfd.readouterr().err


def test_a_source_volume_that_is_removed_ends_what_runs(editor, endlessWorker):
    editor.apply()
    slicer.mrmlScene.RemoveNode(editor.volume)
    assert editor.effect.job is None
    assert _hasSaid(editor, "input volume was removed")
    assert "source volume" in editor.options.applyButton.toolTip
    assert not editor.options.applyButton.enabled
    editor.widget.setSourceVolumeNode(addVolume(name="Another"))
    assert editor.options.applyButton.enabled
    assert editor.said == ""


def test_each_editor_runs_its_own(editor, endlessWorker):
    other = slicer.qMRMLSegmentEditorWidget()
    other.setMRMLSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    editor.apply()
    assert other.scripted[0].self().job is None
    other.close()
    assert editor.effect.job is not None
    editor.effect.cancel()


# What can go wrong.


def test_a_segment_must_be_selected(editor):
    editor.node.SetSelectedSegmentID("")
    assert not editor.options.applyButton.enabled
    assert _hasSaid(editor, "Select the segment")
    editor.node.SetSelectedSegmentID("lesion")
    assert editor.options.applyButton.enabled
    assert editor.said == ""


def test_a_segment_that_is_not_there_is_not_selected(editor):
    editor.segmentation.GetSegmentation().RemoveSegment("lesion")
    editor.effect.refresh()
    assert not editor.options.applyButton.enabled


def test_a_source_volume_must_be_chosen(editor):
    editor.widget.setSourceVolumeNode(None)
    assert not editor.options.applyButton.enabled
    assert _hasSaid(editor, "Choose the source volume")


def test_an_empty_segment_has_its_line_until_another_is_selected(editor):
    editor.widget.setCurrentSegmentID("empty")
    editor.apply()
    assert editor.effect.job is None
    assert _hasSaid(editor, "'empty'", "paint the hole first")
    assert "background-color" in editor.options.messageLabel.styleSheet
    editor.widget.setCurrentSegmentID("lesion")
    assert editor.said == ""


def test_an_error_that_was_seen_is_forgotten(editor):
    editor.widget.setCurrentSegmentID("empty")
    editor.apply()
    editor.choose("Paint")
    editor.choose(NAME)
    assert editor.said == ""


def test_an_installation_that_is_declined_has_its_line(editor, monkeypatch):
    from MedInpaintSlicer import installation

    asked = []

    def decline(title="", requires=()):
        asked.append((title, requires))
        raise MissingDependencyError("The method 'U-Net' needs the Python package torch. Press Apply again and agree.")

    monkeypatch.setattr(installation, "ensurePackages", decline)
    editor.apply("unet")
    info = MedInpaintLib.list_methods()["unet"]
    assert asked == [(info.title, info.requires)]
    assert editor.effect.job is None
    assert _hasSaid(editor, "agree")
    monkeypatch.undo()
    assert editor.options.applyButton.enabled


def test_packages_are_looked_for_at_apply_and_not_before(editor, monkeypatch):
    from MedInpaintSlicer import installation

    asked = []
    monkeypatch.setattr(installation, "ensurePackages", lambda *arguments: asked.append(arguments))
    editor.choose("Paint")
    editor.choose(NAME)
    assert asked == []
    editor.fill("auto")
    assert asked == [()]


def test_apply_cannot_be_pressed_again_while_packages_are_installed(editor, monkeypatch):
    from MedInpaintSlicer import installation

    seen = []

    def install(*arguments):
        editor.options.growSlider.value = 1.0  # events go on: whatever happens, the button stays off
        seen.append(editor.options.applyButton.enabled)
        editor.effect.onApply()

    monkeypatch.setattr(installation, "ensurePackages", install)
    editor.fill()
    assert seen == [False]
    assert len(editor.volumes()) == 2


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("magic", "There is no method 'magic'; choose another one."),
        ("exemplar", "'Patches of other scans' needs other images"),
        ("collagan", "needs other images, which are chosen under More options"),
    ],
)
def test_a_method_that_cannot_work_here_says_so_and_cannot_be_applied(editor, method, words):
    editor.scripted.setParameter("Method", method)
    assert words in editor.said
    assert editor.options.methodCombo.currentText == ""
    assert not editor.options.applyButton.enabled
    assert editor.options.moreButton.enabled
    editor.effect.onApply()
    assert editor.effect.job is None
    editor.options.methodCombo.currentIndex = editor.options.methodCombo.findData("harmonic")
    assert editor.options.applyButton.enabled
    assert editor.said == ""


def test_a_method_without_a_model_cannot_be_applied_and_says_why(editor, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))
    monkeypatch.setattr(store, "_RELEASED", ())
    editor.scripted.setParameter("Method", "unet")
    assert not editor.options.applyButton.enabled
    assert _hasSaid(editor, "There is no model for", MedInpaintLib.list_methods()["unet"].title)
    bundles.write(tmp_path, "mine", architecture="unet")
    editor.effect.refresh()
    assert editor.options.applyButton.enabled


def test_methods_without_a_model_for_the_source_volume_are_greyed(editor, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDINPAINT_MODELS", str(tmp_path))  # only the released models
    editor.effect.refresh()
    combo = editor.options.methodCombo

    def isOffered(method):
        return combo.model().item(combo.findData(method)).isEnabled()

    assert isOffered("vae-latent")
    assert not isOffered("context-encoder")
    monkeypatch.setattr("MedInpaintSlicer.nodes.images.possibleModalities", lambda volumeNode: {"film"})
    editor.widget.setSourceVolumeNode(addVolume(ramp()[:1]))
    editor.effect.refresh()
    assert isOffered("context-encoder")
    assert not isOffered("vae-latent")
    assert "learned from MR" in combo.itemData(combo.findData("vae-latent"), QtCore.Qt.ToolTipRole)


def test_a_worker_that_dies_has_its_last_words_told(editor, wordyWorker):
    wordyWorker("MemoryError: 3 GiB", exitCode=1)
    editor.apply()
    editor.wait()
    assert _hasSaid(editor, "exit code 1", "MemoryError: 3 GiB")
    assert editor.options.applyButton.enabled


def test_an_error_of_the_program_is_told_and_logged(editor, monkeypatch, caplog):
    from SegmentEditorMedInpaintLib import engine

    monkeypatch.setattr(engine, "logic", lambda: 1 / 0)
    editor.apply()
    assert _hasSaid(editor, "division by zero")
    assert "ZeroDivisionError" in caplog.text


def test_a_missing_module_has_its_line(editor, monkeypatch, caplog):
    from SegmentEditorMedInpaintLib import engine

    def missing():
        raise ModuleNotFoundError("No module named 'MedInpaint'")

    monkeypatch.setattr(engine, "methods", missing)
    other = slicer.qMRMLSegmentEditorWidget()
    other.setMRMLSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    other.setActiveEffectByName(NAME)
    options = other.scripted[0].self().options
    assert "install the extension MedInpaint again" in options.messageLabel.text
    assert not options.applyButton.enabled
    assert not options.moreButton.enabled
    other.close()


# Before and after, and more.


def test_before_and_after_can_be_compared(editor):
    assert not editor.options.flipButton.enabled
    filled = editor.fill()
    editor.options.flipButton.click()
    assert editor.shown is editor.volume
    editor.options.flipButton.click()
    assert editor.shown is filled


def test_there_is_nothing_to_compare_with_when_the_result_is_gone(editor):
    slicer.mrmlScene.RemoveNode(editor.fill())
    editor.options.flipButton.click()
    assert not editor.options.flipButton.enabled


def test_a_result_that_became_the_source_volume_is_compared_with_nothing(editor):
    editor.widget.setSourceVolumeNode(editor.fill())
    assert not editor.options.flipButton.enabled


def test_more_options_go_on_in_the_module_with_the_same_choices(editor):
    import MedInpaint

    editor.widget.setCurrentSegmentID("other")
    editor.scripted.setParameter("Method", "patch")
    editor.scripted.setParameter("GrowMm", 1.5)
    editor.options.uncertaintyBox.checked = True
    # What was chosen there before is not what is overwritten next.
    MedInpaint.MedInpaintLogic().getParameterNode().outputVolume = addVolume(name="Stale")
    editor.options.moreButton.click()
    assert (editor.modules, editor.pages) == (["MedInpaint"], ["Fill"])
    node = MedInpaint.MedInpaintLogic().getParameterNode()
    assert node.inputVolume is editor.volume
    assert node.segmentation is editor.segmentation
    assert list(node.segmentIds) == ["other"]
    assert (node.method, node.dilateMm, node.uncertainty) == ("patch", 1.5, True)
    assert node.outputVolume is None
    output = addVolume(name="Output")
    editor.options.outputSelector.setCurrentNode(output)
    editor.options.moreButton.click()
    assert node.outputVolume is output


# Where it lies, and the module's own test.


@pytest.mark.parametrize("place", ["qt-scripted-modules", "checkout/MedInpaint"], ids=["installed", "checkout"])
def test_the_module_is_found_in_a_checkout_and_where_it_is_installed(place, tmp_path, monkeypatch):
    effecthost.install()
    from SegmentEditorMedInpaintLib import engine

    folder = tmp_path / place
    folder.mkdir(parents=True)
    (folder / "MedInpaint.py").touch()
    own = folder if place == "qt-scripted-modules" else folder.parent / "SegmentEditorMedInpaint"
    monkeypatch.setattr(sys, "path", [])
    engine.makeImportable(own)
    engine.makeImportable(own)
    assert sys.path == [str(folder)]


def test_the_modules_own_test_passes():
    import unittest

    module = effecthost.install()
    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(module.SegmentEditorMedInpaintTest).run(outcome)
    assert outcome.errors + outcome.failures == []
    assert outcome.testsRun == 2
    mrml.clearScene()
