"""What a training is made from: data that cannot be used are refused in one line, before they are read."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk

from MedInpaintLib.errors import InputError, ParameterError
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.training.run import _entries, run
from MedInpaintLib.volume import Volume

HEADER = "path,modality,contrast,subject_id,split,dataset\n"


def write_series(folder, ending: str) -> None:
    """A DICOM series of three slices."""
    folder.mkdir(parents=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k in range(3):
        image = sitk.GetImageFromArray(np.full((6, 5), k, np.int16))
        for tag, value in {
            "0008|0060": "MR",
            "0020|000e": "1.2.3",
            "0020|0032": f"0\\0\\{k}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(k + 1),
            "0008|0018": f"1.2.3.{k + 1}",
        }.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{k}.dcm"))
        writer.Execute(image)
        (folder / f"{k}.dcm").rename(folder / f"{k}{ending}")


@pytest.mark.parametrize("ending", [".dcm", ".DCM", "", ".1.2.840"])
def test_a_folder_with_dicom_files_is_one_image(ending, recipe, tmp_path):
    folder = tmp_path / "plain"
    for subject in ("p1", "p2"):
        write_series(folder / subject / "t1", ending)
        (folder / subject / "notes").write_text("tall")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    learning, validation = _entries(folder, read_recipe(recipe()))
    assert [(each.path, each.subject) for each in learning] == [(folder / "p1" / "t1", "p1")]
    assert [(each.path, each.subject) for each in validation] == [(folder / "p2" / "t1", "p2")]
    assert Volume.of(learning[0].path).array.shape == (3, 6, 5)


def test_dicom_files_that_lie_side_by_side_are_refused(recipe, tmp_path):
    write_series(tmp_path / "plain", ".dcm")
    with pytest.raises(InputError, match="itself holds DICOM files; put each series into a folder of its own"):
        run(read_recipe(recipe()), tmp_path / "plain", tmp_path / "out")


def test_a_manifest_that_is_not_there_is_named(recipe, data, tmp_path):
    with pytest.raises(InputError, match=r"no manifest '.*typo.MANIFEST.csv'"):
        run(read_recipe(recipe()), data / "typo" / "MANIFEST.csv", tmp_path / "out")


def test_a_subject_in_two_splits_is_refused(recipe, tmp_path):
    rows = ["a.nii,MR,T1,anna,train,one", "b.nii,MR,T1,bert,val,one"]
    manifest = tmp_path / "MANIFEST.csv"
    # Of the same name in another dataset, or of a contrast that is not used: neither is in both.
    manifest.write_text(HEADER + "\n".join([*rows, "c.nii,MR,T1,anna,val,two", "d.nii,MR,T2,anna,val,one"]))
    assert [len(each) for each in _entries(manifest, read_recipe(recipe()))] == [1, 2]
    manifest.write_text(HEADER + "\n".join([*rows, "c.nii,MR,T1,anna,val,one"]))
    with pytest.raises(InputError, match="the subject 'anna' in train and in val"):
        run(read_recipe(recipe()), manifest, tmp_path / "out")


@pytest.mark.parametrize("architecture", ["vae", "dcgan"])
@pytest.mark.parametrize("arguments", [{"latent": -1}, {"latent": "x"}, {"width": -4}, {"width": 1}, {"colour": 1}])
def test_networks_that_cannot_be_built_are_refused_before_data_are_read(architecture, arguments, recipe, tmp_path):
    asked = read_recipe(recipe(architecture))
    asked = dataclasses.replace(asked, arguments={**asked.arguments, **arguments})
    with pytest.raises(ParameterError, match=r"can be built with|wrong arguments") as caught:
        run(asked, tmp_path / "nowhere", tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_batch_must_give_every_device_two_crops(recipe, tmp_path):
    with pytest.raises(ParameterError, match="A batch of 8 leaves fewer than 2 crops for each of 5 devices"):
        run(read_recipe(recipe()), tmp_path / "nowhere", tmp_path / "out", devices=5)
