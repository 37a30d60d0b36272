"""Films are reduced before holes are made in them: means of blocks, written out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import MedInpaintLib as mi
from MedInpaintLib.manifest import Entry
from MedInpaintLib.shrink import reduced_to
from MedInpaintLib.training.undamaged import read_undamaged


def block_means(image, times):
    """Pixel by pixel; what is left of the last block is left out."""
    rows, columns = (size // times for size in image.shape)
    means = np.empty((rows, columns))
    for row, column in np.ndindex(rows, columns):
        total = 0.0
        for down in range(times):
            for right in range(times):
                total += float(image[row * times + down, column * times + right])
        means[row, column] = total / times**2
    return means


@given(
    rows=st.integers(8, 40),
    columns=st.integers(8, 40),
    across=st.integers(5, 40),
    dtype=st.sampled_from([np.uint8, np.int16, np.uint16, np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def test_a_reduced_film_is_made_of_the_means_of_blocks(rows, columns, across, dtype, seed):
    array = (200 * np.random.default_rng(seed).random((rows, columns))).astype(dtype)
    image = mi.Volume(array, (0.5, 0.25))
    found = reduced_to(image, across)
    longer = max(rows, columns)
    if across > longer / 2:
        assert found is image
        return
    times = longer // across
    assert max(found.array.shape) >= across
    assert longer / (times + 1) < across
    assert found.array.dtype == dtype
    assert found.spacing == (0.5 * times, 0.25 * times)
    tolerance = 0.5 if np.dtype(dtype).kind in "iu" else 1e-4
    np.testing.assert_allclose(found.array, block_means(array, times), rtol=0, atol=tolerance)


def entry(folder, name, image, modality):
    image.write(folder / name)
    return Entry(folder / name, Path(name).stem, modality, "", "s1", "train")


@pytest.mark.parametrize(
    ("across", "shape", "mm"), [(0, (60, 40), 0.5), (31, (60, 40), 0.5), (30, (30, 20), 1.0), (20, (20, 13), 1.5)]
)
def test_films_of_twice_as_many_pixels_are_reduced_as_they_are_read(across, shape, mm, tmp_path):
    array = np.random.default_rng(0).integers(0, 4000, (60, 40)).astype(np.uint16)
    film = entry(tmp_path, "film.nii.gz", mi.Volume(array, (0.5, 0.5)), "film")
    (found,) = read_undamaged([film], across=across)
    assert found.image.array.shape == found.inside.shape == shape
    assert found.image.spacing == pytest.approx((mm, mm))
    assert found.image.array.dtype == np.uint16


def test_volumes_are_not_reduced(tmp_path):
    array = np.random.default_rng(0).integers(0, 900, (4, 40, 40)).astype(np.int16)
    volume = entry(tmp_path, "volume.nii.gz", mi.Volume(array, (2.0, 1.0, 1.0)), "MR")
    (found,) = read_undamaged([volume], across=10)
    np.testing.assert_array_equal(found.image.array, array)
