"""Patch fill on the road: from image and mask to image."""

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.errors import Cancelled
from MedInpaintLib.metrics.texture import gradient_energy
from MedInpaintLib.progress import Progress


def fill(image, hole, method="patch", **options):
    return mi.inpaint(image, hole, method=method, **options)


def blobs(shape, sigma):
    """Two tissues, sharply divided."""
    rng = np.random.default_rng(0)
    image = np.where(ndimage.gaussian_filter(rng.normal(size=shape), sigma) > 0, 800.0, 400.0)
    middle = [n // 2 for n in shape]
    hole = np.zeros(shape, dtype=bool)
    hole[tuple(slice(at - 5, at + 5) for at in middle)] = True
    return image + rng.normal(size=shape), hole


def texture(shape=(26, 26, 26), seed=0):
    rng = np.random.default_rng(seed)
    image = 500 + 300 * ndimage.gaussian_filter(rng.normal(size=shape), 0.7)
    hole = np.zeros(shape, dtype=bool)
    hole[tuple(slice(10, 16) for _ in shape)] = True
    return image, hole


@pytest.mark.parametrize(("shape", "sigma"), [((30, 30, 30), 1.5), ((70, 70), 2.0)])
def test_the_fill_is_as_rough_as_tissue_where_biharmonic_is_smooth(shape, sigma):
    image, hole = blobs(shape, sigma)
    patches, smooth = (
        gradient_energy(fill(image, hole, method).volume.array, image, hole) for method in ("patch", "biharmonic")
    )
    assert 0.75 < patches < 1.2
    assert smooth < 0.85 * patches


def test_a_repeated_pattern_is_continued():
    image = np.tile(np.random.default_rng(1).random((4, 4, 4)), (7, 7, 7)) * 100
    hole = np.zeros(image.shape, dtype=bool)
    hole[12:16, 12:16, 12:16] = True
    filled = fill(image, hole, parameters={"effort": 30}).volume.array
    assert np.abs(filled - image)[hole].mean() < 0.1 * np.abs(image - image.mean()).mean()


def test_guides_bring_back_what_nothing_around_the_hole_shows():
    image, hole = blobs((30, 30, 30), 1.2)
    guided = fill(image, hole, guides=[np.where(image > 600, 100.0, 900.0)]).volume.array
    alone = fill(image, hole).volume.array
    assert np.abs(guided - image)[hole].mean() < 0.5 * np.abs(alone - image)[hole].mean()


def test_the_same_seed_gives_the_same_and_hidden_voxels_do_not_matter():
    image, hole = texture()
    first = fill(image, hole, seed=3)
    hidden = fill(np.where(hole, np.nan, image), hole, seed=3)
    other = fill(image, hole, seed=4)
    np.testing.assert_array_equal(first.volume.array[hole], hidden.volume.array[hole])
    assert (first.volume.array != other.volume.array)[hole].any()


def test_the_whole_scan_is_searched_where_nothing_near_can_be_copied():
    image = np.random.default_rng(0).random((12, 12, 60)) * 100
    hole = np.zeros(image.shape, dtype=bool)
    hole[:, :, :30][np.indices((12, 12, 30)).sum(axis=0) % 2 == 0] = True
    result = fill(image, hole, parameters={"search": 1.0})
    assert not [warning for warning in result.report["warnings"] if "biharmonic" in warning]


def test_smaller_patches_from_further_away_than_asked_for_are_warned_of():
    rng = np.random.default_rng(0)
    image, hole = texture((24, 24, 24))[0], rng.random((24, 24, 24)) < 0.1
    (warning,) = fill(image, hole, parameters={"size": 5, "search": 5}).report["warnings"]
    assert warning == "No patch within 5 mm is whole; all of the image was searched, for the smallest patches."


def test_without_any_whole_patch_the_smooth_fill_is_taken_and_that_is_said():
    image = np.random.default_rng(0).random((12, 12)) * 100
    hole = np.indices(image.shape).sum(axis=0) % 2 == 0
    result = fill(image, hole)
    smooth = fill(image, hole, "biharmonic", blend="poisson")
    np.testing.assert_allclose(result.volume.array, smooth.volume.array, atol=1e-3)
    assert any("biharmonic" in warning for warning in result.report["warnings"])


def test_the_fill_can_be_cancelled_on_the_way():
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 20

    image, hole = texture()
    with pytest.raises(Cancelled):
        fill(image, hole, progress=Progress(cancelled=cancelled))


def test_a_hole_in_a_flat_border_stays_flat_where_only_tissue_could_be_copied():
    """A strip through the border of a film leaves two rows of it on each side: no whole patch of it is left."""
    rng = np.random.default_rng(0)
    film = 100 + 50 * rng.random((60, 40))
    film[44:] = 7.0
    hole = np.zeros(film.shape, bool)
    hole[47:57] = True
    hole[10:16, 10:16] = True
    filled = mi.inpaint(film, hole, method="patch", modality="film").volume.array
    np.testing.assert_allclose(filled[47:57], 7, atol=1e-3)
    assert np.ptp(filled[10:16, 10:16]) > 5
