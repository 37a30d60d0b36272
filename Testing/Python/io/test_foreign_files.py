"""The files that nibabel and pydicom install for their own tests, as `make formats` tries them."""

import warnings
from pathlib import Path

import nibabel
import numpy as np
import pytest

from MedInpaintLib import Volume, io
from MedInpaintLib.errors import ImageReadError
from Testing import foreign_files

#: Every n-th file of pydicom.
STEP = 7


def check(paths):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = [foreign_files.tried(path) for path in paths]
    wrong = [outcome for outcome in outcomes if outcome.kind == foreign_files.WRONG]
    assert not wrong, "\n".join(f"{outcome.name}: {outcome.detail}" for outcome in wrong)
    return {kind: sum(outcome.kind == kind for outcome in outcomes) for kind in ("alike", "refused")}


def test_files_of_nibabel_are_read_alike_or_refused_in_our_words():
    counts = check(foreign_files.nibabel_files())
    assert counts["alike"] >= 8
    assert counts["refused"] >= 60


def test_some_files_of_pydicom_are_read_alike_or_refused_in_our_words():
    counts = check(foreign_files.pydicom_files()[::STEP])
    assert counts["alike"] >= 4
    assert counts["refused"] >= 4


@pytest.mark.slow
def test_all_files_of_pydicom_are_read_alike_or_refused_in_our_words():
    counts = check(foreign_files.pydicom_files())
    assert counts["alike"] >= 45


def test_a_volume_that_spm_resampled_comes_back_byte_by_byte_outside_the_hole():
    outcome = foreign_files.round_trip()
    assert outcome.kind == foreign_files.ALIKE, outcome.detail


@pytest.mark.parametrize(
    "change",
    [
        lambda volume: volume.with_array(volume.array + 1),
        lambda volume: volume.with_array(np.where(volume.array == volume.array.max(), np.nan, volume.array)),
        lambda volume: Volume(volume.array[1:], volume.spacing, volume.origin, volume.direction),
        lambda volume: Volume(volume.array, volume.spacing, tuple(np.add(volume.origin, 0.1)), volume.direction),
        lambda volume: Volume(volume.array[:, :, ::-1], volume.spacing, volume.origin, volume.direction),
    ],
    ids=["values", "NaN", "shape", "position", "mirrored"],
)
def test_an_image_that_is_read_otherwise_is_told(change):
    path = Path(nibabel.__file__).parent / "tests" / "data" / "reoriented_anat_moved.nii"
    truth = foreign_files.truth_of(path)
    assert foreign_files.compared(io.read(path), truth)[0] == foreign_files.ALIKE
    assert foreign_files.compared(change(io.read(path)), truth)[0] == foreign_files.WRONG


@pytest.mark.parametrize(
    ("name", "kind"), [("small.mnc", "MINC"), ("T1.PAR", "Philips PAR"), ("simple.trk", "TrackVis")]
)
def test_formats_that_are_not_supported_are_refused_by_name(name, kind):
    with pytest.raises(ImageReadError, match=f"{kind} files are not supported. Supported are DICOM, NIfTI"):
        io.read(Path(nibabel.__file__).parent / "tests" / "data" / name)
