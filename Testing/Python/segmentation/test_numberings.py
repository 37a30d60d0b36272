"""What labels mean, which side a region is on, and the tables with names of labels."""

import numpy as np
import pytest

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.io.label_names import read_table
from MedInpaintLib.segmentation.numberings import freesurfer, numbering_of
from MedInpaintLib.segmentation.sides import side_of, sides_of_voxels

ASEG = [2, 3, 4, 5, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 24, 26, 28, 41, 42, 43, 44, 46, 47, 49, 50, 51, 52, 53]


@pytest.mark.parametrize(
    ("labels", "file", "name"),
    [
        (ASEG, "aseg.mgz", "freesurfer"),
        ([*ASEG, 1002, 2035, 77, 251], "aparc.DKTatlas+aseg.deep.mgz", "freesurfer"),
        ([*ASEG, 14175], "anything.nii.gz", "freesurfer"),  # labels above 99 may be anything
        (range(1, 55), "atlas.nii.gz", "none"),  # counted from 1, as atlases are
        ([2, 41], "two.nii.gz", "none"),
        ([1, 2, 3], "T1_brain_seg.nii.gz", "fast"),
        ([1, 2, 3], "T1_brain_pveseg.nii.gz", "fast"),
        ([1, 2, 3], "sub-01_dseg.nii.gz", "none"),  # fMRIPrep's: gray, white, CSF
        ([1, 2, 3], "BraTS-GLI-00001-000-seg.nii.gz", "none"),
        ([1, 2, 4], "T1_brain_seg.nii.gz", "none"),
        ([-1, *ASEG], "negative.nii.gz", "none"),
    ],
)
def test_a_numbering_is_recognized_only_where_it_is_certain(labels, file, name):
    assert numbering_of(list(labels), {}, file_name=file).name == name


def test_a_numbering_can_be_chosen_and_names_of_a_table_come_first():
    assert numbering_of([1, 2], {}, choice="fast").names[1] == "CSF"
    assert numbering_of(ASEG, {}, choice="none").names == {}
    named = numbering_of(ASEG, {17: "Hippocampus, left"})
    assert (named.name, named.names[17], named.names[53]) == (
        "freesurfer",
        "Hippocampus, left",
        "Right-Hippocampus",
    )
    assert numbering_of([1], {1: "edema"}).name == "table"
    with pytest.raises(ParameterError, match="no numbering 'spm'; choose auto, freesurfer, fast or none"):
        numbering_of([1], {}, choice="spm")


def test_freesurfers_numbers_are_those_of_its_table():
    names = freesurfer()
    for label, name in {
        10: "Left-Thalamus",
        25: "Left-Lesion",
        57: "Right-Lesion",
        77: "WM-hypointensities",
        99: "Lesion",
        1035: "ctx-lh-insula",
        2001: "ctx-rh-bankssts",
        3017: "wm-lh-paracentral",
        5002: "Right-UnsegmentedWhiteMatter",
        12175: "ctx_rh_S_temporal_transverse",
    }.items():
        assert names[label] == name
    assert len(set(names.values())) == len(names)
    # The same structure lies 1000 apart in the cortex.
    for left in range(1001, 1036):
        assert names[left].replace("-lh-", "-rh-") == names[left + 1000]
    assert 1 not in names
    assert 9 not in names


def test_the_lesions_labels_are_found_by_their_names():
    known = numbering_of(ASEG, {})
    assert known.lesion_label() == 99
    assert known.lesion_labels_of_sides() == {"left": 25, "right": 57}
    own = numbering_of([1], {3: "LESION", 7: "old lesion left"})
    assert own.lesion_label() == 3
    assert own.lesion_labels_of_sides() == {}
    assert [own.is_lesion(label) for label in (3, 7, 1)] == [True, True, False]


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("Left-Cerebral-White-Matter", "left"),
        ("ctx_rh_G_and_S_frontomargin", "right"),
        ("right ventral DC", "right"),
        ("Hippocampus_L", "left"),
        ("R Putamen", "right"),
        ("lh.V1", "left"),
        ("CC_Central", ""),
        ("R-C-S", ""),
        ("left-right border", ""),
        ("", ""),
        ("frontal_l_inf", ""),
    ],
)
def test_a_name_tells_the_side(name, side):
    assert side_of(name) == side


def test_voxels_without_a_side_are_parted_in_the_middle_between_the_sides():
    """The head leans: its middle plane is oblique, and voxels are thick."""
    _k, j, i = np.indices((6, 20, 20))
    across = (i - 10) * 1.0 + (j - 10) * 0.5  # mm are (4, 1, 1): the plane does not depend on k
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[across > 2] = 1
    labels[across < -2] = 2
    middle = np.array(np.nonzero((labels == 0) & (abs(across) > 0.6) & (abs(j - 10) + abs(i - 10) < 8)))
    truth = across[tuple(middle)] > 0
    found = sides_of_voxels(labels, (4.0, 1.0, 1.0), middle, {1: "left half", 2: "right half"})
    np.testing.assert_array_equal(found, truth)
    # A voxel of a region is on the region's side, wherever it lies.
    labels[0, 0, 0], labels[0, 19, 19] = 1, 2
    stray = np.array([[0, 0], [0, 19], [0, 19]])
    np.testing.assert_array_equal(
        sides_of_voxels(labels, (4.0, 1.0, 1.0), stray, {1: "left half", 2: "right half"}), [True, False]
    )


def test_sides_need_names_and_one_side_is_enough():
    labels = np.ones((2, 3, 4), np.uint8)
    voxels = np.array([[0, 1], [0, 1], [0, 1]])
    assert sides_of_voxels(labels, (1.0, 1.0, 1.0), voxels, {1: "brain"}) is None
    assert sides_of_voxels(labels, (1.0, 1.0, 1.0), voxels, {1: "left brain", 2: "right brain"}).all()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lut.txt", "# No. Name R G B A\n17  Left-Hippocampus   220 216 20 0\n"),
        ("slicer.ctbl", "# Color table file\n17 Left-Hippocampus 220 216 20 255\n"),
        (
            "snap.txt",
            '#\n 0  0  0  0  0 0 0  "Clear Label"\n 17  220 216 20  1 1 1  "Left-Hippocampus"\n',
        ),
        ("snap.label", '   17   220  216   20     0.5  1  0    "Left-Hippocampus"\n'),
        ("x_dseg.tsv", "index\tname\tcolor\n17\tLeft-Hippocampus\t#dcd814\n"),
        ("fastsurfer.tsv", "ID\tLabelName\tR\tG\tB\tA\n17\tLeft-Hippocampus\t220\t216\t20\t0\n"),
        ("slicer.csv", "LabelValue,Name,Color_R\n17,Left-Hippocampus,220\n"),
    ],
)
def test_tables_of_all_kinds_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_table(tmp_path / name)[17] == "Left-Hippocampus"


def test_a_table_without_names_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="names no label"):
        read_table(tmp_path / "notes.txt")
    with pytest.raises(ParameterError, match="cannot be read"):
        read_table(tmp_path / "absent.txt")
