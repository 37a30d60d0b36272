"""The tab "Fill"; its widgets are in Resources/UI/Fill.ui."""

import qt
from slicer.i18n import tr as _

from .. import installation, methodgroups, modelchoice, needs, parameters, sampledata, selfcheck
from ..nodes import changes, images, segments
from . import livepreview, sources
from .combos import BoundCombos, blends, devices, showAvailable
from .form import ParameterForm
from .messages import derivedTexts, fillText, segmentsComplaint
from .page import RunPage
from .partslabel import PartsLabel


class FillPage(RunPage):
    """The tab that fills the chosen segments of a volume.

    Segments, method, its form, blending and device are bound here, the section "Additional inputs" in ``Sources``, and
    all other widgets by the parameter node.
    """

    UI = "Fill"
    COMPARES = True

    def __init__(self, logic, log) -> None:
        super().__init__(logic, log)
        ui = self.ui
        self._segmentation = None
        self._shownMethod: str | None = None
        self._shownModels: dict[str, str] = {}
        self._methods = _methods()
        self._segmentsObserver = changes.NodesObserver(self._onSegmentsAddedOrRemoved)
        self._volumesObserver = changes.NodesObserver(self.refreshSoon)
        self._combos = BoundCombos({"method": ui.methodCombo, "blend": ui.blendCombo, "device": ui.deviceCombo})
        self._form = ParameterForm(ui.methodParametersWidget.layout(), self._onFormChanged, self._onFormComplaint)
        self._sources = sources.Sources(ui)
        self._marks: livepreview.Marks | None = None
        self._live = livepreview.LivePreviewBox(
            ui.livePreviewBox, lambda text: self.run.say(ui.livePreviewMessage, text), lambda: self._marks
        )
        self._parts = PartsLabel(ui.partsLabel, self.run.say, self._showPart)
        self._fillCombos()
        # The Tab key moves through the panel, not through the rows, where it would choose another segment.
        ui.segmentsTable.tableWidget().setTabKeyNavigation(False)
        ui.livePreviewBox.connect("toggled(bool)", self._onLiveToggled)
        ui.tryButton.connect("clicked(bool)", lambda checked: self.tryIt())
        ui.segmentsTable.connect("selectionChanged(QItemSelection,QItemSelection)", self._onSegmentsSelected)
        self.run.say(ui.parameterHintLabel, "")

    def title(self) -> str:
        return _("Fill")

    def purpose(self) -> str:
        return _("Fill holes, missing voxels, lesions, implants and artifacts.")

    def setParameterNode(self, node) -> None:
        self._segmentation = None
        self._shownMethod = None
        self._segmentsObserver.observe(())
        self._volumesObserver.observe(())
        self._sources.show(node)
        self._combos.show(node)
        super().setParameterNode(node)

    def tryIt(self) -> None:
        """Load a sample, and choose its volume and all its segments."""
        if self._node is None:
            return
        node = self._node
        try:
            node.inputVolume, node.segmentation = sampledata.load()
        except Exception as error:
            self.run.showError(error)
            return
        node.segmentIds = list(segments.allSegmentIds(node.segmentation))
        self.refresh()

    def _messageLabels(self) -> tuple:
        return self.ui.partsLabel, self.ui.selfCheckLabel

    def _hintLabels(self) -> tuple:
        return self.ui.methodSummaryLabel, self.ui.parameterHintLabel, self.ui.livePreviewMessage

    def _applyPurpose(self) -> str:
        return _("Fill the chosen segments of the volume.")

    def _show(self) -> None:
        # Users with a volume do not need a sample.
        self.ui.tryButton.visible = self._node.inputVolume is None
        self._volumesObserver.observe((self._node.inputVolume, *sources.guidesOf(self._node)))
        self._showSegments()
        reasons = modelchoice.unavailable(
            self._methods,
            lambda method: parameters.valuesOf(self._node, method),
            images.possibleModalities(self._node.inputVolume),
        )
        self._combos.fillRows("method", methodgroups.rows(self._methods, reasons))
        self._combos.show(self._node)
        showAvailable(self.ui.methodCombo, self._methods, reasons)
        self._showMethod()
        self._sources.show(self._node)
        inUse = self._node.grain or {self._node.blend, self._node.device} != {"auto"}
        # Visible even while the section is collapsed.
        self.ui.optionsCollapsibleButton.text = _("Options (in use)") if inUse else _("Options")
        # Kept while the user paints in the Segment Editor, where this tab has no parameter node.
        self._marks = self._chosenMarks()
        self._live.refresh()

    def clear(self) -> None:
        self._live.stop()
        self._marks = None
        self.ui.segmentsTable.setSegmentationNode(None)
        self.run.say(self.ui.parameterHintLabel, "")
        super().clear()

    def chooseDefaults(self) -> None:
        """Choose the only segment, which the user has just painted, if none is chosen."""
        segmentation = self._node.segmentation if self._node is not None else None
        if segmentation is not None and not self._chosenSegments():
            known = list(segmentation.GetSegmentation().GetSegmentIDs())
            self._node.segmentIds = known if len(known) == 1 else []

    def close(self) -> None:
        self._live.stop()
        super().close()

    def leave(self) -> None:
        super().leave()
        self._live.refresh()  # the comparison has just shown the segments' color again

    def showComparison(self, job) -> None:
        if self._isEntered:
            livepreview.stop()  # it would hide the result
        super().showComparison(job)

    def _isReady(self) -> bool:
        return self._form.commit()

    def _canForce(self) -> bool:
        return True

    def _start(self, **callbacks):
        node = self._node
        info = self._methods.get(node.method)
        if info is None:
            installation.ensurePackages()
        else:
            installation.ensurePackages(info.title, info.requires)
        livepreview.stop()
        return self.logic.inpaint(
            node.inputVolume,
            node.segmentation,
            self._chosenSegments(),
            outputVolume=node.outputVolume,
            samples=node.samples,
            wait=False,
            **{**sources.fillArguments(node), "parameters": self._form.values(), **callbacks},
        )

    def _fillCombos(self) -> None:
        self._combos.fillRows("method", methodgroups.rows(self._methods))
        for field, titles in (("blend", blends()), ("device", devices())):
            self._combos.fill(field, titles)

    def _showSegments(self) -> None:
        node = self._node
        if node.segmentation is not self._segmentation:
            if self._segmentation is not None:
                # The new segmentation may have the same ids, such as "Segment_1", which nobody has chosen.
                node.segmentIds = []
            self._segmentation = node.segmentation
            self.ui.segmentsTable.setSegmentationNode(node.segmentation)
            self._segmentsObserver.observe([node.segmentation])
            self.chooseDefaults()
        chosen = self._chosenSegments()
        if sorted(self.ui.segmentsTable.selectedSegmentIDs()) != sorted(chosen):
            self.ui.segmentsTable.setSelectedSegmentIDs(chosen)

    def _chosenSegments(self) -> list[str]:
        """Return the chosen segments that are still there."""
        segmentation = self._node.segmentation
        if segmentation is None:
            return []
        known = set(segmentation.GetSegmentation().GetSegmentIDs())
        return [segmentId for segmentId in self._node.segmentIds if segmentId in known]

    def _chosenMarks(self) -> livepreview.Marks | None:
        """Return what a live preview shows; None while volume or segments are not chosen."""
        node, chosen = self._node, self._chosenSegments()
        if node.inputVolume is None or not chosen:
            return None
        return livepreview.Marks(node.inputVolume, node.segmentation, tuple(chosen), node.dilateMm)

    def _showMethod(self) -> None:
        method = self._node.method
        info = self._methods.get(method)
        self.run.say(self.ui.methodSummaryLabel, info.summary if info is not None else self._automaticSummary())
        models = modelchoice.modelsFor(info) if info is not None and info.architecture else {}
        if (method, models) == (self._shownMethod, self._shownModels):
            return
        self._shownMethod, self._shownModels = method, models
        self.run.say(self.ui.parameterHintLabel, "")
        if info is None:
            self._form.show([], {})
        else:
            lists = {"model": {"auto": _("Automatic"), **models}} if info.architecture else {}
            self._form.show(info.describe(), parameters.valuesOf(self._node, method), lists)

    def _automaticSummary(self) -> str:
        if self._node.selfCheck:
            return _("Tries several methods on trial holes in healthy tissue of this scan, and uses the best.")
        return _(
            "Chooses for each part of the hole by its size, depth and side and by the kind of image, and says why."
        )

    def _whatIsMissing(self) -> str | None:
        node = self._node
        if node is None:
            return None
        if node.inputVolume is None:
            # The selector offers no color volumes; say why if the user has one.
            color = images.firstColorVolume()
            return images.colorComplaint(color) if color is not None else _("Choose the volume to fill.")
        complaint = needs.volumeComplaint(node.inputVolume) or segmentsComplaint(node.segmentation)
        if complaint:
            return complaint
        if not self._chosenSegments():
            return _("Choose one or more segments in the table.")
        if node.outputVolume is not None and node.outputVolume is node.inputVolume:
            return _("Choose another output volume: the input is never changed.")
        info = self._methods.get(node.method)
        modalities = images.possibleModalities(node.inputVolume)
        complaint = needs.complaint(info, self._form.values(), sources.guidesOf(node), node.exemplars, modalities)
        return complaint or sources.complaint(node)

    def _onLiveToggled(self, on: bool) -> None:
        """Pause the comparison while the live preview is shown: both set the look of segments."""
        if on and self.compare is not None:
            self.compare.pause()
        self._live.show(on)
        if not on and self.compare is not None and self._isEntered:
            self.compare.resume()

    def _onUndone(self) -> None:
        self._live.stop()  # the views show again what they showed before the fill
        super()._onUndone()

    def _onSegmentsAddedOrRemoved(self) -> None:
        # Refresh later: while a segmentation is being loaded, its first segment is for a moment its only one.
        qt.QTimer.singleShot(0, self._refreshSegments)

    def _refreshSegments(self) -> None:
        self.chooseDefaults()
        self.refresh()

    def _onSegmentsSelected(self, selected, deselected) -> None:
        if self._node is not None and not self._refreshing:
            self._node.segmentIds = list(self.ui.segmentsTable.selectedSegmentIDs())

    def _onFormChanged(self) -> None:
        if self._node is not None and self._shownMethod is not None:
            self.run.say(self.ui.parameterHintLabel, "")
            parameters.setValuesOf(self._node, self._shownMethod, self._form.values())

    def _onFormComplaint(self, reason: str) -> None:
        self.run.say(self.ui.parameterHintLabel, reason)
        self.run.reveal(self.ui.parameterHintLabel)

    def _showResult(self, job) -> None:
        self.showComparison(job)
        titles = {name: info.title for name, info in self._methods.items()}
        text = fillText(job.outputVolume.GetName(), titles, job.report)
        self.run.say(self.ui.resultLabel, "\n".join([text, *derivedTexts(job)]))
        self._parts.show(job.report["parts"], titles, {name: info.trust for name, info in self._methods.items()})
        checked = job.report["self_check"]
        self.run.say(self.ui.selfCheckLabel, selfcheck.tables(checked or [], titles))
        # If there is no room for all, the result is most important.
        self.run.reveal(self.ui.selfCheckLabel, self.ui.partsLabel, self.ui.resultLabel)

    def _showPart(self, index: int) -> None:
        """Center the views on a part of the last result."""
        if self.compare is not None:
            self.compare.showPart(index)

    def _whatIsChosen(self) -> tuple:
        node = self._node
        nodes = (node.inputVolume, node.segmentation, node.outputVolume, *sources.guidesOf(node))
        return (
            *(each.GetID() if each is not None else None for each in nodes),
            segments.segmentTimes(node.segmentation, self._chosenSegments()),
            parameters.fillOptions(node),
            node.exemplars,
            node.uncertainty,
            node.samples,
        )


def _methods() -> dict:
    import MedInpaintLib

    return MedInpaintLib.list_methods()
