"""The log at the lower end of the panel, which users copy into a problem report."""

import logging
import time

import qt
import slicer
from slicer.i18n import tr as _

from .jobs import check


class Log:
    """The panel's log, which can also check the installation."""

    def __init__(self, ui) -> None:
        """Bind the log's widgets; ``ui`` has them by name."""
        self._ui = ui
        self._check: check.Check | None = None
        ui.copyLogButton.connect("clicked(bool)", lambda checked: self.copy())
        ui.clearLogButton.connect("clicked(bool)", lambda checked: ui.logEdit.clear())
        ui.checkInstallationButton.connect("clicked(bool)", lambda checked: self.checkInstallation())

    def add(self, text: str) -> None:
        """Add a text; each line gets the time of day."""
        now = time.strftime("%H:%M:%S")
        for line in text.splitlines():
            self._ui.logEdit.appendPlainText(f"{now}  {line}")

    def copy(self) -> None:
        """Copy the log to the clipboard."""
        qt.QApplication.clipboard().setText(self._ui.logEdit.toPlainText())

    def checkInstallation(self) -> None:
        """Print versions, devices, models and memory, as the engine sees them in its own process."""
        self._ui.logCollapsibleButton.collapsed = False
        self._ui.checkInstallationButton.enabled = False
        self.add(_("Checking the installation..."))
        self.add(f"Slicer {slicer.app.applicationVersion}")
        try:
            self._check = check.Check(self.add, self._onChecked)
        except Exception as error:
            # Report it in the log: a process that does not start (no Python, no memory) is a result of this check.
            logging.exception("MedInpaint: the installation cannot be checked")
            reason = str(error) or type(error).__name__
            self.add(_("The engine's process cannot be started: {reason}").format(reason=reason))
            self.add(
                _("Close other programs and try again; if that does not help, install Slicer and MedInpaint again.")
            )
            self._onChecked()

    def close(self) -> None:
        """Release everything before the widgets are destroyed."""
        if self._check is not None:
            self._check.cancel()

    def _onChecked(self) -> None:
        self._check = None
        self._ui.checkInstallationButton.enabled = True
