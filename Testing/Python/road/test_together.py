"""Pieces of work in threads: the results are those of one after the other, and nothing runs on that is not needed."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from MedInpaintLib import progress as progress_module
from MedInpaintLib import together
from MedInpaintLib.errors import Cancelled
from MedInpaintLib.progress import Progress
from MedInpaintLib.together import Piece, do_together

#: Seconds after which a test gives up: never reached where threads do what they must.
TOO_LONG = 60.0


def waits_for(event: threading.Event) -> None:
    assert event.wait(TOO_LONG)


def until_stopped(progress: Progress) -> None:
    """Report progress again and again, as a method does that never ends."""
    for _ in range(round(TOO_LONG / 0.01)):
        progress.update(0.5)
        threading.Event().wait(0.01)
    raise AssertionError("nothing stopped it")


@given(st.lists(st.tuples(st.floats(0, 9), st.integers(0, 2 * together.ROOM)), max_size=9), st.integers(1, 4))
def test_the_results_are_in_the_order_of_the_pieces_for_any_number_of_workers(pieces, workers):
    work = [Piece(lambda _, number=number: number, cost, size) for number, (cost, size) in enumerate(pieces)]
    assert do_together(work, workers, Progress()) == list(range(len(pieces)))


def test_the_most_costly_pieces_are_begun_first(monkeypatch):
    monkeypatch.setattr(together, "ROOM", 1)  # one at a time, so that the order of the starts is sure
    begun = []
    costs = [2.0, 5.0, 1.0, 4.0, 3.0]
    do_together([Piece(lambda _, cost=cost: begun.append(cost), cost, 1) for cost in costs], 3, Progress())
    assert begun == sorted(costs, reverse=True)


@pytest.mark.parametrize(
    ("sizes", "at_once"),
    [([4, 4, 4, 4], 2), ([4, 7, 1, 1], 1), ([2, 2, 2, 2], 3), ([20, 1, 1, 1], 1)],  # three workers, room for ten
)
def test_the_memory_of_what_runs_at_once_is_bounded(monkeypatch, sizes, at_once):
    monkeypatch.setattr(together, "ROOM", 10)
    running, seen, lock, looked = set(), [], threading.Lock(), threading.Event()

    def work(progress, number):
        with lock:
            running.add(number)
            seen.append(set(running))
        waits_for(looked)  # by then all pieces run that may run beside the first
        with lock:
            running.remove(number)

    pieces = [Piece(lambda p, n=number: work(p, n), -number, size) for number, size in enumerate(sizes)]
    do_together(pieces, 3, Progress(lambda *_: looked.set()))
    assert set().union(*seen) == set(range(len(sizes)))
    for numbers in seen:
        assert len(numbers) <= 3
        assert len(numbers) == 1 or sum(sizes[number] for number in numbers) <= 10
    assert max(map(len, seen)) >= at_once


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("steps", [[], [0.5, 0.2, 1.0]])
def test_progress_never_decreases_ends_at_one_and_comes_from_the_calling_thread(monkeypatch, workers, steps):
    monkeypatch.setattr(progress_module, "INTERVAL", 0.0)
    reports = []

    def work(progress):
        for step in steps:
            progress.part(0.0, 0.9).update(step, "Working")

    pieces = [Piece(work, cost, 1) for cost in (3.0, 1.0, 0.0, 2.0)]
    do_together(pieces, workers, Progress(lambda fraction, _: reports.append((fraction, threading.get_ident()))))
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {thread for _, thread in reports} == {threading.get_ident()}


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_cancelling_stops_what_runs_and_begins_nothing_else(workers):
    both_run, begun, stopped = threading.Event(), [], []

    def work(progress, number):
        begun.append(number)
        if len(begun) == workers:
            both_run.set()
        try:
            until_stopped(progress)
        except Cancelled:
            stopped.append(number)
            raise

    pieces = [Piece(lambda p, n=number: work(p, n), 1.0, 1) for number in range(9)]
    with pytest.raises(Cancelled):
        do_together(pieces, workers, Progress(cancelled=both_run.is_set))
    assert sorted(stopped) == sorted(begun)
    assert len(begun) == workers


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_first_error_is_raised_and_the_others_are_stopped(workers):
    others = [threading.Event() for _ in range(workers - 1)]
    stopped = []

    def fails(_):
        for event in others:
            waits_for(event)
        raise ValueError("the first")

    def runs(progress, event):
        event.set()
        try:
            until_stopped(progress)
        except Cancelled:
            stopped.append(event)
            raise RuntimeError("a consequence") from None

    never = Piece(lambda _: stopped.append("begun"), 0.0, 1)
    pieces = [Piece(fails, 9.0, 1), *(Piece(lambda p, e=event: runs(p, e), 5.0, 1) for event in others), never]
    with pytest.raises(ValueError, match="the first"):
        do_together(pieces, workers, Progress())
    assert sorted(map(id, stopped)) == sorted(map(id, others))
