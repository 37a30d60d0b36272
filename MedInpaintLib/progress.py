"""Progress and cancellation, as one small object that is handed down the road."""

from __future__ import annotations

from collections.abc import Callable

from .errors import Cancelled


class Progress:
    """Tells how far the work is, and stops it when the user asks.

    ``report(fraction, stage)`` is called with a fraction in 0..1 that never decreases. ``cancelled()`` is asked at
    every update; when it returns True, :class:`Cancelled` is raised there, so long loops need nothing but ``update``.

    >>> seen = []
    >>> progress = Progress(report=lambda fraction, stage: seen.append((fraction, stage)))
    >>> progress.part(0.5, 1.0).update(0.5, "fill")
    >>> seen
    [(0.75, 'fill')]
    """

    def __init__(
        self,
        report: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._report = report
        self._cancelled = cancelled
        self._furthest = 0.0

    def update(self, fraction: float, stage: str = "") -> None:
        """Report that ``fraction`` (0..1) is done and that ``stage`` is being worked on."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("Cancelled; nothing was written.")
        self._furthest = max(self._furthest, min(float(fraction), 1.0))
        if self._report is not None:
            self._report(self._furthest, stage)

    def part(self, start: float, stop: float) -> Progress:
        """A progress of its own for the share ``start..stop`` of this one."""
        return Progress(
            report=lambda fraction, stage: self.update(start + (stop - start) * fraction, stage),
        )
