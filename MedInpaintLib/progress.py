"""Progress and cancellation, in one small object that is passed along."""

from __future__ import annotations

import itertools
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
        self._begun: float | None = None

    def update(self, fraction: float, stage: str = "") -> None:
        """Say that ``fraction`` (0..1) is done and that ``stage`` is being worked on."""
        self._begin()
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

    def remaining(self, *seconds: float) -> list[Progress]:
        """Return a progress for each stage that is left, where the time until now counts as what is done.

        Args:
            seconds: what each stage is expected to take.
        """
        done = monotonic() - self._begin()
        total = max(done + sum(seconds), 1e-9)
        edges = [done / total]
        for each in seconds:
            edges.append(edges[-1] + each / total)
        return [self.part(start, stop) for start, stop in itertools.pairwise(edges)]

    def _begin(self) -> float:
        """Return when the first update came."""
        if self._begun is None:
            self._begun = monotonic()
        return self._begun

    def before(self, seconds: float) -> Progress:
        """Return a progress for all but a last stage that is expected to take so many seconds."""
        return _Before(self, seconds)


class _Before(Progress):
    """A progress that leaves room for a last stage, as soon as it is known what the others take."""

    def __init__(self, whole: Progress, last: float) -> None:
        super().__init__()
        self._whole, self._last, self._share = whole, last, 1.0

    def update(self, fraction: float, stage: str = "") -> None:
        self._whole.update(fraction * self._share, stage)

    def remaining(self, *seconds: float) -> list[Progress]:
        *shares, last = self._whole.remaining(*seconds, self._last)
        assert isinstance(last, _Part)
        self._share = last.start
        return shares


class _Part(Progress):
    """A part that passes every update on: only the whole knows when it last reported and whether to stop."""

    def __init__(self, whole: Progress, start: float, stop: float, of: str = "") -> None:
        super().__init__()
        self._whole, self.start, self._stop, self._of = whole, start, stop, of

    def update(self, fraction: float, stage: str = "") -> None:
        self._begin()
        done = min(max(float(fraction), 0.0), 1.0)
        named = ": ".join(each for each in (self._of, stage) if each)
        self._whole.update(self.start + (self._stop - self.start) * done, named)
