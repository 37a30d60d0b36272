"""Files of a dataset, found by their names."""

import json

from MedInpaintLib.bids.layout import Dataset, datasets_in, scan


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("{}")


def inside(files):
    return [file.inside for file in files]


def test_anatomical_files_are_listed_by_participant_and_session(tmp_path):
    touch(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "sub-01/func/sub-01_task-rest_bold.nii.gz", "sub-01/notes.txt")
    touch(tmp_path, "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii", "sub-02/ses-1/anat/.sub-02_ses-1_T1w.nii.swp")
    touch(tmp_path, "code/sub-01/anat/sub-01_T1w.nii.gz", "sub-x_y/anat/sub-01_T1w.nii.gz")
    layout = scan(Dataset(tmp_path, "raw"))
    assert {visit: inside(files) for visit, files in layout.files.items()} == {
        ("01", None): ["sub-01/anat/sub-01_T1w.nii.gz"],
        ("02", "1"): ["sub-02/ses-1/anat/sub-02_ses-1_T1w.nii"],
    }
    assert layout.labels == ["01", "02"]
    (file,) = layout.files["02", "1"]
    assert file.uri == "bids:raw:sub-02/ses-1/anat/sub-02_ses-1_T1w.nii"
    assert file.path == str(tmp_path / "sub-02" / "ses-1" / "anat" / "sub-02_ses-1_T1w.nii")


def test_an_image_of_another_participant_or_session_than_its_folder_is_told(tmp_path):
    touch(tmp_path, "sub-01/anat/sub-02_T1w.nii.gz", "sub-01/ses-1/anat/sub-01_T1w.nii.gz")
    layout = scan(Dataset(tmp_path, "raw"))
    assert layout.files == {}
    assert layout.misplaced == [
        str(tmp_path / "sub-01/anat/sub-02_T1w.nii.gz"),
        str(tmp_path / "sub-01/ses-1/anat/sub-01_T1w.nii.gz"),
    ]


def test_only_folders_of_chosen_participants_and_sessions_are_read(tmp_path):
    touch(tmp_path, "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii", "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii")
    touch(tmp_path, "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii")
    asked = []

    def wanted(subject, session):
        asked.append((subject, session))
        return subject == "01" and session in (None, "2")

    assert list(scan(Dataset(tmp_path, "raw"), wanted).files) == [("01", "2")]
    assert asked == [("01", None), ("01", "1"), ("01", "2"), ("02", None)]


def test_metadata_is_inherited_from_the_general_to_the_special(tmp_path):
    touch(tmp_path, "T1w.json", "acq-a_T1w.json", "acq-b_T1w.json", "T2w.json", "sub-01/sub-01_T1w.json")
    touch(tmp_path, "sub-01/ses-1/sub-01_ses-1_T1w.json", "sub-01/ses-1/anat/sub-01_ses-1_acq-a_run-1_T1w.nii.gz")
    touch(
        tmp_path, "sub-01/ses-1/anat/sub-01_ses-1_acq-a_run-1_T1w.json", "sub-01/ses-1/anat/sub-01_ses-1_run-2_T1w.json"
    )
    layout = scan(Dataset(tmp_path, "raw"))
    (image,) = (file for file in layout.files["01", "1"] if file.name.is_image)
    assert inside(layout.metadata_of(image)) == [
        "T1w.json",
        "acq-a_T1w.json",
        "sub-01/sub-01_T1w.json",
        "sub-01/ses-1/sub-01_ses-1_T1w.json",
        "sub-01/ses-1/anat/sub-01_ses-1_acq-a_run-1_T1w.json",
    ]


def test_datasets_are_folders_with_participants(tmp_path):
    touch(tmp_path, "a/sub-1/x", "b/ses-1/x", "c/dataset_description.json", "d", "e/sub-1")
    assert [each.name for each in datasets_in(tmp_path)] == ["a"]
    assert datasets_in(tmp_path / "a") == [tmp_path / "a"]
    assert datasets_in(tmp_path / "nothing") == []
    assert json.loads((tmp_path / "d").read_text()) == {}
