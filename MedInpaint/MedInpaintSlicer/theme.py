"""Slicer's light and dark look."""

import qt
import slicer

from . import layout


def isDark() -> bool:
    """Whether text is bright on a dark ground."""
    return slicer.app.palette().color(qt.QPalette.Window).lightness() < 128


def icon(name: str):
    """Return an icon of the module for Slicer's current background.

    Args:
        name: of the file in Resources/Icons, without its ending; the one for dark grounds ends in "Dark".
    """
    return qt.QIcon(str(layout.resourcePath(f"Icons/{name}{'Dark' if isDark() else ''}.png")))
