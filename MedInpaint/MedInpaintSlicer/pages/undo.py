"""The button "Undo" of tabs whose results are not compared."""

from collections.abc import Callable
from typing import Any


class UndoButton:
    """A button that undoes the last run; visible while any node of its result is still there."""

    def __init__(self, button, undone: Callable[[], None]) -> None:
        """Bind a button.

        Args:
            button: the button.
            undone: called when a result was taken back.
        """
        self._button = button
        self._undone = undone
        self._restore: Callable[[], None] | None = None
        self._job: Any = None
        button.connect("clicked(bool)", lambda checked: self.undo())
        self.show()

    def offer(self, job, restore: Callable[[], None]) -> None:
        """Offer to take back a job that has ended.

        Args:
            job: has ``created``, the nodes that it has put into the scene, and ``undo()``.
            restore: makes everything else what it was before, once the nodes have gone.
        """
        self._job, self._restore = job, restore
        self.show()

    def show(self) -> None:
        """Show the button where there is something to take back: the user may have removed it meanwhile."""
        created = self._job.created if self._job is not None else ()
        self._button.visible = any(each.GetScene() is not None for each in created)

    def clear(self) -> None:
        """Forget the last run."""
        self._job = self._restore = None
        self.show()

    def undo(self) -> None:
        """Take it back."""
        job, restore = self._job, self._restore
        if job is None or restore is None:
            return
        self.clear()
        job.undo()
        restore()
        self._undone()
