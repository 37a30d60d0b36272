"""Reconstruction losses against loops over pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from MedInpaintLib.losses.reconstruction import (
    DecibelLoss,
    ReconstructionLoss,
    RootMeanSquareLoss,
    average,
    composite,
    precise,
    region,
)

WHERE = ("hole", "known", "frame")


def literal(predicted, truth, known, where, power, per) -> float:
    """Frame by frame and pixel by pixel."""
    frames = []
    for one, other, there in zip(predicted, truth, known, strict=True):
        total = count = 0.0
        for place in np.ndindex(*one.shape):
            if where == "frame" or bool(there[place]) == (where == "known"):
                total += abs(one[place] - other[place]) ** power
                count += 1
        frames.append(total / one.size if per == "frame" else total / max(count, 1))
    return float(np.mean(frames))


@st.composite
def cases(draw):
    """Prediction, truth and what is known, ``(B, 1, H, W)`` of numpy; some frames have no hole, some are all hole."""
    shape = draw(st.sampled_from([(1, 1, 5, 7), (3, 1, 6, 6), (2, 1, 9, 4)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    known = rng.random(shape) > draw(st.sampled_from([0.1, 0.5, 0.9]))
    known[0] = draw(st.sampled_from([known[0], True, False]))
    return rng.uniform(-1, 1, shape), rng.uniform(-1, 1, shape), known


@given(
    case=cases(), where=st.sampled_from(WHERE), power=st.sampled_from([1, 2]), per=st.sampled_from(["frame", "region"])
)
def test_the_loss_is_that_of_the_loop(case, where, power, per):
    found = ReconstructionLoss(where, power, per)(*map(torch.from_numpy, case))
    assert found.item() == pytest.approx(literal(*case, where, power, per), rel=1e-12)


@given(case=cases())
def test_hole_and_known_make_up_the_frame_as_published(case):
    hole, known, frame = (ReconstructionLoss(where)(*map(torch.from_numpy, case)) for where in WHERE)
    torch.testing.assert_close(hole + known, frame)


def test_with_the_published_weights_a_hidden_pixel_counts_six_known_ones_whatever_the_hole():
    truth = torch.zeros(1, 1, 8, 8)
    for size in (1, 3, 6):
        known = torch.ones(1, 1, 8, 8, dtype=torch.bool)
        known[..., :size, :size] = False
        predicted = truth.clone().requires_grad_(True)
        loss = ReconstructionLoss("known")(predicted + 1, truth, known) + 6 * ReconstructionLoss()(
            predicted + 1, truth, known
        )
        loss.backward()
        torch.testing.assert_close(predicted.grad, torch.where(known, 1 / 64, 6 / 64))


def test_per_region_a_small_hole_counts_as_much_as_a_large_one():
    truth, loss = torch.zeros(1, 1, 8, 8), ReconstructionLoss(power=2, per="region")
    for size in (1, 3, 8):
        known = torch.ones(1, 1, 8, 8, dtype=torch.bool)
        known[..., :size, :size] = False
        assert loss(truth + 2, truth, known) == 4


@pytest.mark.parametrize("per", ["frame", "region"])
@pytest.mark.parametrize("where", ["hole", "known"])
def test_pixels_outside_the_region_do_not_matter_not_even_nan(where, per):
    rng = np.random.default_rng(0)
    known = torch.from_numpy(rng.random((2, 1, 8, 8)) > 0.4)
    predicted, truth = (torch.from_numpy(rng.normal(size=(2, 1, 8, 8))) for _ in range(2))
    expected = ReconstructionLoss(where, per=per)(predicted, truth, known)
    outside = known if where == "hole" else ~known
    for other in (1e6, float("nan")):
        found = ReconstructionLoss(where, per=per)(
            predicted.masked_fill(outside, other), truth.masked_fill(outside, other), known
        )
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("per", ["frame", "region"])
@pytest.mark.parametrize("where", WHERE)
def test_gradients_are_those_of_finite_differences(where, power, per):
    rng = np.random.default_rng(1)
    known = torch.from_numpy(rng.random((2, 1, 4, 5)) > 0.4)
    predicted, truth = (torch.from_numpy(rng.normal(size=(2, 1, 4, 5))) for _ in range(2))
    loss = ReconstructionLoss(where, power, per)
    assert torch.autograd.gradcheck(lambda each: loss(each, truth, known), (predicted.requires_grad_(True),))


def test_half_precision_is_summed_in_float32():
    known = torch.zeros(4, 1, 64, 64, dtype=torch.bool)
    predicted = torch.full(known.shape, 0.1, dtype=torch.bfloat16)
    found = ReconstructionLoss()(predicted, torch.zeros(known.shape, dtype=torch.bfloat16), known)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(predicted[0, 0, 0, 0].item(), rel=1e-6)
    assert precise(torch.ones(2, dtype=torch.float64)).dtype == torch.float64


def test_the_composite_is_the_truth_where_known_and_the_prediction_elsewhere():
    known = torch.tensor([[True, False]]).view(1, 1, 1, 2)
    found = composite(torch.tensor([5.0, 6.0]).view(1, 1, 1, 2), torch.tensor([1.0, 2.0]).view(1, 1, 1, 2), known)
    assert found.flatten().tolist() == [1, 6]
    assert [region(known, where).flatten().tolist() for where in WHERE] == [[False, True], [True, False], [True, True]]


def test_the_average_of_an_empty_region_is_zero():
    values, nowhere = torch.ones(2, 1, 3, 3), torch.zeros(2, 1, 3, 3, dtype=torch.bool)
    assert [average(values, nowhere, per).item() for per in ("frame", "region")] == [0, 0]


@given(case=cases(), where=st.sampled_from(WHERE))
def test_the_loss_in_decibels_is_minus_the_psnr_of_each_frame(case, where):
    predicted, truth, known = case
    expected = []
    for one in range(len(known)):
        inside = {"hole": ~known, "known": known}.get(where, np.ones_like(known))[one]
        mse = np.mean((predicted[one][inside] - truth[one][inside]) ** 2) if inside.any() else 0.0
        expected.append(10 * np.log10(mse + 1e-5))
    found = DecibelLoss(where)(*map(torch.from_numpy, case))
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-9)


def test_frames_with_large_errors_weigh_no_more_in_decibels():
    truth, known = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    predicted = torch.tensor([0.1, 1.0]).view(2, 1, 1, 1).expand(2, 1, 4, 4).clone().requires_grad_()
    DecibelLoss()(predicted, truth, known).backward()
    change = (predicted.grad * predicted).sum(dim=(1, 2, 3))  # by a relative change of all errors
    assert change[0].item() == pytest.approx(change[1].item(), rel=0.01)
    assert change[1].item() == pytest.approx(20 / np.log(10) / 2, rel=0.01)


@given(case=cases(), where=st.sampled_from(WHERE))
def test_root_mean_squares_are_those_of_the_loop(case, where):
    squares = [
        literal(*(each[number : number + 1] for each in case), where, 2, "region") for number in range(len(case[0]))
    ]
    found = RootMeanSquareLoss(where)(*map(torch.from_numpy, case))
    assert found.item() == pytest.approx(np.mean(np.sqrt(np.array(squares) + 1e-6)), rel=1e-9)
