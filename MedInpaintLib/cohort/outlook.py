"""How long a cohort still takes."""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic

from .case import Outcome


class Outlook:
    """The time left, from what the cases so far took.

    Cases that an earlier run did are quick, and mostly come first, so that the mean of all would promise far too
    little: they have a mean of their own, and whether a case is one of them is guessed from its record.

    Args:
        ids: of all cases.
        recorded: of those that have a record.
        at_once: how many cases are worked on at a time; None: as many as were seen to be.
    """

    def __init__(self, ids: Collection[str], recorded: Collection[str], at_once: int | None) -> None:
        self._recorded = frozenset(recorded)
        self._left = {True: len(self._recorded), False: len(ids) - len(self._recorded)}
        self._at_once, self._seen_at_once = at_once, 1
        self._begun: dict[str, float] = {}
        self._took: dict[bool, tuple[float, int]] = {False: (0.0, 0), True: (0.0, 0)}

    def begin(self, case: str) -> None:
        """Note that a case is worked on, from now on unless it was noted before."""
        self._begun.setdefault(case, monotonic())
        self._seen_at_once = max(self._seen_at_once, len(self._begun))

    def complete(self, case: str, outcome: Outcome) -> None:
        """Note that a case is over."""
        self._left[case in self._recorded] -= 1
        now = monotonic()
        seconds, count = self._took[outcome.skipped]
        self._took[outcome.skipped] = seconds + now - self._begun.pop(case, now), count + 1

    def seconds(self) -> float | None:
        """Return about how many seconds are left; None before anything is known of such cases."""
        total = longest = 0.0
        now = monotonic()
        for skipped, count in self._left.items():
            if not count:
                continue
            mean = self._mean(skipped)
            if mean is None:
                return None
            begun = [then for case, then in self._begun.items() if (case in self._recorded) == skipped]
            rests = [max(mean - (now - then), 0.0) for then in begun]
            rests += [mean] * (count > len(begun))
            total += sum(rests) + mean * max(count - len(begun) - 1, 0)
            longest = max(longest, *rests)
        return max(total / (self._at_once or self._seen_at_once), longest)

    def _mean(self, skipped: bool) -> float | None:
        seconds, count = self._took[skipped]
        if count:
            return seconds / count
        # Records that turn out to be of other inputs: their cases take what the others take.
        seconds, count = self._took[not skipped]
        return seconds / count if skipped and count else None


def spoken(seconds: float) -> str:
    """Return a duration for a person.

    >>> [spoken(each) for each in (7.2, 61, 3600 * 5 + 30, 3600 * 50)]
    ['7 s', '1 min', '5 h 0 min', '2 d 2 h']
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds) // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"
