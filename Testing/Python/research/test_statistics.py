"""Whether one method is better than another: every outcome, from made-up tables."""

import math

import numpy as np
import pytest
from scipy import stats

from MedInpaintLib.errors import InputError
from Research.shared.statistics import (
    LEAST_PEOPLE,
    Difference,
    Verdict,
    difference_by_person,
    difference_of_groups,
    reading,
)


def gains(*means):
    return {f"person {number}": [mean] for number, mean in enumerate(means)}


def test_the_interval_is_that_of_scipy():
    rng = np.random.default_rng(0)
    means = rng.normal(0.3, 1.0, 9)
    found = difference_by_person(gains(*means))
    low, high = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((means.mean(), low, high))
    assert found.people == 9


def test_a_person_counts_once_however_many_holes_there_are():
    found = difference_by_person({"a": [1.0] * 100, "b": [0.0]})
    assert (found.mean, found.people) == (0.5, 2)


@pytest.mark.parametrize(
    ("means", "trained", "verdict"),
    [
        ((1.0, 1.1, 0.9, 1.0, 1.2), False, Verdict.BETTER),
        ((-1.0, -1.1, -0.9, -1.0, -1.2), False, Verdict.WORSE),
        ((1.0, -1.1, 0.9, -1.0, 1.2), False, Verdict.UNCLEAR),
        ((1.0, 1.1, 0.9, 1.0), False, Verdict.TOO_FEW),
        ((1.0,), False, Verdict.TOO_FEW),
        ((0.2, 0.21, 0.19, 0.2, 0.22), False, Verdict.BETTER),
        ((0.2, 0.21, 0.19, 0.2, 0.22), True, Verdict.UNCLEAR),
        ((-0.2, -0.21, -0.19, -0.2, -0.22), True, Verdict.UNCLEAR),
        ((0.4, 0.41, 0.39, 0.4, 0.42), True, Verdict.BETTER),
        ((-0.4, -0.41, -0.39, -0.4, -0.42), True, Verdict.WORSE),
        ((0.0, 0.0, 0.0, 0.0, 0.0), False, Verdict.UNCLEAR),
    ],
)
def test_every_verdict(means, trained, verdict):
    found = difference_by_person(gains(*means), trained=trained)
    assert found.verdict is verdict
    words = {Verdict.BETTER: "wins", Verdict.WORSE: "loses"}.get(verdict, verdict.value)
    assert reading(found, "wins", "loses").startswith(f"{words}: ")


def test_five_people_are_enough_and_four_are_not():
    assert LEAST_PEOPLE == 5


def test_a_trained_network_by_a_metric_without_a_known_chance_has_no_verdict():
    assert difference_by_person(gains(*[1.0, 1.1] * 5), "nmse", trained=True).verdict is Verdict.UNCLEAR


@pytest.mark.parametrize("gain", [math.inf, -math.inf, math.nan])
def test_a_gain_that_is_not_finite_is_refused(gain):
    with pytest.raises(InputError, match="not finite"):
        difference_by_person({"a": [1.0], "b": [gain]})


def test_nothing_to_compare_is_refused():
    with pytest.raises(InputError, match="nothing to compare"):
        difference_by_person({"a": []})


def test_one_person_has_no_interval():
    assert str(Difference(0.5, -math.inf, math.inf, 1)) == "+0.50 dB"


def test_the_interval_of_two_groups_is_that_of_scipy():
    """Groups of other size and spread; a person counts once."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.3, 1.0, 9), rng.normal(0.1, 3.0, 14)
    twice = {person: [value - 1, value + 1] for person, (value,) in gains(*first).items()}
    found = difference_of_groups(twice, gains(*second))
    welch = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((first.mean() - second.mean(), welch.low, welch.high))
    assert found.people == 9


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ((1.0, 1.1, 0.9, 1.0, 1.2), (0.0, 0.1, -0.1, 0.0, 0.2, 0.1), Verdict.BETTER),
        ((0.0, 0.1, -0.1, 0.0, 0.2, 0.1), (1.0, 1.1, 0.9, 1.0, 1.2), Verdict.WORSE),
        ((3.0, 0.1, -2.0, 0.0, 1.2), (1.0, 1.1, 0.9, 1.0, 1.2), Verdict.UNCLEAR),
        ((0.2, 0.21, 0.19, 0.2, 0.2), (0.0, 0.01, 0.0, -0.01, 0.0), Verdict.UNCLEAR),  # the chance of a training
        ((1.0, 1.1, 0.9, 1.0), (0.0, 0.1, -0.1, 0.0, 0.2, 0.1), Verdict.TOO_FEW),
        ((1.0, 1.1, 0.9, 1.0, 1.2), (0.0,), Verdict.TOO_FEW),
        ((1.0,) * 5, (0.0,) * 5, Verdict.BETTER),
        ((1.0,) * 5, (1.0,) * 5, Verdict.UNCLEAR),
    ],
)
def test_every_verdict_on_two_groups(first, second, verdict):
    assert difference_of_groups(gains(*first), gains(*second), trained=True).verdict is verdict


def test_a_group_without_people_is_refused():
    with pytest.raises(InputError, match="nobody in one of the groups"):
        difference_of_groups(gains(1.0), {"a": []})
    with pytest.raises(InputError, match="not finite"):
        difference_of_groups(gains(1.0), gains(math.nan))
