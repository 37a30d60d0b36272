"""The tab "Evaluate"; its widgets are in Resources/UI/Evaluate.ui."""

from slicer.i18n import tr as _

from .. import evaluation, holeshapes, installation, methodgroups, modelchoice, needs
from ..jobs.evaluate import methodTitles
from ..nodes import changes, evaluations, images, plots, segments, tables
from .checklist import CheckList
from .combos import BoundCombos, devices
from .messages import segmentsComplaint
from .page import RunPage
from .undo import UndoButton


class EvaluatePage(RunPage):
    """The tab that scores methods on holes cut out of a healthy volume, where the truth is known."""

    UI = "Evaluate"

    def __init__(self, logic, log) -> None:
        """Take the same arguments as :class:`RunPage`."""
        super().__init__(logic, log)
        ui = self.ui
        self._offered = _methodsToOffer()
        self._yardstick = self._offered.pop(evaluation.YARDSTICK)
        self._combos = BoundCombos({"evaluateShape": ui.evaluateShapeCombo, "evaluateDevice": ui.evaluateDeviceCombo})
        self._combos.fill(
            "evaluateShape", {**holeshapes.titles(), holeshapes.SEGMENTS: _("Segments of a segmentation")}
        )
        self._combos.fill("evaluateDevice", devices())
        self._methods = CheckList(ui.evaluateMethodsList, self._onMethodsTicked)
        self._fillMethods()
        self._undo = UndoButton(ui.evaluateUndoButton, self._onUndone)
        self._observer = changes.NodesObserver(self.refreshSoon)
        ui.evaluateTableButton.connect("clicked(bool)", lambda checked: self._showTable())
        ui.evaluatePlotButton.connect("clicked(bool)", lambda checked: self._showPlot())

    def title(self) -> str:
        return _("Evaluate")

    def purpose(self) -> str:
        return _("Score methods on holes that are cut out of a healthy volume, where the truth is known.")

    def setParameterNode(self, node) -> None:
        self._observer.observe(())
        self._combos.show(node)
        super().setParameterNode(node)

    def chooseDefaults(self) -> None:
        """Take the segmentation of the tab "Fill", and methods that are quick."""
        node = self._node
        if node is None:
            return
        if node.evaluateSegmentation is None:
            node.evaluateSegmentation = node.segmentation
        if not self._chosenMethods():
            node.evaluateMethods = list(evaluation.QUICK_METHODS)

    def clear(self) -> None:
        self._undo.clear()
        super().clear()

    def _messageLabels(self) -> tuple:
        return (self.ui.evaluateScoresLabel,)

    def _hintLabels(self) -> tuple:
        return (self.ui.evaluateSummaryLabel,)

    def _applyPurpose(self) -> str:
        return _("Cut the holes out of a copy of the volume, fill them by each method, and score the fills.")

    def _show(self) -> None:
        node, ui = self._node, self.ui
        self._combos.show(node)
        self._methods.show(node.evaluateMethods, self._unavailable())
        self._observer.observe((self._volume(), self._marks()))
        self._undo.show()
        isMarked = self._isMarked()
        _setVisible(not isMarked, ui.evaluateSizeLabel, ui.evaluateSizeSlider, ui.evaluateCountLabel)
        _setVisible(not isMarked, ui.evaluateCountSlider, ui.evaluateAvoidLabel, ui.evaluateAvoidSelector)
        _setVisible(holeshapes.isFlat(node.evaluateShape), ui.evaluateSlabLabel, ui.evaluateSlabSlider)
        _setVisible(isMarked, ui.evaluateSegmentationLabel, ui.evaluateSegmentationSelector)
        self.run.say(ui.evaluateSummaryLabel, self._summary())
        ui.evaluateTableButton.enabled = node.evaluateScores is not None
        ui.evaluatePlotButton.enabled = self._chart() is not None

    def _start(self, **callbacks):
        node, methods = self._node, self._chosenMethods()
        self._ensurePackages(methods)
        isMarked = self._isMarked()
        return self.logic.evaluate(
            self._volume(),
            holes=() if isMarked else holeshapes.describe(*self._holes()),
            methods=methods,
            segmentationNode=node.evaluateSegmentation if isMarked else None,
            avoid=None if isMarked else node.evaluateAvoid,
            device=node.evaluateDevice,
            seed=node.evaluateSeed,
            wait=False,
            **callbacks,
        )

    def _ensurePackages(self, methods: list[str]) -> None:
        chosen = [self._offered[name] for name in methods if self._offered[name] is not None]
        packages = dict.fromkeys(package for info in chosen for package in info.requires)
        installation.ensurePackages(", ".join(info.title for info in chosen if info.missing()), tuple(packages))

    def _fillMethods(self) -> None:
        titles = methodTitles()
        # First what is ticked at first: others need not be scrolled to before it is seen what will be done.
        others = [name for name in self._offered if name not in evaluation.QUICK_METHODS]
        listed = [self._yardstick.name, *evaluation.QUICK_METHODS, *others]
        tips = {name: info.summary for name, info in self._offered.items() if info is not None}
        tips[self._yardstick.name] = _("The yardstick, always scored: what does not beat it is not worth its time.")
        self._methods.fill({name: titles[name] for name in listed}, tips, [self._yardstick.name])

    def _chosenMethods(self) -> list[str]:
        """Return the chosen methods that can run."""
        unavailable = self._unavailable()
        return [name for name in self._node.evaluateMethods if name in self._offered and name not in unavailable]

    def _unavailable(self) -> dict[str, str]:
        """Return the methods that cannot run for want of a model, each with the reason."""
        methods = {name: info for name, info in self._offered.items() if info is not None}
        return modelchoice.unavailable(methods, lambda method: {}, images.possibleModalities(self._volume()))

    def _volume(self):
        """Return the chosen volume, or else that of the tab "Fill"; None without either."""
        return self._node.evaluateVolume or self._node.inputVolume

    def _isMarked(self) -> bool:
        return self._node.evaluateShape == holeshapes.SEGMENTS

    def _marks(self):
        """Return the segmentation in use: of the holes, or else of where none may lie."""
        return self._node.evaluateSegmentation if self._isMarked() else self._node.evaluateAvoid

    def _holes(self) -> tuple[str, float, int, float]:
        """Return shape, size, number and thickness."""
        node = self._node
        return node.evaluateShape, node.evaluateSizeMm, node.evaluateCount, node.evaluateSlabMm

    def _summary(self) -> str:
        volume = self._volume()
        holes = _("The segments") if self._isMarked() else holeshapes.inWords(*self._holes())
        if volume is not None:
            holes = _("{holes} in '{volume}'").format(holes=holes, volume=volume.GetName())
        return _("{holes}; {count} method(s) and the yardstick, {yardstick}.").format(
            holes=holes, count=len(self._chosenMethods()), yardstick=self._yardstick.title.lower()
        )

    def _whatIsMissing(self) -> str | None:
        node = self._node
        if node is None:
            return None
        if self._volume() is None:
            return _("Choose the volume to cut holes out of.")
        complaint = needs.volumeComplaint(self._volume())
        if complaint:
            return complaint
        if self._isMarked():
            complaint = segmentsComplaint(node.evaluateSegmentation)
            if complaint:
                return complaint
        elif node.evaluateAvoid is not None and not segments.allSegmentIds(node.evaluateAvoid):
            return _("The segmentation to keep off has no segments; choose another one, or none.")
        return "" if self._chosenMethods() else _("Tick one or more methods.")

    def _whatIsChosen(self) -> tuple:
        node, marks = self._node, self._marks()
        return (
            *(each.GetID() if each is not None else None for each in (self._volume(), marks)),
            segments.segmentTimes(marks, segments.allSegmentIds(marks)),
            self._holes(),
            self._chosenMethods(),
            node.evaluateDevice,
            node.evaluateSeed,
        )

    def _onMethodsTicked(self) -> None:
        if self._node is not None and not self._refreshing:
            # Methods that are greyed out for this volume stay chosen for the next one.
            greyed = [name for name in self._node.evaluateMethods if name in self._unavailable()]
            self._node.evaluateMethods = [*self._methods.ticked(), *greyed]

    def _showResult(self, job) -> None:
        titles = methodTitles()
        # The user may be in another module by now, where the page shows no parameter node.
        node = self.logic.getParameterNode()
        before, node.evaluateScores = node.evaluateScores, job.scoresTable
        self._undo.offer(job, restore=lambda: self._showScoresOf(before))
        self.run.say(self.ui.resultLabel, evaluation.verdict(job.report, titles))
        self.run.say(self.ui.evaluateScoresLabel, evaluation.table(job.report, titles, job.inputVolume.GetName()))
        self.run.reveal(self.ui.evaluateScoresLabel, self.ui.resultLabel)

    def _showScoresOf(self, table) -> None:
        """Offer to show an earlier evaluation, as far as it is still there; None: none."""
        isThere = table is not None and table.GetScene() is not None
        self.logic.getParameterNode().evaluateScores = table if isThere else None

    def _showTable(self) -> None:
        if self._node is not None and self._node.evaluateScores is not None:
            tables.show(self._node.evaluateScores)
        self.refresh()

    def _showPlot(self) -> None:
        if self._node is not None and self._chart() is not None:
            plots.show(self._chart())
        self.refresh()

    def _chart(self):
        """Return the plot of the last evaluation, or None where it has been removed."""
        scores = self._node.evaluateScores
        return evaluations.chartOf(scores) if scores is not None else None


def _methodsToOffer() -> dict:
    """Return the methods that need nothing but the volume: name -> ``MethodInfo``, None for the automatic one."""
    import MedInpaintLib

    known = MedInpaintLib.list_methods()
    alone = {name: info for name, info in known.items() if not info.needs_guides and not info.needs_exemplars}
    return {"auto": None, **{name: alone[name] for name in methodgroups.ordered(alone)}}


def _setVisible(visible: bool, *widgets) -> None:
    for each in widgets:
        each.visible = visible
