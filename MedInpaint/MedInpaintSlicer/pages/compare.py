"""The section "Compare" of a tab: before and after, difference and uncertainty in the slice views; and Undo."""

from typing import Any

import qt
from slicer.i18n import tr as _

from ..nodes import difference, views
from ..nodes.outline import Outline

#: How long (ms) each of the two is seen while they flicker.
FLICKER = 600


class Compare:
    """A comparison of a result with what was there before, in all slice views.

    Two layers: the one below, and the one above, whose opacity is the slider. Before and after are those two; a
    difference or an uncertainty lies over the result.
    """

    def __init__(self, ui, undone, gone) -> None:
        """Bind the widgets.

        Args:
            ui: has the widgets of Compare.ui.
            undone: called when a result was taken back.
            gone: called when a result, or what it was made of, was removed by hand.
        """
        self._ui = ui
        self._undone = undone
        self._gone = gone
        self._removals = views.Removals(self._onRemoved)
        self._job: Any = None
        self._before: Any = None
        self._layers: views.Layers | None = None
        self._outline: Outline | None = None
        self._piece = 0
        self._offering = False
        self._timer = qt.QTimer()
        self._timer.setInterval(FLICKER)
        self._timer.timeout.connect(self._flick)
        ui.compareCombo.connect("currentIndexChanged(int)", lambda index: self._onView())
        ui.fadeSlider.connect("valueChanged(int)", lambda value: self._showLayers())
        ui.flickerButton.connect("toggled(bool)", self._onFlicker)
        ui.outlineBox.connect("toggled(bool)", self._onOutline)
        ui.nextPieceButton.connect("clicked(bool)", lambda checked: self.showPiece(self._piece + 1))
        ui.undoButton.connect("clicked(bool)", lambda checked: self.undo())
        self.clear()

    def show(self, job) -> None:
        """Show a job that is done.

        What was filled is compared with what was there before. What was newly made (a job without a segmentation) is
        laid over the volume that it was made of, and a difference of the two would mean nothing.
        """
        self.clear()
        self._job, self._before, self._layers = job, job.inputVolume, views.Layers()
        if self._isFill():
            self._outline = Outline(job.segmentation, job.segmentIds)
            self._outline.show(self._ui.outlineBox.checked)
        self._removals.observe(self._before, job.outputVolume)
        self._offerViews()
        self._ui.fadeSlider.value = self._ui.fadeSlider.maximum
        pieces = self._pieces()
        self._ui.outlineBox.enabled = self._isFill()
        self._ui.nextPieceButton.enabled = len(pieces) > 1
        self._ui.compareCollapsibleButton.visible = True
        if pieces:
            self.showPiece(0)
        self._showLayers()

    def clear(self) -> None:
        """Forget the result; the views keep what they show, and segments look as before."""
        self.rest()
        self._hideLegends()
        self._removals.observe()
        if self._outline is not None:
            self._outline.restore()
        self._ui.compareCollapsibleButton.visible = False
        self._job = self._before = self._layers = self._outline = None

    def rest(self) -> None:
        """Stop what moves by itself: nobody looks at this section."""
        self._ui.flickerButton.checked = False

    def pause(self) -> None:
        """Let segments look as ever: the user goes to another module."""
        self.rest()
        if self._outline is not None:
            self._outline.restore()

    def resume(self) -> None:
        """Show the comparison again: the user is back."""
        if self._outline is not None:
            self._outline.show(self._ui.outlineBox.checked)

    def undo(self) -> None:
        """Take the result back, and let the views show what they showed before it."""
        job, layers = self._job, self._layers
        if job is None or layers is None:
            return
        self.clear()
        job.undo()
        layers.show()
        self._undone()

    def showPiece(self, number: int) -> None:
        """Let the views go through a piece of the hole: the largest is 0, and after the smallest comes the largest."""
        pieces = self._pieces()
        if pieces:
            self._piece = number % len(pieces)
            views.jumpTo(pieces[self._piece])
            words = _("Next piece ({number} of {count})").format(number=self._piece + 1, count=len(pieces))
            self._ui.nextPieceButton.text = words

    def _pieces(self) -> tuple:
        centers = getattr(self._job, "centers", ())
        return views.inWorld(self._before, centers) if self._isThere() else ()

    def _isThere(self) -> bool:
        """Tell whether both volumes are still in the scene."""
        nodes = (self._before, self._job.outputVolume) if self._job is not None else (None,)
        return all(node is not None and node.GetScene() is not None for node in nodes)

    def _isFill(self) -> bool:
        return self._job.segmentation is not None

    def _ends(self) -> tuple[str, str]:
        """Return what the result, and what it was made of, are called."""
        return (_("Before"), _("After")) if self._isFill() else (_("Source"), _("Estimate"))

    def _offerViews(self) -> None:
        self._offering = True
        combo = self._ui.compareCombo
        combo.clear()
        if self._isFill():
            combo.addItem(_("Before and after"), "before")
            if difference.canDiffer(self._before, self._job.outputVolume):
                combo.addItem(_("Difference"), "difference")
        else:
            combo.addItem(_("Source and estimate"), "before")
        if getattr(self._job, "uncertaintyVolume", None) is not None:
            combo.addItem(_("Uncertainty"), "uncertainty")
        self._ui.belowLabel.text, self._ui.aboveLabel.text = self._ends()
        self._offering = False

    def _onView(self) -> None:
        if self._offering or not self._isThere():
            return
        self._hideLegends()
        # What was chosen is seen at once, wherever the slider was left.
        self._ui.fadeSlider.value = self._ui.fadeSlider.maximum
        view = self._ui.compareCombo.currentData
        below, above = self._ends()
        if view != "before":
            below, above = above, self._ui.compareCombo.currentText
        self._ui.belowLabel.text, self._ui.aboveLabel.text = below, above
        self._showLayers()
        if view != "before" and self._above() is not self._job.outputVolume:
            # Only now: a legend looks for its volume in the views when it is made.
            views.showLegend(self._above(), self._ui.compareCombo.currentText)

    def _above(self):
        """Return the volume on top: the result, its difference, or its uncertainty."""
        view, job = self._ui.compareCombo.currentData, self._job
        if view == "difference" and difference.canDiffer(self._before, job.outputVolume):
            made = difference.differenceOf(self._before, job.outputVolume)
            if made not in job.created:
                job.created.append(made)
            return made
        if view == "uncertainty" and job.uncertaintyVolume.GetScene() is not None:
            return job.uncertaintyVolume
        return job.outputVolume

    def _showLayers(self) -> None:
        if self._offering or not self._isThere():
            return
        below = self._before if self._ui.compareCombo.currentData == "before" else self._job.outputVolume
        views.showLayers(below, self._above(), self._ui.fadeSlider.value / self._ui.fadeSlider.maximum)

    def _hideLegends(self) -> None:
        for node in self._job.created if self._job is not None else ():
            if node.GetScene() is not None:
                views.hideLegend(node)

    def _onRemoved(self) -> None:
        self.clear()
        self._gone()

    def _onFlicker(self, on: bool) -> None:
        if on:
            self._timer.start()
        else:
            self._timer.stop()
            if self._job is not None:
                self._ui.fadeSlider.value = self._ui.fadeSlider.maximum

    def _flick(self) -> None:
        slider = self._ui.fadeSlider
        slider.value = 0 if slider.value > slider.maximum / 2 else slider.maximum

    def _onOutline(self, on: bool) -> None:
        if self._outline is not None:
            self._outline.show(on)
