"""The section "Compare" of a tab: before and after, difference and uncertainty in the slice views; and Undo."""

from typing import Any

import qt
from slicer.i18n import tr as _

from ..nodes import difference, views
from ..nodes.outline import Outline
from .atlasedges import AtlasEdges
from .lesionback import LesionBack

#: While the two flicker, each is shown for this time (ms).
FLICKER = 600


class Compare:
    """A comparison of a result with its input in all slice views.

    The slider sets the opacity of the upper layer. The layers are before and after, or the result below its difference
    or uncertainty.
    """

    def __init__(self, ui, undone, gone) -> None:
        """Bind the widgets.

        Args:
            ui: has the widgets of Compare.ui and LesionBack.ui.
            undone: called after Undo.
            gone: called when the user has removed the result or its input.
        """
        self._ui = ui
        self._undone = undone
        self._gone = gone
        self._lesionBack = LesionBack(ui)
        self._atlasEdges = AtlasEdges(ui)
        self._removals = views.Removals(self._onRemoved)
        self._job: Any = None
        self._before: Any = None
        self._layers: views.Layers | None = None
        self._outline: Outline | None = None
        self._part = 0
        self._offering = False
        self._timer = qt.QTimer()
        self._timer.setInterval(FLICKER)
        self._timer.timeout.connect(self._flick)
        ui.compareCombo.connect("currentIndexChanged(int)", lambda index: self._onView())
        ui.fadeSlider.connect("valueChanged(int)", lambda value: self._showLayers())
        ui.flickerButton.connect("toggled(bool)", self._onFlicker)
        ui.outlineBox.connect("toggled(bool)", self._onOutline)
        ui.nextPieceButton.connect("clicked(bool)", lambda checked: self.showPart(self._part + 1))
        ui.undoButton.connect("clicked(bool)", lambda checked: self.undo())
        self.clear()

    def show(self, job) -> None:
        """Show a job that is done.

        A fill is compared with its input. An estimate (a job without a segmentation) is shown over its source, without
        a difference, which would be meaningless.
        """
        self.clear()
        self._job, self._before, self._layers = job, job.inputVolume, views.Layers()
        if self._isFill():
            self._outline = Outline(job.segmentation, job.segmentIds)
            self._outline.show(self._ui.outlineBox.checked)
            self._lesionBack.show(job)
            self._atlasEdges.show(job)
        self._removals.observe(self._before, job.outputVolume)
        self._offerViews()
        self._ui.fadeSlider.value = self._ui.fadeSlider.maximum
        parts = self._parts()
        self._ui.outlineBox.enabled = self._isFill()
        self._ui.nextPieceButton.enabled = len(parts) > 1
        self._ui.compareCollapsibleButton.visible = True
        if parts:
            self.showPart(0)
        self._showLayers()

    def clear(self) -> None:
        """Forget the result; the views do not change, and segments look as before."""
        self.rest()
        self._hideLegends()
        self._lesionBack.clear()
        self._atlasEdges.clear()
        self._removals.observe()
        if self._outline is not None:
            self._outline.restore()
        self._ui.compareCollapsibleButton.visible = False
        self._job = self._before = self._layers = self._outline = None

    def rest(self) -> None:
        """Stop the flicker when this section is not visible."""
        self._ui.flickerButton.checked = False

    def pause(self) -> None:
        """Restore the look of the segments while the user is in another module."""
        self.rest()
        self._atlasEdges.pause()
        if self._outline is not None:
            self._outline.restore()

    def resume(self) -> None:
        """Show the comparison again when the user returns."""
        self._atlasEdges.resume()
        if self._outline is not None:
            self._outline.show(self._ui.outlineBox.checked)

    def undo(self) -> None:
        """Remove the result, and show again what the views showed before."""
        job, layers = self._job, self._layers
        if job is None or layers is None:
            return
        self.clear()
        job.undo()
        layers.show()
        self._undone()

    def showPart(self, number: int) -> None:
        """Center the views on a part of the hole: the worst is 0, and after the last one comes the worst again."""
        parts = self._parts()
        if parts:
            self._part = number % len(parts)
            views.jumpTo(parts[self._part])
            words = _("Next part ({number} of {count})").format(number=self._part + 1, count=len(parts))
            self._ui.nextPieceButton.text = words

    def _parts(self) -> tuple:
        centers = getattr(self._job, "centers", ())
        return views.inWorld(self._before, centers) if self._isThere() else ()

    def _isThere(self) -> bool:
        """Tell whether both volumes are still in the scene."""
        nodes = (self._before, self._job.outputVolume) if self._job is not None else (None,)
        return all(node is not None and node.GetScene() is not None for node in nodes)

    def _isFill(self) -> bool:
        return self._job.segmentation is not None

    def _ends(self) -> tuple[str, str]:
        """Return the titles of the input and of the result."""
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
        # Show the choice at once, wherever the slider was.
        self._ui.fadeSlider.value = self._ui.fadeSlider.maximum
        view = self._ui.compareCombo.currentData
        below, above = self._ends()
        if view != "before":
            below, above = above, self._ui.compareCombo.currentText
        self._ui.belowLabel.text, self._ui.aboveLabel.text = below, above
        self._showLayers()
        if view != "before" and self._above() is not self._job.outputVolume:
            # Only now, because a legend looks for its volume in the views when it is made.
            views.showLegend(self._above(), self._ui.compareCombo.currentText)

    def _above(self):
        """Return the volume on top: the result, its difference, or its uncertainty."""
        view, job = self._ui.compareCombo.currentData, self._job
        if view == "difference" and difference.canDiffer(self._before, job.outputVolume):
            node = difference.differenceOf(self._before, job.outputVolume)
            if node not in job.created:
                job.created.append(node)
            return node
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
