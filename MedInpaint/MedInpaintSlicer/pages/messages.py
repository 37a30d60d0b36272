"""The panel's messages, in labels that are as tall as their text and can be scrolled to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

from .. import parts

if TYPE_CHECKING:
    from MedInpaintLib.report import FillReport

#: After this time (ms) the labels have their new positions.
SETTLED = 100

#: The time left is shown from this fraction and this time (s) on; before, it would jump.
EARLIEST_FRACTION, EARLIEST = 0.05, 2.0


def say(label, text: str) -> None:
    """Show a text in a label; hide the label if the text is empty."""
    if text and label.styleSheet:
        # Otherwise a label with a style sheet keeps the text color of the theme in which it was made.
        label.styleSheet = label.styleSheet
    label.text = text
    label.visible = bool(text)


class FittedLabels:
    """Word-wrapped labels that are kept as tall as their text needs at the panel's width.

    The minimum height of a label is one or two lines, however long its text; in a small panel, layouts would squeeze
    the widgets into each other instead of letting the panel scroll.
    """

    def __init__(self, panel, labels) -> None:
        """Keep the labels, anywhere in the panel, fitted to its width."""
        self._labels = labels
        self._seen = _SightObserver(panel, self.fitSoon)

    def stop(self) -> None:
        """Forget the labels before the panel is destroyed."""
        self._labels = ()

    def fitSoon(self) -> None:
        """Fit after the layouts have set the labels' widths, which takes a while when the window is resized."""
        for delay in (0, SETTLED):
            qt.QTimer.singleShot(delay, self.fit)

    def fit(self) -> None:
        """Set the minimum heights."""
        for label in self._labels:
            # Reset it first, because the height for a width is never less than the minimum height.
            label.minimumHeight = 0
            if label.text and label.visible:
                label.minimumHeight = max(label.heightForWidth(label.width), 0)

    def reveal(self, *labels) -> None:
        """Scroll the panel to labels in a scroll area after they are laid out; the last one wins."""

        def scroll() -> None:
            self.fit()
            # In another module, the labels are not visible.
            for label in labels:
                area = scrollAreaAround(label) if label in self._labels and label.visible else None
                if area is not None:
                    area.ensureWidgetVisible(label, 0, 0)

        # Twice: widgets shown at the same time, such as a section below, get their positions later.
        for delay in (SETTLED, 3 * SETTLED):
            qt.QTimer.singleShot(delay, scroll)


def scrollAreaAround(widget):
    """Return the innermost scroll area around a widget, or None."""
    while widget is not None and not hasattr(widget, "ensureWidgetVisible"):
        widget = widget.parentWidget()
    return widget


def timeLeft(fraction: float, seconds: float) -> str:
    """Say how long a run may still take; empty while that is unknown.

    Args:
        fraction: of the work that is done, 0..1.
        seconds: since the start.
    """
    if fraction < EARLIEST_FRACTION or fraction >= 1 or seconds < EARLIEST:
        return ""
    left = seconds * (1 - fraction) / fraction
    if left < 60:
        return _("about {count} s left").format(count=max(1, round(left)))
    return _("about {count} min left").format(count=round(left / 60))


def fillText(name: str, titles: Mapping[str, str], report: "FillReport") -> str:
    """Describe a fill.

    Args:
        name: the result's name.
        titles: method name -> title in the panel.
        report: the engine's report.
    """
    hole = report["hole"]
    headline = _("'{name}' is filled: {volume:.3g} mL in {parts} part(s), {seconds:.1f} s.").format(
        name=name, volume=hole["volume_ml"], parts=hole["components"], seconds=report["seconds"]["total"]
    )
    place = parts.placeText(report)
    return "\n".join([headline, parts.methodText(report, titles), *([place] if place else []), report["trust"]])


def derivedTexts(job) -> list[str]:
    """Name what was made besides a fill, and say what the uncertainty rests on."""
    texts = []
    if job.uncertaintyVolume is not None:
        basis = (job.report.get("uncertainty") or {}).get("basis", "")
        known = _("Uncertainty: '{name}', {basis}.") if basis else _("Uncertainty: '{name}'.")
        texts.append(known.format(name=job.uncertaintyVolume.GetName(), basis=basis))
    if job.samplesSequence is not None:
        count, name = job.samplesSequence.GetNumberOfDataNodes(), job.samplesSequence.GetName()
        texts.append(_("{count} samples: '{name}'; play them in the toolbar Sequences.").format(count=count, name=name))
    return texts


def segmentsComplaint(segmentation) -> str:
    """Say in a line why no segment of this segmentation can be chosen; empty when one can."""
    if segmentation is None:
        return _("Choose the segmentation that marks the hole.")
    if segmentation.GetSegmentation().GetNumberOfSegments() == 0:
        return _("The segmentation has no segments; mark the hole in the Segment Editor first.")
    return ""


class _SightObserver(qt.QObject):
    """An observer of a widget's width and visibility: in a hidden tab, labels have no height."""

    def __init__(self, widget, changed) -> None:
        super().__init__()
        self._width = -1
        self._changed = changed
        widget.installEventFilter(self)

    def eventFilter(self, watched, event) -> bool:
        resized = event.type() == qt.QEvent.Resize and watched.width != self._width
        if resized or event.type() == qt.QEvent.Show:
            self._width = watched.width
            self._changed()
        return False
