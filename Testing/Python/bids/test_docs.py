"""What docs/reference/bids.md and docs/tutorials/bids.md say, and the example that they use."""

import json
import re
from pathlib import Path

import pytest

from MedInpaintLib.bids.filters import Selection, read_filters
from MedInpaintLib.bids.masks import is_lesion_mask
from MedInpaintLib.bids.names import parse
from MedInpaintLib.bids.plan import Study, plan_of_bids
from Testing import bids_example

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "bids.md").read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path):
    bids_example.main(tmp_path / "study")
    return tmp_path / "study"


def test_the_names_of_masks_are_those_that_are_understood():
    named = re.findall(r"`(sub-\S+_(?:mask|roi)\.nii\.gz)`", PAGE)
    assert len(named) >= 5
    assert all(is_lesion_mask(parse(name)) for name in named)


def test_the_filter_file_is_one(tmp_path):
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "filter.json").write_text(block)
    selection = Selection(filters=read_filters(tmp_path / "filter.json"))
    assert selection.wants_image(parse("sub-1_ses-02_T1w.nii"))
    assert not selection.wants_image(parse("sub-1_ses-02_acq-a_T1w.nii"))


def test_the_example_has_what_the_page_shows(example):
    output = example / "derivatives" / "medinpaint"
    plan = plan_of_bids(Study.of(example, output), output, Selection(), options={})
    assert [case.id for case in plan.cases] == ["sub-01_T1w", "sub-02_ses-1_T1w", "sub-02_ses-2_T1w", "sub-03_T1w"]
    assert dict(plan.idle) == {"sub-04_T1w": "no mask"}
    shown = re.findall(r"sub-0\d(?:_ses-1)?_\S+\.nii\.gz", PAGE.partition("## What is filled")[0])
    there = {path.name for path in example.rglob("*.nii.gz")}
    written = {
        Path(getattr(case.job, field)).name
        for case in plan.cases
        for field in plan.kind.writes
        if getattr(case.job, field)
    }
    assert set(shown) <= there | written
    assert json.loads((example / "T1w.json").read_text())["SkullStripped"] is True


def test_the_tutorial_uses_the_example():
    tutorial = (ROOT / "docs" / "tutorials" / "bids.md").read_text(encoding="utf-8")
    for line in (
        "python Testing/bids_example.py study",
        "medinpaint bids study study/derivatives/medinpaint participant",
    ):
        assert f"\n{line}\n" in tutorial
        assert f"$ {line}" in PAGE
