"""The classifier of true against filled pictures, on pairs of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from Research.forced_choice.classifier import SEEN, Judge, Pairs, learn, told

INSIDE = np.zeros((SEEN, SEEN), bool)
INSIDE[14:34, 14:34] = True


def noise(count, rng):
    return rng.integers(60, 200, (count, SEEN, SEEN)).astype(np.uint8)


def pairs(count, seed, fill):
    """Return pairs of noise and what ``fill`` puts into the hole."""
    rng = np.random.default_rng(seed)
    truth = noise(count, rng)
    filled = np.where(INSIDE, fill(truth, rng), truth)
    return Pairs(truth, filled, np.broadcast_to(INSIDE, truth.shape))


def blurred(truth, rng):
    return ndimage.uniform_filter(truth.astype(float), (0, 3, 3)).astype(np.uint8)


def other(truth, rng):
    """Fill by another draw from the distribution of the truth."""
    return noise(len(truth), rng)


def judge_of(fill, epochs, seed=0):
    return learn(pairs(96, 1, fill), pairs(32, 2, fill), seed, epochs)


def test_a_blurred_fill_is_told_in_pictures_that_were_not_learned():
    assert told(judge_of(blurred, 4), pairs(60, 3, blurred)).mean() > 0.95


def test_a_fill_with_the_distribution_of_the_truth_is_told_by_chance():
    # The standard deviation of the share over 400 fair choices is 0.025.
    assert told(judge_of(other, 2), pairs(400, 3, other)).mean() == pytest.approx(0.5, abs=0.1)


def test_the_truth_beside_itself_is_half_told():
    same = pairs(5, 0, lambda truth, rng: truth)
    assert (told(Judge(), same) == 0.5).all()


def test_it_is_the_truth_that_is_told():
    """A judge that learned is wrong in every pair whose pictures are exchanged."""
    judge, asked = judge_of(blurred, 4), pairs(20, 3, blurred)
    assert (told(judge, asked) + told(judge, Pairs(asked.fill, asked.truth, asked.inside)) == 1).all()


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    first, again, different = (judge_of(other, 1, seed) for seed in (0, 0, 1))
    weights = [next(judge.parameters()).detach().numpy() for judge in (first, again, different)]
    assert (weights[0] == weights[1]).all()
    assert (weights[0] != weights[2]).any()


def test_brightness_and_contrast_of_the_film_do_not_matter():
    judge, asked = judge_of(blurred, 4), pairs(40, 3, blurred)
    darker = Pairs(*(each // 2 for each in (asked.truth, asked.fill)), asked.inside)
    assert told(judge, darker).mean() > 0.9
