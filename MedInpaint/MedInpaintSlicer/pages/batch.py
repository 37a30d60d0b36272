"""The tab "Batch"; its widgets are in Resources/UI/Batch.ui."""

import qt
from slicer.i18n import tr as _

from .. import installation, needs, parameters, parts
from ..jobs.sequence import SequenceJob
from ..nodes import changes, ownholes, segments, sequences, views
from . import sources
from .checkednodes import CheckedNodes, presentNodes
from .combos import BoundCombos, blends, devices
from .page import RunPage
from .undo import UndoButton


class BatchPage(RunPage):
    """The tab that fills many volumes, or all frames of a sequence, with the choices of the tab "Fill"."""

    UI = "Batch"

    def __init__(self, logic, log) -> None:
        super().__init__(logic, log)
        ui = self.ui
        self._methods = _methods()
        self._log = log
        self._shownRows: tuple | None = None
        self._undo = UndoButton(ui.batchUndoButton, self._onUndone)
        self._observer = changes.NodesObserver(self.refreshSoon)
        self._volumes = CheckedNodes(ui.batchVolumesSelector, "batchVolumes")
        self._combos = BoundCombos({"batchKind": ui.batchKindCombo, "batchHole": ui.batchHoleCombo})
        self._combos.fill("batchKind", {"volumes": _("Volumes"), "sequence": _("Frames of a sequence")})
        sequences.offerVolumeSequences(ui.batchSequenceSelector)
        ui.batchSegmentsEdit.connect("editingFinished()", self._onSegmentNames)
        ui.batchTable.horizontalHeader().setStretchLastSection(True)
        # Long texts get several lines.
        ui.batchTable.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        ui.cancelButton.toolTip = _("Stop at once. Results so far are kept.")

    def title(self) -> str:
        return _("Batch")

    def purpose(self) -> str:
        return _("Fill many volumes, or every frame of a sequence, with the settings of the tab Fill.")

    def setParameterNode(self, node) -> None:
        self._observer.observe(())
        self._volumes.show(node)
        self._combos.show(node)
        super().setParameterNode(node)

    def clear(self) -> None:
        self._showRows(())
        self._undo.clear()
        super().clear()

    def _hintLabels(self) -> tuple:
        return (self.ui.batchSettingsLabel,)

    def _applyPurpose(self) -> str:
        if self._isSequence():
            return _("Fill every frame of the sequence, each by itself, into a new sequence beside it.")
        return _("Fill the volumes one after another, each into a new volume beside it.")

    # The page's display.

    def _show(self) -> None:
        ui, node, isSequence = self.ui, self._node, self._isSequence()
        holes = {"fill": _("As in the tab Fill"), "one": _("In one segmentation")}
        # Each frame's own segmentation is used if there is one.
        own = {} if isSequence else {"own": _("In each volume's own segmentation")}
        self._combos.fill("batchHole", {**holes, **own})
        self._combos.show(node)
        self._volumes.show(node)
        self._observer.observe(self._displayedNodes())
        self._undo.show()
        hole = self._holeKind()
        for widgets, inUse in (
            ((ui.batchVolumesLabel, ui.batchVolumesSelector), not isSequence),
            ((ui.batchSequenceLabel, ui.batchSequenceSelector), isSequence),
            ((ui.batchSegmentationLabel, ui.batchSegmentationSelector), hole == "one"),
            ((ui.batchSegmentsLabel, ui.batchSegmentsEdit), hole != "fill"),
        ):
            for each in widgets:
                each.visible = inUse
        if ui.batchSegmentsEdit.text != node.batchSegmentNames:
            ui.batchSegmentsEdit.text = node.batchSegmentNames
        self.run.say(ui.batchSettingsLabel, self._settings())
        self._showRows(self._rows())

    def _showRows(self, rows: tuple) -> None:
        """Show what will be filled: for each item its name, and its hole or why it has none."""
        if rows == self._shownRows:
            return
        self._shownRows, table = rows, self.ui.batchTable
        table.setRowCount(len(rows))
        table.setHorizontalHeaderLabels([_("Frame") if self._node and self._isSequence() else _("Volume"), _("Hole")])
        for number, texts in enumerate(rows):
            for column, text in enumerate(texts):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                table.setItem(number, column, item)

    def _rows(self) -> tuple[tuple[str, str], ...]:
        node = self._node
        if not self._isSequence():
            volumes = presentNodes(node, "batchVolumes")
            return tuple((each.GetName(), self._problemOf(each) or self._holeOf(each).names) for each in volumes)
        if sequences.complaint(node.batchSequence):
            return ()
        sequence, hole = node.batchSequence, self._sharedHole()
        segmentations = sequences.sequenceShownBy(hole.segmentation, sequences.browserOf(sequence))
        return tuple(
            (sequences.frameName(sequence, each), _textAt(each, hole, segmentations))
            for each in sequences.indexValues(sequence)
        )

    def _settings(self) -> str:
        """Return the settings of the tab "Fill" in a line."""
        node, options = self._node, parameters.fillOptions(self._node)
        info = self._methods.get(options.method)
        settings = [_("Automatic") if info is None else info.title + _ownValues(info, options.parameters)]
        if options.blend != "auto":
            settings.append(_("blending: {blend}").format(blend=blends().get(options.blend, options.blend)))
        if options.grain:
            settings.append(_("grain added"))
        if options.dilate_mm:
            settings.append(_("hole grown by {mm:g} mm").format(mm=options.dilate_mm))
        guides = sources.guidesOf(node)
        if guides:
            settings.append(_("guided by {names}").format(names=_quoted(guides)))
        if node.exemplars:
            settings.append(_("exemplars in '{folder}'").format(folder=node.exemplars))
        if options.self_check:
            settings.append(_("with self-check"))
        if options.regions:
            settings.append(_("with regions"))
        if node.uncertainty:
            settings.append(_("with uncertainty"))
        settings.append(_("device: {device}").format(device=devices().get(options.device, options.device)))
        return _("Settings of the tab Fill: {settings}.").format(settings="; ".join(settings))

    # The user's choices.

    def _isSequence(self) -> bool:
        return self._node.batchKind == "sequence"

    def _holeKind(self) -> str:
        """Return how the hole is marked: "fill", "one" or, for volumes only, "own"."""
        hole = self._node.batchHole
        return "fill" if hole == "own" and self._isSequence() else hole

    def _segmentNames(self) -> list[str]:
        return [each.strip() for each in self._node.batchSegmentNames.split(",") if each.strip()]

    def _sharedHole(self) -> ownholes.Marked:
        """Return what marks the hole of all of them, unless each has its own."""
        node = self._node
        if self._holeKind() == "one":
            return ownholes.markedByNames(node.batchSegmentation, self._segmentNames())
        return ownholes.markedBy(node.segmentation, node.segmentIds)

    def _holeOf(self, volume) -> ownholes.Marked:
        """Return what marks the hole of a volume."""
        isOwn = self._holeKind() == "own"
        return ownholes.ownMarked(volume, self._segmentNames()) if isOwn else self._sharedHole()

    def _problemOf(self, volume) -> str:
        """Say in a few words why a volume cannot be filled; empty when it can be."""
        return needs.volumeComplaint(volume) or self._holeOf(volume).problem

    def _displayedNodes(self) -> list:
        """Return all nodes whose names, segments or voxels change what the page shows."""
        node = self._node
        own = ownholes.offered() if self._holeKind() == "own" else ()
        shared = (node.batchSequence, node.batchSegmentation, node.segmentation)
        return [*presentNodes(node, "batchVolumes"), *sources.guidesOf(node), *shared, *own]

    def _whatIsMissing(self) -> str | None:
        node = self._node
        if node is None:
            return None
        if self._isSequence():
            missing = sequences.complaint(node.batchSequence)
        else:
            missing = "" if presentNodes(node, "batchVolumes") else _("Choose the volumes to fill.")
        return (
            missing
            or self._complaintAboutHole()
            or self._complaintAboutVolumes()
            or needs.complaint(
                self._methods.get(node.method),
                parameters.fillOptions(node).parameters,
                sources.guidesOf(node),
                node.exemplars,
            )
            or sources.folderComplaint(node)
        )

    def _complaintAboutHole(self) -> str:
        """Say in a line why none of them has a hole; empty when one has."""
        if self._holeKind() == "own":
            volumes = presentNodes(self._node, "batchVolumes")
            hasNone = all(self._holeOf(each).problem for each in volumes)
            return _("None of the volumes has a segmentation of its own; the table says why.") if hasNone else ""
        hole = self._sharedHole()
        if not hole.problem:
            return ""
        if self._holeKind() == "fill":
            return _("Choose a segmentation and its segments in the tab Fill.")
        if hole.segmentation is None:
            return _("Choose the segmentation that marks the hole.")
        return _("This is wrong with the hole: {problem}.").format(problem=hole.problem)

    def _complaintAboutVolumes(self) -> str:
        """Say in a line why no volume can be filled; empty when one can: the others are listed at the end."""
        volumes = [] if self._isSequence() else presentNodes(self._node, "batchVolumes")
        problems = [self._problemOf(each) for each in volumes]
        if not problems or not all(problems):
            return ""
        if len(volumes) == 1:
            return needs.volumeComplaint(volumes[0])
        return _("None of the volumes can be filled; the table says why.")

    def _whatIsChosen(self) -> tuple:
        node, hole = self._node, self._sharedHole()
        nodes = (node.batchSequence, node.segmentation, node.batchSegmentation, *sources.guidesOf(node))
        return (
            node.batchKind,
            *(each.GetID() if each is not None else None for each in nodes),
            tuple(each.GetID() for each in presentNodes(node, "batchVolumes")),
            self._holeKind(),
            node.batchSegmentNames,
            segments.segmentTimes(hole.segmentation, hole.segmentIds),
            self._settings(),
        )

    def _onSegmentNames(self) -> None:
        if self._node is not None and self._node.batchSegmentNames != self.ui.batchSegmentsEdit.text:
            self._node.batchSegmentNames = self.ui.batchSegmentsEdit.text

    # The run.

    def _isReady(self) -> bool:
        # The text counts although the cursor may still be in it.
        self._onSegmentNames()
        return not self._whatIsMissing()

    def _canForce(self) -> bool:
        return True

    def _start(self, **callbacks):
        node, info = self._node, self._methods.get(self._node.method)
        if info is None:
            installation.ensurePackages()
        else:
            installation.ensurePackages(info.title, info.requires)
        choices = {**sources.fillArguments(node), "wait": False, **callbacks}
        if self._isSequence():
            hole = self._sharedHole()
            return self.logic.inpaintSequence(node.batchSequence, hole.segmentation, hole.segmentIds, **choices)
        holes = {each: self._holeOf(each) for each in presentNodes(node, "batchVolumes")}
        return self.logic.inpaintVolumes(
            list(holes),
            {volume: hole.segmentation for volume, hole in holes.items() if not hole.problem},
            {volume: hole.segmentIds for volume, hole in holes.items()},
            **choices,
        )

    def _showResult(self, job) -> None:
        self._undo.offer(job, restore=views.Layers().show)
        # In another module, the views belong to that module.
        if job.outputVolume is not None and self._isEntered:
            views.showLayers(job.outputVolume, None, 0.0)  # without the upper layer of another tab
        self.run.say(self.ui.resultLabel, self._resultText(job))
        self._showProblems(job)
        self.run.reveal(self.ui.errorLabel, self.ui.resultLabel)

    def _showCancelled(self, job) -> None:
        if not job.reports:
            super()._showCancelled(job)
            return
        self._undo.offer(job, restore=views.Layers().show)
        self.run.say(self.ui.statusLabel, _("Cancelled; the results so far are kept."))
        self.run.say(self.ui.resultLabel, self._resultText(job))
        self._showProblems(job)

    def _showProblems(self, job) -> None:
        """Show what was not filled and why, and the warnings."""
        if job.failures:
            text = "\n".join([_("Not filled:"), *job.failures])
            self.run.say(self.ui.errorLabel, text)
            self._log(text)
        self.run.say(self.ui.warningLabel, "\n".join(job.warnings))

    def _resultText(self, job) -> str:
        """Say what was filled, by which method, and how far to trust it."""
        reports = list(job.reports.values())
        titles = {name: info.title for name, info in self._methods.items()}
        methods = list(dict.fromkeys(title for each in reports for title in parts.methods(each, titles)))
        lines = [_sequenceText(job) if isinstance(job, SequenceJob) else _volumesText(job)]
        lines.append(_("Method: {titles}.").format(titles=", ".join(methods)))
        return "\n".join([*lines, *dict.fromkeys(each["trust"] for each in reports)])


def _textAt(indexValue: str, hole: ownholes.Marked, segmentations) -> str:
    """Describe the hole of a frame; ``segmentations`` is the sequence of its segmentations, or None."""
    if segmentations is None or hole.problem:
        return hole.problem or hole.names
    if not sequences.hasFrame(segmentations, indexValue):
        return _("'{sequence}' has nothing here").format(sequence=segmentations.GetName())
    return _("{segments} (of this frame)").format(segments=hole.names)


def _volumesText(job) -> str:
    names = _quoted(job.results[each] for each in job.filled)
    return _("{filled} of {count} volumes are filled, {seconds:.1f} s: {names}.").format(
        filled=len(job.filled), count=len(job.items), seconds=job.seconds, names=names
    )


def _sequenceText(job) -> str:
    text = _("'{name}': {filled} of {count} frames are filled, {seconds:.1f} s.").format(
        name=job.outputSequence.GetName(), filled=len(job.filled), count=len(job.items), seconds=job.seconds
    )
    if len(job.filled) < len(job.items):
        text += " " + _("The others were copied unchanged.")
    if job.uncertaintySequence is not None:
        text += "\n" + _("Uncertainty: '{name}'.").format(name=job.uncertaintySequence.GetName())
    return text


def _ownValues(info, values: dict) -> str:
    """Return a method's parameters that differ from the defaults, in brackets."""
    ownValues = [
        f"{each.name.replace('_', ' ')} {values[each.name]}{f' {each.unit}' if each.unit else ''}"
        for each in info.describe()
        if values.get(each.name, each.default) != each.default
    ]
    return f" ({', '.join(ownValues)})" if ownValues else ""


def _quoted(nodes) -> str:
    return ", ".join(f"'{each.GetName()}'" for each in nodes)


def _methods() -> dict:
    import MedInpaintLib

    return MedInpaintLib.list_methods()
