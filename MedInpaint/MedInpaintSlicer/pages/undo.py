"""The button "Undo" of tabs without a comparison."""

from collections.abc import Callable
from typing import Any


class UndoButton:
    """A button that undoes the last run; visible while any node of its result is still there."""

    def __init__(self, button, undone: Callable[[], None]) -> None:
        """Bind a button; ``undone`` is called after Undo."""
        self._button = button
        self._undone = undone
        self._restore: Callable[[], None] | None = None
        self._job: Any = None
        button.connect("clicked(bool)", lambda checked: self.undo())
        self.show()

    def offer(self, job, restore: Callable[[], None]) -> None:
        """Offer to undo a job that has ended.

        Args:
            job: has ``created``, the nodes that it has added to the scene, and ``undo()``.
            restore: restores everything else after the nodes are removed.
        """
        self._job, self._restore = job, restore
        self.show()

    def show(self) -> None:
        """Show the button while any node of the result is still in the scene."""
        created = self._job.created if self._job is not None else ()
        self._button.visible = any(each.GetScene() is not None for each in created)

    def clear(self) -> None:
        """Forget the last run."""
        self._job = self._restore = None
        self.show()

    def undo(self) -> None:
        """Undo the last run."""
        job, restore = self._job, self._restore
        if job is None or restore is None:
            return
        self.clear()
        job.undo()
        restore()
        self._undone()
