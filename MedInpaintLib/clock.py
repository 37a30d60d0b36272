"""Where the time goes."""

from __future__ import annotations

import time


class Clock:
    """Wall-clock seconds by stage."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._stages: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._stages[stage] = self._stages.get(stage, 0.0) + now - self._last
        self._last = now

    def add(self, stages: dict[str, float]) -> None:
        """Add the stages of work that was done meanwhile; the time since the last lap counts as theirs."""
        for stage, seconds in stages.items():
            self._stages[stage] = self._stages.get(stage, 0.0) + seconds
        self._last = time.perf_counter()

    def stages(self) -> dict[str, float]:
        """Return the seconds by stage."""
        return dict(self._stages)

    def seconds(self) -> dict[str, float]:
        """Return the seconds by stage and in total, rounded for a report."""
        total = {**self._stages, "total": time.perf_counter() - self._start}
        return {stage: round(seconds, 4) for stage, seconds in total.items()}
