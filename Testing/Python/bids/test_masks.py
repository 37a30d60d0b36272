"""Which mask belongs to an image."""

import json

import pytest

from MedInpaintLib.bids.layout import BidsFile, Dataset
from MedInpaintLib.bids.masks import find_mask, fits, is_lesion_mask
from MedInpaintLib.bids.names import parse


def file(tmp_path, text, dataset="lesions"):
    return BidsFile(Dataset(tmp_path / dataset, dataset), "sub-1/anat", parse(text), text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("sub-1_label-lesion_mask.nii.gz", True),
        ("sub-1_label-lesion_desc-radA_mask.nii", True),
        ("sub-1_T1w_label-lesion_roi.nii.gz", True),
        ("sub-1_label-lesion_roi.nii.gz", True),
        ("sub-1_space-T1w_lesion_roi.nii.gz", True),
        ("sub-1_acq-spc_T2w_desc-lesion_mask.nii.gz", True),
        ("sub-1_label-Lesion_mask.nii.gz", True),
        ("sub-1_desc-brain_mask.nii.gz", False),
        ("sub-1_label-lesion_mask.json", False),
        ("sub-1_label-lesion_probseg.nii.gz", False),
        ("sub-1_roi.nii.gz", False),
    ],
)
def test_lesion_masks_are_told_by_their_names(text, is_one):
    assert is_lesion_mask(parse(text)) == is_one


@pytest.mark.parametrize(
    ("mask", "fitting"),
    [
        ("label-lesion_mask", True),
        ("acq-a_run-01_label-lesion_mask", True),
        ("run-2_label-lesion_mask", False),
        ("acq-b_label-lesion_mask", False),
        ("rec-x_label-lesion_mask", False),
        ("T1w_label-lesion_roi", True),
        ("FLAIR_label-lesion_roi", False),
        ("mod-FLAIR_label-lesion_mask", False),
        ("res-2_label-lesion_desc-final_mask", True),
    ],
)
def test_a_mask_fits_if_its_entities_are_those_of_the_image(mask, fitting):
    assert fits(parse(f"sub-1_{mask}.nii.gz"), parse("sub-1_acq-a_run-1_T1w.nii.gz")) == fitting


@pytest.mark.parametrize("space", ["space-T1w_", "space-orig_", "space-scanner_", ""])
def test_a_mask_in_the_space_of_the_image_is_taken(tmp_path, space):
    image = file(tmp_path, "sub-1_T1w.nii.gz", "raw")
    mask = file(tmp_path, f"sub-1_{space}label-lesion_mask.nii.gz")
    elsewhere = file(tmp_path, "sub-1_space-MNI152NLin6Asym_label-lesion_mask.nii.gz")
    assert find_mask(image, [image], [elsewhere, mask]).mask == mask


def test_a_mask_in_another_space_is_refused_by_name_with_what_to_do(tmp_path):
    image = file(tmp_path, "sub-1_T1w.nii.gz", "raw")
    match = find_mask(image, [image], [file(tmp_path, "sub-1_space-MNI152NLin6Asym_label-lesion_mask.nii.gz")])
    assert match.mask is None
    assert "'lesions:sub-1/anat/sub-1_space-MNI152NLin6Asym_label-lesion_mask.nii.gz'" in match.refusal
    assert "space 'MNI152NLin6Asym'" in match.refusal
    assert "antsApplyTransforms" in match.refusal
    assert "space-T1w" in match.refusal


@pytest.mark.parametrize(
    ("name", "reference", "taken"),
    [
        ("space-individual_", "bids:raw:sub-1/anat/sub-1_T1w.nii.gz", True),
        ("space-individual_", "bids:raw:sub-1/anat/sub-1_FLAIR.nii.gz", False),
        ("space-individual_", None, False),
        ("", "bids::sub-1/anat/sub-1_desc-preproc_T1w.nii.gz", True),
        ("", "bids:raw:sub-1/anat/sub-1_FLAIR.nii.gz", False),
        ("", "bids:raw:sub-1/anat/sub-1_space-MNI_T1w.nii.gz", False),
        ("", "orig", True),
    ],
)
def test_the_sidecar_of_a_mask_says_where_it_lies(tmp_path, name, reference, taken):
    image = file(tmp_path, "sub-1_T1w.nii.gz", "raw")
    mask = file(tmp_path, f"sub-1_{name}label-lesion_mask.nii.gz")
    sidecar = tmp_path / "lesions" / "sub-1" / "anat" / mask.text.replace(".nii.gz", ".json")
    sidecar.parent.mkdir(parents=True)
    if reference is not None:
        sidecar.write_text(json.dumps({"SpatialReference": reference}))
    match = find_mask(image, [image], [mask])
    assert (match.mask == mask, bool(match.refusal)) == (taken, not taken)


def test_several_masks_that_fit_are_told_by_name(tmp_path):
    image = file(tmp_path, "sub-1_T1w.nii.gz", "raw")
    masks = [file(tmp_path, f"sub-1_label-lesion_desc-{rater}_mask.nii.gz") for rater in ("radA", "radB")]
    match = find_mask(image, [image], masks)
    assert match.mask is None
    assert all(mask.text in match.refusal for mask in masks)
    assert "--masks" in match.refusal


def test_a_mask_that_fits_two_scans_is_not_taken_for_either(tmp_path):
    one, two = (file(tmp_path, f"sub-1_run-{number}_T1w.nii.gz", "raw") for number in (1, 2))
    match = find_mask(one, [one, two], [file(tmp_path, "sub-1_label-lesion_mask.nii.gz")])
    assert "also fits 'sub-1_run-2_T1w.nii.gz'" in match.refusal
    masks = [file(tmp_path, f"sub-1_run-{number}_label-lesion_mask.nii.gz") for number in (1, 2)]
    assert [find_mask(image, [one, two], masks).mask for image in (one, two)] == masks


def test_a_mask_whose_sidecar_names_one_of_two_scans_is_taken_for_that_one_alone(tmp_path):
    one, two = (file(tmp_path, f"sub-1_run-{number}_T1w.nii.gz", "raw") for number in (1, 2))
    mask = file(tmp_path, "sub-1_label-lesion_mask.nii.gz")
    sidecar = tmp_path / "lesions" / "sub-1" / "anat" / "sub-1_label-lesion_mask.json"
    sidecar.parent.mkdir(parents=True)
    sidecar.write_text(json.dumps({"SpatialReference": "bids:raw:sub-1/anat/sub-1_run-1_T1w.nii.gz"}))
    assert find_mask(one, [one, two], [mask]).mask == mask
    assert "sub-1_run-1_T1w" in find_mask(two, [one, two], [mask]).refusal


def test_no_mask_is_neither_found_nor_refused(tmp_path):
    image = file(tmp_path, "sub-1_T1w.nii.gz", "raw")
    match = find_mask(image, [image], [file(tmp_path, "sub-1_FLAIR_label-lesion_roi.nii.gz")])
    assert (match.mask, match.refusal) == (None, "")
