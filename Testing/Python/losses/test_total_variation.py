"""Total variation against loops over pairs of neighbours."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from MedInpaintLib.losses.total_variation import TotalVariationLoss, near_hole


def literal(predicted, truth, known) -> float:
    """Every pixel with its right and its lower neighbour; both must be in the hole or touch it."""
    total = 0.0
    for one, other, there in zip(predicted[:, 0], truth[:, 0], known[:, 0], strict=True):
        rows, columns = there.shape
        near = np.zeros(there.shape, bool)
        for row, column in np.argwhere(~there):
            near[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = True
        image = np.where(there, other, one)
        for row, column in np.ndindex(rows, columns):
            for below, beside in ((row + 1, column), (row, column + 1)):
                if below < rows and beside < columns and near[row, column] and near[below, beside]:
                    total += abs(image[below, beside] - image[row, column])
    return total / predicted.size


def case(seed, share=0.3, shape=(2, 1, 7, 9)):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, shape), rng.uniform(-1, 1, shape), rng.random(shape) > share


@given(seed=st.integers(0, 2**16), share=st.sampled_from([0.0, 0.03, 0.3, 1.0]))
def test_the_loss_is_that_of_the_loop(seed, share):
    given = case(seed, share)
    found = TotalVariationLoss()(*map(torch.from_numpy, given))
    assert found.item() == pytest.approx(literal(*given), rel=1e-12, abs=1e-15)


@given(seed=st.integers(0, 2**16))
def test_the_region_is_the_hole_grown_by_one_pixel(seed):
    known = case(seed, 0.05, (1, 1, 12, 10))[2]
    expected = ndimage.binary_dilation(~known[0, 0], np.ones((3, 3)))
    np.testing.assert_array_equal(near_hole(torch.from_numpy(known))[0, 0].numpy(), expected)


def test_a_smooth_ramp_has_as_much_variation_as_it_rises():
    ramp = torch.linspace(-1, 1, 9, dtype=torch.float64).expand(1, 1, 5, 9)
    found = TotalVariationLoss()(ramp, 0 * ramp, torch.zeros(1, 1, 5, 9, dtype=torch.bool))
    assert found.item() == pytest.approx(5 * 2 / 45)


def test_what_is_predicted_where_known_does_not_matter_nor_what_is_far_from_the_hole():
    predicted, truth, known = map(torch.from_numpy, case(0))
    known[..., :5] = True
    expected = TotalVariationLoss()(predicted, truth, known)
    other = torch.where(known, torch.tensor(1e6, dtype=torch.float64), predicted)
    truth[..., :4] = -1e6
    torch.testing.assert_close(TotalVariationLoss()(other, truth, known), expected, rtol=0, atol=0)


def test_the_seam_counts():
    known = torch.ones(1, 1, 6, 6, dtype=torch.bool)
    known[..., 2:4, 2:4] = False
    truth = torch.zeros(1, 1, 6, 6)
    assert TotalVariationLoss()(truth + 1, truth, known).item() == pytest.approx(8 / 36)


def test_gradients_are_those_of_finite_differences():
    predicted, truth, known = map(torch.from_numpy, case(1, shape=(2, 1, 4, 5)))
    assert torch.autograd.gradcheck(
        lambda each: TotalVariationLoss()(each, truth, known), (predicted.requires_grad_(True),)
    )
