"""The road to a missing contrast: of a model that makes the mean of what is there, all is known beforehand."""

import json
import sys

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.errors import (
    Cancelled,
    GeometryError,
    ImageReadError,
    InputError,
    IntensityError,
    ModelError,
    OutputPathError,
    ParameterError,
)
from MedInpaintLib.imputation.core import MEDIAN, core, fit_core_scaling
from MedInpaintLib.imputation.estimate import contrast_of, estimate, load_network
from MedInpaintLib.models.once import LoadedModel
from MedInpaintLib.models.store import find

pytest.importorskip("torch")

#: Pixels are as large as the models', so that nothing is interpolated.
SHAPE, MM = (12, 40, 34), (10.0, 4.0, 4.0)


@pytest.fixture(scope="module")
def there(grid):
    return grid(SHAPE, MM)


@pytest.fixture(scope="module")
def scans(head, there):
    return {name: head(name, there) for name in ("T1", "T2")}


@pytest.fixture(scope="module")
def flair(head, there):
    return head("FLAIR", there)


@pytest.fixture(scope="module")
def bare(scans, rough_model):
    """What the rough model makes of both."""
    return mi.impute(scans, "FLAIR", model=rough_model)


def scaled(volume):
    """On the core's scale, by the definition: 0 is no signal, the median of the core is a quarter."""
    return volume.array * MEDIAN / np.median(core(volume.array, volume.spacing))


def mean_of(*volumes):
    return np.mean([scaled(each) for each in volumes], axis=0)


# what comes out


def test_the_result_is_what_the_network_makes_in_units_of_a_thousand(scans, mean_model):
    result = mi.impute(scans, "FLAIR", model=mean_model)
    assert result.volume.array.dtype == np.int16
    np.testing.assert_allclose(result.volume.array, 4000 * mean_of(*scans.values()), atol=0.6)
    # Of one contrast alone, its own core's median is exactly that.
    alone = mi.impute({"T2": scans["T2"]}, "FLAIR", model=mean_model).volume
    assert np.median(core(alone.array, MM)) == pytest.approx(1000, abs=1)


def test_an_estimate_is_rounded_to_integers(scans, bare, rough_model):
    bundle = find(rough_model)
    made = estimate(scans, "FLAIR", bundle, LoadedModel(bundle, load_network, "cpu").on_device)
    assert made.dtype == np.float32
    assert made.min() >= 0
    np.testing.assert_array_equal(bare.volume.array, np.rint(4000 * made.astype(np.float64)))


def test_the_result_is_on_the_references_grid(scans, head, grid, mean_model):
    direction = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
    oblique = head("T2", grid((14, 36, 38), (9.0, 4.0, 4.0), direction))
    images = {"T1": scans["T1"], "T2": oblique}
    result = mi.impute(images, "FLAIR", reference="T2", model=mean_model)
    assert not result.volume.grid_difference(oblique)
    assert result.volume.array.shape == oblique.array.shape
    assert result.volume.direction == pytest.approx(direction)
    (warning,) = result.report["warnings"]
    assert "The T1 image is on another grid than the T2 image" in warning
    assert not mi.impute(images, "FLAIR", model=mean_model).volume.grid_difference(scans["T1"])


def test_voxels_of_another_size_than_the_models_pixels_change_little(head, grid, mean_model):
    fine = grid((12, 64, 56), (10.0, 2.5, 2.4))
    images = {name: head(name, fine) for name in ("T1", "T2")}
    found = mi.impute(images, "FLAIR", model=mean_model).volume.array
    truth = 4000 * mean_of(*images.values())
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.99


def test_an_image_of_the_contrast_says_what_the_units_and_the_dtype_are(scans, flair, mean_model):
    for like in (
        flair,
        flair.with_array((0.4 * flair.array).astype(np.uint16)),
        flair.with_array(flair.array.astype(np.float64) - 300),
    ):
        result = mi.impute(scans, "FLAIR", like=like, model=mean_model)
        assert result.volume.array.dtype == like.array.dtype
        lowest = min(0, like.array.min())
        level = np.median(core(like.array, like.spacing)) - lowest
        truth = lowest + mean_of(*scans.values()) * level / MEDIAN
        np.testing.assert_allclose(result.volume.array, truth, atol=0.6 if like.array.dtype.kind == "u" else 0.01)


def test_what_does_not_fit_into_the_dtype_is_cut_off(scans, flair, mean_model):
    small = flair.with_array(np.rint(flair.array * (200 / flair.array.max())).astype(np.uint8))
    found = mi.impute(scans, "FLAIR", like=small, model=mean_model).volume.array
    truth = fit_core_scaling(small.array, MM).inverse(mean_of(*scans.values()))
    assert truth.max() > 256
    np.testing.assert_allclose(found, np.clip(truth, 0, 255), atol=0.6)


def test_slices_are_estimated_like_volumes_of_one(scans, mean_model):
    flat = {name: mi.Volume(each.array[6], MM[1:]) for name, each in scans.items()}
    found = mi.impute(flat, "FLAIR", model=mean_model).volume
    assert found.array.shape == SHAPE[1:]
    np.testing.assert_allclose(found.array, 4000 * mean_of(*flat.values()), atol=0.6)
    thick = {name: mi.Volume(each.array[np.newaxis], (5.0, *each.spacing)) for name, each in flat.items()}
    np.testing.assert_array_equal(mi.impute(thick, "FLAIR", model=mean_model).volume.array[0], found.array)


def test_there_is_nothing_where_no_contrast_has_a_signal(scans, bare, rough_model):
    far = np.zeros((12, 90, 34), np.float32)
    images = {}
    for name, each in scans.items():
        far[:, :40] = each.array
        images[name] = mi.Volume(far.copy(), MM)
    found = mi.impute(images, "FLAIR", model=rough_model).volume.array
    # A square of the model's is 16 pixels wide, and the head ends at 40.
    assert (found[:, 56:] == 0).all()
    assert (found[:, :40] > 0).any()


# what does not matter


def test_the_wanted_contrasts_own_image_is_never_looked_at(scans, flair, bare, tmp_path, rough_model):
    broken = flair.with_array(np.full(SHAPE, np.nan))
    for own in (flair, broken, tmp_path / "nowhere.nii.gz"):
        result = mi.impute({"FLAIR": own, **scans}, "flair", model=rough_model)
        np.testing.assert_array_equal(result.volume.array, bare.volume.array)
        assert list(result.report["images"]) == ["T1", "T2"]
    bundle = find(rough_model)
    network = LoadedModel(bundle, load_network, "cpu").on_device
    made = [estimate(images, "FLAIR", bundle, network) for images in (scans, {**scans, "FLAIR": broken})]
    np.testing.assert_array_equal(*made)


def test_the_order_of_the_images_does_not_matter_but_for_whose_grid_it_is(scans, bare, rough_model):
    turned = dict(reversed(scans.items()))
    again = mi.impute(turned, "FLAIR", reference="T1", model=rough_model)
    assert again.report["reference"] == bare.report["reference"] == "T1"
    np.testing.assert_array_equal(again.volume.array, bare.volume.array)
    assert mi.impute(turned, "FLAIR", model=rough_model).report["reference"] == "T2"


@pytest.mark.parametrize(
    ("order", "flips"),
    [
        ((0, 1, 2), (0,)),
        ((0, 1, 2), (1,)),
        ((0, 1, 2), (2,)),
        ((2, 0, 1), ()),
        ((2, 1, 0), (0, 1)),
        ((1, 0, 2), (0, 2)),
    ],
)
def test_how_the_voxels_are_stored_does_not_matter(scans, bare, order, flips, rough_model):
    """Axes in another order and running the other way, along with a direction that says so."""

    def stored(volume):
        steps = np.eye(3)[:, ::-1]  # of the axes k, j, i in LPS
        origin = np.zeros(3)
        for axis in flips:
            origin += steps[:, axis] * volume.spacing[axis] * (volume.array.shape[axis] - 1)
            steps[:, axis] *= -1
        array = np.ascontiguousarray(np.flip(volume.array, flips).transpose(order))
        spacing = tuple(volume.spacing[axis] for axis in order)
        return mi.Volume(array, spacing, tuple(origin), tuple(steps[:, list(order)][:, ::-1].ravel()))

    found = mi.impute({name: stored(each) for name, each in scans.items()}, "FLAIR", model=rough_model).volume.array
    found = np.flip(found.transpose(np.argsort(order)), flips)
    if order == (0, 1, 2):
        np.testing.assert_array_equal(found, bare.volume.array)
    else:  # the body, and so its core's median, is found slice by slice of the array's first axis
        np.testing.assert_allclose(found, bare.volume.array, rtol=0.05, atol=2)


def test_units_of_the_images_do_not_matter(scans, bare, rough_model):
    images = {name: each.with_array(0.01 * each.array) for name, each in scans.items()}
    found = mi.impute(images, "FLAIR", model=rough_model).volume.array
    np.testing.assert_allclose(found, bare.volume.array, atol=1)


def test_a_mirrored_head_gives_a_mirrored_estimate_where_both_sides_are_averaged(scans, bare, rough_model):
    images = {name: each.with_array(each.array[..., ::-1].copy()) for name, each in scans.items()}
    mean, found = (mi.impute(each, "FLAIR", mirrored=True, model=rough_model).volume.array for each in (scans, images))
    np.testing.assert_allclose(found[..., ::-1], mean, atol=1)
    # By default one side is made.
    both = [bare.volume.array, mi.impute(images, "FLAIR", model=rough_model).volume.array[..., ::-1]]
    assert np.abs(both[0] - both[1]).max() > 1
    some = np.minimum(*both) > 0
    assert some.any()
    np.testing.assert_allclose(np.mean(both, axis=0)[some], mean[some], atol=1.5)


@pytest.mark.parametrize("upside_down", [False, True])
def test_an_estimate_of_some_slices_is_that_part_of_the_whole(scans, upside_down, rough_model):
    bundle = find(rough_model)
    network = LoadedModel(bundle, load_network, "cpu").on_device
    if upside_down:
        scans = {name: mi.Volume(each.array, MM, (), (1, 0, 0, 0, 1, 0, 0, 0, -1)) for name, each in scans.items()}
    whole, part = (estimate(scans, "FLAIR", bundle, network, slices=each, mirrored=False) for each in (None, (3, 6)))
    np.testing.assert_allclose(part[3:6], whole[3:6], atol=1e-6)
    assert (part[:3] == 0).all()
    assert (part[6:] == 0).all()
    assert whole[8].max() > 0


# what the report says, and what is written


def test_images_are_given_as_files_too_and_result_and_report_are_written(scans, flair, bare, tmp_path, rough_model):
    for name, each in {**scans, "FLAIR": flair}.items():
        each.write(tmp_path / f"{name}.nii.gz")
    paths = {name: str(tmp_path / f"{name}.nii.gz") for name in scans}
    result = mi.impute(paths, "FLAIR", model=rough_model)
    # NIfTI holds the place in float32.
    np.testing.assert_allclose(result.volume.array, bare.volume.array, atol=1)
    result.save(tmp_path / "out.nrrd", tmp_path / "report.json")
    np.testing.assert_array_equal(mi.Volume.read(tmp_path / "out.nrrd").array, result.volume.array)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report == result.report
    spacing = pytest.approx(bare.volume.spacing)
    facts = {name: {"name": f"{name}.nii.gz", "shape": list(SHAPE), "spacing": spacing} for name in scans}
    assert report["images"] == facts
    assert (report["target"], report["model"], report["reference"]) == ("FLAIR", "the-rough", "T1")
    assert (report["registered"], report["mirrored"], report["warnings"]) == (False, False, [])
    assert "1000 is the median" in report["units"]
    assert "not for clinical use" in report["trust"].lower()
    assert report["seconds"]["total"] > 0
    alike = mi.impute(paths, "FLAIR", like=tmp_path / "FLAIR.nii.gz", model=rough_model)
    assert alike.report["units"] == "those of FLAIR.nii.gz"


def test_nothing_is_written_where_it_cannot_be(bare, tmp_path):
    with pytest.raises(OutputPathError, match="does not exist"):
        bare.save(tmp_path / "nowhere" / "out.nrrd", tmp_path / "report.json")
    assert list(tmp_path.iterdir()) == []


def test_auto_takes_the_first_model_that_estimates_contrasts(scans):
    some = {name: mi.Volume(each.array[5:7], MM) for name, each in scans.items()}
    assert mi.impute(some, "FLAIR").report["model"] == "a-tiny-collagan"


def test_the_report_says_that_more_contrasts_would_be_better(scans, mean_model):
    (warning,) = mi.impute({"T1": scans["T1"]}, "FLAIR", model=mean_model).report["warnings"]
    assert warning == "FLAIR was estimated from T1 alone; from more contrasts (T2) the estimate is better."


def test_others_are_registered_on_request(scans, head, there, mean_model):
    moved = head("T2", there, move=(7, -8, 0))
    result = mi.impute({"T1": scans["T1"], "T2": moved}, "FLAIR", register=True, model=mean_model)
    assert result.report["registered"] is True
    truth = 4000 * mean_of(*scans.values())
    unregistered = 4000 * mean_of(scans["T1"], moved)
    assert np.abs(result.volume.array - truth).mean() < 0.6 * np.abs(unregistered - truth).mean()


def test_progress_grows_from_0_to_1_and_cancel_stops_it(scans, bare, rough_model, monkeypatch):
    monkeypatch.setattr("MedInpaintLib.imputation.estimate.BATCH", 1)  # slice by slice
    monkeypatch.setattr("MedInpaintLib.progress.INTERVAL", 0.0)  # and of each is told
    seen = []
    progress = mi.Progress(lambda fraction, stage: seen.append((fraction, stage)))
    result = mi.impute(scans, "FLAIR", progress=progress, model=rough_model)
    np.testing.assert_allclose(result.volume.array, bare.volume.array, atol=1)
    assert seen == sorted(seen, key=lambda each: each[0])
    assert (seen[0][0], seen[-1][0]) == (0.0, 1.0)
    assert "Estimating FLAIR, slice 7 of 12" in [stage for _, stage in seen]
    stages = []
    progress = mi.Progress(lambda _, stage: stages.append(stage), cancelled=lambda: "slice 3 of" in "".join(stages))
    with pytest.raises(Cancelled):
        mi.impute(scans, "FLAIR", progress=progress, model=rough_model)
    assert "slice 5 of" not in "".join(stages)


# what is refused


@pytest.mark.parametrize(
    ("names", "target", "options", "error", "message"),
    [
        (["T1"], "PD", {}, ModelError, "knows no contrast 'PD'; its contrasts are: T1, T2, FLAIR\\."),
        (["PD"], "FLAIR", {}, ModelError, "knows no contrast 'PD'"),
        ([], "FLAIR", {}, ParameterError, "To estimate FLAIR, give one or more of the other contrasts: T1, T2"),
        (["FLAIR"], "FLAIR", {}, ParameterError, "To estimate FLAIR, give one or more"),
        (["T1"], "FLAIR", {"reference": "T2"}, ParameterError, "The reference must be one of T1; found 'T2'"),
        (["T1", "FLAIR"], "FLAIR", {"reference": "FLAIR"}, ParameterError, "must be one of T1; found 'FLAIR'"),
        (["T1"], "FLAIR", {"reference": "PD"}, ModelError, "knows no contrast 'PD'"),
        (["T1"], "FLAIR", {"device": "abacus"}, ParameterError, "no device 'abacus'"),
        (["T1"], "FLAIR", {"model": "a-tiny-unet"}, ModelError, "architecture 'unet', and 'collagan' is needed"),
        (["T1"], "FLAIR", {"model": "nobody"}, ModelError, "no model 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_before_images_are_read(
    names, target, options, error, message, rough_model
):
    images = dict.fromkeys(names, "nowhere.nii.gz")
    with pytest.raises(error, match=message) as refused:
        mi.impute(images, target, **{"model": rough_model, **options})
    assert "\n" not in str(refused.value)


def test_where_the_device_is_not_there_the_cpu_steps_in_and_it_is_said(scans, monkeypatch, bare, rough_model):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = mi.impute(scans, "FLAIR", device="cuda", model=rough_model)
    assert result.report["device"] == "cpu"
    (warning,) = result.report["warnings"]
    assert "device 'cuda' was asked for and is not available here" in warning
    np.testing.assert_array_equal(result.volume.array, bare.volume.array)


def test_images_that_cannot_be_used_are_refused(scans, head, there, tmp_path, rough_model):
    one = scans["T1"]
    with pytest.raises(ImageReadError, match="nowhere"):
        mi.impute({"T1": tmp_path / "nowhere.nrrd"}, "FLAIR", model=rough_model)
    with pytest.raises(IntensityError, match="T1 image is the same everywhere"):
        mi.impute({"T1": one.with_array(np.where(one.array > 0, np.nan, 0))}, "FLAIR", model=rough_model)
    with pytest.raises(GeometryError, match="T1 is 3-D, T2 is 2-D"):
        mi.impute({"T1": one, "T2": one.array[0]}, "FLAIR", model=rough_model)
    with pytest.raises(GeometryError, match="do not show the same anatomy"):
        mi.impute({"T1": one, "T2": head("T2", there, subject=1)}, "FLAIR", model=rough_model)


@pytest.mark.parametrize("like", [np.full((4, 5), 3.0), np.eye(5) > 0])
def test_an_image_without_a_range_of_intensities_is_no_example(scans, like, rough_model):
    with pytest.raises(InputError, match=r"same everywhere|shows no head"):
        mi.impute(scans, "FLAIR", like=like, model=rough_model)


def test_without_data_an_image_has_no_signal_and_the_report_says_so(scans, flair, rough_model):
    outside = np.asarray(scans["T1"].array == 0)
    plain = mi.impute(scans, "FLAIR", like=flair, model=rough_model)
    gaps = {name: image.with_array(np.where(outside, np.float32(np.nan), image.array)) for name, image in scans.items()}
    like = flair.with_array(np.where(flair.array == 0, np.float32(-1e30), flair.array))
    result = mi.impute(gaps, "FLAIR", like=like, model=rough_model)
    np.testing.assert_allclose(result.volume.array, plain.volume.array, rtol=1e-5, atol=1e-3)
    assert f"The T1 image: No data in {outside.sum()} voxels: NaN or infinity." in " ".join(result.report["warnings"])


def test_a_contrast_that_is_given_twice_in_other_capitals_is_refused(scans, rough_model):
    with pytest.raises(InputError):
        mi.impute({"T1": scans["T1"], "t1": scans["T2"]}, "FLAIR", model=rough_model)


@pytest.mark.parametrize(("name", "known"), [("flair", "FLAIR"), (" t1 ", "T1"), ("T2", "T2")])
def test_contrasts_are_known_whatever_the_capitals(name, known, rough_model):
    assert contrast_of(find(rough_model), name) == known


def test_to_import_it_takes_no_torch():
    import subprocess

    code = "import sys, MedInpaintLib.imputation.impute; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
