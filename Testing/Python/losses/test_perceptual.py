"""Losses on features against loops over channels and pixels."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from MedInpaintLib.losses.perceptual import FeatureLosses, PerceptualLoss, StyleLoss, gram


def literal_gram(features) -> np.ndarray:
    channels, height, width = features.shape
    found = np.zeros((channels, channels))
    for one, other in np.ndindex(channels, channels):
        for place in np.ndindex(height, width):
            found[one, other] += features[(one, *place)] * features[(other, *place)]
    return found / (channels * height * width)


def literal_perceptual(found, truth) -> float:
    total = 0.0
    for one, other in zip(found, truth, strict=True):
        total += np.mean([np.abs(a - b).mean() for a, b in zip(one, other, strict=True)])
    return total


def literal_style(found, truth) -> float:
    """Liu et al., eq. 4: 1 / C^2 times the sum over the C x C entries; the mean over frames."""
    total = 0.0
    for one, other in zip(found, truth, strict=True):
        for a, b in zip(one, other, strict=True):
            total += np.abs(literal_gram(a) - literal_gram(b)).sum() / one.shape[1] ** 2 / len(one)
    return total


@pytest.fixture
def levels():
    """Features of two images on two levels, each twice."""
    rng = np.random.default_rng(0)
    return [[rng.normal(size=shape) for shape in ((2, 3, 6, 4), (2, 5, 3, 2))] for _ in range(2)]


def tensors(arrays):
    return [torch.from_numpy(each) for each in arrays]


def extractor(images):
    """Two levels: the image with its square and its differences; and that at half the size."""
    first = torch.cat([images, images.square(), images.roll(1, dims=-1) - images], dim=1)
    return [first, functional.avg_pool2d(first, 2).tanh()]


@pytest.fixture
def frames():
    rng = np.random.default_rng(1)
    predicted, truth = (torch.from_numpy(rng.uniform(-1, 1, (2, 1, 6, 4))) for _ in range(2))
    return predicted, truth, torch.from_numpy(rng.random((2, 1, 6, 4)) > 0.4)


def test_gram_matrices_are_those_of_the_loop(levels):
    for features in levels[0]:
        expected = np.stack([literal_gram(each) for each in features])
        np.testing.assert_allclose(gram(torch.from_numpy(features)).numpy(), expected, rtol=1e-12)


def test_losses_on_features_are_those_of_the_loops(levels):
    found, truth = map(tensors, levels)
    assert PerceptualLoss()(found, truth).item() == pytest.approx(literal_perceptual(*levels), rel=1e-12)
    assert StyleLoss()(found, truth).item() == pytest.approx(literal_style(*levels), rel=1e-12)
    assert PerceptualLoss()(found, found) == StyleLoss()(found, found) == 0


def test_style_does_not_know_where_things_are_and_the_perceptual_loss_does(levels):
    found, _ = map(tensors, levels)
    moved = [each.flatten(2)[..., torch.randperm(each[0, 0].numel())].view_as(each) for each in found]
    assert StyleLoss()(moved, found).item() == pytest.approx(0, abs=1e-12)
    assert PerceptualLoss()(moved, found) > 0.1


def test_different_numbers_of_levels_are_no_match(levels):
    found, truth = map(tensors, levels)
    with pytest.raises(ValueError, match="argument"):
        PerceptualLoss()(found, truth[:1])


def test_prediction_and_composite_both_count(frames):
    predicted, truth, known = frames
    perceptual, style = FeatureLosses(extractor)(predicted, truth, known)
    with_numpy = [
        [each.numpy() for each in extractor(image)]
        for image in (predicted, torch.where(known, truth, predicted), truth)
    ]
    expected = [
        sum(literal(image, with_numpy[2]) for image in with_numpy[:2])
        for literal in (literal_perceptual, literal_style)
    ]
    np.testing.assert_allclose([perceptual.item(), style.item()], expected, rtol=1e-12)


def test_features_are_computed_once_and_without_gradient_for_the_truth(frames):
    predicted, truth, known = frames
    asked = []

    def watched(images):
        asked.append((len(images), torch.is_grad_enabled()))
        return extractor(images)

    FeatureLosses(watched)(predicted.requires_grad_(True), truth, known)
    assert asked == [(2, False), (4, True)]


def test_gradients_are_those_of_finite_differences(frames):
    predicted, truth, known = frames
    loss = FeatureLosses(extractor)
    assert torch.autograd.gradcheck(lambda each: loss(each, truth, known), (predicted.requires_grad_(True),))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sums_that_half_precision_cannot_hold_are_right(dtype):
    features = (100 * torch.randn(1, 8, 64, 64, generator=torch.Generator().manual_seed(0))).to(dtype)
    expected = gram(features.double())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = gram(features)
        loss = StyleLoss()([features], [0 * features])
        perceptual = PerceptualLoss()([features], [0 * features])
    assert found.dtype == loss.dtype == perceptual.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-3)
    assert loss.item() == pytest.approx(expected.abs().mean().item(), rel=1e-5)
    assert perceptual.item() == pytest.approx(features.double().abs().mean().item(), rel=1e-5)


def test_autocast_of_an_extractor_leaves_losses_and_gradients_finite(frames):
    predicted, truth, known = (each if each.dtype == torch.bool else each.float() for each in frames)
    layer = torch.nn.Conv2d(1, 6, 3, padding=1)
    predicted.requires_grad_(True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = FeatureLosses(lambda images: [layer(images)])(predicted, truth, known)
    sum(losses).backward()
    assert all(each.isfinite() and each > 0 for each in losses)
    assert predicted.grad.isfinite().all()
    assert predicted.grad.any()
