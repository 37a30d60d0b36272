"""Guides, exemplars, and the scan around the regions."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib import prediction
from MedInpaintLib.errors import GeometryError, ImageReadError
from MedInpaintLib.intensity import Scaling, fit_scaling
from MedInpaintLib.mask import Hole, bounding_box
from MedInpaintLib.modality import CT, MR
from MedInpaintLib.region import crop
from MedInpaintLib.subject import Subject


@pytest.fixture
def seen(monkeypatch):
    """A method that keeps the regions that it was given."""
    regions = []

    def look(region, parameters, run):
        regions.append(region)
        return prediction.Prediction(region.values)

    info = prediction.MethodInfo("look", "Look", "trivial", "Looks.", "None.", "none", fill=look)
    monkeypatch.setitem(prediction.METHODS, "look", info)
    return regions


def scene(shape=(12, 14, 16)):
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    hole = np.zeros(shape, bool)
    hole[tuple(slice(5, 8) for _ in shape)] = True
    return image, hole


def test_the_scan_is_voided_and_scaled_like_its_regions(seen):
    image, hole = scene()
    image[hole] = np.nan
    mi.inpaint(image, hole, method="look")
    region = seen[0]
    np.testing.assert_array_equal(region.subject.values[region.place], region.values)
    np.testing.assert_array_equal(region.subject.hole, hole)
    assert not region.subject.values[hole].any()


def test_axes_of_one_voxel_are_left_out(seen):
    image, hole = scene((12, 16))
    image, hole = image[:, np.newaxis], hole[:, np.newaxis]
    mi.inpaint(image, hole, method="look", spacing=(2.0, 9.0, 0.5))
    region = seen[0]
    assert region.subject.values.shape == (12, 16)
    assert region.spacing == (2.0, 0.5)
    np.testing.assert_array_equal(region.subject.values[region.place], region.values)


def test_a_wider_region_holds_the_region_and_other_holes():
    image, hole = scene((20, 40))
    hole[5:8, 30:33] = True
    box = bounding_box(hole)
    subject = Subject(mi.Volume(image, (1.0, 2.0)), Hole(hole[box], box, hole.shape), Scaling(0, 1))
    region = crop(subject, (slice(3, 10), slice(3, 10)))
    wider, inner = region.wider(4.0)
    assert wider.box == (slice(0, 14), slice(1, 12))
    np.testing.assert_array_equal(wider.values[inner], region.values)
    assert region.wider(60.0)[0].hole.sum() == hole.sum()


def test_what_is_remembered_is_made_once(seen):
    mi.inpaint(*scene(), method="look")
    made = []
    for _ in range(2):
        assert seen[0].subject.cached("key", lambda: made.append(1) or "thing") == "thing"
    assert made == [1]


def test_guides_are_cut_and_scaled_and_known_in_the_hole(seen):
    image, hole = scene()
    mi.inpaint(image, hole, method="look", guides=[1000 + 2 * image, image])
    region = seen[0]
    assert region.guides.shape == (2, *region.values.shape)
    np.testing.assert_array_equal(region.channels[0], region.values)
    assert (np.diff(region.guides[0].ravel()) > 0).all()
    assert region.guides[0].max() < 2


def test_a_guide_of_another_modality_has_a_scale_of_its_own(seen):
    image, hole = scene()
    air_and_tissue = np.where(image > image.mean(), 40.0, -1000.0)
    guide = image / image.max() * 200
    for given, guides in ((air_and_tissue, guide), (image, air_and_tissue)):
        mi.inpaint(given, hole, method="look", guides=guides)
    assert [region.modality for region in seen] == [CT, MR]
    np.testing.assert_array_equal(seen[0].guides[0], mi_scaled(guide, MR)[seen[0].place])
    np.testing.assert_array_equal(seen[1].guides[0], mi_scaled(air_and_tissue, CT)[seen[1].place])


def mi_scaled(array, modality):
    return fit_scaling(array.ravel(), modality).forward(array)


def test_what_a_method_does_not_use_is_warned_of(seen):
    image, hole = scene()
    given = {"guides": [image], "exemplars": [image]}
    unused = mi.inpaint(image, hole, method="look", **given).report["warnings"]
    assert unused == [
        "Method 'look' does not use guides; the fill was made without them.",
        "Method 'look' does not use exemplars; the fill was made without them.",
    ]
    assert not mi.inpaint(image, hole, method="look").report["warnings"]
    chosen = mi.inpaint(image, hole, **given).report
    assert chosen["method"] == "patch-regression"
    assert chosen["warnings"] == ["Method 'patch-regression' does not use exemplars; the fill was made without them."]


def test_an_array_is_one_guide_or_exemplar_and_not_a_list_of_planes(seen):
    image, hole = scene()
    mi.inpaint(image, hole, method="look", guides=image, exemplars=image)
    assert [guide.array.shape for guide in seen[0].subject.guides] == [image.shape]
    assert [each.shape for each in seen[0].subject.exemplars] == [image.shape]


def test_a_guide_on_another_grid_is_resampled_with_a_warning(seen):
    image, hole = scene()
    fine = mi.Volume(np.repeat(image, 2, axis=2), (1.0, 1.0, 0.5), origin=(-0.25, 0.0, 0.0))
    result = mi.inpaint(mi.Volume(image, 1.0), hole, method="look", guides=[fine])
    assert any("resampled" in warning for warning in result.report["warnings"])
    np.testing.assert_allclose(seen[0].subject.guides[0].array[5:8, 5:8, 5:8], image[5:8, 5:8, 5:8], atol=0.51)


def test_guides_that_cannot_guide_are_refused():
    image, hole = scene()
    volume = mi.Volume(image, 1.0)
    with pytest.raises(GeometryError, match="does not cover the hole"):
        mi.inpaint(volume, hole, guides=[mi.Volume(image, 1.0, origin=(100.0, 0.0, 0.0))])
    with pytest.raises(GeometryError, match="2-D"):
        mi.inpaint(volume, hole, guides=[mi.Volume(image[0], 1.0)])
    with pytest.raises(GeometryError, match="no data in 27 voxels"):
        mi.inpaint(volume, hole, guides=[np.full_like(image, np.nan)])


def test_exemplars_are_the_images_of_a_folder(seen, tmp_path):
    image, hole = scene()
    for name in ("b.nrrd", "a.mha"):
        mi.Volume(image, 1.0).write(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not an image")
    mi.inpaint(image, hole, method="look", exemplars=tmp_path)
    assert [path.name for path in seen[0].subject.exemplars] == ["a.mha", "b.nrrd"]


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ImageReadError, match="holds no images"):
        mi.inpaint(*scene(), exemplars=tmp_path)
    with pytest.raises(ImageReadError, match="no folder"):
        mi.inpaint(*scene(), exemplars=tmp_path / "none")


def test_what_is_cached_is_computed_once_and_shared_by_all_threads():
    image, hole = scene()
    box = bounding_box(hole)
    subject = Subject(mi.Volume(image, 1.0), Hole(hole[box], box, hole.shape), Scaling(0.0, 1.0))
    threads, calls = 4, []
    asked, made = threading.Barrier(threads), threading.Barrier(threads)

    def make():
        calls.append(1)
        with contextlib.suppress(threading.BrokenBarrierError):
            made.wait(0.2)  # lets another thread in, if one can come in
        return subject.cached("inner", lambda: [])  # a registration asks for the symmetry

    def ask(_):
        asked.wait()
        return subject.cached("outer", make)

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(ask, range(threads)))
    assert len(calls) == 1
    assert all(result is results[0] for result in results)
