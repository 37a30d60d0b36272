"""Other contrasts of the participant: which of them guide the fill."""

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.bids.guides import candidates
from MedInpaintLib.bids.layout import BidsFile, Dataset
from MedInpaintLib.bids.names import parse
from MedInpaintLib.io import nifti

ANAT = "sub-01/anat/sub-01_"


@pytest.fixture
def study(tree, in_this_process):
    tree.image(f"{ANAT}T1w.nii.gz")
    tree.mask(f"{ANAT}label-lesion_mask.nii.gz")
    return tree


def facts(tree, *arguments):
    result = tree.run(*arguments)
    assert result.exit_code == 0, result.output
    return tree.read(f"{ANAT}desc-lesionfilled_T1w.json")


def test_a_contrast_on_the_grid_of_the_image_guides_and_is_a_source(study):
    study.image(f"{ANAT}T2w.nii.gz", seed=1)
    sidecar = facts(study)
    assert sidecar["MedInpaint"]["guides"] == ["sub-01_T2w.nii.gz"]
    assert sidecar["Sources"][2:] == [f"bids:raw:{ANAT}T2w.nii.gz"]
    assert study.table()[0]["guides"] == "sub-01_T2w.nii.gz"


def test_a_contrast_on_another_grid_is_left_out_unless_its_name_says_that_it_lies_on_the_image(study):
    study.image(f"{ANAT}T2w.nii.gz", seed=1, origin=(-15.0, -15.0, -14.0))
    (why,) = facts(study)["MedInpaint"]["guides_left_out"].values()
    assert "another grid" in why
    assert "space-T1w" in why
    study.image(f"derivatives/aligned/{ANAT}space-T1w_T2w.nii.gz", seed=1, origin=(-16.0, -16.0, -16.0))
    sidecar = facts(study)
    assert sidecar["MedInpaint"]["guides"] == ["sub-01_space-T1w_T2w.nii.gz"]
    assert sidecar["MedInpaint"]["guides_left_out"] == {
        "sub-01_T2w.nii.gz": "'sub-01_space-T1w_T2w.nii.gz' is used instead"
    }
    assert sidecar["Sources"][2:] == [f"bids:aligned:{ANAT}space-T1w_T2w.nii.gz"]


@pytest.mark.parametrize("grown", ["0", "4"])
def test_a_contrast_that_shows_the_lesion_is_left_out_however_far_it_is_grown(study, grown):
    study.image(f"{ANAT}FLAIR.nii.gz", seed=1)
    path = study.folder / f"{ANAT}FLAIR.nii.gz"
    bright = mi.Volume.read(path)
    array = bright.array.copy()
    array[6:9, 5:8, 6:9] += 2000
    bright.with_array(array).write(path)
    sidecar = facts(study, "--dilate", grown)
    assert sidecar["MedInpaint"]["guides"] == []
    assert "shows the lesion" in sidecar["MedInpaint"]["guides_left_out"]["sub-01_FLAIR.nii.gz"]
    assert len(sidecar["Sources"]) == 2
    assert "shows the lesion" in study.table()[0]["guides_left_out"]


def test_a_damaged_contrast_is_left_out_and_stops_nothing(study):
    (study.folder / f"{ANAT}T2w.nii.gz").write_bytes(b"no image")
    (study.folder / f"{ANAT}FLAIR.nii.gz").write_bytes((study.folder / f"{ANAT}T1w.nii.gz").read_bytes()[:-20])
    assert set(facts(study)["MedInpaint"]["guides_left_out"]) == {"sub-01_T2w.nii.gz", "sub-01_FLAIR.nii.gz"}


def test_candidates_are_contrasts_in_no_other_space(tmp_path):
    def file(rest):
        return BidsFile(Dataset(tmp_path, "d"), "sub-1/anat", parse(f"sub-1_{rest}"), f"sub-1_{rest}")

    image = file("T1w.nii.gz")
    names = ["T2w.nii.gz", "T2w.json", "T1w.nii.gz", "FLAIR.nii", "space-T1w_PDw.nii.gz", "space-MNI152Lin_T2w.nii.gz"]
    names += ["desc-brain_mask.nii.gz", "dseg.nii.gz", "label-GM_probseg.nii.gz", "T1w_label-lesion_roi.nii.gz"]
    names += ["desc-lesionfilled_FLAIR.nii.gz"]
    assert [each.text for each in candidates(image, map(file, names))] == [
        "sub-1_space-T1w_PDw.nii.gz",
        "sub-1_FLAIR.nii",
        "sub-1_T2w.nii.gz",
    ]


def test_the_grid_of_a_header_is_that_of_the_image(tmp_path):
    direction = (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    image = mi.Volume(np.arange(24.0).reshape(2, 3, 4), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), direction)
    for name in ("a.nii", "a.nii.gz"):
        image.write(tmp_path / name)
        grid = nifti.read_grid(tmp_path / name)
        assert mi.Volume.read(tmp_path / name).same_grid(grid)
        assert not grid.array.any()
