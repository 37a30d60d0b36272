"""The Segment Editor effect that fills the selected segment of the source volume."""

import logging
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from . import engine
from .options import AUTOMATIC, Options

#: After this time (ms) the labels have the heights of their texts: nested layouts take several rounds.
SETTLED = 400

#: How long (ms) the status bar shows the end of a fill while the user is elsewhere.
STATUS_BAR_TIME = 10000


def sourceFile() -> str:
    """Return this file's path in the form that Slicer needs."""
    return str(Path(__file__)).replace("\\", "/")


class SegmentEditorEffect(AbstractScriptedSegmentEditorEffect, VTKObservationMixin):
    """An effect that fills the selected segment of the source volume with believable tissue, in a new volume.

    The fill runs in the background on a copy of the segment. It continues when the user chooses another effect or
    module, for example to paint the next segment. The button cancels it, and so does closing the scene or the editor.

    Attributes:
        job: the running job, or None.
        options: the widgets.
    """

    def __init__(self, scriptedEffect) -> None:
        scriptedEffect.name = "MedInpaint fill"  # not translated: scripts and saved scenes know the effect by it
        scriptedEffect.title = _("MedInpaint fill")
        scriptedEffect.perSegment = True
        # There is nothing to click on in the views.
        scriptedEffect.showEffectCursorInSliceView = False
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        VTKObservationMixin.__init__(self)
        self.job: Any = None
        self.options: Any = None  # Options, from setupOptionsFrame to cleanup
        self._live: Any = None  # the live preview, from the first call of _offerMethods to cleanup
        self._connections: list[tuple] = []
        self._methods: dict[str, Any] = {}
        self._message = ("", "")
        self._warnings: list[str] = []
        self._choices: tuple | None = None
        self._isRefreshing = False
        self._isStarting = False

    # Methods that the Segment Editor calls.

    def clone(self):
        """Return a new effect for another editor."""
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        effect = effects.qSlicerSegmentEditorScriptedEffect(None)
        effect.setPythonSource(sourceFile())
        return effect

    def icon(self):
        """Return the icon of the effect's button, in the colors of the theme."""
        name = "SegmentEditorEffectDark.png" if engine.isDark() else "SegmentEditorEffect.png"
        return qt.QIcon(str(Path(__file__).with_name(name)))

    def helpText(self) -> str:
        """Return the text under the options."""
        return "<html>" + _(
            "Fill the selected segment (a lesion, an implant, a dropout) with believable tissue.<br>"
            "The result is a new volume in which every voxel outside the segment is exactly as in the source volume. "
            "The segment should cover everything that you want to remove; the masking settings below are ignored.<br>"
            "The editor can be used while a fill runs. For research; not for clinical use."
        )

    def setupOptionsFrame(self) -> None:
        """Make the widgets."""
        self.options = Options(self.scriptedEffect)
        self._connections = [
            (self.options.methodCombo, "currentIndexChanged(int)", self._onChoice),
            (self.options.growSlider, "valueChanged(double)", self._onChoice),
            (self.options.outputSelector, "currentNodeChanged(vtkMRMLNode*)", self._onChoice),
            (self.options.uncertaintyBox, "toggled(bool)", self._onChoice),
            (self.options.liveBox, "toggled(bool)", self._onLiveToggled),
            (self.options.applyButton, "clicked(bool)", self._onApplyClicked),
            (self.options.flipButton, "clicked(bool)", self._onFlipClicked),
            (self.options.moreButton, "clicked(bool)", self._onMoreClicked),
        ]
        for widget, signal, slot in self._connections:
            widget.connect(signal, slot)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self._onSceneStartClose)

    def setMRMLDefaults(self) -> None:
        """Set the default choices; they are saved with the scene."""
        self.scriptedEffect.setParameterDefault("Method", AUTOMATIC)
        self.scriptedEffect.setParameterDefault("GrowMm", 0.0)
        self.scriptedEffect.setParameterDefault("Uncertainty", 0)

    def updateGUIFromMRML(self) -> None:
        """Refresh after the user or a script has changed a choice."""
        self.refresh()

    def updateMRMLFromGUI(self) -> None:
        """Store the choices of the widgets."""
        self.scriptedEffect.setParameter("Method", self.options.methodCombo.currentData or AUTOMATIC)
        self.scriptedEffect.setParameter("GrowMm", self.options.growSlider.value)
        self.scriptedEffect.setParameter("Uncertainty", int(self.options.uncertaintyBox.checked))
        self.scriptedEffect.setNodeReference("OutputVolume", self.options.outputSelector.currentNode())

    def activate(self) -> None:
        """Show the effect when the user chooses it."""
        editorNode = self.scriptedEffect.parameterSetNode()
        self.addObserver(editorNode, vtk.vtkCommand.ModifiedEvent, self._onEditorModified)
        self.refresh()

    def deactivate(self) -> None:
        """Pause when the user chooses another effect or leaves the editor; a running job continues."""
        self.removeObservers(self._onEditorModified)
        if self._isAnotherEffectActive() and _isShown(self._filled()):
            # Show the source volume, in which the user paints the next lesion.
            slicer.util.setSliceViewerLayers(background=self._source())
        self._forgetError()

    def cleanup(self) -> None:
        """Release everything before the editor is destroyed."""
        self._stopLive()
        self._live = None
        self.options = None
        self.cancel()
        self.removeObservers()
        for widget, signal, slot in self._connections:
            widget.disconnect(signal, slot)
        self._connections = []

    # Methods that scripts may call, too.

    def onApply(self, force: bool = False) -> None:
        """Start to fill the selected segment with the choices in the effect's parameters.

        Args:
            force: fill although the hole looks wrong, for example inverted.
        """
        if self.job is not None or self._isStarting:
            return
        self._offerMethods()
        if not self._whatIsMissing():
            # Events are processed while packages are installed, so this may be called again.
            self._isStarting = True
            self._sayWarnings([])
            self._say(_("Preparing..."))
            self.options.progressBar.value = 0
            try:
                self.job = self._start(force)
            except Exception as error:
                self._sayError(error)
            self._isStarting = False
        self._showState()
        self._revealSoon()

    def cancel(self) -> None:
        """Cancel the running job, if any; the scene does not change."""
        if self.job is not None:
            self.job.cancel()

    def refresh(self) -> None:
        """Show the parameter node's values while the effect is active."""
        if self.options is None or self._isRefreshing or not self.scriptedEffect.active():
            return
        if slicer.mrmlScene.IsClosing():  # the parameters are being removed
            return
        self._isRefreshing = True
        try:
            self._offerMethods()
            self._showChoices()
            self._showState()
        finally:
            self._isRefreshing = False
        if self._live is not None:
            self._live.refresh()

    # The run.

    def _start(self, force: bool):
        editorNode = self.scriptedEffect.parameterSetNode()
        method = self.scriptedEffect.parameter("Method")
        engine.ensurePackages(method)
        engine.stopLivePreview()
        return engine.logic().inpaint(
            editorNode.GetSourceVolumeNode(),
            editorNode.GetSegmentationNode(),
            [self._segmentId()],
            method=method,
            dilateMm=self.scriptedEffect.doubleParameter("GrowMm"),
            outputVolume=self.scriptedEffect.nodeReference("OutputVolume"),
            uncertainty=bool(self.scriptedEffect.integerParameter("Uncertainty")),
            force=force,
            workers=engine.workers(),
            wait=False,
            progress=self._onProgress,
            warning=lambda message: self._sayWarnings([*self._warnings, message]),
            finished=self._onFinished,
        )

    def _onProgress(self, fraction: float, stage: str) -> None:
        self.options.progressBar.value = round(100 * fraction)
        self._say(stage)

    def _onFinished(self, job) -> None:
        self.job = None
        if self.options is None:  # the editor is being destroyed
            return
        if job.state == "done":
            self._showResult(job)
        elif job.state == "cancelled":
            self._say(_("Cancelled; nothing was changed."))
        else:
            self._sayError(job.error)
            if engine.isDoubt(job.error) and slicer.util.confirmOkCancelDisplay(
                f"{job.error}\n\n{_('Fill anyway?')}", "MedInpaint"
            ):
                self.onApply(force=True)

    def _showResult(self, job) -> None:
        self.scriptedEffect.setNodeReference("FilledVolume", job.outputVolume)
        self._say(engine.resultText(job), "result")
        if not self._isAnotherEffectActive():  # otherwise the user is painting on the source volume
            engine.stopLivePreview()
            slicer.util.setSliceViewerLayers(background=job.outputVolume)

    def _onSceneStartClose(self, caller, event) -> None:
        self.cancel()
        self._stopLive()
        self._say("")
        self._sayWarnings([])

    # The live preview, which goes on while the user paints with another effect.

    def _onLiveToggled(self, on: bool) -> None:
        if self._live is not None:
            self._live.show(on)

    def _stopLive(self) -> None:
        if self._live is not None:
            self._live.stop()

    def _tellLive(self, text: str) -> None:
        if self.options is not None:
            self.options.tellLive(text)

    def _liveMarks(self) -> tuple | None:
        """Return volume, segmentation, segments and growth for a live preview; None if one is not chosen."""
        source, segmentId = self._source(), self._segmentId()
        if source is None or not segmentId:
            return None
        segmentation = self.scriptedEffect.parameterSetNode().GetSegmentationNode()
        return source, segmentation, (segmentId,), self.scriptedEffect.doubleParameter("GrowMm")

    # The user's choices.

    def _source(self):
        """Return the source volume, or None."""
        editorNode = self.scriptedEffect.parameterSetNode()
        return editorNode.GetSourceVolumeNode() if editorNode is not None else None

    def _segmentId(self) -> str:
        """Return the id of the selected segment; empty if there is none."""
        editorNode = self.scriptedEffect.parameterSetNode()
        segmentation = editorNode.GetSegmentationNode() if editorNode is not None else None
        known = segmentation.GetSegmentation().GetSegmentIDs() if segmentation is not None else ()
        selected = editorNode.GetSelectedSegmentID() if editorNode is not None else ""
        return selected if selected in known else ""

    def _filled(self):
        """Return the last result that is still in the scene, or None."""
        return self.scriptedEffect.nodeReference("FilledVolume")

    def _isAnotherEffectActive(self) -> bool:
        editorNode = self.scriptedEffect.parameterSetNode()
        name = editorNode.GetActiveEffectName() if editorNode is not None else ""
        return bool(name) and name != self.scriptedEffect.name

    def _whatIsMissing(self) -> str:
        """Say in a line why nothing can be filled; empty when something can."""
        if not self._methods:
            return _("The module MedInpaint could not be loaded; install the extension MedInpaint again.")
        if self._source() is None:
            return _("Choose the source volume above.")
        if not self._segmentId():
            return _("Select the segment to fill in the list above.")
        return engine.complaint(self.scriptedEffect.parameter("Method"), self._source())

    def _onChoice(self, *value) -> None:
        if not self._isRefreshing:
            self.updateMRMLFromGUI()
            self.refresh()  # changes of node references send no event

    def _onEditorModified(self, caller, event) -> None:
        """Refresh after another segment or volume may have been chosen."""
        self.refresh()

    def _onApplyClicked(self, checked: bool) -> None:
        if self.job is not None:
            self.cancel()
        else:
            self.onApply()

    def _onFlipClicked(self, checked: bool) -> None:
        filled = self._filled()
        if filled is not None:
            slicer.util.setSliceViewerLayers(background=self._source() if _isShown(filled) else filled)
        self._showState()

    def _onMoreClicked(self, checked: bool) -> None:
        """Open the module MedInpaint with the current choices."""
        parameterNode = engine.logic().getParameterNode()
        parameterNode.inputVolume = self._source()
        parameterNode.segmentation = self.scriptedEffect.parameterSetNode().GetSegmentationNode()
        parameterNode.segmentIds = list(filter(None, [self._segmentId()]))
        parameterNode.method = self.scriptedEffect.parameter("Method")
        parameterNode.dilateMm = min(self.scriptedEffect.doubleParameter("GrowMm"), engine.mostGrowth())
        parameterNode.outputVolume = self.scriptedEffect.nodeReference("OutputVolume")
        parameterNode.uncertainty = bool(self.scriptedEffect.integerParameter("Uncertainty"))
        slicer.util.selectModule("MedInpaint")
        panel = slicer.util.getModuleWidget("MedInpaint")
        panel.showPage(panel.fillPage)

    # The effect's display.

    def _offerMethods(self) -> None:
        """Offer the methods on the first call."""
        if self._methods:
            return
        try:
            self._methods, mostGrowth = engine.methods(), engine.mostGrowth()
        except ImportError:
            logging.exception("MedInpaint could not be loaded")
        else:
            self.options.offer(self._methods, mostGrowth)
            self._live = engine.livePreviewBox(self.options.liveBox, self._tellLive, self._liveMarks)

    def _showChoices(self) -> None:
        source, output = self._source(), self.scriptedEffect.nodeReference("OutputVolume")
        if output is not None and output is source:
            output = None
            self.scriptedEffect.setNodeReference("OutputVolume", None)
        if self._methods:
            engine.showAvailable(self.options.methodCombo, source)
        self.options.showMethod(self.scriptedEffect.parameter("Method"))
        self.options.growSlider.value = self.scriptedEffect.doubleParameter("GrowMm")
        self.options.uncertaintyBox.checked = bool(self.scriptedEffect.integerParameter("Uncertainty"))
        self.options.showOutput(output, source)
        names = ("Method", "GrowMm", "Uncertainty")
        choices = (source, output, self._segmentId(), *(self.scriptedEffect.parameter(name) for name in names))
        if source is not None:  # if it was removed, the error may say just that
            if choices != self._choices:
                self._forgetError()
            self._choices = choices

    def _showState(self) -> None:
        """Enable the buttons that can be pressed, and show the current message."""
        missing, isRunning = self._whatIsMissing(), self.job is not None
        self.options.progressBar.visible = isRunning
        button = self.options.applyButton
        button.text = _("Cancel") if isRunning else _("Apply")
        button.enabled = isRunning or not (missing or self._isStarting)
        if isRunning:
            button.toolTip = _("Stop the fill at once; the scene does not change.")
        else:
            button.toolTip = missing or _("Fill the selected segment in the source volume.")
        filled = self._filled()
        self.options.flipButton.enabled = filled is not None and filled is not self._source()
        self.options.moreButton.enabled = bool(self._methods)
        if missing and not isRunning and self._message[1] != "error":
            self.options.say(missing)
        else:
            self.options.say(*self._message)

    def _say(self, text: str, kind: str = "") -> None:
        self._message = (text, kind)
        self._showState()
        if kind and not self.scriptedEffect.active():
            slicer.util.showStatusMessage(text.splitlines()[0], STATUS_BAR_TIME)
        elif kind:
            self._revealSoon()

    def _revealSoon(self) -> None:
        """Scroll to the message."""
        if self._methods:  # otherwise the one line needs no scrolling
            qt.QTimer.singleShot(SETTLED, lambda: self.options is not None and self.options.reveal())

    def _sayError(self, error: Exception) -> None:
        if not engine.isExpected(error):
            logging.error("MedInpaint failed", exc_info=error)
        self._say(str(error) or type(error).__name__, "error")

    def _sayWarnings(self, messages: list[str]) -> None:
        self._warnings = messages
        self.options.warn("\n".join(messages))

    def _forgetError(self) -> None:
        if self._message[1] == "error":
            self._message = ("", "")


def _isShown(volume) -> bool:
    """Tell whether a volume is the background of a slice view."""
    views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    return volume is not None and any(view.GetBackgroundVolumeID() == volume.GetID() for view in views)
