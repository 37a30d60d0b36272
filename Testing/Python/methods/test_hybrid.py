"""Hybrid fill against what it is made of."""

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi


def fill(image, hole, method="hybrid", spacing=1.0, **parameters):
    return mi.inpaint(image, hole, method=method, spacing=spacing, modality="MR", parameters=parameters)


def texture(shape=(30, 30, 30), seed=0):
    rng = np.random.default_rng(seed)
    image = 500 + 300 * ndimage.gaussian_filter(rng.normal(size=shape), 0.7) + 10 * np.indices(shape)[0]
    hole = np.zeros(shape, dtype=bool)
    hole[tuple(slice(11, 19) for _ in shape)] = True
    return image, hole


def test_a_small_scale_gives_the_smooth_fill_and_a_large_one_the_patches():
    image, hole = texture()
    smooth, patches = (
        mi.inpaint(image, hole, method=method, modality="MR", blend="poisson").volume.array
        for method in ("biharmonic", "patch")
    )
    fine, coarse = (fill(image, hole, scale=scale).volume.array for scale in (0.1, 100.0))
    np.testing.assert_allclose(fine[hole], smooth[hole], atol=1.0)
    np.testing.assert_allclose(coarse[hole], patches[hole], atol=5.0)


def test_the_scale_is_in_mm():
    """Of voxels of 20 mm, 2 mm are next to nothing."""
    image, hole = texture()
    smooth, filled = (
        fill(image, hole, method, 20.0, **parameters).volume.array
        for method, parameters in (("biharmonic", {}), ("hybrid", {"scale": 2.0, "search": 200.0}))
    )
    np.testing.assert_allclose(filled[hole], smooth[hole], atol=1.0)


def test_in_between_what_is_coarse_is_the_smooth_fill_and_what_is_fine_is_rough():
    image, hole = texture()
    smooth, filled = (fill(image, hole, method).volume.array for method in ("biharmonic", "hybrid"))
    patches = fill(image, hole, "patch").volume.array
    means = [ndimage.gaussian_filter(each, 3.0)[14:16, 14:16, 14:16].mean() for each in (smooth, filled, patches)]
    assert abs(means[1] - means[0]) <= abs(means[2] - means[0]) + 2.0
    fine = [(each - ndimage.gaussian_filter(each, 0.7))[hole].std() for each in (smooth, filled)]
    assert fine[1] > 1.2 * fine[0]


def head(seed=0):
    """An ellipsoid, symmetric about a plane across the last axis, with blobs of its own."""
    half = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(36, 40, 20)), 2.0)
    inside = np.concatenate([half[..., ::-1], half], axis=2)
    k, j, i = np.indices(inside.shape)
    ball = ((k - 17.5) / 16) ** 2 + ((j - 19.5) / 18) ** 2 + ((i - 19.5) / 17) ** 2 < 1
    image = np.where(ball, 600 + 1500 * inside, 0.0)
    hole = ball & ((k - 18) ** 2 + (j - 20) ** 2 + (i - 28) ** 2 < 36)
    return image, hole


def test_the_mirror_knows_the_structure_of_a_symmetric_head():
    image, hole = head()
    errors = {
        structure: np.abs(fill(image, hole, structure=structure, scale=1.0).volume.array - image)[hole].mean()
        for structure in ("biharmonic", "mirror")
    }
    assert errors["mirror"] < 0.8 * errors["biharmonic"]
    assert fill(image, hole, structure="mirror").report["notes"]["structure"] == "mirror"


def test_without_symmetry_the_structure_is_smooth_and_that_is_said():
    image, hole = texture()
    result = fill(image, hole, structure="mirror")
    assert result.report["notes"]["structure"] == "biharmonic"
    assert any("symmetric" in warning for warning in result.report["warnings"])
    smooth = fill(image, hole)
    np.testing.assert_array_equal(result.volume.array, smooth.volume.array)


def test_without_any_whole_patch_the_structure_is_all_and_that_is_said():
    image = np.random.default_rng(0).random((12, 12)) * 100
    hole = np.indices(image.shape).sum(axis=0) % 2 == 0
    result = mi.inpaint(image, hole, method="hybrid")
    assert any("without texture" in warning for warning in result.report["warnings"])
    assert np.isfinite(result.volume.array).all()


@pytest.mark.parametrize("spacing", [1.0, (4.0, 1.0, 1.0)])
def test_the_same_seed_gives_the_same(spacing):
    image, hole = texture((20, 24, 24))
    hole[:] = False
    hole[8:11, 9:15, 9:15] = True
    first, again = (mi.inpaint(image, hole, method="hybrid", spacing=spacing, seed=5).volume.array for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_parts_without_a_mirror_image_get_a_smooth_structure_and_that_is_said():
    image, hole = head()
    hole |= hole[..., ::-1]  # each part's mirror image is the other one
    result = fill(image, hole, structure="mirror")
    assert result.report["notes"]["structure"] == "biharmonic"
    assert any("cannot be filled from the other side" in warning for warning in result.report["warnings"])
