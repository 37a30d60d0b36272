"""The mid-sagittal plane and the local fit, against images whose symmetry is known."""

import functools

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib import intensity
from MedInpaintLib.mask import find_hole
from MedInpaintLib.modality import MR
from MedInpaintLib.registration import _Level, _similarity, _solved, find_symmetry, fit_locally, frame, reflection
from MedInpaintLib.subject import Subject
from MedInpaintLib.volume import Volume


def scan_of(volume, hole=None):
    if hole is None:
        hole = np.zeros(volume.array.shape, bool)
        hole.flat[0] = True
    found, _ = find_hole(volume.with_array(hole.astype(np.uint8)), volume)
    known = intensity.sample_known(volume.array, found.voxels, found.box)
    return Subject(volume, found, intensity.fit_scaling(known, MR))


def head(points):
    """A head that is symmetric about x = 0 exactly, at points ``(3, ...)`` in mm (z, y, x)."""
    noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(64, 72, 40)), 1.5)
    z, y, x = points[0], points[1], np.abs(points[2])
    texture = ndimage.map_coordinates(noise / noise.std(), [z / 3 + 32, y / 3 + 36, x / 3 + 4], order=3, mode="nearest")
    skin = 1.0 / (1.0 + np.exp(12 * (np.sqrt((z / 62) ** 2 + (y / 75) ** 2 + (x / 58) ** 2) - 1)))
    return (1000 * skin * (1 + 0.2 * texture)).astype(np.float32)


def rotation(yaw, roll):
    """By degrees: the midline turned about z (yaw) and about y (roll)."""
    a, b = np.radians([yaw, roll])
    about_z = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    return about_z @ about_y


@functools.cache
def tilted(yaw=0.0, roll=0.0, shift=0.0, shape=(50, 60, 50), mm=3.0):
    """An array of the head under a rotation, and its plane: normal (z, y, x) and mm from the corner voxel."""
    centre = (np.array(shape) - 1) / 2 * mm
    points = np.indices(shape) * mm - centre.reshape(3, 1, 1, 1)
    turn = rotation(yaw, roll)
    array = head(np.tensordot(turn.T, points, 1) - np.reshape([0, 0, shift], (3, 1, 1, 1)))
    normal = turn[:, 2]
    return array, normal, normal @ centre + shift


@pytest.mark.parametrize(("yaw", "roll", "shift"), [(0, 0, 0), (7, -9, 8), (20, 10, -5)])
def test_the_plane_of_a_tilted_head_is_found(yaw, roll, shift):
    array, normal, distance = tilted(yaw, roll, shift)
    subject = scan_of(Volume(array, (3.0,) * 3))
    found = find_symmetry(subject)
    steps, _ = frame(subject)  # an isometry, so angles and distances can be compared in indices * 3 mm
    index = np.linalg.inv(steps) @ (found.normal * found.distance) * 3.0
    across = np.linalg.inv(steps) @ found.normal * 3.0
    sign = np.sign(across @ normal)
    assert np.degrees(np.arccos(min(abs(across @ normal), 1.0))) < 0.5
    assert abs(sign * (index @ across) - distance) < 0.5
    # The affine map is the reflection, everywhere in the head, to half a mm.
    points = np.random.default_rng(0).uniform(10, 40, (3, 200))
    mm = points * 3.0
    expected = (mm - 2 * np.outer(normal, normal @ mm - distance)) / 3.0
    assert np.abs(found.mirror(points) - expected).max() * 3.0 < 0.6
    assert found.similarity > 0.9


def test_the_hole_takes_no_part_on_either_side():
    array, _, _ = tilted(5, 3, 2)
    hole = np.zeros(array.shape, bool)
    hole[20:32, 20:35, 30:40] = True
    spoiled = array.copy()
    spoiled[hole] = 5000
    first = find_symmetry(scan_of(Volume(array, (3.0,) * 3), hole))
    second = find_symmetry(scan_of(Volume(spoiled, (3.0,) * 3), hole))
    np.testing.assert_array_equal(first.matrix, second.matrix)
    np.testing.assert_array_equal(first.offset, second.offset)


def test_the_similarity_is_that_of_all_pairs_of_known_voxels_one_by_one():
    rng = np.random.default_rng(4)
    shape, middle = (5, 6, 9), 4
    values = rng.normal(size=shape).astype(np.float32)
    body = rng.random(shape) < 0.9
    known = body & (rng.random(shape) < 0.7)
    at = _Level(np.where(known, values, 0), known.astype(np.float32), body.astype(np.float32), np.eye(3), np.zeros(3))
    own, other, inside = [], [], []
    for z, y, x in np.argwhere(body):
        mirrored = (z, y, 2 * middle - x)
        inside.append(body[mirrored])
        if known[z, y, x] and known[mirrored]:
            own.append(float(values[z, y, x]))
            other.append(float(values[mirrored]))
    correlation = np.dot(own, other) / np.sqrt(np.dot(own, own) * np.dot(other, other))
    found = _similarity(at, *reflection(np.array([0.0, 0.0, 1.0, middle])))
    assert found == pytest.approx(correlation * np.sqrt(np.mean(inside)), abs=1e-6)


def test_the_plane_of_a_head_without_most_of_one_half_is_found():
    array, normal, distance = tilted(6, -5, 4)
    side = np.tensordot(normal, np.indices(array.shape) * 3.0, 1) - distance
    hole = (side > 9) & (np.indices(array.shape)[1] < 35) & (array > 300)
    assert hole.sum() * 27 > 350_000  # mm^3, of 1,370,000
    found = find_symmetry(scan_of(Volume(array, (3.0,) * 3), hole))
    steps, _ = frame(scan_of(Volume(array, (3.0,) * 3)))
    index = np.linalg.inv(steps) @ (found.normal * found.distance) * 3.0
    across = np.linalg.inv(steps) @ found.normal * 3.0
    assert np.degrees(np.arccos(min(abs(across @ normal), 1.0))) < 1.0
    assert abs(np.sign(across @ normal) * (index @ across) - distance) < 1.0
    whole = find_symmetry(scan_of(Volume(array, (3.0,) * 3)))
    assert found.similarity > 0.9 * whole.similarity  # a hole is no asymmetry


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0)])
def test_any_order_of_the_axes_gives_the_same_map_with_and_without_a_header(order):
    array, _, _ = tilted(6, -4, 3)
    plain = Volume(array, (3.0,) * 3)
    stored = np.ascontiguousarray(array.transpose(order))
    columns = np.eye(3)[:, ::-1]  # LPS direction of the axes (k, j, i)
    direction = columns[:, list(order)][:, ::-1]
    points = np.random.default_rng(1).uniform(12, 38, (3, 100))
    expected = find_symmetry(scan_of(plain)).mirror(points)
    for header in (tuple(direction.ravel()), ()):
        found = find_symmetry(scan_of(Volume(stored, (3.0,) * 3, (), header))).mirror(points[list(order)])
        assert np.abs(found - expected[list(order)]).max() * 3.0 < 0.3


def test_half_a_head_and_a_bit_is_enough():
    array, normal, distance = tilted(4, 0, 0)
    cut = array[:, :, 14:]
    found = find_symmetry(scan_of(Volume(np.ascontiguousarray(cut), (3.0,) * 3)))
    points = np.random.default_rng(2).uniform((12, 12, 20), (38, 45, 30), (100, 3)).T
    mm = points * 3.0
    expected = (mm - 2 * np.outer(normal, normal @ mm - distance)) / 3.0
    moved = np.reshape([0, 0, 14], (3, 1))
    assert np.abs(found.mirror(points - moved) + moved - expected).mean() * 3.0 < 0.5


def test_a_slice_has_a_midline():
    array, _, _ = tilted(0, 0, 4)
    found = find_symmetry(scan_of(Volume(array[25], (3.0, 3.0))))
    middle = (50 - 1) / 2 + 4 / 3
    points = np.random.default_rng(3).uniform(15, 35, (2, 50))
    assert np.abs(found.mirror(points) - [points[0], 2 * middle - points[1]]).max() * 3.0 < 0.5


def test_what_is_too_small_has_none():
    assert find_symmetry(scan_of(Volume(np.random.default_rng(0).random((4, 5, 6)), (1.0,) * 3))) is None


def test_what_is_known_only_here_and_there_has_none():
    array, _, _ = tilted(shape=(84, 84, 84), mm=2.0)
    hole = np.random.default_rng(0).random(array.shape) < 0.75
    assert find_symmetry(scan_of(Volume(array, (2.0,) * 3), hole)) is None


def test_the_local_fit_finds_a_known_displacement_also_within_a_hole():
    rng = np.random.default_rng(0)
    fixed = ndimage.gaussian_filter(rng.normal(size=(48, 48, 48)), 2.5)
    fixed /= fixed.std()
    at = np.indices(fixed.shape).astype(float)
    true = np.array([2.0 * np.sin(at[1] / 15), 1.5 * np.cos(at[2] / 18), np.full(fixed.shape, -1.5)])
    # moving(x + true(x)) = fixed(x) for a displacement so smooth that its own change over itself is negligible
    moving = ndimage.map_coordinates(fixed, at - true, order=3, mode="nearest")
    known = np.ones(fixed.shape, bool)
    known[19:29, 19:29, 19:29] = False
    hidden = np.where(known, fixed, 50.0)
    found = fit_locally(hidden, known, moving, np.ones(fixed.shape, bool), (1.0,) * 3)
    inner = (slice(8, -8),) * 3
    error = np.sqrt(((found - true) ** 2).sum(axis=0))
    assert error[inner].mean() < 0.6
    assert error[~known].mean() < 1.0


def test_deep_in_a_large_hole_nothing_is_moved():
    rng = np.random.default_rng(0)
    fixed = ndimage.gaussian_filter(rng.normal(size=(30, 30, 90)), 2.5)
    fixed /= fixed.std()
    known = np.ones(fixed.shape, bool)
    known[..., 30:] = False
    found = fit_locally(fixed, known, np.roll(fixed, 2, 0), np.ones(fixed.shape, bool), (1.0,) * 3)
    assert found[0][8:-8, 8:-8, 8:15].mean() > 1.5
    assert not found[..., 50:].any()


def test_the_elimination_is_that_of_numpy():
    rng = np.random.default_rng(0)
    half = rng.normal(size=(4, 5, 3, 3))
    matrix, right = half @ np.swapaxes(half, -1, -2) + 0.1 * np.eye(3), rng.normal(size=(4, 5, 3, 1))
    expected = np.linalg.solve(matrix, right)[..., 0]
    found = _solved(np.moveaxis(matrix, (-2, -1), (0, 1)).copy(), np.moveaxis(right[..., 0], -1, 0).copy())
    np.testing.assert_allclose(np.moveaxis(found, 0, -1), expected, rtol=1e-8, atol=1e-10)
