"""The context loss against loops over pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from MedInpaintLib.losses.context import ContextLoss, ContextWeights


def literal_weights(known, window, far) -> np.ndarray:
    """Pixel by pixel: how much of the hole lies in the part of the window that the image has."""
    weights = np.zeros(known.shape)
    reach = window // 2
    for row, column in np.argwhere(known):
        around = known[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
        weights[row, column] = far + sum(1 - int(each) for each in around.ravel()) / around.size
    return weights


def literal_loss(generated, image, weights, power) -> float:
    total = weight = 0.0
    for place in np.ndindex(*image.shape):
        total += weights[place] * abs(generated[place] - image[place]) ** power
        weight += weights[place]
    return total / weight


@st.composite
def masks(draw):
    """True where known: holes scattered, square or at the border."""
    shape = draw(st.sampled_from([(8, 11), (16, 16), (5, 20)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    known = rng.random(shape) > draw(st.sampled_from([0.02, 0.4, 0.9]))
    if draw(st.booleans()):
        known[:, : shape[1] // 2] = True
    known[-1, -1] = True
    return known


windows = st.sampled_from([3, 5, 7, 31])


def batch(*arrays) -> torch.Tensor:
    return torch.from_numpy(np.stack(arrays)[:, None])


def weights_of(known, **options) -> np.ndarray:
    return ContextWeights(**options)(batch(known))[0, 0].numpy()


@given(known=masks(), window=windows, far=st.sampled_from([0.0, 0.1, 1.0]))
def test_weights_are_those_of_the_loop(known, window, far):
    np.testing.assert_allclose(
        weights_of(known, window=window, far=far), literal_weights(known, window, far), atol=1e-6
    )


@given(known=masks(), window=windows, far=st.sampled_from([0.0, 0.1]))
def test_the_hole_weighs_nothing_and_what_sees_it_more_than_what_does_not(known, window, far):
    weights = weights_of(known, window=window, far=far)
    assert not weights[~known].any()
    sees = np.zeros(known.shape, bool)
    for row, column in np.argwhere(~known):
        sees[
            max(0, row - window // 2) : row + window // 2 + 1, max(0, column - window // 2) : column + window // 2 + 1
        ] = 1
    np.testing.assert_allclose(weights[known & ~sees], far, atol=1e-6)
    assert (weights[known & sees] > far + 1e-4).all()


def test_weights_fall_with_the_distance_from_a_straight_edge():
    known = np.ones((20, 20), bool)
    known[:, :8] = False
    row = weights_of(known, window=7, far=0.1)[10, 8:]
    np.testing.assert_allclose(row[:5], [0.1 + 3 / 7, 0.1 + 2 / 7, 0.1 + 1 / 7, 0.1, 0.1], atol=1e-6)


def test_unweighted_every_known_pixel_counts_alike():
    known = np.random.default_rng(0).random((9, 9)) > 0.3
    np.testing.assert_array_equal(weights_of(known, weighted=False), known)


@given(known=masks(), power=st.sampled_from([1, 2]), seed=st.integers(0, 99))
def test_the_loss_is_that_of_the_loop(known, power, seed):
    rng = np.random.default_rng(seed)
    generated, image = rng.normal(size=(2, *known.shape))
    weights = literal_weights(known, 7, 0.1)
    found = ContextLoss(power)(batch(generated), batch(image), batch(weights))
    np.testing.assert_allclose(found.numpy(), [literal_loss(generated, image, weights, power)], rtol=1e-10)


@pytest.mark.parametrize("power", [1, 2])
def test_hidden_pixels_and_other_images_of_the_batch_do_not_change_the_loss(power):
    rng = np.random.default_rng(0)
    known = rng.random((4, 12, 12)) > 0.3
    generated, image = rng.normal(size=(2, 4, 12, 12))
    weights, loss = ContextWeights()(batch(*known)), ContextLoss(power)
    together = loss(batch(*generated), batch(*image), weights)
    hidden = np.where(known, image, rng.normal(size=image.shape) * 1e6)
    torch.testing.assert_close(loss(batch(*generated), batch(*hidden), weights), together, rtol=0, atol=0)
    for number in range(4):
        own = ContextWeights()(batch(known[number]))
        alone = loss(batch(generated[number]), batch(image[number]), own)
        torch.testing.assert_close(alone[0], together[number], rtol=1e-10, atol=0)


def test_the_mean_does_not_grow_with_the_image():
    known, weights = torch.ones(1, 1, 8, 8), ContextWeights(weighted=False)
    wide = torch.ones(1, 1, 8, 80)
    assert ContextLoss()(2 * known, 0 * known, weights(known)) == ContextLoss()(2 * wide, 0 * wide, weights(wide)) == 2


def test_where_nothing_is_known_the_loss_is_zero():
    known = torch.zeros(2, 1, 8, 8)
    loss = ContextLoss()(torch.ones_like(known), known, ContextWeights()(known))
    assert loss.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("power", [1, 2])
def test_gradients_are_those_of_finite_differences(power):
    rng = np.random.default_rng(1)
    known = rng.random((2, 6, 6)) > 0.3
    generated, image = batch(*rng.normal(size=(2, 6, 6))).requires_grad_(True), batch(*rng.normal(size=(2, 6, 6)))
    weights = ContextWeights()(batch(*known)).double()
    assert torch.autograd.gradcheck(lambda each: ContextLoss(power)(each, image, weights), (generated,))


def test_what_lies_beyond_the_image_is_no_hole():
    known = torch.from_numpy(np.random.default_rng(0).random((2, 1, 18, 15)) > 0.3)
    weights = ContextWeights(window=5, far=0.2)
    framed, inside = (torch.nn.functional.pad(each.float(), (4, 3, 2, 6)) for each in (known, torch.ones_like(known)))
    found = weights(framed, inside)
    torch.testing.assert_close(found[..., 2:-6, 4:-3], weights(known))
    assert found.sum() == pytest.approx(weights(known).sum().item(), rel=1e-5)
