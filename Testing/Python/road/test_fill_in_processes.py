"""Parts that are filled in worker processes: the same result, progress, cancel and errors."""

import pickle
import sys
import types

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import filling, processes
from MedInpaintLib.errors import Cancelled, MaskError
from MedInpaintLib.filling import expected_seconds, fill, fill_in_processes
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole
from MedInpaintLib.parts import find_parts
from MedInpaintLib.progress import Progress
from MedInpaintLib.subject import Subject
from MedInpaintLib.tasks import Plan, Task, plan_tasks


@pytest.fixture
def subject():
    rng = np.random.default_rng(0)
    hole = np.zeros((24, 40, 40), bool)
    hole[10:13, 8:12, 8:12] = hole[10:14, 28:31, 9:12] = hole[8:12, 20:24, 28:31] = True
    image = mi.Volume(rng.normal(100, 10, hole.shape).astype(np.float32), (1.0, 1.0, 1.0), metadata={"a": "b"})
    return Subject(image, Hole(hole, (slice(0, 24), slice(0, 40), slice(0, 40)), hole.shape), Scaling(50.0, 150.0))


def tasks_of(subject, method):
    groups = find_parts(subject.whole, subject.image.spacing)
    return [Task(group, Plan.of(method, seed=3)) for group in groups]


@pytest.mark.parametrize("method", ["patch", "patch-regression", "biharmonic"])
def test_processes_fill_as_this_one_does(subject, method):
    tasks, shares = tasks_of(subject, method), []
    here = fill(subject, tasks, Progress())
    there = fill_in_processes(subject, tasks, Progress(lambda share, _: shares.append(share)), 2)
    assert [region.task for region in there] == tasks
    for one, other in zip(here.regions, there, strict=True):
        assert one.patch.box == other.patch.box
        np.testing.assert_array_equal(one.patch.intensities, other.patch.intensities)
        np.testing.assert_array_equal(one.patch.spread, other.patch.spread)
        assert (one.notes, one.warnings, one.instead) == (other.notes, other.warnings, other.instead)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_cancel_ends_the_processes(subject):
    with pytest.raises(Cancelled):
        fill_in_processes(subject, tasks_of(subject, "patch"), Progress(cancelled=lambda: True), 2)


def test_an_error_of_a_process_is_told_as_here(subject):
    everything = Hole(np.ones(subject.whole.shape, bool), subject.whole.box, subject.whole.shape)
    hidden = Subject(subject.image, everything, subject.scaling)
    with pytest.raises(MaskError, match="no known voxel"):
        fill_in_processes(hidden, tasks_of(hidden, "harmonic"), Progress(), 2)


def test_a_subject_travels_without_what_can_be_computed_again(subject):
    subject.cached("key", lambda: np.zeros(10**6))
    again = pickle.loads(pickle.dumps(subject))
    assert not again.cache
    assert again.image.metadata == {}
    np.testing.assert_array_equal(again.values, subject.values)
    np.testing.assert_array_equal(again.hole, subject.hole)


@pytest.mark.parametrize(
    ("file", "ours"), [("/bin/medinpaint", True), ("/home/medinpaint.py", False), ("/home/fill.py", False)]
)
def test_only_the_installed_command_is_known_by_its_file(file, ours, monkeypatch):
    main = types.ModuleType("__main__")
    main.__file__ = file
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert processes.main_can_start_again() is ours


def test_short_fills_and_scripts_of_users_start_no_process(subject, monkeypatch):
    tasks = tasks_of(subject, "patch")
    assert not processes.main_can_start_again()  # the main module is the one that runs the tests
    monkeypatch.setattr(filling, "main_can_start_again", lambda: True)
    assert not filling._processes_pay(subject, tasks, 2)
    monkeypatch.setattr(filling, "START", 0.0)
    assert filling._processes_pay(subject, tasks, 2)
    assert not filling._processes_pay(subject, tasks[:1], 2)
    monkeypatch.setattr(filling, "MOST_COPIED", 100)
    assert not filling._processes_pay(subject, tasks, 2)


def test_the_expected_time_of_parts_together_is_at_least_that_of_the_longest(subject):
    tasks = plan_tasks(subject, [(Plan.of("patch"), find_parts(subject.whole, subject.image.spacing))])
    alone = [expected_seconds(subject, [task], 1) for task in tasks]
    assert expected_seconds(subject, tasks, 1) == pytest.approx(sum(alone))
    assert max(max(alone), sum(alone) / 2) <= expected_seconds(subject, tasks, 2) <= sum(alone)
