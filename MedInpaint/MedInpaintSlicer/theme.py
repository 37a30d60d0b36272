"""Slicer's light and dark look."""

import qt
import slicer

from . import layout


def isDark() -> bool:
    """Return whether text is bright on a dark background."""
    return slicer.app.palette().color(qt.QPalette.Window).lightness() < 128


def icon(name: str):
    """Return an icon from Resources/Icons by its file name without ending; that for dark themes ends in "Dark"."""
    return qt.QIcon(str(layout.resourcePath(f"Icons/{name}{'Dark' if isDark() else ''}.png")))
