"""What the user chooses."""

import json

import pytest

from MedInpaintLib.bids.filters import Selection, labels_of, passes, read_filters
from MedInpaintLib.bids.names import parse
from MedInpaintLib.errors import ParameterError


def filters(tmp_path, document):
    path = tmp_path / "filter.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_filters(path)


def test_a_filter_file_of_fmriprep_chooses_images(tmp_path):
    chosen = filters(
        tmp_path,
        {
            "t1w": {"datatype": "anat", "session": "02", "acquisition": None, "run": [1, 2], "suffix": "T1w"},
            "bold": {"datatype": "func", "task": "rest"},
        },
    )
    selection = Selection(filters=chosen)
    names = ["ses-02_run-01", "ses-02_run-2", "ses-02_run-3", "ses-01_run-1", "ses-02", "ses-02_acq-a_run-1"]
    assert [selection.wants_image(parse(f"sub-1_{name}_T1w.nii.gz")) for name in names] == [True] * 2 + [False] * 4


@pytest.mark.parametrize("query", ["roi", "mask"])
def test_masks_are_chosen_by_their_queries_with_short_or_long_names(tmp_path, query):
    for key in ("desc", "description"):
        selection = Selection(filters=filters(tmp_path, {query: {key: "radA"}}))
        names = ["desc-radA", "desc-radB", "label-lesion"]
        assert [selection.wants_mask(parse(f"sub-1_{name}_mask.nii")) for name in names] == [True, False, False]


def test_an_extension_is_a_rule_too():
    assert passes(parse("sub-1_T1w.nii"), {"extension": (".nii",)})
    assert not passes(parse("sub-1_T1w.nii.gz"), {"extension": (".nii",)})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{"t1w": ', "filter.json' is not JSON"),
        ([], "must hold an object of queries"),
        ({"t1w": "x"}, "must hold an object of queries"),
        ({"t1w": {"color": "red"}}, "query 't1w': there is no 'color'; there are suffix"),
        ({"t1w": {"run": {}}}, "query 't1w', 'run' must be a text, a number"),
        ({"t1w": {"run": []}}, "must be a text"),
        ({"t1w": {"run": True}}, "must be a text"),
    ],
)
def test_what_a_filter_file_cannot_hold_is_told(tmp_path, document, message):
    with pytest.raises(ParameterError, match=message):
        filters(tmp_path, document)


@pytest.mark.parametrize("name", ["space-T1w", "desc-preproc", "label-GM", "res-2"])
def test_derived_images_in_a_raw_dataset_are_not_filled(name):
    assert not Selection().wants_image(parse(f"sub-1_{name}_T1w.nii.gz"))
    assert Selection().wants_image(parse("sub-1_T1w.nii.gz"))
    assert not Selection().wants_image(parse("sub-1_T1w.json"))


def test_labels_may_have_their_prefix_and_name_the_files_of_a_run():
    assert labels_of(["sub-01", "02", "sub-02"], "sub") == ("01", "02")
    assert Selection(("02", "01"), ("a",)).label == "ses-a_sub-01_sub-02"
    many = [Selection(tuple(str(number) for number in range(count))).label for count in (30, 31)]
    assert many[0] != many[1]
    assert max(map(len, many)) < 40
    assert Selection().label == ""
