"""Parts of the hole are filled apart, in any number of threads alike, and reported one by one."""

import concurrent.futures
import json

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib import filling, parts, prediction
from MedInpaintLib.methods import auto

METHODS = ["nearest", "shell-mean", "harmonic", "biharmonic", "patch", "patch-regression"]


@pytest.fixture
def apart(monkeypatch):
    """Small parts have regions of their own, as large ones do."""
    monkeypatch.setattr(parts, "LARGEST", 0)


def texture(shape, seed=0) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.5)
    return (500 + 100 * noise / noise.std()).astype(np.float32)


def two_parts(gap: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an image and two cubes of 4 voxels in it, with some known voxels between them."""
    image = texture((20, 24, 30))
    one, other = np.zeros(image.shape, bool), np.zeros(image.shape, bool)
    one[8:12, 10:14, 8:12] = other[8:12, 10:14, 12 + gap : 16 + gap] = True
    return image, one, other


@pytest.mark.parametrize("method", METHODS)
def test_a_part_is_filled_as_if_the_part_near_it_held_no_data(method, apart):
    image, one, other = two_parts(3)
    options = {"method": method, "spacing": 1.0, "modality": "MR"}
    both = mi.inpaint(image, one | other, **options)
    assert both.report["hole"]["regions"] == 2
    for own, left in ((one, other), (other, one)):
        alone = mi.inpaint(np.where(left, np.nan, image), own, **options).volume.array
        np.testing.assert_array_equal(both.volume.array[own], alone[own])
    assert both.volume.array[~(one | other)].tobytes() == image[~(one | other)].tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_no_part_sees_what_is_hidden_in_another(method, apart):
    image, one, other = two_parts(3)
    expected = mi.inpaint(image, one | other, method=method).volume.array[one | other]
    for hidden in (one, other):
        for value in (-1e6, np.nan):
            spoiled = np.where(hidden, np.float32(value), image)
            filled = mi.inpaint(spoiled, one | other, method=method).volume.array
            np.testing.assert_array_equal(filled[one | other], expected)


def thin_plate(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Return a plate through what is known, solved at once: the Laplacian of the Laplacian is 0 in the hole."""
    laplacian = np.zeros((image.size, image.size))
    for row, (y, x) in enumerate(np.ndindex(image.shape)):
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if 0 <= y + dy < image.shape[0] and 0 <= x + dx < image.shape[1]:
                laplacian[row, row] -= 1
                laplacian[row, row + dy * image.shape[1] + dx] += 1
    inside, values = hole.ravel(), image.ravel().astype(float)
    plate = (laplacian @ laplacian)[inside]
    values[inside] = np.linalg.solve(plate[:, inside], -plate[:, ~inside] @ values[~inside])
    return values.reshape(image.shape)


@pytest.mark.parametrize(("gap", "regions"), [(1, 1), (4, 2)])
def test_parts_are_solved_jointly_where_one_plate_spans_both_and_apart_where_none_does(gap, regions, apart):
    image, hole = texture((18, 26)), np.zeros((18, 26), bool)
    hole[6:11, 5:10] = hole[6:11, 10 + gap : 14 + gap] = True
    options = {"method": "biharmonic", "parameters": {"tolerance": 1e-9, "clip": False}, "spacing": 1.0}
    result = mi.inpaint(image.astype(float), hole, **options)
    assert (result.report["hole"]["components"], result.report["hole"]["regions"]) == (2, regions)
    np.testing.assert_allclose(result.volume.array[hole], thin_plate(image, hole)[hole], rtol=1e-4)


def three_parts() -> tuple[np.ndarray, np.ndarray]:
    """Return an image and cubes of 3, 5 and 9 voxels in it, far from each other."""
    image, hole = texture((26, 60, 60)), np.zeros((26, 60, 60), bool)
    hole[4:7, 4:7, 4:7] = hole[10:15, 40:45, 8:13] = hole[12:21, 40:49, 45:54] = True
    return image, hole


def test_each_part_has_a_row_in_the_report_the_deepest_first():
    image, hole = three_parts()
    report = mi.inpaint(image, hole, method="harmonic", spacing=(2.0, 1.0, 1.0)).report
    labels, _ = ndimage.label(hole)
    assert [part["voxels"] for part in report["parts"]] == [9**3, 5**3, 3**3]
    assert sorted(part["number"] for part in report["parts"]) == [1, 2, 3]
    assert len({labels[tuple(part["middle"])] for part in report["parts"]} - {0}) == 3
    for part in report["parts"]:
        inside = labels == labels[tuple(part["middle"])]
        assert part["voxels"] == inside.sum()
        assert part["volume_ml"] == pytest.approx(inside.sum() * 2 / 1000)
        assert part["depth_mm"] == pytest.approx((inside.sum() ** (1 / 3) + 1) / 2)  # across the thin pixels
        assert (part["method"], part["reason"], part["warnings"], part["scores"]) == ("harmonic", "", [], None)
    assert sum(part["voxels"] for part in report["parts"]) == report["hole"]["voxels"] == hole.sum()
    assert report["hole"]["components"] == 3
    json.dumps(report, allow_nan=False)


def test_a_part_with_a_warning_comes_before_deeper_ones(monkeypatch):
    def wary(region, parameters, run):
        smallest = region.fill.sum() < 100
        return prediction.Prediction(
            region.nearest_known(),
            warnings=("It is small.",) if smallest else (),
            instead="nearest" if smallest else None,
        )

    info = prediction.MethodInfo("wary", "Wary", "trivial", "W.", "None.", "none", fill=wary)
    monkeypatch.setitem(prediction.METHODS, "wary", info)
    report = mi.inpaint(*three_parts(), method="wary").report
    rows = [(part["voxels"], part["method"], part["warnings"]) for part in report["parts"]]
    assert rows == [(27, "nearest", ["It is small."]), (729, "wary", []), (125, "wary", [])]
    assert report["warnings"] == ["It is small."]


def test_where_parts_have_several_methods_the_report_names_all_with_their_parameters(monkeypatch):
    image, hole = three_parts()

    def choose(subject, groups, depths, progress=None):
        return [("biharmonic", "large") if group.hole.count() > 100 else ("harmonic", "small") for group in groups]

    monkeypatch.setattr(auto, "choose", choose)
    mixed = mi.inpaint(image, hole, parameters={"clip": False}, blend="feather")
    report = mixed.report
    assert report["method"] == "biharmonic, harmonic"
    assert report["reason"] == "harmonic for 1 part: small; biharmonic for 2 parts: large"
    assert set(report["parameters"]) == {"biharmonic", "harmonic"}
    assert report["parameters"]["biharmonic"]["clip"] is False
    assert "clip" not in report["parameters"]["harmonic"]
    assert report["blend"] == "feather"
    by_size = {part["voxels"]: (part["method"], part["reason"]) for part in report["parts"]}
    assert by_size == {27: ("harmonic", "small"), 125: ("biharmonic", "large"), 729: ("biharmonic", "large")}
    plain = mi.inpaint(image, hole, method="harmonic", blend="feather").volume.array
    small = np.zeros(hole.shape, bool)
    small[4:7, 4:7, 4:7] = True
    np.testing.assert_array_equal(mixed.volume.array[small], plain[small])
    assert (mixed.volume.array[hole & ~small] != plain[hole & ~small]).any()
    json.dumps(report, allow_nan=False)


def scattered(head: np.ndarray) -> np.ndarray:
    """Return lesions of several sizes in a head, most of them on one side."""
    hole = np.zeros(head.shape, bool)
    for (k, j, i), radius in {(10, 20, 14): 3, (20, 36, 15): 5, (16, 18, 30): 2, (22, 30, 32): 1}.items():
        z, y, x = np.indices(head.shape) - np.reshape((k, j, i), (3, 1, 1, 1))
        hole |= z**2 + y**2 + x**2 <= radius**2
    return hole


@pytest.mark.parametrize(
    ("method", "uncertainty"),
    [
        ("auto", False),
        ("auto", True),
        ("patch", True),
        ("patch-regression", False),
        ("mirror", True),
        ("biharmonic", False),
        pytest.param("biharmonic", True, marks=pytest.mark.slow),
        ("unet", False),
    ],
)
def test_any_number_of_workers_gives_the_same(method, uncertainty, head, apart, monkeypatch):
    monkeypatch.setattr(filling, "BRIEF", 0.0)  # threads, however small the parts
    if method == "unet":
        pytest.importorskip("torch")
    hole = scattered(head)
    options = {"method": method, "spacing": 2.0, "modality": "MR", "uncertainty": uncertainty}
    results = [mi.inpaint(head, hole, workers=workers, **options) for workers in (1, 3)]
    assert results[0].report["hole"]["regions"] == 4
    for part in ("volume", "uncertainty"):
        one, other = (getattr(result, part) for result in results)
        assert (one is None) == (other is None)
        assert one is None or one.array.tobytes() == other.array.tobytes()
    for report in (result.report for result in results):
        for changing in ("seconds", "date"):
            report.pop(changing)
    assert results[0].report == results[1].report


@pytest.mark.parametrize("brief", [True, False])
def test_threads_are_started_only_for_parts_that_take_longer_than_handing_them_over(brief, apart, monkeypatch):
    if not brief:
        monkeypatch.setattr(filling, "BRIEF", 0.0)
    started = []

    class Pool(concurrent.futures.ThreadPoolExecutor):
        def __init__(self, *arguments):
            started.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr(concurrent.futures, "ThreadPoolExecutor", Pool)
    image, hole = three_parts()
    result = mi.inpaint(image, hole, method="biharmonic", modality="MR", workers=2)
    assert result.report["hole"]["regions"] > 1
    assert bool(started) is not brief


def test_a_number_of_workers_below_one_is_refused():
    image, hole = three_parts()
    with pytest.raises(mi.errors.ParameterError, match="1 or more; found 0"):
        mi.inpaint(image, hole, workers=0)
