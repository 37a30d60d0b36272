"""What the values of a mask mean: random shapes, stored as programs store them, must come back as they were drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from MedInpaintLib.errors import DoubtError, MaskError
from MedInpaintLib.mask import bounding_box
from MedInpaintLib.mask_values import ALL, Meaning, marked

SEEDS = st.integers(0, 10_000)
FLAT, SOLID = (70, 90), (26, 36, 40)


def read(values: np.ndarray, **options) -> tuple[np.ndarray, Meaning]:
    """Read a whole mask."""
    box = bounding_box(values)
    assert box is not None
    voxels, meaning = marked(values[box], values.size, **options)
    out = np.zeros(values.shape, bool)
    out[box] = voxels
    return out, meaning


def shapes(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return one to three ellipsoids."""
    marks = np.zeros(shape, bool)
    for _ in range(rng.integers(1, 4)):
        centre = [rng.uniform(6, size - 6) for size in shape]
        radii = rng.uniform(4, 7, len(shape))
        marks |= sum(((x - c) / r) ** 2 for x, c, r in zip(np.indices(shape), centre, radii, strict=True)) <= 1
    return marks


def labels(rng: np.random.Generator, shape: tuple[int, ...], numbers: np.ndarray) -> np.ndarray:
    """Return structures around random points, in a body of random shape."""
    from scipy.spatial import cKDTree

    points = rng.uniform(0, 1, (len(numbers), len(shape))) * shape
    nearest = cKDTree(points).query(np.indices(shape).reshape(len(shape), -1).T)[1].reshape(shape)
    return numbers[nearest] * (ndimage.gaussian_filter(rng.normal(size=shape), 4) > 0)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@given(SEEDS, st.sampled_from([FLAT, SOLID]), st.sampled_from([1, 2, 100, 255, 65535, -1, 0.3]))
@settings(max_examples=40, deadline=None)
def test_of_two_values_the_one_beside_0_is_marked(seed, shape, value):
    marks = shapes(np.random.default_rng(seed), shape)
    for dtype in (np.float32, np.float64) if isinstance(value, float) else (np.int32, np.float32):
        voxels, meaning = read((marks * value).astype(dtype))
        np.testing.assert_array_equal(voxels, marks)
        assert meaning.kind == "binary"


def test_rounding_does_not_make_a_third_value():
    marks = shapes(np.random.default_rng(0), FLAT)
    voxels, meaning = read(np.where(marks, np.where(np.indices(FLAT)[0] % 2, 1.0, 1.0000001), 1e-17))
    np.testing.assert_array_equal(voxels, marks)
    assert meaning.kind == "binary"


@given(
    SEEDS,
    st.sampled_from([FLAT, SOLID]),
    st.sampled_from([0.5, 0.8, 1.2]),
    st.sampled_from([(255, np.uint8), (65535, np.uint16), (100, np.uint8), (1, np.float32), (255, np.float32)]),
)
@settings(max_examples=60, deadline=None)
def test_a_blurred_mask_is_cut_in_the_middle_of_its_range(seed, shape, blur, scale):
    marks = shapes(np.random.default_rng(seed), shape)
    top, dtype = scale
    soft = ndimage.gaussian_filter(marks.astype(float), blur) * top
    voxels, meaning = read((soft if dtype is np.float32 else np.rint(soft)).astype(dtype))
    assert meaning.kind in ("soft-edged", "probability")
    np.testing.assert_array_equal(voxels, np.rint(soft) >= top / 2 if top > 1 else soft.astype(np.float32) >= 0.5)
    assert overlap(voxels, marks) > 0.85


@given(SEEDS, st.sampled_from([FLAT, SOLID]), st.sampled_from([1, 3]))
@settings(max_examples=30, deadline=None)
def test_an_enlarged_mask_is_cut_in_the_middle_whatever_its_overshoot(seed, shape, order):
    marks = shapes(np.random.default_rng(seed), shape).astype(np.float32)
    voxels, _ = read(ndimage.zoom(marks, 1.6, order=order))
    assert overlap(voxels, ndimage.zoom(marks, 1.6, order=0) > 0) > 0.9


@given(SEEDS, st.sampled_from([30, 60, 75, 95]))
@settings(max_examples=30, deadline=None)
def test_the_noise_of_jpeg_is_not_marked(seed, quality):
    image = pytest.importorskip("PIL.Image")
    import io

    marks = shapes(np.random.default_rng(seed), FLAT)
    file = io.BytesIO()
    image.fromarray((marks * 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    try:
        voxels, meaning = read(np.array(image.open(file)))
    except MaskError:
        # Of a small shape (seed 1525), so much noise may look like labels: refused, but never filled wrongly.
        if quality == 30:
            return
        raise
    assert overlap(voxels, marks) > 0.97
    assert meaning.kind in ("soft-edged", "probability", "binary")


@given(SEEDS, st.sampled_from([FLAT, SOLID]), st.integers(2, 300), st.sampled_from([np.int32, np.float32]))
@settings(max_examples=60, deadline=None)
def test_several_labels_are_never_filled_without_being_asked_for(seed, shape, count, dtype):
    rng = np.random.default_rng(seed)
    for numbers in (np.arange(1, count + 1), rng.choice(np.r_[2:86, 251:256, 1001:1036, 2001:2036], count)):
        values = labels(rng, shape, numbers).astype(dtype)
        present = np.unique(values[values > 0])
        if len(present) < 2:
            continue
        with pytest.raises(MaskError, match=f"label map with {len(present)} labels.*--label all"):
            read(values)
        np.testing.assert_array_equal(read(values, labels=[ALL])[0], values > 0)
        np.testing.assert_array_equal(read(values, labels=[int(present[0])])[0], values == present[0])


@pytest.mark.parametrize("values", [(128, 255), (50, 100), (85, 170, 255), (1, 2, 3), (100, 200)])
@pytest.mark.parametrize("shape", [FLAT, SOLID])
def test_tissues_that_enclose_each_other_are_labels_and_no_soft_edges(values, shape):
    field = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=shape), 4)
    steps = np.quantile(field, np.linspace(0.6, 0.95, len(values)))
    with pytest.raises(MaskError, match="label map"):
        read(np.array([0, *values])[np.digitize(field, steps)])


def test_labels_of_single_voxels_are_labels():
    values = np.zeros(FLAT, np.int32)
    values[::7, ::7] = np.arange(values[::7, ::7].size).reshape(values[::7, ::7].shape)
    with pytest.raises(MaskError, match=r"label map with 129 labels.*1 \(1 voxels\), 2 \(1 voxels\).*and 109 more"):
        read(values)


def blob(shape, peak):
    away = sum((x - size / 2) ** 2 for x, size in zip(np.indices(shape), shape, strict=True))
    values = np.exp(-away / 2 / 3.0**2) * peak
    return np.where(values < 1e-4 * peak, 0, values)


@pytest.mark.parametrize("shape", [FLAT, SOLID])
@pytest.mark.parametrize(
    ("scale", "dtype", "threshold"),
    [(1, np.float32, 0.5), (100, np.float32, 50), (100, np.uint8, 50), (255, np.uint8, 127.5)],
)
def test_probabilities_are_cut_in_the_middle_of_their_scale_and_not_of_their_range(shape, scale, dtype, threshold):
    likely = blob(shape, 0.8 * scale).astype(dtype)
    voxels, meaning = read(likely)
    np.testing.assert_array_equal(voxels, likely >= threshold)
    kind, values = ("probability", "probabilities") if scale <= 100 else ("soft-edged", "soft edges")
    assert meaning == Meaning(kind, f"{values} from 0 to {scale}: values of {threshold:g} or more are filled")
    unlikely = blob(shape, 0.45 * scale).astype(dtype)
    with pytest.raises(MaskError, match=f"highest value is {unlikely.max():g}.* threshold {threshold:g},"):
        read(unlikely)


def test_what_no_rule_covers_is_refused():
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SOLID), 3)
    with pytest.raises((MaskError, DoubtError), match=r"distances or scores|looks like an image"):
        read((smooth / smooth.std()).astype(np.float32))
    with pytest.raises(MaskError, match="not clear which value stands"):
        read(blob(SOLID, 2000.0).astype(np.int32))
    with pytest.raises(MaskError, match="infinite"):
        read(np.where(blob(FLAT, 1.0) > 0.5, np.inf, 0))


@pytest.mark.parametrize("scale", [(1, np.float32), (82, np.int16), (255, np.uint8), (4000, np.int16)])
@pytest.mark.parametrize("shape", [FLAT, SOLID])
def test_an_image_is_no_mask_unless_forced(scale, shape):
    rng = np.random.default_rng(0)
    tissue = 0.3 + ndimage.gaussian_filter(rng.normal(size=shape), 2) + rng.normal(size=shape) * 0.03
    head = ndimage.gaussian_filter(rng.normal(size=shape), 8) > 0
    values = (np.clip(tissue * head, 0, 1) * scale[0]).astype(scale[1])
    with pytest.raises(DoubtError, match=r"looks like an image.*--force"):
        read(values)
    np.testing.assert_array_equal(read(values, force=True)[0], values != 0)


NAMES = {4: "Left-Lateral-Ventricle", 43: "Right-Lateral-Ventricle", 44: "left-lateral-ventricle "}


def test_labels_are_chosen_by_name_in_any_case_and_wholly():
    values = np.zeros((4, 4), np.int16)
    values[0], values[1], values[2] = 4, 43, 44
    assert read(values, labels=["LEFT-Lateral-Ventricle"], names=NAMES)[0].any(axis=1).tolist() == [
        True, False, True, False
    ]  # fmt: skip
    assert read(values, labels=["43"], names=NAMES)[0].any(axis=1).tolist() == [False, True, False, False]
    with pytest.raises(MaskError, match=r"no label 'Left'; its labels are: 4 'Left-Lateral-Ventricle' \(4 voxels\)"):
        read(values, labels=["Left"], names=NAMES)
    with pytest.raises(MaskError, match="No label of the mask was chosen"):
        read(values, labels=[], names=NAMES)


def test_labels_that_a_scaling_has_rounded_are_chosen_wholly():
    values = np.zeros((8, 8), np.float32)
    values[2:4, 2:4], values[4, 2:4], values[6, 6] = 1.0002, 1, 2.0001
    assert np.count_nonzero(read(values, labels=[1])[0]) == 6
    assert np.count_nonzero(read(values, labels=["2"])[0]) == 1


@pytest.mark.parametrize("word", ["all", "All", " ALL "])
def test_all_labels_may_be_asked_for_in_any_case(word):
    assert np.count_nonzero(read(np.array([[0.0, 0.1, 0.9, 1, 1, 0.8, 0.1, 0]]), labels=[word])[0]) == 4


@pytest.mark.parametrize(("level", "spread"), [(340, 20), (30, 15), (110, 40)])
def test_a_piece_cut_out_of_an_image_is_no_probability_map(level, spread):
    ball = np.sqrt(sum((index - 8) ** 2 for index in np.indices((17, 17, 17)))) < 6
    piece = np.where(ball, np.random.default_rng(0).normal(level, spread, ball.shape).round(), 0).astype(np.int16)
    for values in (piece, piece.astype(np.float32) + np.where(ball, np.float32(0.3), np.float32(0))):
        with pytest.raises((DoubtError, MaskError), match=r"holds intensities|label map|looks like an image"):
            marked(values, values.size)
    voxels, meaning = marked(values, values.size, force=True)
    assert meaning.kind == "image"
    np.testing.assert_array_equal(voxels, values != 0)
