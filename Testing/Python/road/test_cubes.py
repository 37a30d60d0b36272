"""Regions as 3-D networks see them: cubes of 1 mm whose axes point to superior, anterior and right."""

import itertools

import numpy as np
import pytest

from MedInpaintLib.cubes import cubes_of
from MedInpaintLib.intensity import Scaling
from MedInpaintLib.mask import Hole
from MedInpaintLib.modality import MR
from MedInpaintLib.region import crop
from MedInpaintLib.subject import Subject
from MedInpaintLib.volume import Volume

SHAPE = (12, 10, 8)


def region_of(axes=(0, 1, 2), signs=(1, 1, 1), spacing=(1.0, 1.0, 1.0)):
    """Return a region whose i, j and k run along these axes of LPS, and the mm of LPS of its voxels."""
    direction = np.zeros((3, 3))
    for column, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        direction[axis, column] = sign
    volume = Volume(np.zeros(SHAPE, dtype=np.float32), spacing, direction=tuple(direction.ravel()))
    hole = np.zeros(SHAPE, dtype=bool)
    hole[4:8, 3:6, 3:5] = True
    box = (slice(4, 8), slice(3, 6), slice(3, 5))
    subject = Subject(volume, Hole(hole[box], box, SHAPE), Scaling(0.0, 1.0), MR)
    k, j, i = np.indices(SHAPE) * np.reshape(spacing, (3, 1, 1, 1))
    lps = np.tensordot(direction, np.stack([i, j, k]), 1)
    return crop(subject, tuple(slice(0, size) for size in SHAPE)), lps


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (1, -1, -1)])
def test_axes_point_to_superior_anterior_and_right(axes, signs):
    region, (left, posterior, superior) = region_of(axes, signs)
    cubes = cubes_of(region)
    for axis, mm in enumerate((superior, -posterior, -left)):
        steps = np.diff(cubes.cut(mm), axis=axis)
        np.testing.assert_allclose(steps, 1.0, atol=1e-5)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)])
def test_voxels_of_1_mm_come_back_as_they_were(axes):
    region, _ = region_of(axes, (-1, 1, 1), (1.0, 1.05, 0.95))
    values = np.random.default_rng(0).random(SHAPE, np.float32)
    cubes = cubes_of(region)
    np.testing.assert_array_equal(cubes.back(cubes.cut(values)), values)


def test_thick_slices_become_cubes_and_what_is_linear_stays_so():
    region, (left, posterior, superior) = region_of(spacing=(3.0, 0.5, 1.0))
    cubes = cubes_of(region)
    assert cubes.size == (36, 5, 8)
    linear = (superior + 2 * posterior - left).astype(np.float32)
    inner = (slice(2, -2), slice(1, -1), slice(1, -1))
    steps = np.diff(cubes.cut(linear), axis=0)[inner]
    np.testing.assert_allclose(steps, 1.0, atol=0.01)
    np.testing.assert_allclose(cubes.back(cubes.cut(linear))[2:-2, 2:-2], linear[2:-2, 2:-2], atol=0.3)
