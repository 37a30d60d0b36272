"""Edges against scipy and literal loops, boundaries against scikit-image, and the losses on them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage.filters import threshold_multiotsu
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits

from MedInpaintLib.losses.edge import EdgeCrossEntropy, EdgeLoss, boundaries, edge_map, edges


def batch(*frames) -> torch.Tensor:
    return torch.from_numpy(np.stack(frames)[:, None])


def frame(seed, *shape) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def literal_edges(image) -> np.ndarray:
    """By scipy's Sobel filter, whose kernels add up to 8; the border as its neighbours."""
    across, down = (ndimage.sobel(image, axis) / 8 for axis in (1, 0))
    size = np.sqrt(across**2 + down**2 + 1e-6) - 1e-3
    return np.pad(size[1:-1, 1:-1], 1, mode="edge")


def literal_boundaries(classes) -> np.ndarray:
    found = np.zeros(classes.shape, bool)
    for row, column in np.ndindex(*classes.shape):
        for below, beside in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= below < classes.shape[0] and 0 <= beside < classes.shape[1]:
                found[row, column] |= classes[below, beside] != classes[row, column]
    return found


def tissue(seed, noise=0.05) -> np.ndarray:
    """Three tissues of round shapes, with noise."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(40, 48)), 4)
    levels = np.array([-0.8, -0.1, 0.5])
    return levels[np.digitize(smooth, np.quantile(smooth, [0.4, 0.75]))] + noise * rng.normal(size=smooth.shape)


@given(seed=st.integers(0, 2**16), shape=st.sampled_from([(3, 3), (4, 9), (12, 7)]))
def test_edges_are_those_of_scipy(seed, shape):
    image = frame(seed, *shape)
    np.testing.assert_allclose(edge_map(batch(image))[0, 0].numpy(), literal_edges(image), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 200])
def test_the_edges_of_a_ramp_are_its_slope_in_every_direction_up_to_the_border(angle):
    row, column = np.mgrid[:9, :8]
    ramp = 0.2 * (np.cos(np.radians(angle)) * row + np.sin(np.radians(angle)) * column)
    np.testing.assert_allclose(edge_map(batch(ramp)).numpy(), np.hypot(0.2, 1e-3) - 1e-3)


def test_a_flat_frame_has_no_edges_and_its_gradient_is_finite():
    flat = torch.zeros(1, 1, 5, 5, requires_grad=True)
    edge_map(flat).sum().backward()
    assert not edge_map(flat).any()
    assert flat.grad.isfinite().all()
    assert not edges(flat).any()
    assert not boundaries(flat).any()


def test_soft_edges_are_relative_to_the_frames_own():
    first, second = frame(0, 30, 30), frame(1, 30, 30)
    found = edges(batch(first, 0.5 * second))
    for each, image in zip(found[:, 0].numpy(), (first, 0.5 * second), strict=True):
        sizes = literal_edges(image)
        top = np.sort(sizes.ravel())[round(0.99 * sizes.size) - 1]
        np.testing.assert_allclose(each, np.minimum(sizes / top, 1), rtol=1e-9)
        assert (each == 1).sum() == sizes.size - round(0.99 * sizes.size) + 1
    torch.testing.assert_close(edges(batch(3 * first)), edges(batch(first)), rtol=0, atol=0.01)


def test_faint_noise_is_no_edge():
    assert edges(batch(0.002 * frame(0, 30, 30))).max() < 0.2


@pytest.mark.parametrize("seed", range(4))
def test_boundaries_lie_where_the_classes_of_scikit_image_change(seed):
    image = tissue(seed)
    smooth = ndimage.convolve(image, np.outer([1, 2, 1], [1, 2, 1]) / 16)
    smooth = np.pad(smooth[1:-1, 1:-1], 1, mode="edge")
    expected = literal_boundaries(np.digitize(smooth, threshold_multiotsu(smooth, 3, nbins=256)))
    found = boundaries(batch(image))[0, 0].numpy()
    assert set(np.unique(found)) == {0, 1}
    # Their thresholds are among other levels than ours, so a few pixels differ.
    assert (found != expected).mean() < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_the_classes_are_those_with_the_largest_variance_between_them(seed):
    image = tissue(seed, noise=0.2)
    smooth = ndimage.convolve(image, np.outer([1, 2, 1], [1, 2, 1]) / 16)
    smooth = np.pad(smooth[1:-1, 1:-1], 1, mode="edge")
    ordered = np.sort(smooth.ravel())
    low, high = (ordered[round(share * ordered.size) - 1] for share in (0.01, 0.99))
    levels = low + (high - low) * np.arange(1, 64) / 64

    def within(thresholds):
        parts = np.split(ordered, np.searchsorted(ordered, thresholds))
        return sum(((part - part.mean()) ** 2).sum() for part in parts if part.size)

    least = {within((one, other)): (one, other) for one in levels for other in levels if one < other}
    expected = literal_boundaries(np.digitize(smooth, least[min(least)]))
    # Sums are of the middles of bins here, so the best thresholds may be the next best ones.
    assert (boundaries(batch(image))[0, 0].numpy() != expected).mean() < 0.02


def test_boundaries_between_clear_tissues_are_exact_in_every_frame_of_a_batch():
    levels = np.zeros((16, 16))
    levels[:, 6:] = 1
    levels[:, 11:] = 2
    expected = literal_boundaries(levels)
    for scaled in (levels - 1, 0.01 * levels, -levels):
        np.testing.assert_array_equal(boundaries(batch(frame(0, 16, 16), scaled))[1, 0].numpy(), expected)


def test_targets_are_the_same_again_and_turn_with_the_frame():
    image = batch(tissue(0))
    for target in (edges, boundaries):
        torch.testing.assert_close(target(image), target(image), rtol=0, atol=0)
        torch.testing.assert_close(target(image.flip(-1).mT), target(image).flip(-1).mT, rtol=1e-12, atol=1e-12)
        assert not target(image.clone().requires_grad_(True)).requires_grad


@given(seed=st.integers(0, 2**16), per=st.sampled_from(["frame", "region"]))
def test_the_loss_on_edges_is_that_of_the_loop(seed, per):
    predicted, truth = frame(seed, 2, 8, 9), frame(seed + 1, 2, 8, 9)
    known = np.random.default_rng(seed).random((2, 8, 9)) > 0.1
    expected = []
    for one, other, there in zip(predicted, truth, known, strict=True):
        near = ndimage.binary_dilation(~there, np.ones((3, 3)))
        errors = np.abs(literal_edges(np.where(there, other, one)) - literal_edges(other))[near]
        expected.append(errors.sum() / (there.size if per == "frame" else max(1, near.sum())))
    found = EdgeLoss(per)(batch(*predicted), batch(*truth), batch(*known))
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-9, abs=1e-15)


def test_what_is_predicted_where_known_does_not_matter():
    predicted, truth = batch(frame(0, 9, 9)), batch(frame(1, 9, 9))
    known = torch.ones(1, 1, 9, 9, dtype=torch.bool)
    known[..., 3:5, 4:8] = False
    other = torch.where(known, torch.tensor(1e3, dtype=torch.float64), predicted)
    torch.testing.assert_close(EdgeLoss()(other, truth, known), EdgeLoss()(predicted, truth, known), rtol=0, atol=0)


@pytest.mark.parametrize("where", ["hole", "known", "frame"])
@pytest.mark.parametrize("positive", [1.0, 5.0])
def test_the_cross_entropy_is_that_of_torch(where, positive):
    known = torch.from_numpy(np.random.default_rng(0).random((3, 1, 6, 6)) > 0.4)
    logits, target = 5 * batch(*frame(0, 3, 6, 6)), batch(*frame(1, 3, 6, 6)).abs()
    inside = {"hole": ~known, "known": known, "frame": known | True}[where]
    expected = torch.stack(
        [
            binary_cross_entropy_with_logits(a[i], t[i], pos_weight=torch.tensor(positive, dtype=torch.float64))
            for a, t, i in zip(logits, target, inside, strict=True)
        ]
    ).mean()
    torch.testing.assert_close(EdgeCrossEntropy(where, positive)(logits, target, known), expected)
    if positive == 1 and where == "frame":
        torch.testing.assert_close(expected, binary_cross_entropy(logits.sigmoid(), target))


def test_large_logits_neither_overflow_nor_saturate():
    logits = torch.tensor([-300.0, 300.0]).view(1, 1, 1, 2).requires_grad_(True)
    known = torch.zeros(1, 1, 1, 2, dtype=torch.bool)
    target = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    found = EdgeCrossEntropy("hole")(logits, target, known)
    found.backward()
    assert found.item() == pytest.approx(300)
    assert logits.grad.flatten().tolist() == [-0.5, 0.5]


def test_with_a_weight_the_best_answer_is_the_weighted_share():
    logits = torch.linspace(-4, 6, 4001, dtype=torch.float64).view(-1, 1, 1, 1)
    entropy = EdgeCrossEntropy(positive=4)
    known = torch.zeros(1, 1, 1, 1, dtype=torch.bool)
    losses = [entropy(each[None], torch.full_like(each[None], 0.3), known) for each in logits]
    best = logits.flatten()[int(np.argmin([float(each) for each in losses]))].sigmoid()
    assert best.item() == pytest.approx(4 * 0.3 / (4 * 0.3 + 0.7), abs=1e-3)


def test_gradients_are_those_of_finite_differences():
    predicted, truth = batch(*frame(0, 2, 6, 5)).requires_grad_(True), batch(*frame(1, 2, 6, 5))
    known = torch.from_numpy(np.random.default_rng(0).random((2, 1, 6, 5)) > 0.3)
    assert torch.autograd.gradcheck(edge_map, (predicted,))
    assert torch.autograd.gradcheck(lambda each: EdgeLoss()(each, truth, known), (predicted,))
    entropy = EdgeCrossEntropy("hole", 3.0)
    assert torch.autograd.gradcheck(lambda each: entropy(each, truth.abs(), known), (predicted,))


def test_in_half_precision_sums_are_float32():
    images = batch(tissue(0)).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(edge_map(images), edge_map(images.double()).float(), rtol=1e-4, atol=1e-5)
        loss = EdgeLoss()(images.bfloat16(), images, torch.zeros(images.shape, dtype=torch.bool))
    assert loss.dtype == torch.float32
    assert loss.isfinite()
