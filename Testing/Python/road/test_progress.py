"""Progress: often asked, seldom told."""

import pytest

from MedInpaintLib import progress as module
from MedInpaintLib.errors import Cancelled
from MedInpaintLib.progress import INTERVAL, Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves on: ``clock[0] += seconds``."""
    time = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: time[0])
    return time


@pytest.fixture
def seen():
    return []


@pytest.fixture
def progress(clock, seen):
    return Progress(lambda fraction, stage: seen.append((fraction, stage)))


def test_thousands_of_quick_updates_are_the_first_and_the_last_report(progress, seen):
    for step in range(10_001):
        progress.update(step / 10_000, "Solving")
    assert seen == [(0.0, "Solving"), (1.0, "Solving")]


def test_slow_work_is_reported_20_times_a_second(progress, seen, clock):
    for step in range(1000):
        progress.update(step / 2000, "Solving")
        clock[0] += 0.001
    assert INTERVAL == 0.05
    assert len(seen) == pytest.approx(20, abs=1)


def test_reaching_the_end_is_reported_once(progress, seen):
    for _ in range(5):
        progress.update(1.0, "Done")
    assert seen == [(1.0, "Done")]


def test_every_update_asks_whether_to_stop_though_few_are_reported(clock):
    asked = []
    progress = Progress(cancelled=lambda: asked.append(1) or len(asked) == 7)
    part = progress.part(0.0, 0.5).part(0.5, 1.0)
    for _ in range(6):
        part.update(0.5)
    with pytest.raises(Cancelled):
        part.update(0.5)
    assert len(asked) == 7


def test_parts_share_the_whole_and_its_interval(progress, seen, clock):
    for start in (0.0, 0.25, 0.5, 0.75):
        part = progress.part(start, start + 0.25)
        for step in range(11):
            part.update(step / 10, "Solving")
        clock[0] += 1
    assert seen == [(start, "Solving") for start in (0.0, 0.25, 0.5, 0.75)] + [(1.0, "Solving")]


def test_fractions_never_decrease_nor_leave_0_to_1(progress, seen, clock):
    for fraction in (-1.0, 0.5, 0.2, 7.0):
        progress.part(0.0, 1.0).update(fraction)
        progress.update(fraction)
        clock[0] += 1
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
