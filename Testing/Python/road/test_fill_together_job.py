"""Job files with several images under one hole."""

import json

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.errors import EmptyMaskError, OutputError, OutputPathError, ParameterError
from MedInpaintLib.job import execute, read


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    t1 = mi.Volume((100 * ndimage.gaussian_filter(rng.normal(size=(20, 22, 24)), 1) + 300).astype(np.int16), 2.0)
    hole = np.zeros(t1.array.shape, np.uint8)
    hole[8:12, 8:13, 9:13] = 1
    t1.write(tmp_path / "t1.nii.gz")
    t1.with_array((1000 - t1.array).astype(np.float32)).write(tmp_path / "flair.nii.gz")
    t1.with_array(hole).write(tmp_path / "mask.nii.gz")
    return tmp_path


def job(folder, **changes):
    fields = {"job": "fill-together", "image": ["t1.nii.gz", "flair.nii.gz"], "mask": "mask.nii.gz"}
    fields |= {"output": ["t1-filled.nii.gz", "flair-filled.nrrd"], "method": "patch", "modality": "MR", "force": True}
    (folder / "job.json").write_text(json.dumps({**fields, **changes}))
    return read(folder / "job.json")


def test_a_job_writes_each_image_with_its_report_and_uncertainty_and_one_mask(files):
    events = []
    more = {"report": ["t1.json", "flair.json"], "uncertainty": ["t1-sd.nii.gz", "flair-sd.nii.gz"]}
    execute(job(files, filled_mask="hole.nii.gz", **more), events.append)
    images = [mi.Volume.read(files / name) for name in ("t1.nii.gz", "flair.nii.gz")]
    hole = mi.Volume.read(files / "mask.nii.gz").array > 0
    direct = mi.inpaint_together(images, hole, method="patch", modality="MR", force=True, uncertainty=True)
    for name, spread, result in zip(
        ("t1-filled.nii.gz", "flair-filled.nrrd"), more["uncertainty"], direct, strict=True
    ):
        written = mi.Volume.read(files / name)
        assert written.array.dtype == result.image.array.dtype
        np.testing.assert_array_equal(written.array, result.volume.array)
        np.testing.assert_array_equal(mi.Volume.read(files / spread).array, result.uncertainty.array)
    np.testing.assert_array_equal(mi.Volume.read(files / "hole.nii.gz").array > 0, hole)
    reports = [json.loads((files / name).read_text()) for name in more["report"]]
    for report, name in zip(reports, ("t1.nii.gz", "flair.nii.gz"), strict=True):
        assert report["image"]["name"] == name
        assert report["filled_together"] == {"images": ["t1.nii.gz", "flair.nii.gz"], "shared": [1], "own": []}
    assert set(reports[0]["files"]) == {"t1-filled.nii.gz", "t1-sd.nii.gz", "hole.nii.gz"}
    result = events[-1]
    assert result["event"] == "result"
    assert result["output"] == [str(files / "t1-filled.nii.gz"), str(files / "flair-filled.nrrd")]
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_the_warnings_of_all_images_are_told_with_their_names(files):
    flair = mi.Volume.read(files / "flair.nii.gz")
    flair.array[0, 0, 0] = np.nan
    flair.write(files / "flair.nii.gz")
    report = job(files, method="harmonic").run()
    assert [warning for warning in report["warnings"] if warning.startswith("flair.nii.gz: No data in 1 voxel")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output": ["a.nii.gz"]}, r"found 2 image\(s\) and 1 output\(s\)"),
        ({"image": [], "output": []}, "one image or more"),
        ({"report": ["a.json"]}, "'report' as images"),
        ({"image": "t1.nii.gz"}, "'image' must be a list of texts"),
        ({"seed": -1}, "seed"),
    ],
)
def test_fields_that_do_not_fit_each_other_are_refused(files, changes, message):
    with pytest.raises(ParameterError, match=message):
        job(files, **changes).run()


def test_no_output_overwrites_an_input_or_another_output(files):
    with pytest.raises(OutputPathError, match="would overwrite an input, the image 2"):
        job(files, output=["a.nii.gz", "flair.nii.gz"]).run()
    with pytest.raises(OutputPathError, match="output 1 and the output 2 would both"):
        job(files, output=["a.nii.gz", "a.nii.gz"]).run()
    with pytest.raises(OutputError, match="does not exist"):
        job(files, output=["a.nii.gz", "nowhere/b.nii.gz"]).run()
    assert not (files / "a.nii.gz").exists()


def test_an_empty_mask_writes_nothing(files):
    empty = mi.Volume.read(files / "mask.nii.gz")
    empty.with_array(np.zeros_like(empty.array)).write(files / "mask.nii.gz")
    with pytest.raises(EmptyMaskError):
        job(files).run()
    assert not (files / "t1-filled.nii.gz").exists()
