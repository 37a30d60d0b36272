"""The box "Live preview": a smooth fill of the segments in the slice views while they are painted."""

import dataclasses
import logging
from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from ..nodes import changes, livepreview, views
from ..nodes.outline import Outline

#: The preview follows this time (ms) after the last change, so that it is no hindrance to quick strokes.
DELAY = 100


@dataclasses.dataclass(frozen=True)
class Marks:
    """What is previewed: segments of a volume, grown by some mm."""

    volumeNode: Any
    segmentationNode: Any
    segmentIds: tuple[str, ...]
    growMm: float = 0.0


def stop() -> None:
    """End the live preview that is shown, wherever its box is."""
    if LivePreviewBox.current is not None:
        LivePreviewBox.current.stop()


class LivePreviewBox:
    """A check box that shows a live preview over the volume until it is unchecked.

    The work is done on the main thread, on the part under the brush alone, and waits while a mouse button is down: a
    thread of Python's would only run while Slicer's own code runs Python.

    One preview is shown at a time, since all of them set the same layer of the views and the look of segments.
    """

    #: The one whose box is checked.
    current: "LivePreviewBox | None" = None

    def __init__(self, box, say: Callable[[str], None], marks: Callable[[], Marks | None]) -> None:
        """Bind a check box.

        Args:
            box: the check box, whose signal ``toggled(bool)`` calls :meth:`show`.
            say: shows a message; an empty one removes it.
            marks: returns what to preview now; None while something is not chosen.
        """
        self._box, self._say, self._marks = box, say, marks
        self._preview: livepreview.LivePreview | None = None
        self._outlined: tuple = ()
        self._outline: Outline | None = None
        self._layer = views.Layer("Foreground")
        self._strokes = changes.StrokesObserver(self.refresh)
        self._removals = views.Removals(self.stop)
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self._follow)
        say("")

    def show(self, on: bool) -> None:
        """Begin or end the preview."""
        self._say("")
        if on:
            if LivePreviewBox.current is not self:
                stop()
            LivePreviewBox.current = self
            self._follow()
        else:
            if LivePreviewBox.current is self:
                LivePreviewBox.current = None
            self._end()

    def refresh(self) -> None:
        """Follow changed choices or segments soon."""
        if self._box.checked:
            self._timer.start()

    def stop(self) -> None:
        """Uncheck the box, which removes the preview."""
        self._box.checked = False

    def _end(self) -> None:
        """Remove the preview, and follow no more strokes."""
        self._strokes.observe(())
        self._hide()

    def _hide(self) -> None:
        """Remove the preview, and show the views and segments as before."""
        self._timer.stop()
        self._removals.observe()
        self._layer.restore()
        self._showOutline(None)
        preview, self._preview = self._preview, None
        if preview is not None:
            preview.remove()

    def _follow(self) -> None:
        """Show the fill of what is marked now."""
        if not self._box.checked:
            return
        if qt.QApplication.mouseButtons():  # the next stroke has begun
            self._timer.start()
            return
        from MedInpaintLib.errors import in_one_line, is_fault

        marks = self._marks()
        if marks is None:
            self._hide()
            self._say(_("The preview begins when a volume and a segment are chosen."))
            return
        try:
            self._show(marks)
        except Exception as error:  # the user paints on; without a preview
            if is_fault(error):
                logging.error("MedInpaint: the live preview failed", exc_info=error)
            self.stop()
            self._say(in_one_line(error))

    def _show(self, marks: Marks) -> None:
        preview = self._preview
        if preview is None or not preview.isOf(marks.volumeNode):
            self._hide()
            preview = self._preview = livepreview.LivePreview(marks.volumeNode)
            self._layer.show(preview.node)
        self._showOutline(marks)
        self._strokes.observe((marks.segmentationNode, marks.volumeNode))
        self._removals.observe(marks.volumeNode, marks.segmentationNode, preview.node)
        leftOut = preview.follow(marks.segmentationNode, marks.segmentIds, marks.growMm)
        self._say(
            _("{count} part(s) are too large or too many for a preview; Apply fills them.").format(count=leftOut)
            if leftOut
            else _("A smooth fill follows each stroke; Apply fills by the chosen method.")
        )

    def _showOutline(self, marks: Marks | None) -> None:
        """Show the previewed segments as outlines, since their color would hide the fill; all others as before."""
        outlined = () if marks is None else (marks.segmentationNode, marks.segmentIds)
        if outlined != self._outlined:
            if self._outline is not None:
                self._outline.restore()
            self._outlined = outlined
            self._outline = None if marks is None else Outline(*outlined)
        if self._outline is not None:  # also where something else has shown the segments' color since
            self._outline.show(True)
