"""Which files an image consists of, and that no output overwrites any of them."""

import json
import os

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib.cli.app import app
from MedInpaintLib.errors import OutputPathError
from MedInpaintLib.files_of import files_of
from MedInpaintLib.job import read
from MedInpaintLib.jobs.evaluate import EvaluateJob
from MedInpaintLib.jobs.fill import FillJob
from MedInpaintLib.jobs.impute import ImputeJob

SHAPE = (4, 5, 6)
NRRD = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 6 5 4\nspacings: 1 1 1\nencoding: raw\n"
META = "ObjectType = Image\nNDims = 3\nDimSize = 6 5 4\nElementType = MET_UCHAR\nElementSpacing = 1 1 1\n"
NAMES = ["s1.raw", "s2.raw", "s3.raw", "s4.raw"]


def names(path) -> list[str]:
    return [os.path.relpath(each, path.parent) for each in files_of(path)]


@pytest.mark.parametrize(
    ("name", "text", "files"),
    [
        ("a.nhdr", NRRD + "data file: other.raw\n", ["other.raw"]),
        ("a.nhdr", NRRD + "datafile: sub/other.raw\n", [os.path.join("sub", "other.raw")]),
        ("a.nhdr", NRRD + "data file: my own file.raw\n", ["my own file.raw"]),
        ("a.nhdr", NRRD + "data file: s%d.raw 1 4 1 2\n", NAMES),
        ("a.nhdr", NRRD + "data file: s%02d.raw 4 1 -3\n", ["s04.raw", "s01.raw"]),
        ("a.nhdr", NRRD + "data file: LIST 2\n" + "\n".join(NAMES) + "\n", NAMES),
        ("a.nrrd", NRRD + "data file: other.raw\n", ["other.raw"]),
        ("a.nrrd", NRRD + "\ndata file: no header any more\n", []),
        ("a.nhdr", "no NRRD\ndata file: other.raw\n", []),
        ("a.mhd", META + "ElementDataFile = other.raw\n", ["other.raw"]),
        ("a.mhd", META + "ElementDataFile : other.raw\n", ["other.raw"]),
        ("a.mhd", META + "ElementDataFile =: other.raw\n", ["other.raw"]),
        ("a.MHD", META + "ElementDataFile = other.raw\r\n", ["other.raw"]),
        ("a.mha", META + "ElementDataFile = LOCAL\nElementDataFile = b.raw\n", []),
        ("a.mhd", META + "ElementDataFile = s%d.raw 1 4 1\n", NAMES),
        ("a.mhd", META + "ElementDataFile = LIST\n" + "\n".join(NAMES) + "\n", NAMES),
        ("a.mhd", META + "ElementDataFile = LIST 2D\n" + "\n".join(NAMES) + "\n", NAMES),
        ("a.nii.gz", "anything", []),
    ],
)
def test_a_header_names_the_files_of_its_voxels(name, text, files, tmp_path):
    (tmp_path / name).write_text(text, newline="")
    assert names(tmp_path / name) == [name, *files]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.nhdr", NRRD + "data file: s%d.raw 1 4 1 2\n"),
        ("a.nhdr", NRRD + "data file: LIST 2\n" + "\n".join(NAMES) + "\n"),
        ("a.mhd", META + "ElementDataFile = s%d.raw 1 4 1\n"),
        ("a.mhd", META + "ElementDataFile = LIST\n" + "\n".join(NAMES) + "\n"),
    ],
)
def test_a_reader_reads_the_same_files(name, text, tmp_path):
    """An independent truth: each file that is named, and no other one, changes what SimpleITK reads."""
    (tmp_path / name).write_text(text)
    for number, each in enumerate([*NAMES, "s5.raw"]):
        (tmp_path / each).write_bytes(bytes([number]) * 30)
    whole = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / name)))
    assert whole[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert names(tmp_path / name) == [name, *NAMES]


@pytest.mark.parametrize(("one", "other"), [("a.hdr", "a.img"), ("a.img", "a.hdr")])
def test_the_two_files_of_a_pair_belong_together(one, other, tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros(SHAPE, np.int16)), str(tmp_path / "a.hdr"))
    assert set(names(tmp_path / one)) == {one, other}


def test_a_folder_consists_of_its_files(tmp_path):
    (tmp_path / "series" / "sub").mkdir(parents=True)
    for name in ("1.dcm", "2"):
        (tmp_path / "series" / name).write_text("")
    files = [str(each.relative_to(tmp_path)) for each in files_of(tmp_path / "series")]
    assert files == ["series", os.path.join("series", "1.dcm"), os.path.join("series", "2")]


def test_what_is_not_there_consists_of_itself(tmp_path):
    assert files_of(tmp_path / "a.mhd") == (tmp_path / "a.mhd",)


# the guard


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Inputs of all kinds: ``scan.mhd`` with ``voxels.bin``, ``list.nhdr`` with slices, a series, a model, a mask."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scan.mhd").write_text(META + "ElementDataFile = voxels.bin\n")
    (tmp_path / "voxels.bin").write_bytes(bytes(120))
    (tmp_path / "list.nhdr").write_text(NRRD + "data file: LIST 2\n" + "\n".join(NAMES) + "\n")
    for name in NAMES:
        (tmp_path / name).write_bytes(bytes(30))
    for name in ("series", "model"):
        (tmp_path / name).mkdir()
    (tmp_path / "series" / "slice.dcm").write_text("")
    (tmp_path / "model" / "bundle.json").write_text("{}")
    (tmp_path / "mask.nrrd").write_text("")
    (tmp_path / "linked").hardlink_to(tmp_path / "voxels.bin")
    return tmp_path


def refused(job, message):
    with pytest.raises(OutputPathError, match=message):
        job.run(mi.Progress(lambda fraction, stage: pytest.fail("the work had begun")))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": "scan.mhd", "report": "voxels.bin"}, "an input, the image"),
        ({"image": "scan.mhd", "report": "linked"}, "an input, the image"),
        ({"mask": "list.nhdr", "report": "s3.raw"}, "an input, the mask"),
        ({"guides": ["mask.nrrd", "scan.mhd"], "report": "voxels.bin"}, "an input, the guide 2"),
        ({"image": "series", "report": "series/slice.dcm"}, "an input, the image"),
        ({"parameters": {"model": "model"}, "report": "model/bundle.json"}, "an input, the model"),
        ({"report": "model/report.json"}, "lies in the folder of the model 'model'"),
        ({"exemplars": "series", "report": "series/slice.dcm"}, "lies among the exemplars"),
        ({"output": "new.nrrd", "report": "New.nrrd"}, "would both be written"),
    ],
)
def test_a_fill_overwrites_no_file_of_its_inputs(changes, message, folder):
    fields = {"job": "fill", "image": "other.nrrd", "mask": "mask.nrrd", "output": "out.nrrd"}
    refused(FillJob(**{**fields, **changes}), message)


def test_an_old_output_whose_voxels_are_an_inputs_is_not_replaced(folder):
    (folder / "old.mhd").write_text(META + "ElementDataFile = voxels.bin\n")
    refused(FillJob(job="fill", image="scan.mhd", mask="mask.nrrd", output="old.mhd"), "an input, the image")


@pytest.mark.parametrize("like", [None, "scan.mhd"])
def test_an_estimate_overwrites_no_file_of_its_inputs(like, folder):
    images = {"T1": "mask.nrrd" if like else "scan.mhd"}
    job = ImputeJob(job="impute", images=images, target="T2", output="out.nrrd", report="voxels.bin", like=like)
    refused(job, "an input, the image that the result is to be like" if like else "an input, the T1 image")


@pytest.mark.parametrize(
    "changes",
    [
        {"image": "scan.mhd"},
        {"holes": ["scan.mhd"]},
        {"holes": ["lesions:5ml:from=scan.mhd"]},
        {"avoid": "scan.mhd"},
    ],
)
def test_an_evaluation_overwrites_no_file_of_its_inputs(changes, folder):
    fields = {"job": "evaluate", "image": "mask.nrrd", "holes": ["spheres:5mm"], "methods": ["harmonic"]}
    refused(EvaluateJob(**{**fields, "output": "voxels.bin", **changes}), "would overwrite an input")


@pytest.mark.parametrize("kind", ["fill", "impute", "evaluate"])
def test_no_job_overwrites_the_file_that_it_was_read_from(kind, folder):
    fields = {
        "fill": {"image": "scan.mhd", "mask": "mask.nrrd", "output": "out.nrrd", "report": "job.json"},
        "impute": {"images": {"T1": "scan.mhd"}, "target": "T2", "output": "out.nrrd", "report": "job.json"},
        "evaluate": {"image": "scan.mhd", "holes": ["spheres:5mm"], "methods": ["harmonic"], "output": "job.json"},
    }[kind]
    (folder / "job.json").write_text(json.dumps({"job": kind, **fields}))
    refused(read("job.json"), "an input, the job file")


def test_the_table_of_an_evaluation_overwrites_no_input(folder):
    (folder / "image.csv").write_text("")
    for arguments in (["scan.mhd", "--csv", "voxels.bin"], ["mask.nrrd", "--avoid", "image.csv", "--csv", "image.csv"]):
        result = CliRunner().invoke(app, ["evaluate", *arguments])
        assert result.exit_code == 2
        assert "would overwrite an input" in result.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no such device")
@pytest.mark.parametrize("output", ["output", "report", "uncertainty", "filled_mask", "page"])
def test_a_device_is_refused_before_the_work(output, folder):
    (folder / "full.nrrd").symlink_to("/dev/full")
    fields = {"job": "fill", "image": "scan.mhd", "mask": "mask.nrrd", "output": "out.nrrd", output: "full.nrrd"}
    refused(FillJob(**fields), "is a device, which cannot be replaced")
