"""The tab "Batch"; its widgets are in Resources/UI/Batch.ui."""

import qt
import slicer
from slicer.i18n import tr as _

from .. import installation, parameters
from ..jobs.sequence import SequenceJob
from ..nodes import ownholes, segments, sequences
from . import sources
from .checkednodes import CheckedNodes, presentNodes
from .combos import BoundCombos, blends, devices
from .page import RunPage


class BatchPage(RunPage):
    """Fills many volumes, or all frames of a sequence, with the choices of the tab "Fill"."""

    UI = "Batch"

    def __init__(self, logic, log) -> None:
        """As for :class:`RunPage`."""
        super().__init__(logic, log)
        ui = self.ui
        self._methods = _methods()
        self._log = log
        self._shownRows = None
        self._volumes = CheckedNodes(ui.batchVolumesSelector, "batchVolumes")
        self._combos = BoundCombos({"batchKind": ui.batchKindCombo, "batchHole": ui.batchHoleCombo})
        self._combos.fill("batchKind", {"volumes": _("Volumes"), "sequence": _("Frames of a sequence")})
        sequences.offerVolumeSequences(ui.batchSequenceSelector)
        ui.batchSegmentsEdit.connect("editingFinished()", self._onSegmentNames)
        ui.batchTable.horizontalHeader().setStretchLastSection(True)
        # Long texts get several lines.
        ui.batchTable.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        ui.cancelButton.toolTip = _("Stop at once. What has been filled is kept.")

    def title(self) -> str:
        return _("Batch")

    def purpose(self) -> str:
        return _("Fill many volumes, or every frame of a sequence, with the settings of the tab Fill.")

    def setParameterNode(self, node) -> None:
        self._volumes.show(node)
        self._combos.show(node)
        super().setParameterNode(node)

    def clear(self) -> None:
        self._showRows(())
        super().clear()

    def _hintLabels(self) -> tuple:
        return (self.ui.batchSettingsLabel,)

    def _applyPurpose(self) -> str:
        if self._isSequence():
            return _("Fill every frame of the sequence, each by itself, into a new sequence beside it.")
        return _("Fill the volumes one after another, each into a new volume beside it.")

    # What is shown.

    def _show(self) -> None:
        ui, node, isSequence = self.ui, self._node, self._isSequence()
        holes = {"fill": _("As in the tab Fill"), "one": _("In one segmentation")}
        # The segmentation of a frame is found by itself, where there are such.
        own = {} if isSequence else {"own": _("In each volume's own segmentation")}
        self._combos.fill("batchHole", {**holes, **own})
        self._combos.show(node)
        self._volumes.show(node)
        hole = self._hole()
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
        """Show what will be filled: (what, the hole or why there is none) for each."""
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
            return tuple((each.GetName(), self._markedIn(each).text) for each in presentNodes(node, "batchVolumes"))
        if sequences.complaint(node.batchSequence):
            return ()
        sequence, marked = node.batchSequence, self._marked()
        changing = sequences.sequenceShownBy(marked.segmentation, sequences.browserOf(sequence))
        return tuple(
            (sequences.frameName(sequence, each), _textAt(each, marked, changing))
            for each in sequences.indexValues(sequence)
        )

    def _settings(self) -> str:
        """The settings of the tab "Fill", in a line."""
        node = self._node
        info = self._methods.get(node.method)
        said = [
            _("Automatic") if info is None else info.title + _ownValues(info, parameters.valuesOf(node, node.method))
        ]
        if node.blend != "auto":
            said.append(_("blending: {blend}").format(blend=blends().get(node.blend, node.blend)))
        if node.dilateMm:
            said.append(_("hole grown by {mm:g} mm").format(mm=node.dilateMm))
        guides = sources.guidesOf(node)
        if guides:
            said.append(_("guided by {names}").format(names=_quoted(guides)))
        if node.exemplars:
            said.append(_("exemplars in '{folder}'").format(folder=node.exemplars))
        if node.selfCheck:
            said.append(_("with self-check"))
        if node.uncertainty:
            said.append(_("with uncertainty"))
        said.append(_("device: {device}").format(device=devices().get(node.device, node.device)))
        return _("Settings of the tab Fill: {settings}.").format(settings="; ".join(said))

    # What is chosen.

    def _isSequence(self) -> bool:
        return self._node.batchKind == "sequence"

    def _hole(self) -> str:
        """How the hole is told, among the ways that are offered."""
        hole = self._node.batchHole
        return "fill" if hole == "own" and self._isSequence() else hole

    def _names(self) -> list[str]:
        return [each.strip() for each in self._node.batchSegmentNames.split(",") if each.strip()]

    def _marked(self) -> ownholes.Marked:
        """The hole of all, as far as each has not its own."""
        node = self._node
        if self._hole() == "one":
            return ownholes.markedByNames(node.batchSegmentation, self._names())
        return ownholes.markedBy(node.segmentation, node.segmentIds)

    def _markedIn(self, volume) -> ownholes.Marked:
        return ownholes.ownMarked(volume, self._names()) if self._hole() == "own" else self._marked()

    def _whatIsMissing(self) -> str | None:
        node = self._node
        if node is None:
            return None
        if self._isSequence():
            missing = sequences.complaint(node.batchSequence)
        else:
            missing = "" if presentNodes(node, "batchVolumes") else _("Choose the volumes to fill.")
        return missing or self._holeComplaint() or sources.folderComplaint(node)

    def _holeComplaint(self) -> str:
        if self._hole() == "own":
            volumes = presentNodes(self._node, "batchVolumes")
            isThere = any(self._markedIn(each).isThere for each in volumes)
            return "" if isThere else _("None of the volumes has a segmentation of its own; the table says why.")
        marked = self._marked()
        if marked.isThere:
            return ""
        if self._hole() == "fill":
            return _("Choose a segmentation and its segments in the tab Fill.")
        if marked.segmentation is None:
            return _("Choose the segmentation that marks the hole.")
        return _("This is wrong with the hole: {problem}.").format(problem=marked.text)

    def _whatIsChosen(self) -> tuple:
        node, marked = self._node, self._marked()
        nodes = (node.batchSequence, node.segmentation, node.batchSegmentation, *sources.guidesOf(node))
        return (
            node.batchKind,
            *(each.GetID() if each is not None else None for each in nodes),
            tuple(each.GetID() for each in presentNodes(node, "batchVolumes")),
            self._hole(),
            node.batchSegmentNames,
            segments.segmentTimes(marked.segmentation, marked.segmentIds),
            self._settings(),
        )

    def _onSegmentNames(self) -> None:
        if self._node is not None and self._node.batchSegmentNames != self.ui.batchSegmentsEdit.text:
            self._node.batchSegmentNames = self.ui.batchSegmentsEdit.text

    # What is run.

    def _isReady(self) -> bool:
        # What was typed last counts, although the cursor is still there.
        self._onSegmentNames()
        return not self._whatIsMissing()

    def _start(self, **callbacks):
        node, info = self._node, self._methods.get(self._node.method)
        if info is None:
            installation.ensurePackages()
        else:
            installation.ensurePackages(info.title, info.requires)
        options = {
            "method": node.method,
            "parameters": parameters.valuesOf(node, node.method),
            "blend": node.blend,
            "device": node.device,
            "dilateMm": node.dilateMm,
            "guides": sources.guidesOf(node),
            "exemplars": node.exemplars or None,
            "selfCheck": node.selfCheck,
            "uncertainty": node.uncertainty,
            "wait": False,
            **callbacks,
        }
        if self._isSequence():
            marked = self._marked()
            return self.logic.inpaintSequence(node.batchSequence, marked.segmentation, marked.segmentIds, **options)
        volumes = presentNodes(node, "batchVolumes")
        found = {each: self._markedIn(each) for each in volumes}
        return self.logic.inpaintVolumes(
            volumes,
            {volume: marked.segmentation for volume, marked in found.items() if marked.isThere},
            {volume: marked.segmentIds for volume, marked in found.items()},
            **options,
        )

    def _showResult(self, job) -> None:
        if job.outputVolume is not None:
            slicer.util.setSliceViewerLayers(background=job.outputVolume)
        self.run.say(self.ui.resultLabel, self._resultText(job))
        self._showProblems(job)
        self.run.reveal(self.ui.errorLabel, self.ui.resultLabel)

    def _showCancelled(self, job) -> None:
        if not job.reports:
            super()._showCancelled(job)
            return
        self.run.say(self.ui.statusLabel, _("Cancelled; what had been filled is kept."))
        self.run.say(self.ui.resultLabel, self._resultText(job))
        self._showProblems(job)

    def _showProblems(self, job) -> None:
        """Say what was not filled and why, and warnings with all that they are about."""
        if job.failures:
            text = "\n".join([_("Not filled:"), *job.failures])
            self.run.say(self.ui.errorLabel, text)
            self._log(text)
        self.run.say(self.ui.warningLabel, "\n".join(job.warnings))

    def _resultText(self, job) -> str:
        """What was made, by what, and how far it can be trusted."""
        reports = list(job.reports.values())
        titles = {name: info.title for name, info in self._methods.items()}
        methods = list(dict.fromkeys(titles[each["method"]] for each in reports))
        lines = [_sequenceText(job) if isinstance(job, SequenceJob) else _volumesText(job)]
        lines.append(_("Method: {titles}.").format(titles=", ".join(methods)))
        return "\n".join([*lines, *dict.fromkeys(each["trust"] for each in reports)])


def _textAt(indexValue: str, marked: ownholes.Marked, changing) -> str:
    """The hole of a frame; ``changing`` is the sequence of the segmentation, where that is another one in each."""
    if changing is None or not marked.isThere:
        return marked.text
    if not sequences.hasFrame(changing, indexValue):
        return _("'{sequence}' has nothing here").format(sequence=changing.GetName())
    return _("{segments} (of this frame)").format(segments=marked.text)


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
        text += " " + _("The others are in it as they were.")
    if job.uncertaintySequence is not None:
        text += "\n" + _("Uncertainty: '{name}'.").format(name=job.uncertaintySequence.GetName())
    return text


def _ownValues(info, values: dict) -> str:
    """A method's parameters that are not the defaults, in brackets."""
    changed = [
        f"{each.name.replace('_', ' ')} {values[each.name]}{f' {each.unit}' if each.unit else ''}"
        for each in info.describe()
        if values.get(each.name, each.default) != each.default
    ]
    return f" ({', '.join(changed)})" if changed else ""


def _quoted(nodes) -> str:
    return ", ".join(f"'{each.GetName()}'" for each in nodes)


def _methods() -> dict:
    import MedInpaintLib

    return MedInpaintLib.methods()
