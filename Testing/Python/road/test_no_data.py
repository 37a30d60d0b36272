"""The third state of voxels: what holds no data is neither used nor filled, whatever stands for it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import MedInpaintLib as mi
from MedInpaintLib.errors import GeometryError, MaskError
from MedInpaintLib.mask import find_hole
from MedInpaintLib.no_data import find, nearest, settle
from MedInpaintLib.solvers import solve_biharmonic, solve_laplace, solve_poisson
from MedInpaintLib.volume import Volume

METHODS = mi.list_methods()
#: What stands for no data -> how the image says so.
STAND_INS = {
    "NaN": (np.nan, None),
    "padding": (-3024.0, (-3024.0, -3024.0)),
    "a fill value": (1e30, None),
}


def scene(dimensions, seed=0):
    """Return a random image that is smooth enough to have structure, a hole, and no data beside it and scattered."""
    rng = np.random.default_rng(seed)
    shape = (16, 18) if dimensions == 2 else (8, 10, 12)
    image = (500 + 100 * np.sin(np.indices(shape).sum(axis=0)) + 20 * rng.standard_normal(shape)).astype(np.float32)
    hole, gaps = np.zeros(shape, bool), rng.random(shape) < 0.05
    hole[..., 4:7, 5:8] = True
    gaps[..., 2:9, 8:10] = True
    return image, hole, gaps & ~hole


def options_for(method, image, spacing=1.0, **more):
    """Return options with which a method runs on any image."""
    info, rng = METHODS[method], np.random.default_rng(1)
    options = {"method": method, "modality": "MR", **more}
    if info.needs_exemplars:
        options["exemplars"] = [Volume(rng.random(image.shape), spacing)]
    if info.needs_guides:
        options |= {
            "guides": [Volume(rng.random(image.shape), spacing)],
            "parameters": {"target": "FLAIR", "guides": "T1"},
        }
    elif method.endswith("-latent"):
        options["parameters"] = {"steps": 3, "restarts": 2}
    return options


def fill(image, hole, gaps, stand_in="NaN", **options):
    """Fill an image in which something stands for no data."""
    value, padding = STAND_INS[stand_in]
    volume = Volume(np.where(gaps, image.dtype.type(value), image), 1.0, padding=padding)
    result = mi.inpaint(volume, hole, **options)
    kept = result.volume.array[~hole]
    assert kept.tobytes() == volume.array[~hole].tobytes()  # NaN is not equal to itself
    assert np.isfinite(result.volume.array[hole]).all()
    assert any("No data in" in warning for warning in result.report["warnings"])
    return result


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_no_method_sees_what_stands_for_no_data(method, dimensions):
    image, hole, gaps = scene(dimensions)
    fills = [
        fill(image, hole, gaps, stand_in, **options_for(method, image)).volume.array[hole] for stand_in in STAND_INS
    ]
    assert len({each.tobytes() for each in fills}) == 1


@pytest.mark.parametrize("blend", ["paste", "feather", "poisson"])
@pytest.mark.parametrize("method", [name for name, info in METHODS.items() if not info.needs_model])
def test_a_constant_image_with_no_data_stays_constant(method, blend):
    _, hole, gaps = scene(3)
    image = np.full(hole.shape, 575.0, np.float32)
    filled = fill(image, hole, gaps, **options_for(method, image, blend=blend)).volume.array
    np.testing.assert_allclose(filled[hole], 575.0, rtol=1e-5)


@pytest.mark.parametrize("method", [name for name, info in METHODS.items() if not info.needs_model])
@pytest.mark.parametrize("spacing", [1.0, 4.0])
def test_a_ring_of_three_voxels_without_data_is_bridged(method, spacing):
    """The hole touches no known voxel; those behind the ring are the nearest that there are."""
    image, hole, gaps = np.full((17, 17, 17), 575.0, np.float32), np.zeros((17,) * 3, bool), np.zeros((17,) * 3, bool)
    hole[7:10, 7:10, 7:10], gaps[4:13, 4:13, 4:13] = True, True
    volume = Volume(np.where(gaps, np.float32(np.nan), image), spacing)
    filled = mi.inpaint(volume, hole, **options_for(method, image, spacing)).volume.array
    np.testing.assert_allclose(filled[hole], 575.0, rtol=1e-5)


def test_a_hole_with_no_data_all_around_is_refused_in_words():
    image = np.full((20, 60, 60), np.nan, np.float32)
    image[..., 50:] = 100
    hole = np.zeros(image.shape, bool)
    hole[10, 10, 10:12] = True
    with pytest.raises(MaskError, match=r"2 voxels, the first at \[10, 10, 10\].*without data.*20 mm"):
        mi.inpaint(image, hole)
    everywhere = np.full((9, 9), np.nan)
    with pytest.raises(MaskError, match="Outside the hole no voxel of the image holds data"):
        mi.inpaint(everywhere, np.eye(9, dtype=bool))


def literal(values, hole, gaps, spacing, order=1):
    """Solve the equation on a dense matrix: neighbours without data do not exist, as beyond the border."""
    inside = ~gaps
    number = np.arange(values.size).reshape(values.shape)
    laplacian = np.zeros((values.size,) * 2)
    for axis, mm in enumerate(spacing):
        ones = [np.moveaxis(each, axis, 0) for each in (number, inside)]
        for one, other, both in zip(ones[0], ones[0][1:], ones[1][:-1] & ones[1][1:], strict=False):
            for a, b in zip(one[both], other[both], strict=True):
                weight = (min(spacing) / mm) ** 2
                laplacian[a, a] -= weight
                laplacian[b, b] -= weight
                laplacian[a, b] += weight
                laplacian[b, a] += weight
    matrix = laplacian @ laplacian if order == 2 else laplacian
    unknown, known = np.flatnonzero(hole), np.flatnonzero(~hole & inside)
    filled = np.array(values, dtype=float)
    right = -matrix[np.ix_(unknown, known)] @ filled.ravel()[known]
    filled.ravel()[unknown] = np.linalg.solve(matrix[np.ix_(unknown, unknown)], right)
    return filled


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("shape", "spacing"), [((14, 15), (1.0, 1.0)), ((7, 8, 9), (2.0, 1.0, 0.7))])
@pytest.mark.parametrize("seed", range(4))
def test_solvers_end_at_no_data_as_at_the_border_of_the_image(shape, spacing, order, seed):
    rng = np.random.default_rng(seed)
    values = rng.random(shape)
    hole = np.zeros(shape, bool)
    hole[tuple(slice(2, 3 + size // 2) for size in shape)] = True
    gaps = ~hole & (rng.random(shape) < 0.4)
    gaps[..., 0] = False
    solve = solve_laplace if order == 1 else solve_biharmonic
    solution = solve(np.where(gaps, 1e6, values), hole, spacing, no_data=gaps, accuracy=1e-8)
    expected = literal(values, hole, gaps, spacing, order)
    np.testing.assert_allclose(solution.values[hole], expected[hole], atol=2e-7)


def test_many_small_holes_beside_no_data_are_solved_as_each_alone():
    rng = np.random.default_rng(0)
    values, shape = rng.random((40, 40)), (40, 40)
    hole, gaps = np.zeros(shape, bool), np.zeros(shape, bool)
    hole[4::10, 4::10] = hole[4::10, 5::10] = True
    gaps[3::10, 4::10] = gaps[5::10, 5::20] = True
    together = solve_laplace(values, hole, (1.0, 1.0), no_data=gaps, accuracy=1e-9).values
    np.testing.assert_allclose(together[hole], literal(values, hole, gaps, (1.0, 1.0))[hole], atol=1e-8)


def test_a_hole_that_is_riddled_with_no_data_is_filled_by_a_membrane_at_worst():
    rng = np.random.default_rng(0)
    image, gaps = rng.random((60, 60)).cumsum(axis=1), rng.random((60, 60)) < 0.3
    hole = (np.hypot(*(np.indices((60, 60)) - 30)) < 27) & ~gaps
    result = mi.inpaint(np.where(gaps, np.nan, image), hole, method="biharmonic")
    assert np.isfinite(result.volume.array[hole]).all()
    assert any("riddled" in warning for warning in result.report["warnings"])


def test_poisson_equation_without_data_has_no_source_there():
    rng = np.random.default_rng(2)
    values, hole, gaps = rng.random((9, 9)), np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    hole[3:6, 3:6], gaps[3:6, 6] = True, True
    source = np.zeros((9, 9))
    flat = solve_poisson(values, hole, source, (1.0, 1.0), no_data=gaps, accuracy=1e-9).values
    np.testing.assert_allclose(flat[hole], literal(values, hole, gaps, (1.0, 1.0))[hole], atol=1e-8)
    spoiled = np.where(gaps, 1e9, source)
    np.testing.assert_allclose(
        solve_poisson(values, hole, spoiled, (1.0, 1.0), no_data=gaps, accuracy=1e-9).values[hole], flat[hole]
    )


@pytest.mark.parametrize("method", [name for name, info in METHODS.items() if not info.needs_model])
def test_no_data_far_away_changes_nothing(method):
    """With CT's fixed scale; beyond the reach of any search."""
    rng = np.random.default_rng(4)
    image = rng.integers(-200, 200, (6, 30, 120)).astype(np.int16)
    hole, gaps = np.zeros(image.shape, bool), np.zeros(image.shape, bool)
    hole[2:5, 10:14, 10:14], gaps[..., 100:] = True, True
    options = {**options_for(method, image), "modality": "CT"}
    if method in ("mirror", "exemplar"):  # they look at the whole image
        options["parameters"] = {}
    plain = mi.inpaint(image, hole, **options)
    volume = Volume(np.where(gaps, np.int16(-3024), image), 1.0)
    result = mi.inpaint(volume, hole, **options)
    assert any("-3024" in warning for warning in result.report["warnings"])
    np.testing.assert_array_equal(result.volume.array[hole], plain.volume.array[hole])


@st.composite
def riddled(draw):
    """An image, a hole and voxels without data, all at random."""
    shape = draw(st.sampled_from([(9, 12), (5, 8, 9), (1, 9, 10)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    hole = rng.random(shape) < draw(st.sampled_from([0.05, 0.4]))
    gaps = rng.random(shape) < draw(st.sampled_from([0.02, 0.3, 0.6]))
    hole.flat[0], hole.flat[-1], gaps.flat[0] = False, True, False
    spacing = tuple(draw(st.sampled_from([0.5, 1.0, 3.0])) for _ in shape)
    return rng.standard_normal(shape).astype(np.float32), hole, gaps & ~hole, spacing


@pytest.mark.parametrize("method", METHODS)
@given(case=riddled(), blend=st.sampled_from(["paste", "feather", "poisson"]))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_promises_hold_with_no_data(method, case, blend):
    image, hole, gaps, spacing = case
    options = options_for(method, image, spacing, blend=blend)
    results = []
    for value, hidden in ((np.nan, 0.0), (np.inf, np.nan)):
        array = np.where(gaps, np.float32(value), np.where(hole, np.float32(hidden), image))
        filled = mi.inpaint(Volume(array, spacing), hole, **options).volume.array
        assert filled[~hole].tobytes() == array[~hole].tobytes()
        assert np.isfinite(filled[hole]).all()
        results.append(filled[hole].tobytes())
    assert results[0] == results[1]


def test_what_is_marked_is_filled_nan_included():
    image, hole, gaps = scene(3)
    marked = hole | (gaps & (np.arange(image.shape[-1]) == 8))
    result = mi.inpaint(np.where(gaps, np.nan, image), marked, method="harmonic")
    assert np.isfinite(result.volume.array[marked]).all()
    assert np.isnan(result.volume.array[gaps & ~marked]).all()
    assert result.report["hole"]["voxels"] == marked.sum()


def test_growth_never_turns_no_data_into_hole():
    image, hole, gaps = scene(3)
    image = np.where(gaps, np.nan, image)
    result = mi.inpaint(image, hole, method="harmonic", dilate_mm=2.0)
    np.testing.assert_array_equal(np.isnan(result.volume.array), gaps)
    grown = find_hole(Volume(hole, 1.0), Volume(image, 1.0), dilate_mm=2.0)[0].full()
    np.testing.assert_array_equal(result.mask.array > 0, grown & ~gaps)
    assert any("growing or resampling" in warning for warning in result.report["warnings"])
    marked = hole | gaps
    result = mi.inpaint(image, marked, method="nearest", dilate_mm=2.0)
    assert np.isfinite(result.volume.array[marked]).all()


def test_a_resampled_mask_never_turns_no_data_into_hole_but_a_turned_one_marks_it():
    image, hole, gaps = scene(3)
    volume = Volume(np.where(gaps, np.float32(np.nan), image), 1.0)
    marked = hole | gaps
    turned = Volume(marked[::-1].transpose(2, 1, 0).astype(np.uint8), 1.0, (0, 0, 7.0), (0, 0, 1, 0, 1, 0, -1, 0, 0))
    turned = dataclasses.replace(turned, direction=(0, 0, 1.0, 0, 1.0, 0, -1.0, 0, 0))
    assert volume.lies_on(turned)
    result = mi.inpaint(volume, turned, method="nearest")
    np.testing.assert_array_equal(result.mask.array > 0, marked)
    finer = Volume(np.kron(marked, np.ones((1, 1, 2), np.uint8)), (1.0, 1.0, 0.5), (-0.25, 0, 0))
    assert not volume.lies_on(finer)
    result = mi.inpaint(volume, finer, method="nearest")
    np.testing.assert_array_equal(result.mask.array > 0, hole)
    with pytest.raises(MaskError, match=r"All \d+ voxels of the hole hold no data.*another grid"):
        mi.inpaint(volume, finer.with_array(np.kron(gaps, np.ones((1, 1, 2), np.uint8))))


def test_the_states_of_slices_that_a_series_lacks():
    image, hole, _ = scene(3)
    volume = Volume(image, 1.0, missing=(2, 3))
    hole[3] = True
    hole = find_hole(Volume(hole, 1.0), volume)[0]
    settled, no_data, remarks = settle(volume, hole, hole)
    assert settled is hole
    assert no_data[2].sum() == no_data.sum() == (~hole.full()[2]).sum()
    assert "slices that the series lacks" in remarks[0]


# what stands for no data


def noisy(dtype, low, high, shape=(6, 64, 64), seed=0):
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def outside_circle(shape):
    rows, columns = np.indices(shape[-2:]) - np.reshape(shape[-2:], (2, 1, 1)) / 2 + 0.5
    return np.broadcast_to(np.hypot(rows, columns) > min(shape[-2:]) / 2, shape)


CODES = {
    "GE outside the circle": (noisy("i2", -1024, 1500), -2000),
    "LIDC": (noisy("i2", -1024, 1500), -3024),
    "Siemens and Canon": (noisy("i2", -1024, 1500), -2048),
    "lowest of int16": (noisy("i2", -200, 1500), -32768),
    "CT in float": (noisy("f4", -1024, 1500), -3024.0),
    "a map": (np.random.default_rng(0).random((6, 64, 64)).astype("f4"), -999.0),
    "a map in 2-D": (np.random.default_rng(0).random((64, 64)), -9999.0),
    "a fractional anisotropy": (np.random.default_rng(0).random((6, 64, 64)) * 0.8, -1.0),
    "netCDF": (np.random.default_rng(0).random((6, 64, 64)).astype("f4"), 9.96921e36),
    "lowest float": (noisy("f4", 0, 900), np.finfo(np.float32).min),
    "without its sign": (noisy("u2", 0, 4096), 65536 - 2000),
    "largest of uint16": (noisy("u2", 0, 4096), 65535),
    "largest of int16": (noisy("i2", 0, 4096), 32767),
}


@pytest.mark.parametrize("name", CODES)
def test_a_code_for_no_data_is_found_and_named(name):
    image, code = CODES[name]
    outside = outside_circle(image.shape)
    no_data, remarks = find(Volume(np.where(outside, image.dtype.type(code), image), 1.0))
    np.testing.assert_array_equal(no_data, outside)
    assert len(remarks) == 1
    assert f"No data in {outside.sum()} voxels" in remarks[0]


def test_two_codes_in_one_image_are_both_found():
    image, outside = noisy("i2", -1024, 1500), outside_circle((6, 64, 64))
    image[outside], image[:, :6] = -3024, -32768
    no_data, remarks = find(Volume(image, 1.0))
    np.testing.assert_array_equal(no_data, image < -1024)
    assert len(remarks) == 2


def _masked(image, value, outside):
    return np.where(outside, image.dtype.type(value), image)


def no_codes():
    """Return images in which every value is an intensity."""
    ct, mr = noisy("i2", -1024, 1500), noisy("i2", 20, 1500)
    circle, normal = outside_circle(ct.shape), np.random.default_rng(1).standard_normal(ct.shape)
    stripped = _masked(mr, 0, circle)
    film = np.clip(noisy("u2", 0, 60000, (80, 80)), 0, 50000)
    film[:20, :30] = 65535
    phantom = np.zeros(ct.shape, "i2")
    phantom[:, :20] = -500
    return {
        "CT that ends at -1024": _masked(ct, -1024, circle),
        "air at -1000": _masked(ct, -1000, circle),
        "stripped head": stripped,
        "stripped head, z-scores": (stripped - stripped.mean()) / stripped.std(),
        "stripped head with another zero": stripped - np.int16(100),
        "PSIR, clipped": np.clip(normal * 2000, -4096, 4095).astype("i2"),
        "clipped far out": np.clip(normal, -0.5, None),
        "8 bits": _masked(noisy("i1", 0, 100), -128, circle),
        "label map": _masked(noisy("i2", 0, 4), -5, circle),
        "phantom": phantom,
        "white border of a film": film,
        "metal": _masked(noisy("u2", 0, 4096), 4095, circle),
        "one outlier": np.where(np.arange(ct.size).reshape(ct.shape) == 0, -30000, ct),
        "inside only": np.where(np.pad(np.ones((2, 20, 20), bool), [(2, 2), (22, 22), (22, 22)]), -9000, ct),
        "all dtype": noisy("i4", -(2**31), 2**31 - 1),
        "huge everywhere": normal * 1e20,
        "constant": np.full((9, 9), -3024.0),
        "bool": normal > 0,
    }


@pytest.mark.parametrize("name", no_codes())
def test_intensities_are_no_code_however_frequent_or_extreme(name):
    assert find(Volume(no_codes()[name], 1.0)) == (None, [])


def test_mixtures_with_a_code_have_no_data_either():
    """A CT that was resampled (linear): between -3024 and air lie values that no scanner measures."""
    ct, outside = noisy("f4", -1000, 1500), outside_circle((6, 64, 64))
    ct[outside] = -3024
    shifted = (0.7 * ct[:, 1:] + 0.3 * ct[:, :-1]).astype("f4")
    mixed = outside[:, 1:] | outside[:, :-1]
    no_data, _ = find(Volume(shifted, 1.0))
    assert (no_data <= mixed).all()
    assert no_data[outside[:, 1:] & outside[:, :-1]].all()
    assert shifted[~no_data].min() >= -1100


def test_mixtures_with_a_code_in_a_map_have_mostly_no_data():
    image, outside = np.random.default_rng(0).random((6, 64, 64)), outside_circle((6, 64, 64))
    image[outside] = -999
    shifted = 0.7 * image[:, 1:] + 0.3 * image[:, :-1]
    no_data, _ = find(Volume(shifted, 1.0))
    mixed = (outside[:, 1:] | outside[:, :-1]) & (shifted > -999)
    assert no_data[shifted == -999].all()
    assert no_data[mixed].mean() > 0.4
    assert not no_data[~outside[:, 1:] & ~outside[:, :-1]].any()


@pytest.mark.parametrize("dtype", ["i2", "f4"])
def test_nothing_is_found_out_from_hidden_voxels(dtype):
    image = noisy(dtype, -1000, 1500)
    hole = np.zeros(image.shape, bool)
    hole[:, :30] = True
    marked = find_hole(Volume(hole, 1.0), Volume(image, 1.0))[0]
    image[hole] = -32768
    assert find(Volume(image, 1.0), marked, marked) == (None, [])
    outside = outside_circle(image.shape)
    results = []
    for content in (0, -3000, 30000):
        image[outside], image[hole] = -3024, content
        results.append(find(Volume(image, 1.0), marked, marked))
    for no_data, remarks in results:
        np.testing.assert_array_equal(no_data, outside & ~hole)
        assert remarks == results[0][1]


@pytest.mark.parametrize("padded", [False, True])
def test_codes_under_the_hole_change_nothing(padded):
    image, hole = noisy("i2", -1000, 1500), np.zeros((6, 64, 64), bool)
    hole[2:5, 20:30, :30] = True
    image[outside_circle(image.shape) & padded] = -3024
    filled = [
        mi.inpaint(np.where(hole, np.int16(content), image), hole, method="harmonic").volume.array
        for content in (0, -3024, -32768, 32767)
    ]
    assert len({each.tobytes() for each in filled}) == 1


@pytest.mark.parametrize("dtype", ["i2", ">i2", "f4", "i1"])
def test_declared_padding_is_no_data_but_for_zero(dtype):
    image = noisy(dtype, 1, 100)
    image[:, :5], image[:, 60:], image[:, 30] = -9, -7, 0
    no_data, remarks = find(Volume(image, 1.0, padding=(-9.0, 0.0)))
    np.testing.assert_array_equal(no_data, image < 0)
    assert "the padding value -9 to 0 that the file declares" in remarks[0]
    assert find(Volume(np.abs(image), 1.0, padding=(0.0, 0.0))) == (None, [])
    assert find(Volume(image, 1.0, padding=(-1e9, -1e8))) == (None, [])


# all that goes with the image


def guided(image, guide, hole, method="patch"):
    parameters = {"target": "FLAIR", "guides": "T1"} if METHODS[method].needs_guides else {}
    return mi.inpaint(image, hole, method=method, guides=[guide], parameters=parameters)


@pytest.mark.parametrize("method", ["patch", "patch-regression", "hybrid", "mirror", "collagan"])
def test_guides_without_data_beside_the_hole_guide_all_the_same(method):
    image, hole, gaps = scene(3)
    guide = np.sqrt(image)
    fills = [
        guided(image, np.where(gaps, value, guide), hole, method).volume.array for value in (np.nan, np.inf, -1e30)
    ]
    np.testing.assert_array_equal(fills[0], fills[1])
    np.testing.assert_array_equal(fills[0], fills[2])
    assert np.isfinite(fills[0]).all()
    with pytest.raises(GeometryError, match=r"Guide 1 does not cover the hole \(it has no data in 3 voxels of it\)"):
        guided(image, np.where(np.cumsum(hole).reshape(hole.shape) * hole > hole.sum() - 3, np.nan, guide), hole)


def test_guides_without_data_on_another_grid():
    image, hole, gaps = scene(3)
    finer = np.kron(np.where(gaps, np.nan, np.sqrt(image)), np.ones((1, 1, 2)))
    guide = Volume(finer, (1.0, 1.0, 0.5), (-0.25, 0, 0))
    spoiled = guide.with_array(np.where(np.isnan(finer), -1e30, finer))
    one, other = (guided(image, each, hole).volume.array for each in (guide, spoiled))
    np.testing.assert_array_equal(one, other)


def test_the_self_check_keeps_away_from_no_data_and_scores_without_it():
    rng = np.random.default_rng(0)
    image = (500 + 100 * np.sin(np.indices((12, 40, 40)).sum(axis=0) / 3) + rng.random((12, 40, 40))).astype("f4")
    hole, gaps = np.zeros(image.shape, bool), np.zeros(image.shape, bool)
    hole[5:8, 10:14, 10:14], gaps[..., 28:] = True, True
    reports = [
        mi.inpaint(np.where(gaps, value, image), hole, method="harmonic", modality="MR", self_check=True).report
        for value in (np.nan, np.inf, 1e30)
    ]
    scores = reports[0]["self_check"][0]["expected"]
    assert all(np.isfinite(score["mean"]) for score in scores.values())
    assert all(report["self_check"][0]["expected"] == scores for report in reports)


@pytest.mark.parametrize("convention", ["masked", "brats", "rfr-report"])
def test_evaluation_places_no_hole_on_no_data_and_scores_without_it(convention):
    image, _, _ = scene(2)
    image, gaps = np.tile(image, (3, 3)), np.zeros((48, 54), bool)
    gaps[:, 30:] = True
    tables = [
        mi.evaluate(
            np.where(gaps, value, image), "squares:5px:3", ["harmonic"], modality="MR", convention=convention, seed=2
        )
        for value in (np.nan, 1e30)
    ]
    assert not (tables[0].labels[gaps] > 0).any()
    for one, other in zip(tables[0].rows, tables[1].rows, strict=True):
        np.testing.assert_equal(one.scores, other.scores)
    assert np.isfinite([row.scores["psnr"] for row in tables[0].rows]).all()
    given_mask = np.zeros(image.shape, np.uint8)
    given_mask[20:26, 26:34] = 1  # half of it lies where there is no truth
    table = mi.evaluate(np.where(gaps, np.nan, image), given_mask, ["harmonic"], modality="MR", convention=convention)
    assert np.isfinite(list(table.rows[0].scores.values())[:3]).all()
    assert table.rows[0].voxels == 6 * 4


CASE = Path(__file__).parents[2] / "Data" / "cases" / "11-nan-background"


@pytest.mark.parametrize("method", ["auto", "harmonic", "patch", "nearest", "patch-regression"])
def test_a_map_with_a_background_of_nan_keeps_it(method, tmp_path):
    """Case 11: a T1 map in which SPM wrote NaN outside of the brain."""
    image, mask = Volume.read(CASE / "t1map.nii.gz"), Volume.read(CASE / "mask.nii.gz").array > 0
    background = np.isnan(image.array)
    assert background.sum() == 40_661
    result = mi.inpaint(image, mask, method=method)
    result.save(tmp_path / "filled.nii.gz")
    filled = Volume.read(tmp_path / "filled.nii.gz").array
    assert filled[~mask].tobytes() == image.array[~mask].tobytes()
    tissue = image.array[mask]
    assert tissue.min() - 200 < filled[mask].min() <= filled[mask].max() < tissue.max() + 200
    assert filled[mask].mean() == pytest.approx(tissue.mean(), rel=0.2)
    assert f"No data in {background.sum()} voxels: NaN or infinity." in result.report["warnings"][0]


@pytest.mark.parametrize("method", ["mirror", "linear-z"])
def test_nothing_is_seen_in_a_background_without_data(method):
    """The image is large enough for a symmetry to be found."""
    image, mask = Volume.read(CASE / "t1map.nii.gz"), Volume.read(CASE / "mask.nii.gz")
    fills = [
        mi.inpaint(
            image.with_array(np.where(np.isnan(image.array), np.float32(value), image.array)), mask, method=method
        )
        for value in (-np.inf, 1e36)
    ]
    assert len({each.volume.array[mask.array > 0].tobytes() for each in fills}) == 1
    assert len({str(each.report["notes"]) for each in fills}) == 1


@pytest.mark.parametrize("ending", [".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_every_bit_of_nan_comes_back(ending, dtype, tmp_path):
    image = np.random.default_rng(0).random((4, 9, 9)).astype(dtype)
    bits = image.view(f"u{dtype[1]}")
    bits[:, :2] = np.array(np.nan, dtype).view(bits.dtype) + np.arange(
        1, 10, dtype=bits.dtype
    )  # quiet NaN with payload
    hole = np.zeros(image.shape, bool)
    hole[1:3, 4:6, 4:6] = True
    path = tmp_path / f"filled{ending}"
    mi.inpaint(Volume(image, 1.0), hole, method="nearest").save(path)
    back = Volume.read(path).array
    assert back.dtype == image.dtype
    assert back[~hole].tobytes() == image[~hole].tobytes()


@pytest.mark.parametrize("air", [-1000, -1024])
@pytest.mark.parametrize("padding", [None, -2000])
def test_uniform_air_around_soft_tissue_is_known_and_the_image_stays_a_ct(air, padding):
    rows, columns = np.indices((64, 64)) - 32
    image = np.full((20, 64, 64), air, np.int16)
    inside = rows**2 + columns**2 < 26**2
    image[:, inside] = np.random.default_rng(0).normal(35, 8, (20, inside.sum()))
    if padding is not None:
        image[:, rows**2 + columns**2 > 31**2] = padding
    hole = np.zeros(image.shape, np.uint8)
    hole[8:12, 30:36, 52:60] = 1
    report = mi.inpaint(image, hole, method="harmonic").report
    assert report["modality"] == "CT"
    assert ["-2000" in warning for warning in report["warnings"]] == [True] * (padding is not None)


@given(st.integers(0, 2**32 - 1), st.sampled_from([(9, 8, 7), (12, 11)]))
@settings(max_examples=40, deadline=None)
def test_unknown_voxels_get_a_value_at_the_least_distance(seed, shape):
    rng = np.random.default_rng(seed)
    unknown, spacing = rng.random(shape) < rng.uniform(0.1, 0.95), rng.uniform(0.5, 3, len(shape))
    unknown[tuple(rng.integers(0, shape))] = False
    values = np.arange(unknown.size, dtype=float).reshape(shape)
    near = nearest(values, unknown, spacing)
    known = np.argwhere(~unknown) * spacing
    for at in np.argwhere(unknown):
        taken = np.array(np.unravel_index(int(near[tuple(at)]), shape))
        assert not unknown[tuple(taken)]
        least = np.linalg.norm(known - at * spacing, axis=1).min()
        assert np.linalg.norm((taken - at) * spacing) == pytest.approx(least)
    assert (near == values)[~unknown].all()
