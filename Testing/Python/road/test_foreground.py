"""Where the body is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.foreground import body
from MedInpaintLib.modality import CT, FILM, MR


@pytest.fixture
def head() -> np.ndarray:
    """A textured ellipsoid, int16, on a dark background; 32 x 56 x 48 voxels."""
    k, j, i = np.ogrid[:32, :56, :48]
    inside = ((k - 16) / 14) ** 2 + ((j - 28) / 25) ** 2 + ((i - 24) / 21) ** 2 <= 1
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=inside.shape), 3)
    return np.where(inside, 600 + 150 * texture / texture.std(), 0).astype(np.int16)


@pytest.fixture
def chest():
    """A CT: air, a body with two lungs, and a thin table beneath."""
    hu = np.full((6, 60, 80), -1000, dtype=np.int16)
    hu[:, 10:40, 10:70] = 40
    hu[:, 15:35, 15:35] = hu[:, 15:35, 45:65] = -850
    hu[:, 45:47, 5:75] = 100
    return hu


def test_lungs_belong_to_the_body_and_the_table_does_not(chest):
    inside = body(chest, CT)
    assert inside[:, 12:38, 12:68].all()
    assert not inside[:, 44:].any()
    assert not inside[:, :9].any()


def test_a_head_is_found_with_its_dark_ventricles_and_without_specks(head):
    speckled = head.copy()
    speckled[14:18, 26:30, 22:26] = 0
    speckled[2, 2, 2] = 900
    inside = body(speckled, MR)
    assert inside[14:18, 26:30, 22:26].all()
    assert not inside[2, 2, 2]
    assert (inside[head > 0]).mean() > 0.95


def test_a_film_is_all_body_and_so_is_an_image_without_contrast():
    assert body(np.zeros((9, 9), dtype=np.uint8), FILM).all()
    assert body(np.zeros((4, 9, 9)), MR).all()


def test_slices_are_handled_alone(chest):
    assert (body(chest[0], CT) == body(chest, CT)[0]).all()
