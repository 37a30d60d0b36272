"""Level and scale around a hole against loops, and what networks make of them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from MedInpaintLib.networks import build
from MedInpaintLib.networks.surroundings import LEAST, NEARBY, STEPS, surroundings


def literal(image, known):
    """Pixel by pixel, in numpy."""
    size = image.shape
    weights = np.zeros(size)
    for place in np.ndindex(*size):
        near = total = 0.0
        for other in np.ndindex(*size):
            weight = math.exp(-((place[0] - other[0]) ** 2 + (place[1] - other[1]) ** 2) / (2 * NEARBY**2))
            near += weight * (not known[other])
            total += weight
        weights[place] = known[place] * near / total + 1e-9
    mean = square = 0.0
    for (row, column), weight in np.ndenumerate(weights):
        mean += weight * image[row, column] * known[row, column]
        for other in ((row + 1, column), (row, column + 1)):
            if other[0] < size[0] and other[1] < size[1] and known[row, column] and known[other]:
                square += weight * (image[other] - image[row, column]) ** 2
    return mean / weights.sum(), STEPS * math.sqrt(square / weights.sum()) + LEAST


@given(seed=st.integers(0, 2**16), share=st.sampled_from([0.0, 0.3, 0.9]))
def test_they_are_those_of_the_loop(seed, share):
    rng = np.random.default_rng(seed)
    image, known = rng.uniform(-1, 1, (7, 9)), rng.random((7, 9)) >= share
    level, scale = surroundings(*(torch.from_numpy(np.float64(each))[None, None] for each in (image, known)))
    assert (level.item(), scale.item()) == pytest.approx(literal(image, known), rel=1e-6)


def test_what_lies_under_the_hole_does_not_matter():
    chance = torch.Generator().manual_seed(0)
    image = torch.rand(2, 1, 16, 16, generator=chance)
    known = torch.ones_like(image)
    known[..., 4:9, 5:12] = 0
    one, other = surroundings(image, known), surroundings(torch.where(known > 0, image, 7.0), known)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_far_from_the_hole_nothing_counts_much():
    image = torch.zeros(1, 1, 64, 64)
    image[..., 50:] = 5.0
    known = torch.ones_like(image)
    known[..., 4:12, 4:12] = 0
    level, scale = surroundings(image, known)
    assert abs(level.item()) < 1e-3
    assert scale.item() == pytest.approx(LEAST, abs=1e-2)


@pytest.mark.parametrize("architecture", ["unet", "pconv", "rfr"])
@torch.no_grad()
def test_a_relative_network_fills_a_brighter_image_of_more_contrast_alike(architecture):
    size = {"width": 8, "recurrences": 2} if architecture == "rfr" else {"width": 4, "levels": 3}
    torch.manual_seed(0)
    network = build(architecture, {"pixels": 32, "given": "fill", "relative": True, **size})
    for weights in network.parameters():
        if not weights.any():
            torch.nn.init.normal_(weights, std=0.1)
    images, known = torch.rand(4, 1, 32, 32) * 20, torch.ones(4, 1, 32, 32, dtype=torch.bool)
    known[..., 10:20, 8:20] = False
    network(images, known)
    network.eval()
    filled, again = network(images, known), network(3 * images + 5, known)
    assert (filled - images).abs().max() > 0.1
    torch.testing.assert_close(again, 3 * filled + 5, rtol=1e-3, atol=0.02)  # LEAST is no part of the contrast
