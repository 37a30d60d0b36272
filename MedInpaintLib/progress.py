"""Progress and cancellation, in one small object that is passed along."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from .errors import Cancelled

#: Seconds between two reports: 20 a second look smooth, and thousands would cost more than some fills.
INTERVAL = 0.05


class Progress:
    """A receiver of progress, which stops the work when the user asks.

    ``report(fraction, stage)`` is called with a fraction in 0..1 that never decreases: at the first update, at the one
    that reaches 1, and in between at most once in :data:`INTERVAL`, so short stages may go unreported. ``cancelled()``
    is asked at every update; when it returns True, :class:`Cancelled` is raised there, so loops need only that.

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
        self._reported_at = -float("inf")

    def update(self, fraction: float, stage: str = "") -> None:
        """Say that ``fraction`` (0..1) is done and that ``stage`` is being worked on."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("Cancelled; nothing was written.")
        before, self._furthest = self._furthest, max(self._furthest, min(float(fraction), 1.0))
        now = monotonic()
        just_done = before < 1.0 <= self._furthest
        if self._report is not None and (just_done or now - self._reported_at >= INTERVAL):
            self._reported_at = now
            self._report(self._furthest, stage)

    def part(self, start: float, stop: float, of: str = "") -> Progress:
        """Return a progress for the share ``start..stop`` of this one; ``of``, where given, goes before its stages."""
        return _Part(self, start, stop, of)


class _Part(Progress):
    """A part that passes every update on: only the whole knows when it last reported and whether to stop."""

    def __init__(self, whole: Progress, start: float, stop: float, of: str = "") -> None:
        super().__init__()
        self._whole, self._start, self._stop, self._of = whole, start, stop, of

    def update(self, fraction: float, stage: str = "") -> None:
        done = min(max(float(fraction), 0.0), 1.0)
        named = ": ".join(each for each in (self._of, stage) if each)
        self._whole.update(self._start + (self._stop - self._start) * done, named)
