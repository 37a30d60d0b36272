"""The check of the installation: the engine's own diagnosis, in the kind of process in which it computes."""

from collections.abc import Callable

from slicer.i18n import tr as _

from .. import layout
from . import process


class Check:
    """A diagnosis that runs, or has run."""

    def __init__(
        self, tell: Callable[[str], None], finished: Callable[[], None], runner: process.Runner | None = None
    ) -> None:
        """Start the diagnosis.

        Args:
            tell: called with each of its lines.
            finished: called once it has ended by itself.
            runner: starts the process.
        """
        self._tell = tell
        self._finished = finished
        self._runner = runner or process.BackgroundRunner()
        self._cancelled = False
        self._runner.start(process.engineCommand("diagnosis"), str(layout.engineFolder()), self._hear, self._onExit)

    def cancel(self) -> None:
        """Stop the diagnosis; no callback is called any more."""
        self._cancelled = True
        self._runner.kill()

    def _hear(self, line: str) -> None:
        if not self._cancelled:
            self._tell(line)

    def _onExit(self, exitCode: int) -> None:
        if self._cancelled:
            return
        if exitCode not in (0, 1):  # these two the diagnosis has explained itself
            self._tell(_("The check ended before it was done ({how}).").format(how=process.howItEnded(exitCode)))
        self._finished()
