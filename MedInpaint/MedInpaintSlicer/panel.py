"""What the panel shows and does; the widgets themselves are in Resources/UI/MedInpaint.ui."""

import logging

import qt
import slicer
from slicer.i18n import tr as _

from . import installation, parameters, scene, selfcheck, sources
from .form import ParameterForm
from .messages import FittedLabels, say


class Panel:
    """Keeps the widgets and the parameter node in step, and runs the fillings.

    Widgets with a SlicerParameterName are bound by the parameter node itself; the others (segments, method, its form,
    blending, device) are bound here, and those of the section "More to go by" in ``Sources``.
    """

    def __init__(self, widget, ui, logic) -> None:
        """
        Args:
            widget: holds all the others.
            ui: the widgets, by name.
            logic: a ``MedInpaintLogic``.
        """
        self.ui = ui
        self.logic = logic
        self.job = None
        self._node = None
        self._segmentation = None
        self._shownMethod = None
        self._refreshing = False
        self._choices = None
        self._methods = _methods()
        self._segmentsObserver = scene.SegmentsObserver(self._onSegmentsAddedOrRemoved)
        self._boundCombos = {"method": ui.methodCombo, "blend": ui.blendCombo, "device": ui.deviceCombo}
        self._form = ParameterForm(ui.methodParametersWidget.layout(), self._onFormChanged, self._onFormComplaint)
        self._sources = sources.Sources(ui)
        self._messages = (ui.statusLabel, ui.errorLabel, ui.warningLabel, ui.resultLabel, ui.selfCheckLabel)
        hints = (ui.methodSummaryLabel, ui.parameterHintLabel, ui.applyHintLabel)
        self._labels = FittedLabels(widget, (*self._messages, *hints))
        self._fillCombos()
        self._connect()
        self._showRunning()
        self._say(ui.parameterHintLabel, "")
        self._say(ui.applyHintLabel, "")
        self._sayNothing()

    def setParameterNode(self, node) -> None:
        """Show another parameter node's values, or none."""
        self._node = node
        self._segmentation = None
        self._shownMethod = None
        self._segmentsObserver.observe(None)
        self._sources.show(node)
        self.refresh()

    def refresh(self) -> None:
        """Show what the parameter node holds."""
        if self._node is None or self._refreshing:
            return
        self._refreshing = True
        try:
            self._showSegments()
            for field, combo in self._boundCombos.items():
                combo.currentIndex = max(combo.findData(getattr(self._node, field)), 0)
            self._showMethod()
            self._sources.show(self._node)
            self._forgetMessages()
            self._showCanApply()
        finally:
            self._refreshing = False

    def refreshSoon(self) -> None:
        """Refresh once the widgets know what has just come into the scene."""
        qt.QTimer.singleShot(0, self.refresh)

    def clear(self) -> None:
        """Show no scene's contents: it is being closed."""
        self.ui.segmentsTable.setSegmentationNode(None)
        self._choices = None
        self._say(self.ui.parameterHintLabel, "")
        self._sayNothing()

    def chooseOnlySegment(self) -> None:
        """Choose the segment when none is chosen and there is no choice: the user has just painted it."""
        segmentation = self._node.segmentation if self._node is not None else None
        if segmentation is not None and not self._chosenSegments():
            known = list(segmentation.GetSegmentation().GetSegmentIDs())
            self._node.segmentIds = known if len(known) == 1 else []

    def apply(self) -> None:
        """Start filling with what is chosen."""
        node = self._node
        if self.job is not None or node is None or self._whatIsMissing() or not self._form.commit():
            return
        self._sayNothing()
        self._say(self.ui.statusLabel, _("Preparing..."))
        try:
            info = self._methods.get(node.method)
            if info is None:
                installation.ensurePackages()
            else:
                installation.ensurePackages(info.title, info.requires)
            self.job = self.logic.inpaint(
                node.inputVolume,
                node.segmentation,
                self._chosenSegments(),
                method=node.method,
                parameters=self._form.values(),
                blend=node.blend,
                device=node.device,
                dilateMm=node.dilateMm,
                guides=sources.guidesOf(node),
                exemplars=node.exemplars or None,
                selfCheck=node.selfCheck,
                outputVolume=node.outputVolume,
                uncertainty=node.uncertainty,
                wait=False,
                progress=self._onProgress,
                warning=self._onWarning,
                finished=self._onFinished,
            )
        except Exception as error:
            self._showError(error)
        self._showRunning()

    def cancel(self) -> None:
        """Stop what runs, if anything."""
        if self.job is not None:
            self.job.cancel()

    def close(self) -> None:
        """Before the widgets are destroyed."""
        self.cancel()
        self._labels.stop()

    def _fillCombos(self) -> None:
        self.ui.methodCombo.addItem(_("Automatic"), "auto")
        for name, info in self._methods.items():
            self.ui.methodCombo.addItem(info.title, name)
        blends = {"auto": _("Automatic"), "paste": _("Paste"), "feather": _("Feather"), "poisson": _("Poisson")}
        devices = {"auto": _("Automatic"), "cpu": _("CPU"), "cuda": _("GPU (CUDA)"), "mps": _("GPU (Apple)")}
        for combo, titles in ((self.ui.blendCombo, blends), (self.ui.deviceCombo, devices)):
            for name, title in titles.items():
                combo.addItem(title, name)

    def _connect(self) -> None:
        self.ui.segmentsTable.connect("selectionChanged(QItemSelection,QItemSelection)", self._onSegmentsSelected)
        for field, combo in self._boundCombos.items():
            combo.connect("currentIndexChanged(int)", lambda index, field=field: self._onComboChanged(field))
        self.ui.applyButton.connect("clicked(bool)", lambda checked: self.apply())
        self.ui.cancelButton.connect("clicked(bool)", lambda checked: self.cancel())

    def _showSegments(self) -> None:
        node = self._node
        if node.segmentation is not self._segmentation:
            self._segmentation = node.segmentation
            self.ui.segmentsTable.setSegmentationNode(node.segmentation)
            self._segmentsObserver.observe(node.segmentation)
            self.chooseOnlySegment()
        chosen = self._chosenSegments()
        if sorted(self.ui.segmentsTable.selectedSegmentIDs()) != sorted(chosen):
            self.ui.segmentsTable.setSelectedSegmentIDs(chosen)

    def _chosenSegments(self) -> list[str]:
        """The chosen segments that are still there."""
        segmentation = self._node.segmentation
        if segmentation is None:
            return []
        known = set(segmentation.GetSegmentation().GetSegmentIDs())
        return [segmentId for segmentId in self._node.segmentIds if segmentId in known]

    def _showMethod(self) -> None:
        method = self._node.method
        info = self._methods.get(method)
        self._say(self.ui.methodSummaryLabel, info.summary if info is not None else self._automaticSummary())
        if method == self._shownMethod:
            return
        self._shownMethod = method
        self._say(self.ui.parameterHintLabel, "")
        if info is None:
            self._form.show([], {})
        else:
            self._form.show(info.describe(), parameters.valuesOf(self._node, method))

    def _automaticSummary(self) -> str:
        if self._node.selfCheck:
            return _("Tries several methods on holes like this one in healthy tissue of the scan, and takes the best.")
        return _("Chooses by the hole's geometry and side and by the kind of image, and says why.")

    def _showCanApply(self) -> None:
        missing = self._whatIsMissing()
        self.ui.applyButton.enabled = self.job is None and not missing
        self._say(self.ui.applyHintLabel, missing if self.job is None else "")
        if self.job is not None:
            missing = _("The volume is being filled; Cancel stops it.")
        self.ui.applyButton.toolTip = missing or _("Fill the chosen segments of the volume.")

    def _whatIsMissing(self) -> str:
        node = self._node
        if node.inputVolume is None:
            return _("Choose the volume to fill.")
        if node.segmentation is None:
            return _("Choose the segmentation that marks the hole.")
        if node.segmentation.GetSegmentation().GetNumberOfSegments() == 0:
            return _("The segmentation has no segments; mark the hole in the Segment Editor first.")
        if not self._chosenSegments():
            return _("Choose one or more segments in the table.")
        if node.outputVolume is not None and node.outputVolume is node.inputVolume:
            return _("Choose another output volume: the input is never changed.")
        return sources.complaint(node)

    def _showRunning(self) -> None:
        running = self.job is not None
        self.ui.cancelButton.enabled = running
        self.ui.progressBar.visible = running
        if running:
            self.ui.progressBar.value = 0
            self.ui.progressBar.format = "%p%"
        if self._node is not None:
            self._showCanApply()

    def _onSegmentsAddedOrRemoved(self) -> None:
        # While a segmentation is being loaded, its first segment is for a moment its only one: look at it afterwards.
        qt.QTimer.singleShot(0, self._showSegmentsAnew)

    def _showSegmentsAnew(self) -> None:
        self.chooseOnlySegment()
        self.refresh()

    def _onSegmentsSelected(self, selected, deselected) -> None:
        if self._node is not None and not self._refreshing:
            self._node.segmentIds = list(self.ui.segmentsTable.selectedSegmentIDs())

    def _onComboChanged(self, field: str) -> None:
        if self._node is not None and not self._refreshing:
            setattr(self._node, field, self._boundCombos[field].currentData)

    def _onFormChanged(self) -> None:
        if self._node is not None:
            self._say(self.ui.parameterHintLabel, "")
            parameters.setValuesOf(self._node, self._shownMethod, self._form.values())

    def _onFormComplaint(self, reason: str) -> None:
        self._say(self.ui.parameterHintLabel, reason)
        self._labels.reveal(self.ui.parameterHintLabel)

    def _onProgress(self, fraction: float, stage: str) -> None:
        self.ui.progressBar.value = round(100 * fraction)
        self._say(self.ui.statusLabel, stage)

    def _onWarning(self, message: str) -> None:
        before = self.ui.warningLabel.text
        self._say(self.ui.warningLabel, f"{before}\n{message}" if before else message)

    def _onFinished(self, job) -> None:
        self.job = None
        self._say(self.ui.statusLabel, "")
        if job.state == "done":
            self._showResult(job)
            slicer.util.setSliceViewerLayers(background=job.outputVolume)
        elif job.state == "cancelled":
            self._say(self.ui.statusLabel, _("Cancelled; nothing was changed."))
        else:
            self._showError(job.error)
        self._showRunning()

    def _showResult(self, job) -> None:
        titles = {name: info.title for name, info in self._methods.items()}
        text = _resultText(job.outputVolume.GetName(), titles[job.report["method"]], job.report)
        if job.uncertaintyVolume is not None:
            text += "\n" + _("Uncertainty: '{name}'.").format(name=job.uncertaintyVolume.GetName())
        self._say(self.ui.resultLabel, text)
        checked = job.report["self_check"]
        self._say(self.ui.selfCheckLabel, selfcheck.table(checked, titles) if checked else "")
        # Where there is no room for both, the result comes first.
        self._labels.reveal(self.ui.selfCheckLabel, self.ui.resultLabel)

    def _showError(self, error: Exception) -> None:
        from MedInpaintLib.errors import MedInpaintError

        if not isinstance(error, MedInpaintError):
            logging.error("MedInpaint failed", exc_info=error)
        self._say(self.ui.statusLabel, "")
        self._say(self.ui.errorLabel, str(error) or type(error).__name__)
        self._labels.reveal(self.ui.errorLabel)

    def _say(self, label, text: str) -> None:
        say(label, text)
        self._labels.fitSoon()

    def _sayNothing(self) -> None:
        for label in self._messages:
            self._say(label, "")

    def _forgetMessages(self) -> None:
        """What was said about the last run does not hold for other choices."""
        choices = self._whatIsChosen()
        if self._choices not in (None, choices) and self.job is None:
            self._sayNothing()
        self._choices = choices

    def _whatIsChosen(self) -> tuple:
        node = self._node
        nodes = (node.inputVolume, node.segmentation, node.outputVolume, *sources.guidesOf(node))
        return (
            *(each.GetID() if each is not None else None for each in nodes),
            scene.segmentTimes(node.segmentation, self._chosenSegments()),
            node.dilateMm,
            node.method,
            dict(node.methodParameters),
            node.blend,
            node.device,
            node.exemplars,
            node.selfCheck,
            node.uncertainty,
        )


def _methods() -> dict:
    import MedInpaintLib

    return MedInpaintLib.methods()


def _resultText(name: str, title: str, report: dict) -> str:
    hole = report["hole"]
    filled = _("'{name}' is filled: {volume:.3g} mL in {pieces} piece(s), {seconds:.1f} s.").format(
        name=name, volume=hole["volume_ml"], pieces=hole["components"], seconds=report["seconds"]["total"]
    )
    checked = report["self_check"]
    method = _("Method: {title}").format(title=title)
    if checked and len(checked["methods"]) > 1:
        method = _("Method: {title}; {reason}").format(title=title, reason=report["reason"])
    elif report["reason"]:
        method = _("Method: {title}, because {reason}").format(title=title, reason=report["reason"])
    return "\n".join([filled, method.rstrip(".") + ".", report["trust"]])
