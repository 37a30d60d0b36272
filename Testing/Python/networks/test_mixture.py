"""Mixtures and clues against loops over pixels and scipy's Gaussian filter."""

import numpy as np
import torch
from scipy import ndimage

from MedInpaintLib.networks.mixture import CLUES, DETAIL, FAR, NEAR, blurred, clues, mixed, shares

SIDE = 24


def rand(*shape, seed=0):
    return torch.rand(*shape, SIDE, SIDE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def weights(at, sigma):
    """Of all pixels for the Gaussian mean around one, ``(SIDE, SIDE)``."""
    y, x = np.indices((SIDE, SIDE))
    found = np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) / (2 * sigma**2))
    return found / found.sum()


def test_blurred_is_a_gaussian_mean_of_the_pixels_that_there_are():
    images = rand(2, 3)
    found = blurred(images, 1.5).numpy()
    # Weights at the border are those of a filter that counts zeros there, divided by what they sum to.
    once = [ndimage.gaussian_filter(np.ones((SIDE, SIDE)), 1.5, mode="constant", truncate=30)]
    for image, expected in zip(images.numpy().reshape(-1, SIDE, SIDE), found.reshape(-1, SIDE, SIDE), strict=True):
        filtered = ndimage.gaussian_filter(image, 1.5, mode="constant", truncate=30) / once[0]
        np.testing.assert_allclose(expected, filtered, atol=1e-9)
    torch.testing.assert_close(blurred(torch.ones(1, 1, SIDE, SIDE), 5.0), torch.ones(1, 1, SIDE, SIDE))


def test_a_mixture_is_the_sum_of_shares_of_what_fills_and_their_blurred_selves_differ_from_the_first():
    fills, how_much = rand(2, 3), rand(2, shares(3), seed=1)
    found = mixed(fills, how_much)
    for image, row, column in ((0, 5, 7), (1, 0, 23), (1, 12, 12)):
        first, *others = (float(fills[image, number, row, column]) for number in range(3))
        smooth = [float((fills[image, number].numpy() * weights((row, column), DETAIL)).sum()) for number in range(3)]
        expected = sum(
            float(share) * (value - first)
            for share, value in zip(how_much[image, :, row, column], [*others, *smooth], strict=True)
        )
        np.testing.assert_allclose(float(found[image, 0, row, column]), expected, atol=1e-12)


def test_of_one_fill_alone_the_mixture_is_its_blurred_self():
    fill = rand(1, 1)
    assert shares(1) == 1
    torch.testing.assert_close(fill + mixed(fill, torch.ones_like(fill)), blurred(fill, DETAIL))


def test_clues_are_means_over_known_pixels():
    image, other = rand(1, 1), rand(1, 1, seed=1)
    known = (rand(1, 1, seed=2) > -0.5).double()
    there = (rand(1, 1, seed=3) > -0.8).double()
    known[..., 6:14, 8:16] = 0
    found = clues(image, known, other, there)
    assert found.shape == (1, CLUES, SIDE, SIDE)
    both = (known * there).numpy()[0, 0]
    differs = (image - other).numpy()[0, 0]
    for at in ((10, 12), (0, 0), (20, 3)):
        near, far = weights(at, NEAR), weights(at, FAR)
        count = (far * both).sum() + 0.01
        expected = [
            (near * known.numpy()[0, 0]).sum(),
            (far * known.numpy()[0, 0]).sum(),
            np.sqrt((far * both * differs**2).sum() / count),
            (far * both * differs).sum() / count,
        ]
        np.testing.assert_allclose(found[(0, slice(None), *at)].numpy(), expected, atol=1e-9)


def test_clues_hold_nothing_of_what_is_hidden_and_are_finite_where_nothing_is_known():
    image, other = rand(1, 1), rand(1, 1, seed=1)
    known, there = torch.ones_like(image), torch.ones_like(image)
    known[..., 6:14, 8:16] = 0
    there[..., 0:3, :] = 0
    hidden, beyond = image.where(known > 0, torch.tensor(9.0)), other.where(there > 0, torch.tensor(9.0))
    assert torch.equal(clues(image, known, other, there), clues(hidden, known, beyond.double(), there))
    nothing = clues(image, torch.zeros_like(known), other, there)
    assert torch.equal(nothing, torch.zeros_like(nothing))
