"""The lesion in label maps: volumes counted by hand, headers compared byte by byte, and what is refused."""

import csv
import gzip
import json

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner

import MedInpaintLib as mi
from MedInpaintLib.cli.app import app
from MedInpaintLib.errors import DoubtError, EmptyMaskError, GeometryError, ImageReadError, ParameterError
from MedInpaintLib.io.segments import Segment, Segments
from MedInpaintLib.segmentation.segments import lesion_out_of_segments

#: Two halves with a white matter, a cortex and a putamen each, a brain stem between them, and nothing around.
SHAPE = (10, 16, 20)
SPACING = (2.0, 1.5, 1.0)
ML = 0.003


def labels(dtype=np.uint8):
    """A small head by FreeSurfer's numbers; the patient's left is at the high end of the last axis."""
    array = np.zeros(SHAPE, dtype)
    array[1:9, 2:14, 2:10], array[1:9, 2:14, 10:18] = 42, 3
    array[2:8, 4:12, 3:10], array[2:8, 4:12, 10:17] = 41, 2
    array[4:6, 6:9, 4:7], array[4:6, 6:9, 13:16] = 51, 12
    array[3:7, 7:10, 9:11] = 16
    return array


def lesion():
    """A box in the left half that reaches over the middle and out of the head."""
    mask = np.zeros(SHAPE, bool)
    mask[4:7, 6:9, 9:20] = True
    return mask


def head(dtype=np.uint8):
    return mi.Volume(labels(dtype), SPACING)


def rows(result):
    return {row["label"]: row for row in result.report["regions"]}


def test_regions_are_measured_as_counted_by_hand():
    before, mask = labels(), lesion()
    result = mi.lesion_back(head(), mask)
    after = result.volume.array
    np.testing.assert_array_equal(after, np.where(mask, 99, before))
    assert (after.dtype, result.report["numbering"]) == (np.uint8, "freesurfer")
    found = rows(result)
    assert set(found) == {2, 3, 12, 16, 41, 42, 51, 99}
    for label, row in found.items():
        assert row["voxels_before"] == (before == label).sum()
        assert row["voxels_after"] == (after == label).sum()
        assert row["volume_before_ml"] == pytest.approx((before == label).sum() * ML)
        assert row["volume_after_ml"] == pytest.approx((after == label).sum() * ML)
        assert row["covered_ml"] == pytest.approx(((before == label) & mask).sum() * ML)
    # Two of the putamen's two slices: all of it.
    assert (found[12]["name"], found[12]["side"], found[12]["covered_percent"]) == ("Left-Putamen", "left", 100.0)
    assert (found[16]["side"], found[41]["side"], found[42]["covered_ml"]) == ("", "right", 0)
    covered = [row["covered_ml"] for row in result.report["regions"]]
    assert covered == sorted(covered, reverse=True)
    assert result.report["lost_regions"] == 1
    assert result.report["hit_regions"] == len(set(before[mask]) - {0})


def test_the_lesion_is_measured_by_side():
    mask = lesion()
    facts = mi.lesion_back(head(), mask).report["lesion"]
    assert facts["labels"] == [99]
    assert (facts["voxels"], facts["volume_ml"]) == (mask.sum(), pytest.approx(mask.sum() * ML))
    assert facts["left_ml"] == pytest.approx(mask[..., 10:].sum() * ML)  # the stem is parted in the middle
    assert facts["right_ml"] == pytest.approx(mask[..., :10].sum() * ML)
    assert facts["background_ml"] == pytest.approx((mask & (labels() == 0)).sum() * ML)


def test_left_and_right_lesions_have_freesurfers_labels():
    result = mi.lesion_back(head(), lesion(), number="sides")
    middle = np.arange(SHAPE[2]) >= 10
    np.testing.assert_array_equal(result.volume.array, np.where(lesion(), np.where(middle, 25, 57), labels()))
    assert result.report["lesion"]["labels"] == [25, 57]


def test_a_lesion_that_is_cut_out_is_background():
    result = mi.lesion_back(head(), lesion(), cut=True)
    np.testing.assert_array_equal(result.volume.array, np.where(lesion(), 0, labels()))
    assert result.report["lesion"]["labels"] == []
    assert 99 not in rows(result)
    before, after = (labels() > 0).sum() * ML, ((labels() > 0) & ~lesion()).sum() * ML
    assert result.report["labelled_before_ml"] == pytest.approx(before)
    assert result.report["labelled_after_ml"] == pytest.approx(after)


@pytest.mark.parametrize(
    ("number", "dtype", "expected"),
    [
        (None, np.uint8, "uint8"),
        (255, np.uint8, "uint8"),
        (1000, np.uint8, "int16"),
        (40000, np.int16, "int32"),
        (1000, np.float32, "float32"),
    ],
)
def test_the_type_of_the_voxels_grows_only_where_the_label_does_not_fit(number, dtype, expected):
    result = mi.lesion_back(head(dtype), lesion(), number=number)
    assert result.volume.array.dtype == expected
    np.testing.assert_array_equal(result.volume.array, np.where(lesion(), number or 99, labels(np.int64)))
    assert any("does not fit" in each for each in result.report["warnings"]) == (expected != np.dtype(dtype))


def test_a_label_of_a_region_is_refused_and_one_of_lesions_is_joined():
    with pytest.raises(ParameterError, match=r"label 12 'Left-Putamen' already, in 18 voxels; .* such as 99"):
        mi.lesion_back(head(), lesion(), number=12)
    array = labels()
    array[8, 2, 2] = 99
    result = mi.lesion_back(mi.Volume(array, SPACING), lesion())
    assert any("label 99 'Lesion' already, in 1 voxels; the lesion joins" in each for each in result.report["warnings"])
    assert rows(result)[99]["voxels_after"] == lesion().sum() + 1


def test_labels_without_a_numbering_have_numbers_and_the_lesion_the_next():
    array = np.where(labels() > 0, labels() % 5 + 1, 0)
    result = mi.lesion_back(mi.Volume(array, SPACING), lesion())
    assert result.report["numbering"] == "none"
    assert result.report["lesion"]["labels"] == [array.max() + 1]
    assert result.report["lesion"]["left_ml"] is None
    with pytest.raises(ParameterError, match="do not tell left from right"):
        mi.lesion_back(mi.Volume(array, SPACING), lesion(), number="sides")


def test_fasts_tissues_are_known_by_the_files_name(tmp_path):
    tissue = np.select([labels() == 0, np.isin(labels(), (2, 41)), labels() == 16], [0, 3, 1], 2).astype(np.uint8)
    mi.Volume(tissue, SPACING).write(tmp_path / "T1_brain_seg.nii.gz")
    result = mi.lesion_back(tmp_path / "T1_brain_seg.nii.gz", lesion())
    assert {row["label"]: row["name"] for row in result.report["regions"]} == {
        1: "CSF",
        2: "Gray-Matter",
        3: "White-Matter",
        4: "",
    }
    mi.Volume(tissue.astype(np.float32) * 0.4, SPACING).write(tmp_path / "T1_brain_pve_0.nii.gz")
    with pytest.raises(ImageReadError, match=r"fractions, like probabilities .* FAST give _seg"):
        mi.lesion_back(tmp_path / "T1_brain_pve_0.nii.gz", lesion())


def test_names_come_from_a_table_of_the_user_or_beside_the_file(tmp_path):
    array = np.where(labels() > 0, labels() // 10 + 1, 0).astype(np.uint8)
    mi.Volume(array, SPACING).write(tmp_path / "atlas_dseg.nii.gz")
    (tmp_path / "atlas_dseg.tsv").write_text("index\tname\n1\tcortex left\n5\tright side\n9\tlesion\n")
    result = mi.lesion_back(tmp_path / "atlas_dseg.nii.gz", lesion())
    assert (result.report["numbering"], result.report["lesion"]["labels"]) == ("table", [9])
    assert (rows(result)[1]["name"], rows(result)[1]["side"]) == ("cortex left", "left")
    assert result.report["lesion"]["left_ml"] is not None
    (tmp_path / "mine.txt").write_text("1 mine\x1b[31m 0 0 0 0\n")
    result = mi.lesion_back(tmp_path / "atlas_dseg.nii.gz", lesion(), names=tmp_path / "mine.txt")
    assert rows(result)[1]["name"] == "mine\\x1b[31m"
    assert rows(mi.lesion_back(mi.Volume(array, SPACING), lesion(), names={1: "given"}))[1]["name"] == "given"


AFFINE = nibabel.affines.from_matvec(np.diag([-1.0, 1.5, 2.0]), [9, -12, 4])


def test_an_mgz_keeps_all_its_bytes_but_the_lesions(tmp_path):
    tail = np.arange(200, dtype=np.uint8).tobytes()  # scan parameters and tags, whatever they say
    raw = nibabel.MGHImage(labels(np.int32).T, AFFINE).to_bytes()
    size = 284 + labels(np.int32).nbytes
    (tmp_path / "aseg.mgz").write_bytes(gzip.compress(raw[:size] + tail))
    result = mi.lesion_back(tmp_path / "aseg.mgz", lesion())
    result.save(tmp_path / "out.mgz")
    written = gzip.decompress((tmp_path / "out.mgz").read_bytes())
    expected = np.where(lesion(), 99, labels()).astype(">i4").tobytes()
    assert (written[:284], written[284:size], written[size:]) == (raw[:284], expected, tail)
    np.testing.assert_array_equal(np.asarray(nibabel.load(tmp_path / "out.mgz").dataobj).T, result.volume.array)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_a_nifti_keeps_its_header(tmp_path, dtype):
    image = nibabel.Nifti1Image(labels(dtype).T, AFFINE)
    image.header["descrip"], image.header["intent_code"], image.header["cal_max"] = b"made by hand", 1002, 77
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"an extension"))
    nibabel.save(image, tmp_path / "seg.nii")
    mi.lesion_back(tmp_path / "seg.nii", lesion()).save(tmp_path / "out.nii")
    before, after = ((tmp_path / name).read_bytes() for name in ("seg.nii", "out.nii"))
    start = len(before) - labels(dtype).nbytes
    assert after[:start] == before[:start]
    np.testing.assert_array_equal(np.frombuffer(after[start:], dtype).reshape(SHAPE), np.where(lesion(), 99, labels()))


def test_scaled_labels_are_written_as_they_are(tmp_path):
    image = nibabel.Nifti1Image(labels(np.int16).T, AFFINE)
    image.header.set_slope_inter(3, 0)  # stored 1, 2, ... mean 3, 6, ...: 100 is none of them
    image.header["scl_slope"] = 3
    nibabel.save(image, tmp_path / "seg.nii")
    raw = bytearray((tmp_path / "seg.nii").read_bytes())
    raw[112:116] = np.float32(3).tobytes()  # scl_slope, as a program would write it
    (tmp_path / "seg.nii").write_bytes(bytes(raw))
    stored = nibabel.load(tmp_path / "seg.nii").get_fdata()
    result = mi.lesion_back(tmp_path / "seg.nii", lesion(), number=100)
    result.save(tmp_path / "out.nii")
    again = nibabel.load(tmp_path / "out.nii").get_fdata()
    np.testing.assert_array_equal(again.T, np.where(lesion(), 100, stored.T))
    assert any("scales its labels" in each for each in result.report["warnings"])


def test_a_mask_on_another_grid_is_resampled(tmp_path):
    """A mask of half the voxel size, flipped and cropped, that marks the same box in space."""
    fine = np.repeat(np.repeat(np.repeat(lesion(), 2, 0), 2, 1), 2, 2)[:, :, ::-1]
    image = nibabel.Nifti1Image(labels().T, AFFINE)
    nibabel.save(image, tmp_path / "seg.nii.gz")
    steps = np.diag([0.5, 0.75, 1.0])
    # The first voxel is the last along i: its center lies a quarter of a coarse voxel outwards.
    start = AFFINE[:3, :3] @ [SHAPE[2] - 1 + 0.25, -0.25, -0.25] + AFFINE[:3, 3]
    affine = nibabel.affines.from_matvec(steps, start)
    nibabel.save(nibabel.Nifti1Image(fine.T.astype(np.uint8), affine), tmp_path / "m.nii.gz")
    result = mi.lesion_back(tmp_path / "seg.nii.gz", tmp_path / "m.nii.gz")
    np.testing.assert_array_equal(result.volume.array == 99, lesion())
    assert any("resampled (nearest neighbor)" in each for each in result.report["warnings"])


def test_a_mask_that_lies_elsewhere_is_told():
    beside = mi.Volume(lesion().astype(np.uint8), SPACING, origin=(500.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="does not overlap"):
        mi.lesion_back(head(), beside)
    partly = mi.Volume(lesion().astype(np.uint8), SPACING, origin=(5.0, 0.0, 0.0))
    with pytest.raises(DoubtError, match="Only 55% of the mask lies inside"):
        mi.lesion_back(head(), partly)
    assert mi.lesion_back(head(), partly, force=True).report["lesion"]["voxels"] == lesion()[..., :15].sum()
    outside = labels() == 0
    outside[:, 3:] = False
    with pytest.raises(DoubtError, match="covers no label"):
        mi.lesion_back(head(), outside)
    forced = mi.lesion_back(head(), outside, force=True)
    assert any("hardly overlap" in each for each in forced.report["warnings"])
    assert forced.report["hit_regions"] == 0


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.random.default_rng(0).uniform(0, 1, SHAPE), ImageReadError, "fractions"),
        (np.random.default_rng(0).integers(1, 900, SHAPE), DoubtError, "looks like an image"),
        (np.zeros(SHAPE, np.uint8), ImageReadError, "empty"),
        (np.full(SHAPE, np.inf), ImageReadError, "fractions"),
        (np.ones((16, 20), np.uint8), GeometryError, "3-D"),
    ],
)
def test_what_is_no_label_map_is_refused(array, error, message):
    with pytest.raises(error, match=message):
        mi.lesion_back(array, np.ones(array.shape, bool))


def test_what_slicers_segments_are_is_said(tmp_path):
    volume = mi.Volume(labels(), SPACING, metadata={"Segment0_ID": "a", "Segment0_LabelValue": "2"})
    volume.write(tmp_path / "s.seg.nrrd")
    with pytest.raises(ImageReadError, match=r"segments may overlap.*in Slicer"):
        mi.lesion_back(tmp_path / "s.seg.nrrd", lesion())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"number": 0}, "whole number above 0"),
        ({"number": "left"}, "whole number above 0, or 'sides'; found 'left'"),
        ({"number": True}, "whole number above 0"),
        ({"number": 5, "cut": True}, "not both"),
        ({"numbering": "spm"}, "no numbering 'spm'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ParameterError, match=message):
        mi.lesion_back(head(), lesion(), **options)


def test_an_empty_mask_changes_nothing_where_it_may_be_empty():
    nothing = np.zeros(SHAPE, np.uint8)
    with pytest.raises(EmptyMaskError):
        mi.lesion_back(head(), nothing)
    result = mi.lesion_back(head(), nothing, allow_empty=True, number=1000)
    np.testing.assert_array_equal(result.volume.array, labels())
    assert result.volume.array.dtype == np.uint8
    assert result.report["lesion"]["voxels"] == 0
    assert all(row["voxels_before"] == row["voxels_after"] for row in result.report["regions"])
    assert set(rows(result)) == set(labels().ravel()) - {0}


def test_labels_of_a_mask_are_chosen():
    mask = np.zeros(SHAPE, np.uint8)
    mask[4, 6, 12], mask[5, 6, 5] = 1, 2
    result = mi.lesion_back(head(), mask, labels=[2])
    assert np.argwhere(result.volume.array == 99).tolist() == [[5, 6, 5]]


@pytest.fixture
def files(tmp_path):
    head().write(tmp_path / "aseg.nii.gz")
    head().with_array(lesion().astype(np.uint8)).write(tmp_path / "lesion.nii.gz")
    return tmp_path


def command(folder, *arguments):
    inputs = [str(folder / "aseg.nii.gz"), str(folder / "lesion.nii.gz"), "-o", str(folder / "out.nii.gz")]
    return CliRunner().invoke(app, ["lesion-back", *inputs, *arguments])


def test_the_command_writes_labels_table_and_report(files):
    result = command(files, "--table", str(files / "t.tsv"), "--report", str(files / "r.json"), "--number", "25")
    assert result.exit_code == 0, result.output
    direct = mi.lesion_back(files / "aseg.nii.gz", files / "lesion.nii.gz", number=25)
    np.testing.assert_array_equal(mi.Volume.read(files / "out.nii.gz").array, direct.volume.array)
    with (files / "t.tsv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    report = json.loads((files / "r.json").read_text(encoding="utf-8"))
    assert [{name: str(cell) for name, cell in row.items()} for row in report["regions"]] == table
    assert report["regions"] == direct.report["regions"]
    assert set(report["files"]) == {"out.nii.gz", "t.tsv"}
    assert "Left-Putamen" in result.output
    assert "100.0" in result.output
    assert "left 0." in result.output


def test_the_command_overwrites_no_input_and_leaves_nothing_after_an_error(files):
    before = {each.name: each.read_bytes() for each in files.iterdir()}
    for arguments in (["--number", "12"], ["--table", str(files / "aseg.nii.gz")], ["--cut", "--number", "9"]):
        assert command(files, *arguments).exit_code == 2
        assert {each.name: each.read_bytes() for each in files.iterdir()} == before


def test_segments_that_overlap_are_measured_one_by_one():
    grid = head()
    whole, box = (slice(0, 10), slice(0, 16), slice(0, 20)), (slice(4, 6), slice(6, 9), slice(13, 16))
    brain = Segment(1, "Brain", labels() > 0, whole)
    putamen = Segment(2, "Left putamen", np.ones((2, 3, 3), bool), box)
    kept, table = lesion_out_of_segments(Segments(grid, (brain, putamen)), lesion())
    np.testing.assert_array_equal(kept.segments[0].voxels, (labels() > 0) & ~lesion())
    assert not kept.segments[1].voxels.any()
    assert [row["name"] for row in table] == ["Brain", "Left putamen"]
    assert [row["voxels_after"] for row in table] == [((labels() > 0) & ~lesion()).sum(), 0]
    assert [row["covered_percent"] for row in table][1] == 100
    assert brain.voxels.sum() == (labels() > 0).sum()  # the input has not changed
