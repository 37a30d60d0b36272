"""Several images with one hole: filled from the same places, and none sees what lies under it in any of them."""

import functools

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib import other_side
from MedInpaintLib.companions import check_modalities
from MedInpaintLib.errors import GeometryError, MaskError, ParameterError
from MedInpaintLib.filling import fill_in_processes
from MedInpaintLib.modality import CT, MR
from MedInpaintLib.patches import synthesis
from MedInpaintLib.progress import Progress
from MedInpaintLib.subject import Subject

#: What two contrasts show of three tissues.
FIRST, SECOND = np.array([100.0, 100.0, 300.0]), np.array([200.0, 500.0, 500.0])


@functools.cache
def tissues(shape=(48, 48)):
    """A map of three tissues, in blobs."""
    rng = np.random.default_rng(4)
    return np.argmax([ndimage.gaussian_filter(rng.normal(size=shape), 2.5) for _ in range(3)], axis=0)


def two_contrasts():
    hole = np.zeros((48, 48), bool)
    hole[18:30, 18:30] = True
    return [FIRST[tissues()], SECOND[tissues()]], hole


@functools.cache
def head():
    """Two contrasts of a head with two sides, and a hole of two parts in one of them; voxels of 4 mm."""
    z, y, x = np.indices((26, 34, 34)) - np.array([12.5, 16.5, 16.5]).reshape(3, 1, 1, 1)
    noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(2, 26, 34, 34)), (0, 1.2, 1.2, 1.2))
    noise += noise[..., ::-1]
    inside = (z / 11) ** 2 + (y / 15) ** 2 + (x / 14) ** 2 < 1
    first, second = (np.where(inside, 500 + 1000 * each, 0.0).astype(np.float32) for each in noise)
    hole = np.zeros(first.shape, bool)
    hole[11:15, 10:15, 21:26] = hole[11:14, 20:24, 22:25] = True
    return first, second + 0.5 * first, hole


def fill(images, hole, method="patch", **options):
    return mi.inpaint_together(images, hole, **{"method": method, "modality": "MR", "force": True, **options})


def arrays(results):
    return [result.volume.array for result in results]


@pytest.mark.parametrize("method", ["patch", "mirror", "hybrid", "patch-regression", "biharmonic", "white-matter"])
def test_hidden_voxels_of_no_image_matter_and_known_voxels_of_all_stay(method):
    *images, hole = head()
    before = fill(images, hole, method, spacing=4.0, seed=3)
    for image, result in zip(images, before, strict=True):
        np.testing.assert_array_equal(result.volume.array[~hole], image[~hole])
    for changed in range(2):
        perturbed = [image.copy() for image in images]
        perturbed[changed][hole] = np.random.default_rng(1).choice([np.nan, 1e9, -5.0], hole.sum())
        for expected, again in zip(
            arrays(before), arrays(fill(perturbed, hole, method, spacing=4.0, seed=3)), strict=True
        ):
            np.testing.assert_array_equal(again, expected)


@pytest.mark.parametrize("method", ["patch", "mirror", "hybrid"])
def test_a_single_image_is_filled_as_alone(method):
    image, _, hole = head()
    (together,) = fill([image], hole, method, spacing=4.0)
    alone = mi.inpaint(image, hole, method=method, spacing=4.0, modality="MR")
    np.testing.assert_array_equal(together.volume.array, alone.volume.array)
    assert together.report["filled_together"] is None


def test_methods_without_shared_sources_fill_each_image_as_alone_and_the_report_says_so():
    *images, hole = head()
    results = fill(images, hole, "patch-regression", spacing=4.0)
    for image, result in zip(images, results, strict=True):
        alone = mi.inpaint(image, hole, method="patch-regression", spacing=4.0, modality="MR").volume.array
        np.testing.assert_array_equal(result.volume.array, alone)
        assert result.report["filled_together"] == {"images": ["ndarray"] * 2, "shared": [], "own": [1, 2]}
        assert "Each of the 2 images was filled on its own" in result.report["trust"]


def test_together_the_images_show_one_anatomy():
    """Both contrasts show one field, the second in other intensities; filled alone, they show two different ones."""
    field = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(64, 64)), 2.0)
    first = 300 + 100 * field / field.std()
    hole = np.zeros((64, 64), bool)
    hole[22:42, 22:42] = True

    def second_of(image):
        return 200 + 150 * np.cos((image - 300) / 50)

    def disagreement(fills):
        return float(np.sqrt(((second_of(fills[0]) - fills[1])[hole] ** 2).mean()))

    images = [first, second_of(first)]
    alone = [mi.inpaint(image, hole, method="patch", modality="MR").volume.array for image in images]
    results = fill(images, hole)
    assert disagreement(arrays(results)) < 0.6 * disagreement(alone)
    assert all(result.report["filled_together"]["shared"] == [1] for result in results)
    assert all("from the same places" in result.report["trust"] for result in results)


def test_each_image_takes_its_voxels_from_the_same_places():
    """The second channel holds numbers of places, too faint to choose by: they say where the first was copied from."""
    first = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(40, 40)), 1.0).astype(np.float32)
    places = np.arange(1600, dtype=np.float32).reshape(40, 40) * 1e-9
    hole = np.zeros((40, 40), bool)
    hole[20, 20] = True
    start = np.stack([np.where(hole, 0, first), np.where(hole, 0, places)])
    level = synthesis._Level(start, hole, ~hole[np.newaxis].repeat(2, 0), (synthesis.Source(start, ~hole),), (1.0, 1.0))
    canvas = synthesis._Canvas(level, 5.0, synthesis.Settings(matches=1, freedom=0.0))
    rng = np.random.default_rng(0)
    canvas.paint(canvas.places(None, rng), rng, Progress())
    weights, total = canvas._weights()[:, 0], np.zeros((2, 1))
    middle = int((20 + canvas.pad) @ canvas.strides)
    for step in canvas.sources.steps:
        (patch,) = np.flatnonzero(canvas.centers + step == middle)
        total += weights[patch] * canvas.sources.channels[:, canvas.field.places[patch] + step]
    result = canvas.result()
    expected = total[:, 0] / weights.sum()
    assert result.values[hole][0] == pytest.approx(expected[0], rel=1e-5)
    assert result.companions[0].values[hole][0] == pytest.approx(expected[1], rel=1e-5)


def test_one_search_serves_all_images(monkeypatch):
    images, hole = two_contrasts()
    searches = []
    improve = synthesis.improve
    monkeypatch.setattr(synthesis, "improve", lambda *a, **k: searches.append(1) or improve(*a, **k))
    fill(images, hole, workers=1)
    together = len(searches)
    searches.clear()
    mi.inpaint(images[0], hole, method="patch", modality="MR", workers=1)
    assert together == len(searches)


def test_one_symmetry_and_one_fit_serve_all_images(monkeypatch):
    *images, hole = head()
    counts = {"find_symmetry": 0, "fit_locally": 0}
    for name in counts:
        real = getattr(other_side, name)

        def counted(*arguments, _name=name, _real=real):
            counts[_name] += 1
            return _real(*arguments)

        monkeypatch.setattr(other_side, name, counted)
    one = hole.copy()
    one[:, 18:] = False
    results = fill(images, one, "mirror", spacing=4.0, workers=1)
    assert counts == {"find_symmetry": 1, "fit_locally": 1}
    assert [result.report["method"] for result in results] == ["mirror"] * 2


def test_nothing_is_copied_from_where_an_image_has_no_data():
    rng = np.random.default_rng(2)
    first = ndimage.gaussian_filter(rng.normal(size=(48, 48)), 1.5) * 100 + 200
    second = first[::-1].copy()
    first[:, 30:] += 5000
    second[:, 30:] = np.nan
    hole = np.zeros((48, 48), bool)
    hole[20:26, 18:27] = True
    results = fill([first, second], hole)
    assert results[0].volume.array[hole].max() < 1000
    assert np.isnan(results[1].volume.array[:, 30:]).all()
    assert np.isfinite(results[1].volume.array[hole]).all()
    assert results[0].report["filled_together"]["shared"] == [1]


@pytest.mark.parametrize("method", ["patch", "mirror"])
def test_the_number_of_workers_does_not_matter(method, monkeypatch):
    monkeypatch.setattr("MedInpaintLib.filling.BRIEF", 0.0)  # threads, however small the parts
    *images, hole = head()
    one, two = (arrays(fill(images, hole, method, spacing=4.0, workers=workers)) for workers in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_worker_processes_fill_as_threads_do(monkeypatch):
    *images, hole = head()
    threads = arrays(fill(images, hole, spacing=4.0, workers=2))
    used = []

    def in_processes(subject, *arguments):
        used.append(subject)
        return fill_in_processes(subject, *arguments)

    monkeypatch.setattr("MedInpaintLib.filling._processes_pay", lambda *arguments: True)
    monkeypatch.setattr("MedInpaintLib.filling.fill_in_processes", in_processes)
    processes = arrays(fill(images, hole, spacing=4.0, workers=2))
    assert isinstance(used[0], Subject)
    np.testing.assert_array_equal(threads, processes)


def test_voxels_that_only_some_images_hold_data_for_are_filled_in_none():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 40, 40)) * 100
    mask = np.zeros((40, 40), bool)
    mask[15:20, 15:20] = True
    second[15:20, 20] = np.nan  # beside the mask, and in the hole when it grows by 1 mm
    results = fill([first, second], mask, dilate_mm=1.0)
    np.testing.assert_array_equal(results[0].hole.full(), results[1].hole.full())
    assert not results[0].hole.full()[15:20, 20].any()
    assert results[0].hole.full()[15:20, 14].all()
    np.testing.assert_array_equal(results[0].volume.array[15:20, 20], first[15:20, 20])


@pytest.mark.parametrize("method", ["patch", "harmonic"])
def test_each_image_has_an_uncertainty(method):
    images, hole = two_contrasts()
    for result in fill(images, hole, method, uncertainty=True):
        spread = result.uncertainty.array
        assert (spread[hole] > 0).mean() > 0.5
        assert not spread[~hole].any()


def test_a_self_check_tries_methods_on_all_images_and_scores_the_first():
    *images, hole = head()
    results = fill(images, hole, spacing=4.0, self_check=True)
    (checked,) = results[1].report["self_check"]
    assert list(checked["methods"]) == ["patch"]
    assert checked["holes"] > 0


def test_auto_chooses_once_and_says_for_which_image():
    images, hole = two_contrasts()
    results = mi.inpaint_together(images, hole, modality="MR", force=True)
    assert results[0].report["method"] == results[1].report["method"]
    assert "chosen for the first of 2 images" in results[1].report["reason"]


def test_what_cannot_be_filled_together_is_refused():
    images, hole = two_contrasts()
    with pytest.raises(ParameterError, match="found none"):
        fill([], hole)
    with pytest.raises(GeometryError, match="number 2 is on another grid than the first one"):
        fill([mi.Volume(images[0], (1.0, 1.0)), mi.Volume(images[1], (2.0, 1.0))], hole)
    with pytest.raises(GeometryError, match="it is 3-D, the first one 2-D"):
        fill([images[0], np.stack([images[1]] * 3)], hole)
    for method in ("exemplar", "collagan"):
        with pytest.raises(ParameterError, match="fills a single contrast"):
            fill(images, hole, method)
    with pytest.raises(ParameterError, match="'series' cannot be used for several images"):
        fill(images, hole, series="2")
    with pytest.raises(ParameterError, match="mask"):
        fill(images, None)
    with pytest.raises(ParameterError, match=r"are of one modality; .* \('t1.nii': MR, 'ct.nii': CT\)"):
        check_modalities([MR, CT], ["'t1.nii'", "'ct.nii'"])
    second = images[1].copy()
    second[~hole] = np.nan
    with pytest.raises(MaskError, match="no voxel of the image holds data"):
        fill([images[0], second], hole)


def test_a_flipped_image_is_refused():
    first, _, hole = head()
    first = first * np.linspace(1, 2, first.shape[1], dtype=np.float32).reshape(1, -1, 1)
    second = np.where(first > 0, 3000 - first, 0)[:, ::-1].copy()
    with pytest.raises(GeometryError, match="better when it is flipped"):
        mi.inpaint_together([first, second], hole, method="patch", spacing=4.0)


def test_cancelling_stops_all():
    images, hole = two_contrasts()
    with pytest.raises(mi.MedInpaintError):
        fill(images, hole, progress=Progress(cancelled=lambda: True))
