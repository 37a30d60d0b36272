"""The road: what is accepted, what is refused, what the result says."""

import json
import sys
import tracemalloc

import numpy as np
import pytest
import SimpleITK as sitk

import MedInpaintLib as mi
from MedInpaintLib import prediction
from MedInpaintLib.calibration import AS_GIVEN
from MedInpaintLib.choice import _device
from MedInpaintLib.errors import Cancelled, GeometryError, MethodError, ParameterError
from MedInpaintLib.intensity import fit_scaling
from MedInpaintLib.methods import auto, registry
from MedInpaintLib.modality import MR


def ramp(shape=(12, 14, 16), dtype=np.int16):
    image = 3 * np.indices(shape).sum(axis=0) - 20
    hole = np.zeros(shape, bool)
    hole[tuple(slice(4, 9) for _ in shape)] = True
    return image.astype(dtype), hole


@pytest.fixture
def without_network(monkeypatch):
    """No network can run, so that the automatic choice is among the methods that need no packages."""
    monkeypatch.setattr(auto, "can_run", lambda method, modality: False)


@pytest.mark.parametrize("method", ["harmonic", "biharmonic", "linear-z"])
@pytest.mark.parametrize("spacing", [(1, 1, 1), (3, 1, 0.7)])
def test_a_linear_ramp_is_filled_exactly(method, spacing):
    image, hole = ramp()
    filled = mi.inpaint(np.where(hole, -999, image), hole, method=method, spacing=spacing).volume.array
    np.testing.assert_array_equal(filled, image)


def test_arrays_files_simpleitk_images_and_volumes_give_the_same(tmp_path):
    image, hole = ramp()
    volume = mi.Volume(image, (2.0, 1.0, 1.0))
    mask = volume.with_array(hole.astype(np.uint8))
    volume.write(tmp_path / "image.nrrd")
    mask.write(tmp_path / "mask.nii.gz")
    kinds = [
        mi.inpaint(image, hole, spacing=(2, 1, 1)),
        mi.inpaint(volume, mask),
        mi.inpaint(volume.to_sitk(), mask.to_sitk()),
        mi.inpaint(tmp_path / "image.nrrd", str(tmp_path / "mask.nii.gz")),
    ]
    for result in kinds[1:]:
        np.testing.assert_array_equal(result.volume.array, kinds[0].volume.array)


def test_the_result_is_on_the_inputs_grid(tmp_path):
    image, hole = ramp()
    oblique = mi.Volume(image, (3.0, 0.9, 0.7), (-10.0, 20.0, 5.5), (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0))
    result = mi.inpaint(oblique, hole, method="biharmonic")
    result.save(tmp_path / "filled.nrrd", report=tmp_path / "report.json")
    back = sitk.ReadImage(str(tmp_path / "filled.nrrd"))
    assert back.GetSpacing() == pytest.approx((0.7, 0.9, 3.0))
    assert back.GetDirection() == pytest.approx(oblique.direction)
    assert back.GetOrigin() == pytest.approx(oblique.origin)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["hole"]["voxels"] == 125
    assert report["hole"]["volume_ml"] == pytest.approx(125 * 3.0 * 0.9 * 0.7 / 1000)
    assert "not for clinical use" in report["trust"]
    assert result.mask.array.sum() == 125
    assert result.uncertainty is None


def test_nan_under_the_hole_is_fine():
    image, hole = ramp(dtype=np.float32)
    filled = mi.inpaint(np.where(hole, np.nan, image), hole, method="harmonic").volume.array
    np.testing.assert_allclose(filled, image, atol=1e-3)


@pytest.mark.parametrize("method", ["shell-mean", "nearest", "harmonic", "biharmonic"])
def test_a_hole_at_the_border_is_filled_from_the_sides_that_are_known(method):
    image = np.full((10, 10, 10), 7, np.uint8)
    hole = np.zeros(image.shape, bool)
    hole[:4, :, 6:] = True
    filled = mi.inpaint(np.where(hole, 0, image), hole, method=method).volume.array
    np.testing.assert_array_equal(filled, image)


@pytest.mark.parametrize("method", ["shell-mean", "nearest", "harmonic", "biharmonic", "linear-z"])
def test_thousands_of_components_are_all_filled(method):
    rng = np.random.default_rng(0)
    image = rng.integers(900, 1100, (70, 80, 90)).astype(np.int16)
    hole = rng.random(image.shape) < 0.01
    result = mi.inpaint(np.where(hole, -32768, image), hole, method=method)
    assert result.report["hole"]["components"] > 3000
    filled = result.volume.array[hole]
    assert filled.min() >= 900
    assert filled.max() < 1100


def test_a_slab_of_ct_keeps_hounsfield_units():
    image = np.full((8, 30, 30), -1024, np.int16)
    image[:, 5:25, 5:25] = 40
    hole = np.zeros(image.shape, bool)
    hole[2:6, 12:18, 12:18] = True
    result = mi.inpaint(np.where(hole, 3071, image), hole, method="harmonic")
    assert result.report["modality"] == "CT"
    np.testing.assert_array_equal(result.volume.array, image)


def test_results_are_rounded_and_clipped_to_the_dtype():
    y, x = np.indices((24, 24)) - 11.5
    radius = np.hypot(x, y)
    image = np.clip(300 - 10 * radius, 0, 255).astype(np.uint8)
    hole = radius < 5
    filled = mi.inpaint(image, hole, method="biharmonic", parameters={"clip": False}).volume.array
    # The plate goes on rising beyond 255: without the clip to uint8 it would wrap round to 0.
    assert filled[12, 12] == 255


def test_one_slice_volumes_are_filled_like_films():
    image, hole = ramp((12, 14))
    flat = mi.inpaint(image, hole, method="biharmonic").volume.array
    thick = mi.inpaint(image[None], hole[None], method="biharmonic", spacing=(5, 1, 1)).volume.array
    np.testing.assert_array_equal(thick[0], flat)


def test_far_parts_are_separate_regions_and_near_ones_are_one():
    image = np.zeros((20, 60, 60))
    hole = np.zeros(image.shape, bool)
    hole[10, 10, 10] = hole[10, 10, 13] = hole[10, 50, 50] = True
    report = mi.inpaint(image, hole, method="harmonic").report
    assert report["hole"]["components"] == 3
    assert report["hole"]["regions"] == 2


def test_auto_takes_linear_z_for_missing_thick_slices_and_says_why():
    image, hole = ramp((9, 20, 20))
    hole[:] = False
    hole[4] = True
    result = mi.inpaint(image, hole, spacing=(4, 1, 1))
    assert result.report["method"] == "linear-z"
    assert "slices are missing" in result.report["reason"]


def test_auto_takes_linear_z_for_a_ruined_slice_that_is_painted_only_inside_the_head():
    z, y, x = np.indices((9, 120, 120))
    head = (y - 60) ** 2 + (x - 60) ** 2 < 50**2
    image = np.where(head, 100 + 5 * z, 0)
    result = mi.inpaint(image, head & (z == 4), spacing=(4, 1, 1))
    assert result.report["method"] == "linear-z"
    lesion = ((y - 60) ** 2 + (x - 60) ** 2 < 10**2) & (z == 4)
    assert mi.inpaint(image, lesion, spacing=(4, 1, 1)).report["method"] != "linear-z"


def test_a_deep_hole_is_not_trusted_like_a_shallow_one():
    image = np.zeros((60, 60, 60), np.uint8)
    image[::2] = 100
    deep, small, thin = np.zeros((3, 60, 60, 60), bool)
    deep[10:50, 10:50, 10:50] = small[10:15, 10:15, 10:15] = thin[30:33] = True
    assert "hole is 20 mm from what is known" in mi.inpaint(image, deep, method="harmonic").report["trust"]
    for shallow in (small, thin):
        assert "from what is known" not in mi.inpaint(image, shallow, method="harmonic").report["trust"]


def test_a_film_has_no_volume():
    image, hole = ramp((20, 20))
    assert mi.inpaint(image, hole).report["hole"]["volume_ml"] is None


def test_a_result_in_a_notebook_is_one_line():
    assert repr(mi.inpaint(*ramp(), method="nearest")) == "<Result: 125 voxels of (12, 14, 16) filled by nearest>"


def test_auto_learns_small_lesions_from_their_surroundings_and_says_why():
    image, hole = ramp()
    hole[:] = False
    hole[5:8, 5:8, 5:8] = True
    result = mi.inpaint(image, hole, modality="MR")
    assert result.report["method"] == "patch-regression"
    assert "small" in result.report["reason"]


@pytest.mark.parametrize(
    ("shape", "width", "modality", "method"),
    [
        ((60, 60), 12, "film", "biharmonic"),
        ((60, 60), 12, "CT", "biharmonic"),
        ((60, 60), 20, "CT", "patch"),
        ((40, 60, 60), 12, "CT", "patch-regression"),
        ((40, 60, 60), 16, "CT", "biharmonic"),
        ((40, 60, 60), 16, "MR", "patch"),
    ],
)
def test_auto_goes_by_the_kind_of_image_where_no_network_can_run(shape, width, modality, method, without_network):
    image, hole = np.random.default_rng(0).random(shape), np.zeros(shape, bool)
    hole[tuple(slice(10, 10 + width) for _ in shape)] = True
    assert mi.inpaint(image, hole, modality=modality).report["method"] == method


@pytest.mark.parametrize(("center", "method"), [(36, "mirror"), (24, "patch")])
def test_auto_takes_the_mirror_where_the_other_side_is_known(center, method, without_network):
    from scipy import ndimage

    grid = np.indices((40, 52, 49)) - np.array([20, 26, 24]).reshape(3, 1, 1, 1)
    half = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(40, 52, 25)), 1.5)
    texture = np.concatenate([half[:, :, :0:-1], half], axis=2)  # the left is the right
    inside = (grid[0] / 18) ** 2 + (grid[1] / 24) ** 2 + (grid[2] / 20) ** 2 < 1
    image = np.where(inside, 500 + 1000 * texture, 0)
    hole = (grid**2).sum(axis=0) < 0
    hole |= ((np.indices(hole.shape) - np.array([20, 26, center]).reshape(3, 1, 1, 1)) ** 2).sum(axis=0) < 20
    result = mi.inpaint(image, hole, spacing=4.0, modality="MR")
    assert result.report["method"] == method


def test_a_mask_array_of_another_shape_is_refused():
    with pytest.raises(GeometryError, match="must have the image's shape"):
        mi.inpaint(np.zeros((5, 5)), np.zeros((5, 6)))


def test_a_line_is_not_an_image():
    with pytest.raises(GeometryError, match="at least 2 axes"):
        mi.inpaint(np.zeros((1, 1, 9)), np.arange(9)[None, None] == 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "no method 'magic'; the methods are: auto, atlas, biharmonic"),
        ({"method": "harmonic", "parameters": {"colour": 1}}, "no parameter 'colour'; its parameters are: tolerance"),
        ({"method": "harmonic", "parameters": {"tolerance": "soft"}}, "'tolerance' must be a number between"),
        ({"method": "harmonic", "parameters": {"tolerance": 5}}, "found 5"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"device": "cuda:banana"}, "no device 'cuda:banana'"),
        ({"device": "cpu:1"}, "no device 'cpu:1'"),
        ({"blend": "melt"}, "no blending 'melt'"),
        ({"device": "abacus"}, "no device 'abacus'"),
        ({"modality": "PET"}, "no modality 'PET'"),
    ],
)
def test_unknown_options_are_refused_with_what_there_is(options, message):
    image, hole = ramp()
    with pytest.raises(ParameterError, match=message):
        mi.inpaint(image, hole, **options)


def test_a_device_that_a_method_cannot_use_is_warned_about():
    image, hole = ramp()
    report = mi.inpaint(image, hole, method="harmonic", device="cuda").report
    assert report["device"] == "cpu"
    assert "device 'cuda' was not used" in report["warnings"][0]


@pytest.mark.parametrize(
    ("cuda", "mps", "used"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_a_method_that_wants_a_gpu_gets_the_one_that_is_there(cuda, mps, used, monkeypatch):
    with_devices(monkeypatch, cuda, mps)
    wants, does_not = registry.get("vae-latent"), registry.get("harmonic")
    assert _device("auto", wants) == (used, [])
    assert _device(used, wants) == (used, [])
    assert _device("cpu", wants) == ("cpu", [])
    assert _device("auto", does_not) == ("cpu", [])


def test_of_several_devices_one_that_is_not_there_is_refused_with_those_that_are(monkeypatch):
    wants = registry.get("vae-latent")
    with_devices(monkeypatch, cuda=True, mps=False)
    assert _device("cuda:1", wants) == ("cuda:1", [])
    with pytest.raises(ParameterError, match=r"'cuda:7' is not available; .* auto, cuda, cuda:0, cuda:1, cpu"):
        _device("cuda:7", wants)


@pytest.mark.parametrize(
    ("asked", "cuda", "built", "why"),
    [
        ("cuda", False, False, "this PyTorch has no support for CUDA"),
        ("cuda:1", False, False, "this PyTorch has no support for CUDA"),
        ("cuda", False, True, "no CUDA device was found, or no driver for it"),
        ("mps", False, False, "this PyTorch has no support for MPS"),
        ("mps", True, False, "this PyTorch has no support for MPS"),
        ("mps", False, True, "this machine has no GPU that PyTorch can use by MPS"),
    ],
)
def test_where_there_is_no_such_device_the_cpu_steps_in_and_it_is_said_why(asked, cuda, built, why, monkeypatch):
    import torch

    with_devices(monkeypatch, cuda=cuda, mps=False)
    monkeypatch.setattr(getattr(torch.backends, asked.partition(":")[0]), "is_built", lambda: built)
    used, (warning,) = _device(asked, registry.get("vae-latent"))
    assert used == "cpu"
    assert warning.startswith(f"The device '{asked}' was asked for and is not available here: {why}")
    assert warning.endswith("The CPU was used, which is slower.")


def test_a_device_that_is_not_there_is_in_the_reports_warnings(monkeypatch):
    with_devices(monkeypatch, cuda=False, mps=False)
    image, hole = ramp()
    report = mi.inpaint(image, hole, method="unet", modality="MR", device="cuda").report
    assert report["device"] == "cpu"
    assert any("device 'cuda' was asked for" in warning for warning in report["warnings"])


def test_without_torch_there_is_the_cpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    wants = registry.get("vae-latent")
    assert _device("auto", wants) == ("cpu", [])
    assert "PyTorch is not installed" in _device("cuda", wants)[1][0]


def with_devices(monkeypatch, cuda: bool, mps: bool) -> None:
    """A machine with two CUDA devices or none, and with MPS or not."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2 * cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_progress_grows_from_0_to_1_and_cancel_stops_it():
    image, hole = ramp()
    seen = []
    mi.inpaint(image, hole, progress=mi.Progress(lambda fraction, stage: seen.append(fraction)))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)

    polls = []
    with pytest.raises(Cancelled):
        mi.inpaint(
            image, hole, method="biharmonic", progress=mi.Progress(cancelled=lambda: len(polls) > 3 or polls.append(1))
        )


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_the_memory_follows_the_hole_and_not_the_volume(dtype):
    image, mask = np.zeros((200, 256, 256), dtype), np.zeros((200, 256, 256), np.uint8)
    mask[100:110, 100:110, 100:110] = 1
    small = image[:20, :20, :20], np.indices((20, 20, 20)).sum(axis=0) == 20
    mi.inpaint(*small, method="biharmonic")  # what is imported does not count
    tracemalloc.start()
    mi.inpaint(image, mask, method="biharmonic")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.3 * image.nbytes


def test_the_report_says_how_to_do_it_again(tmp_path):
    image, hole = ramp()
    mi.Volume(image, (1.0,) * 3).write(tmp_path / "scan.nrrd")
    mi.Volume(2 * hole.astype(np.uint8), (1.0,) * 3).write(tmp_path / "lesion.nrrd")
    result = mi.inpaint(tmp_path / "scan.nrrd", tmp_path / "lesion.nrrd", labels=[2], dilate_mm=1.0, seed=np.int64(3))
    report = json.loads(json.dumps(result.report))
    assert report["image"]["name"] == "scan.nrrd"
    assert report["mask"] == {**report["mask"], "name": "lesion.nrrd", "labels": [2], "dilate_mm": 1.0}
    assert report["seed"] == 3
    assert report["software"].startswith("MedInpaintLib ")
    assert report["date"].startswith("20")


def test_spacing_is_refused_for_an_image_that_brings_its_own():
    image, hole = ramp()
    with pytest.raises(ParameterError, match="only be given for arrays"):
        mi.inpaint(mi.Volume(image, (1.0,) * 3), hole, spacing=2.0)


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        (lambda region: np.full(region.values.shape, np.nan), "returned NaN or infinity"),
        (lambda region: np.zeros((1, *region.values.shape)), r"returned shape \(1, "),
    ],
)
def test_a_method_that_returns_no_fill_is_named(monkeypatch, returns, message):
    def broken(region, parameters, run):
        return prediction.Prediction(returns(region))

    info = prediction.MethodInfo("broken", "Broken", "trivial", "Broken.", "None.", "none", fill=broken)
    monkeypatch.setitem(prediction.METHODS, "broken", info)
    with pytest.raises(MethodError, match=f"'broken' {message}"):
        mi.inpaint(*ramp(), method="broken")


def test_a_calibrated_spread_is_the_uncertainty_in_the_images_units(monkeypatch):
    def unsure(region, parameters, run):
        return prediction.Prediction(region.values, np.full(region.values.shape, 0.1), calibration=AS_GIVEN)

    info = prediction.MethodInfo("unsure", "S", "trivial", "S.", "None.", "none", fill=unsure)
    monkeypatch.setitem(prediction.METHODS, "unsure", info)
    image, hole = ramp()
    result = mi.inpaint(image, hole, method="unsure")
    width = fit_scaling(image[~hole], MR).width
    assert result.uncertainty is not None
    np.testing.assert_allclose(result.uncertainty.array[hole], 0.1 * width, rtol=1e-5)
    assert not result.uncertainty.array[~hole].any()


def test_auto_does_not_take_the_thickness_of_a_film_for_thick_slices(without_network):
    image, hole = ramp((30, 30))
    hole[1:] = True
    assert mi.inpaint(image[None], hole[None], spacing=(5, 1, 1), modality="film").report["method"] == "biharmonic"


def test_a_spacing_of_a_micrometre_needs_no_more_memory():
    hole = np.zeros((40, 40, 40), bool)
    hole[20, 20, 20] = True
    tracemalloc.start()
    mi.inpaint(np.zeros(hole.shape, np.uint8), hole, spacing=0.001)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_uncertainty_needs_no_box_around_all_regions():
    image = np.random.default_rng(0).integers(0, 200, (120, 120, 120)).astype(np.uint8)
    hole = np.zeros(image.shape, bool)
    hole[5, 5, 5] = hole[-6, -6, -6] = True
    options = {"method": "biharmonic", "modality": "MR", "uncertainty": True}
    mi.inpaint(image, hole, **options)  # imports and caches
    tracemalloc.start()
    spread = mi.inpaint(image, hole, **options).uncertainty.array
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (spread[hole] > 0).all()
    assert peak < 16 * image.size  # a box in 64 bits would be 8 times the image, and distances in it more


def test_auto_does_not_learn_a_hole_that_is_thin_but_too_wide_to_be_learned():
    image = np.random.default_rng(0).random((40, 60, 60))
    hole = np.zeros(image.shape, bool)
    hole[20, 5:55, 5:55] = True
    report = mi.inpaint(image, hole, spacing=1.0).report
    assert report["method"] == "biharmonic"
    assert "thin, but too wide" in report["reason"]
    hole[20, 20:] = False
    assert mi.inpaint(image, hole, spacing=1.0).report["method"] == "patch-regression"
