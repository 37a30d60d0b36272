"""Losses from structural similarity against scikit-image, the metric of this repository, and loops over scales."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from MedInpaintLib import metrics
from MedInpaintLib.losses.structural import WEIGHTS, LogSsimLoss, MultiScaleSsimLoss, SsimLoss, similarity


def images(seed, *shape) -> tuple[np.ndarray, np.ndarray]:
    """A blurred frame, and one that is like it."""
    rng = np.random.default_rng(seed)
    first = np.cumsum(rng.normal(size=shape), axis=-1) / np.sqrt(shape[-1])
    return np.tanh(first), np.tanh(first + rng.normal(size=shape) * 0.4)


def holes(seed, *shape) -> np.ndarray:
    """True where known."""
    known = np.ones(shape, bool)
    corners = np.random.default_rng(seed).integers(0, min(shape[-2:]) // 2, (len(known), 2))
    for frame, (row, column) in zip(known, corners, strict=True):
        frame[0, row : row + 5, column : column + 7] = False
    return known


def literal_maps(first, second) -> tuple[np.ndarray, np.ndarray]:
    """S and C of two frames, -1..1, window by window; mirrored beyond the border."""
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(taps, taps) / taps.sum() ** 2
    wide = [np.pad(each + 1, 5, mode="symmetric") for each in (first, second)]
    whole, contrast = np.zeros(first.shape), np.zeros(first.shape)
    for row, column in np.ndindex(*first.shape):
        x, y = (each[row : row + 11, column : column + 11] for each in wide)
        mean_x, mean_y = (window * x).sum(), (window * y).sum()
        variance_x, variance_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
        covariance = (window * (x - mean_x) * (y - mean_y)).sum()
        c1, c2 = 0.02**2, 0.06**2
        contrast[row, column] = (2 * covariance + c2) / (variance_x + variance_y + c2)
        whole[row, column] = contrast[row, column] * (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return whole, contrast


def halved(image) -> np.ndarray:
    rows, columns = (-(-side // 2) for side in image.shape)
    return np.array([[image[2 * j : 2 * j + 2, 2 * i : 2 * i + 2].mean() for i in range(columns)] for j in range(rows)])


def literal_multi_scale(first, second, inside, weights) -> float:
    value, inside = 1.0, inside.astype(float)
    for scale, weight in enumerate(weights):
        if scale:
            first, second, inside = halved(first), halved(second), halved(inside)
        whole, contrast = literal_maps(first, second)
        measured = whole if scale == len(weights) - 1 else contrast
        value *= ((measured * inside).sum() / inside.sum()) ** (weight / sum(weights))
    return 1 - value


def batch(*frames) -> torch.Tensor:
    return torch.from_numpy(np.stack(frames)[:, None])


@pytest.mark.parametrize("shape", [(16, 23), (7, 12), (3, 3)])
def test_the_maps_are_those_of_the_loop(shape):
    first, second = images(0, *shape)
    for found, expected in zip(similarity(batch(first), batch(second)), literal_maps(first, second), strict=True):
        np.testing.assert_allclose(found[0, 0].numpy(), expected, rtol=1e-9, atol=1e-12)


@given(seed=st.integers(0, 999))
def test_the_map_is_that_of_scikit_image(seed):
    first, second = images(seed, 20, 26)
    _, expected = structural_similarity(
        first + 1, second + 1, data_range=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    np.testing.assert_allclose(
        similarity(batch(first), batch(second))[0][0, 0].numpy(), expected, rtol=1e-9, atol=1e-12
    )


@given(seed=st.integers(0, 999))
def test_over_the_hole_the_loss_is_the_metric(seed):
    truth, predicted = images(seed, 3, 1, 24, 20)
    known = holes(seed, 3, 1, 24, 20)
    expected = [
        1 - metrics.ssim((one[0] + 1) / 2, (other[0] + 1) / 2, ~there[0], data_range=1)
        for one, other, there in zip(predicted, truth, known, strict=True)
    ]
    found = SsimLoss()(*map(torch.from_numpy, (predicted, truth, known)))
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-9)


def test_over_the_frame_the_prediction_is_judged_everywhere():
    truth, predicted = images(0, 1, 1, 20, 20)
    known = torch.from_numpy(holes(0, 1, 1, 20, 20))
    found = SsimLoss("frame")(torch.from_numpy(predicted), torch.from_numpy(truth), known)
    assert found.item() == pytest.approx(1 - literal_maps(predicted[0, 0], truth[0, 0])[0].mean(), rel=1e-9)


@pytest.mark.parametrize(("side", "scales"), [(5, 1), (21, 1), (22, 2), (64, 3), (96, 4), (128, 4), (176, 5), (512, 5)])
def test_there_are_as_many_scales_as_windows_fit_and_their_weights_add_up_to_one(side, scales):
    weights = MultiScaleSsimLoss().weights(side, 2 * side)
    np.testing.assert_allclose(weights, np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales]))
    assert len(MultiScaleSsimLoss(scales=1).weights(side, side)) == 1


@pytest.mark.parametrize("where", ["hole", "frame"])
@pytest.mark.parametrize("shape", [(44, 45), (23, 30)])
def test_with_more_scales_the_loss_is_that_of_the_loop(where, shape):
    truth, predicted = images(1, 2, 1, *shape)
    known = holes(1, 2, 1, *shape)
    judged = np.where(known, truth, predicted) if where == "hole" else predicted
    inside = ~known if where == "hole" else np.ones_like(known)
    weights = WEIGHTS[: 3 if min(shape) >= 44 else 2]
    expected = [
        literal_multi_scale(one[0], other[0], there[0], weights)
        for one, other, there in zip(judged, truth, inside, strict=True)
    ]
    found = MultiScaleSsimLoss(where)(*map(torch.from_numpy, (predicted, truth, known)))
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-9)


@pytest.mark.parametrize("loss", [SsimLoss(), MultiScaleSsimLoss()])
def test_a_perfect_fill_costs_nothing_and_what_is_predicted_where_known_does_not_matter(loss):
    truth, predicted = map(torch.from_numpy, images(2, 2, 1, 30, 30))
    known = torch.from_numpy(holes(2, 2, 1, 30, 30))
    assert loss(truth, truth, known).item() == pytest.approx(0, abs=1e-12)
    other = torch.where(known, torch.tensor(9.0, dtype=torch.float64), predicted)
    torch.testing.assert_close(loss(other, truth, known), loss(predicted, truth, known), rtol=0, atol=0)
    assert loss(predicted, truth, torch.ones_like(known)) == 0


@pytest.mark.parametrize("loss", [SsimLoss(), SsimLoss("frame"), MultiScaleSsimLoss(), MultiScaleSsimLoss("frame")])
def test_gradients_are_those_of_finite_differences(loss):
    truth, predicted = map(torch.from_numpy, images(3, 2, 1, 24, 22))
    known = torch.from_numpy(holes(3, 2, 1, 24, 22))
    # Of all pixels together: one at a time takes seconds.
    assert torch.autograd.gradcheck(
        lambda each: loss(each, truth, known), (predicted.requires_grad_(True),), fast_mode=True
    )


@pytest.mark.parametrize("loss", [SsimLoss(), SsimLoss("frame"), MultiScaleSsimLoss(), MultiScaleSsimLoss("frame")])
def test_under_autocast_it_is_as_without_and_gradients_are_finite(loss):
    truth, predicted = (torch.from_numpy(each).float() for each in images(4, 2, 1, 32, 32))
    predicted = predicted.bfloat16()
    known = torch.from_numpy(holes(4, 2, 1, 32, 32))
    expected = loss(predicted.double(), truth.double(), known)
    predicted.requires_grad_(True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(predicted, truth, known)
    found.backward()
    assert found.item() == pytest.approx(expected.item(), abs=1e-5)
    assert predicted.grad.isfinite().all()


@pytest.mark.parametrize("loss", [SsimLoss("frame"), MultiScaleSsimLoss("frame")])
def test_of_opposites_and_of_flat_frames_loss_and_gradient_are_finite(loss):
    first, _ = images(5, 1, 1, 32, 32)
    known = torch.ones(1, 1, 32, 32, dtype=torch.bool)
    for predicted, truth in ((-first, first), (0 * first, 0 * first), (0 * first - 1, 0 * first - 1)):
        given = torch.from_numpy(predicted).float().requires_grad_(True)
        found = loss(given, torch.from_numpy(truth).float(), known)
        found.backward()
        assert -1e-6 <= found.item() <= 2
        assert given.grad.isfinite().all()


def from_zero(seed, brightest, *shape) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`images`, from 0 to the brightest."""
    return tuple((each + 1) / 2 * brightest for each in images(seed, *shape))


@given(seed=st.integers(0, 999), brightest=st.sampled_from([0.5, 1.0, 7.0]))
def test_the_logarithm_is_of_the_mean_that_scikit_image_finds_in_the_whole_batch(seed, brightest):
    truth, predicted = from_zero(seed, brightest, 3, 1, 20, 23)
    options = {"data_range": brightest, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    maps = [
        structural_similarity(one[0], other[0], full=True, **options)[1]
        for one, other in zip(predicted, truth, strict=True)
    ]
    found = LogSsimLoss(brightest)(torch.from_numpy(predicted), torch.from_numpy(truth))
    assert found.item() == pytest.approx(-np.log((1 + np.mean(maps)) / 2), rel=1e-9)


def test_the_mean_of_the_batch_is_taken_before_the_logarithm():
    truth, predicted = map(torch.from_numpy, from_zero(0, 1.0, 2, 1, 20, 20))
    predicted[1] = truth[1]
    loss = LogSsimLoss(1.0)
    alone = [loss(predicted[each, None], truth[each, None]).item() for each in range(2)]
    together = loss(predicted, truth).item()
    assert np.exp(-together) == pytest.approx(np.mean(np.exp(np.negative(alone))), rel=1e-12)
    assert together < np.mean(alone) - 1e-3


def test_with_a_logarithm_for_each_image_the_loss_is_their_mean():
    truth, predicted = map(torch.from_numpy, from_zero(0, 0.5, 3, 1, 20, 20))
    alone = [LogSsimLoss(0.5)(predicted[each, None], truth[each, None]).item() for each in range(3)]
    assert LogSsimLoss(0.5, each=True)(predicted, truth).item() == pytest.approx(np.mean(alone), rel=1e-12)


def test_equal_images_cost_nothing_and_opposites_stay_finite():
    truth, predicted = map(torch.from_numpy, from_zero(1, 0.5, 2, 1, 24, 24))
    loss = LogSsimLoss(0.5)
    assert loss(truth, truth).item() == pytest.approx(0, abs=1e-12)
    assert 0 < loss(predicted, truth).item() < loss(0.5 - truth, truth).item() < np.inf


def test_its_gradients_are_those_of_finite_differences():
    truth, predicted = map(torch.from_numpy, from_zero(3, 0.5, 2, 1, 24, 22))
    assert torch.autograd.gradcheck(
        lambda each: LogSsimLoss(0.5)(each, truth), (predicted.requires_grad_(True),), fast_mode=True
    )


def test_of_half_precision_it_is_as_of_double():
    truth, predicted = (torch.from_numpy(each).bfloat16() for each in from_zero(4, 1.0, 2, 1, 32, 32))
    expected = LogSsimLoss(1.0)(predicted.double(), truth.double())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = LogSsimLoss(1.0)(predicted, truth)
    assert found.item() == pytest.approx(expected.item(), abs=1e-4)
