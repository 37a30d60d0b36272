"""The tab "Contrast"; its widgets are in Resources/UI/Contrast.ui."""

from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

from .. import installation, modelchoice, parameters
from ..jobs import impute
from ..nodes import changes, segments
from .combos import BoundCombos, devices
from .messages import fillText, segmentsComplaint
from .page import RunPage

if TYPE_CHECKING:
    from MedInpaintLib.report import ImputeReport


class ContrastPage(RunPage):
    """The tab that estimates a missing contrast of a head, or repairs a segment in it, from the other contrasts."""

    UI = "Contrast"
    COMPARES = True

    def __init__(self, logic, log) -> None:
        super().__init__(logic, log)
        ui = self.ui
        self._segmentation = None
        self._segmentsObserver = changes.NodesObserver(self._onSegmentsChanged)
        self._combos = BoundCombos(
            {
                "wantedContrast": ui.wantedContrastCombo,
                "imputeMode": ui.imputeModeCombo,
                "imputeSegmentId": ui.imputeSegmentCombo,
                "imputeModel": ui.imputeModelCombo,
                "imputeDevice": ui.imputeDeviceCombo,
            }
        )
        self._selectors = {
            "T1": (ui.t1Label, ui.t1Selector),
            "T2": (ui.t2Label, ui.t2Selector),
            "FLAIR": (ui.flairLabel, ui.flairSelector),
            "T1C": (ui.t1PostLabel, ui.t1PostSelector),
        }
        self._combos.fill("wantedContrast", _titles())
        modes = {"create": _("Create the whole volume"), "repair": _("Repair it inside a segment")}
        self._combos.fill("imputeMode", modes)
        self._combos.fill("imputeDevice", devices())

    def title(self) -> str:
        return _("Contrast")

    def purpose(self) -> str:
        return _("Estimate a contrast of a head that is missing or damaged from the others.")

    def setParameterNode(self, node) -> None:
        self._segmentation = None
        self._segmentsObserver.observe(())
        self._combos.show(node)
        super().setParameterNode(node)

    def _hintLabels(self) -> tuple:
        return (self.ui.imputeSummaryLabel,)

    def _show(self) -> None:
        self._showSegments()
        self._combos.fill("imputeModel", {"auto": _("Automatic"), **modelchoice.modelsFor(_method())})
        self._combos.show(self._node)
        self._showMode()

    def clear(self) -> None:
        self._combos.fill("imputeSegmentId", {})
        super().clear()

    def chooseDefaults(self) -> None:
        """Choose the only segment, which the user has just painted, if none is chosen."""
        if self._node is not None and not self._chosenSegment():
            known = segments.allSegmentIds(self._node.imputeSegmentation)
            if len(known) == 1:
                self._node.imputeSegmentId = known[0]

    def _canForce(self) -> bool:
        return self._isRepair()

    def _start(self, **callbacks):
        return self._startRepair(**callbacks) if self._isRepair() else self._startEstimate(**callbacks)

    def _startEstimate(self, **callbacks):
        _ensurePackages()
        node = self._node
        return self.logic.impute(
            parameters.contrastVolumes(node),
            node.wantedContrast,
            like=node.likeVolume,
            register=node.registerFirst,
            model=self._model(),
            outputVolume=node.estimatedVolume,
            device=node.imputeDevice,
            wait=False,
            **callbacks,
        )

    def _startRepair(self, **callbacks):
        _ensurePackages()
        node = self._node
        guides = self._sources()
        return self.logic.inpaint(
            parameters.contrastVolumes(node)[node.wantedContrast],
            node.imputeSegmentation,
            [self._chosenSegment()],
            method=modelchoice.REPAIR_METHOD,
            parameters={"target": node.wantedContrast, "guides": ", ".join(guides), "model": self._model()},
            device=node.imputeDevice,
            guides=tuple(guides.values()),
            outputVolume=node.estimatedVolume,
            wait=False,
            **callbacks,
        )

    def _isRepair(self) -> bool:
        return parameters.validValue(self._node, "imputeMode") == "repair"

    def _target(self) -> str:
        return parameters.validValue(self._node, "wantedContrast")

    def _model(self) -> str:
        """Return the chosen model if it is still there."""
        return self._node.imputeModel if self._node.imputeModel in modelchoice.modelsFor(_method()) else "auto"

    def _sources(self) -> dict:
        return impute.sourcesOf(parameters.contrastVolumes(self._node), self._node.wantedContrast)

    def _showSegments(self) -> None:
        segmentation = self._node.imputeSegmentation
        if segmentation is not self._segmentation:
            self._segmentation = segmentation
            self._segmentsObserver.observe([segmentation])
            self.chooseDefaults()
        names = segments.segmentNames(segmentation)
        none = {} if len(names) == 1 else {"": _("Choose a segment") if names else _("None")}
        self._combos.fill("imputeSegmentId", {**none, **names})

    def _chosenSegment(self) -> str:
        """Return the chosen segment if it is still there."""
        known = segments.allSegmentIds(self._node.imputeSegmentation)
        return self._node.imputeSegmentId if self._node.imputeSegmentId in known else ""

    def _showMode(self) -> None:
        """Enable only the widgets of the chosen mode."""
        ui, repair = self.ui, self._isRepair()
        for each in (
            ui.imputeSegmentationLabel,
            ui.imputeSegmentationSelector,
            ui.imputeSegmentLabel,
            ui.imputeSegmentCombo,
        ):
            each.enabled = repair
        for each in (ui.registerBox, ui.likeLabel, ui.likeVolumeSelector):
            each.enabled = not repair
        for contrast, widgets in self._selectors.items():
            for each in widgets:
                each.enabled = repair or contrast != self._node.wantedContrast
        self.run.say(ui.imputeSummaryLabel, self._applyPurpose())

    def _applyPurpose(self) -> str:
        titles = _titles()
        target = titles[self._target()]
        if self._isRepair():
            return _(
                "Fills the segment in the {contrast} volume from the other contrasts; voxels outside it never change."
            ).format(contrast=target)
        sources = [titles[each] for each in self._sources()]
        if sources:
            return _("Estimates a whole {contrast} volume from {sources}, on the grid of {first}.").format(
                contrast=target, sources=", ".join(sources), first=sources[0]
            )
        return _("Estimates a whole {contrast} volume from the other contrasts.").format(contrast=target)

    def _whatIsMissing(self) -> str | None:
        node = self._node
        if node is None:
            return None
        titles = _titles()
        target = titles[self._target()]
        volumes = {titles[contrast]: each for contrast, each in parameters.contrastVolumes(node).items()}
        if self._isRepair() and target not in volumes:
            return _("Choose the damaged {contrast} volume.").format(contrast=target)
        if not self._sources():
            sources = ", ".join(title for title in titles.values() if title != target)
            return _("Choose one or more of the other contrasts: {sources}.").format(sources=sources)
        withoutModel = modelchoice.complaint(_method(), {"model": self._model()})
        if not self._isRepair():
            return impute.complaint(volumes, target, node.likeVolume, node.estimatedVolume) or withoutModel
        complaint = impute.commonComplaint(volumes, volumes.values(), node.estimatedVolume)
        complaint = complaint or segmentsComplaint(node.imputeSegmentation)
        if not complaint and not self._chosenSegment():
            complaint = _("Choose the segment that marks the hole.")
        return complaint or withoutModel

    def _onSegmentsChanged(self) -> None:
        # Refresh later: while a segmentation is being loaded, its first segment is for a moment its only one.
        qt.QTimer.singleShot(0, self._refreshSegments)

    def _refreshSegments(self) -> None:
        self.chooseDefaults()
        self.refresh()

    def _showResult(self, job) -> None:
        self.showComparison(job)
        name, report = job.outputVolume.GetName(), job.report
        if isinstance(job, impute.ImputeJob):
            text = _estimateText(name, report)
        else:
            text = fillText(name, {modelchoice.REPAIR_METHOD: _method().title}, report)
        self.run.say(self.ui.resultLabel, text)
        self.run.reveal(self.ui.resultLabel)

    def _whatIsChosen(self) -> tuple:
        node = self._node
        volumes = parameters.contrastVolumes(node)
        segment = self._chosenSegment()
        nodes = (node.imputeSegmentation, node.likeVolume, node.estimatedVolume)
        return (
            {contrast: each.GetID() for contrast, each in volumes.items()},
            *(each.GetID() if each is not None else None for each in nodes),
            segments.segmentTimes(node.imputeSegmentation, [segment] if segment else []),
            node.wantedContrast,
            node.imputeMode,
            node.registerFirst,
            node.imputeModel,
            node.imputeDevice,
        )


def _titles() -> dict[str, str]:
    """Return the engine's name of each contrast -> its title in the panel."""
    return {"T1": _("T1"), "T2": _("T2"), "FLAIR": _("FLAIR"), "T1C": _("T1 post")}


def _method():
    import MedInpaintLib

    return MedInpaintLib.list_methods()[modelchoice.REPAIR_METHOD]


def _ensurePackages() -> None:
    installation.ensurePackages(extra=_method().requires)


def _estimateText(name: str, report: "ImputeReport") -> str:
    titles = _titles()
    sources = ", ".join(titles.get(each, each) for each in report["images"])
    headline = _("'{name}' is estimated from {sources}, {seconds:.1f} s.").format(
        name=name, sources=sources, seconds=report["seconds"]["total"]
    )
    return "\n".join([headline, _("Model: {model}.").format(model=report["model"]), report["trust"]])
