"""The scores of a validation, against numpy and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from MedInpaintLib.training.validation import Trial, similarity_and_error


@pytest.fixture
def filled_and_truth():
    """Three images of -1..1, their damaged copies, and holes of different sizes, one of them at the border."""
    chance = np.random.default_rng(0)
    truth = chance.uniform(-1, 1, (3, 1, 40, 48)).astype(np.float32)
    filled = np.clip(truth + chance.normal(0, 0.3, truth.shape), -1, 1).astype(np.float32)
    hole = np.zeros(truth.shape, bool)
    for number, box in enumerate((np.s_[10:20, 12:30], np.s_[0:9, 30:48], np.s_[5:35, 20:24])):
        hole[number, 0][box] = True
    return filled, truth, hole


def expected(filled, truth, hole):
    """Of each image: the map of scikit-image for truth and composite, and the root of numpy's mean square."""
    similarities, errors = [], []
    for ours, theirs, inside in zip(filled[:, 0], truth[:, 0], hole[:, 0], strict=True):
        options = {"data_range": 2.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        # Moved to 0..2: around 0 the term of luminance would rate small values of either sign as opposites.
        pair = (np.where(inside, ours, theirs).astype(float) + 1, theirs.astype(float) + 1)
        similarities.append(structural_similarity(*pair, full=True, **options)[1][inside].mean())
        errors.append(np.sqrt(np.mean((ours - theirs)[inside] ** 2)))
    return {"ssim": np.mean(similarities), "rmse": np.mean(errors)}


def test_similarity_and_error_are_those_of_scikit_image_and_numpy(filled_and_truth):
    filled, truth, hole = filled_and_truth
    scores = similarity_and_error(*(torch.from_numpy(each) for each in filled_and_truth))
    assert scores == pytest.approx(expected(filled, truth, hole), abs=1e-5)
    assert 0.2 < scores["ssim"] < 0.99


def test_a_trial_scores_the_hole_of_its_middle_slice(filled_and_truth):
    """Three slices, of which the outer ones have no hole."""
    filled, truth, hole = filled_and_truth
    known = torch.ones(3, 3, 40, 48, dtype=torch.bool)
    known[:, 1] = torch.from_numpy(~hole[:, 0])
    images = torch.from_numpy(np.where(hole, 0, truth)).expand(3, 3, 40, 48)
    trial = Trial(images, known, torch.from_numpy(truth), "holes", slices=3)
    assert trial.scores(torch.from_numpy(filled)) == pytest.approx(expected(filled, truth, hole), abs=1e-5)
    assert trial.scores(trial.truth) == pytest.approx({"ssim": 1.0, "rmse": 0.0}, abs=1e-6)
    assert trial.scores(trial.start)["rmse"] == pytest.approx(expected(0 * truth, truth, hole)["rmse"], abs=1e-5)
