"""File names of BIDS."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from MedInpaintLib.bids.names import ENTITIES, Name, parse, same_value

label = some.text("abcXYZ019+", min_size=1, max_size=6)
word = some.text("abcXYZ019", min_size=1, max_size=6)
names = some.builds(
    Name,
    entities=some.dictionaries(some.sampled_from(list(ENTITIES)), label, max_size=6),
    suffix=word,
    ending=some.sampled_from([".nii.gz", ".nii", ".json", ".tsv"]),
    words=some.lists(word, max_size=2).map(tuple),
)


@given(names)
def test_a_name_that_is_written_is_read_back(name):
    assert parse(str(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        "sub-01_T1w.nii.gz",
        "sub-01_ses-02_acq-mprage_rec-norm_run-1_echo-1_part-mag_T1w.nii",
        "sub-01_space-MNI152NLin6Asym_res-2_label-lesion_desc-radA_mask.nii.gz",
        "sub-001_T1w_label-lesion_roi.nii.gz",
        "sub-001_space-T1w_lesion_roi.nii.gz",
        "acq-mprage_T1w.json",
        "T1w.json",
    ],
)
def test_names_of_the_specification_and_of_older_masks_keep_their_order(text):
    assert str(parse(text)) == text


OTHERS = """
    sub-01_T1w  sub-01_.nii  .bidsignore  sub-_T1w.nii  sub-01_sub-02_T1w.nii  sub-01_color-red_T1w.nii  sub-a-b_T1w.nii
    sub-01__T1w.nii  sub-01_T1w.  sub-01_acq-é_T1w.nii
"""


@pytest.mark.parametrize("text", OTHERS.split())
def test_other_names_are_none(text):
    assert parse(text) is None


def test_numbers_are_compared_as_numbers_and_labels_as_texts():
    assert same_value("run", "01", "1")
    assert not same_value("acq", "01", "1")
    assert not same_value("run", "1", "2")
    assert same_value("run", None, None)
