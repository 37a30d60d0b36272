"""Fills along lines against numpy's interpolation, row by row and column by column."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from MedInpaintLib.networks import build
from MedInpaintLib.networks.lines import LINES, along_lines


def literal(image, known):
    """Along rows; where a row is all hole, the image."""
    filled = image.copy()
    for values, there, out in zip(image, known, filled, strict=True):
        if there.any():
            out[:] = np.interp(np.arange(len(values)), np.flatnonzero(there), values[there])
    return filled


@given(
    seed=st.integers(0, 2**16),
    shape=st.sampled_from([(6, 9), (8, 8), (1, 5)]),
    share=st.sampled_from([0.0, 0.4, 0.9, 1.0]),
)
def test_they_are_those_of_the_interpolation(seed, shape, share):
    rng = np.random.default_rng(seed)
    image, known = rng.uniform(-1, 1, (2, *shape)), rng.random((2, *shape)) >= share
    found = along_lines(*(torch.from_numpy(np.float64(each))[:, None] for each in (image, known)))
    assert found.shape == (2, LINES, *shape)
    for number in range(2):
        np.testing.assert_allclose(found[number, 0], literal(image[number], known[number]), atol=1e-12)
        np.testing.assert_allclose(found[number, 1], literal(image[number].T, known[number].T).T, atol=1e-12)


@torch.no_grad()
def test_a_network_mixes_them():
    """With a share of 1 of the fill along columns, and nothing added, that is what it fills in."""
    network = build("unet", {"pixels": 16, "given": "fill", "lines": True, "relative": True, "width": 4, "levels": 2})
    # Of the output the first channel is added; then come the shares of all fills but the first, rows and columns.
    network.body.head.bias[2] = 1.0
    images, known = torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool)
    known[..., 5:9, 4:12] = False
    expected = along_lines(images, known.float())[:, 1:]
    torch.testing.assert_close(network.eval()(images, known), expected)
