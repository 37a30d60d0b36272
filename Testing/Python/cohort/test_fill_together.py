"""Rows with several images: one case, filled together."""

import json
import re

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.cohort.case import CONTROL, DONE
from MedInpaintLib.cohort.fill import Fill
from MedInpaintLib.cohort.plan import PlanError
from MedInpaintLib.cohort.run import run
from MedInpaintLib.cohort.table import plan_of_table
from MedInpaintLib.jobs.fill import FillJob
from MedInpaintLib.jobs.fill_together import FillTogetherJob

HEADING = ["id", "image", "mask", "output", "method"]
OPTIONS = {"exemplars": None, "modality": "MR", "force": True}


@pytest.fixture
def two(study):
    """A study of three subjects: two images in the first and last row, one in the second; the last mask is empty."""
    rows = [HEADING]
    for number, subject in enumerate(study.subjects):
        first = mi.Volume.read(study.image(subject))
        first.with_array(1000 - first.array).write(study.folder / subject / "t2.nii.gz")
        images = [f"{subject}/t1.nii.gz", f"{subject}/t2.nii.gz"][: 1 if number == 1 else 2]
        outputs = [image.replace("sub", "out/sub") for image in images]
        rows.append([subject, "; ".join(images), f"{subject}/lesion.nii.gz", ";".join(outputs), "patch"])
    study.write(rows)
    return study


def plan(study, **more):
    return plan_of_table(study.table, Fill(), options={**OPTIONS, **more}, beside=("report", "filled_mask"))


def test_rows_with_several_images_and_outputs_become_fills_together(two):
    first, second, _ = plan(two).cases
    assert isinstance(first.job, FillTogetherJob)
    assert isinstance(second.job, FillJob)
    assert first.job.image == [str(two.folder / "sub-0" / name) for name in ("t1.nii.gz", "t2.nii.gz")]
    assert first.job.report == [str(two.folder / "out" / "sub-0" / name) for name in ("t1.json", "t2.json")]
    assert first.job.filled_mask == str(two.folder / "out" / "sub-0" / "t1-filled-mask.nii.gz")


def test_a_study_is_filled_once_and_controls_are_copied(two, here):
    events = []
    counts = run(plan(two), here, events.append, at_once=1)
    assert (counts[DONE], counts[CONTROL]) == (2, 1)
    folder = two.folder / "out" / "sub-0"
    images = [mi.Volume.read(two.folder / "sub-0" / name) for name in ("t1.nii.gz", "t2.nii.gz")]
    hole = mi.Volume.read(two.folder / "sub-0" / "lesion.nii.gz").array > 0
    direct = mi.inpaint_together(images, hole, method="patch", modality="MR", force=True)
    for name, result in zip(("t1", "t2"), direct, strict=True):
        np.testing.assert_array_equal(mi.Volume.read(folder / f"{name}.nii.gz").array, result.volume.array)
        assert json.loads((folder / f"{name}.json").read_text())["filled_together"]["shared"] == [1]
    for name in ("t1", "t2"):
        copied, image = (mi.Volume.read(two.folder / f"{place}sub-2/{name}.nii.gz").array for place in ("out/", ""))
        np.testing.assert_array_equal(copied, image)
    rows = two.summary()
    assert [(row["id"], row["status"], row["method"]) for row in rows][:2] == [
        ("sub-0", "done", "patch"),
        ("sub-1", "done", "patch"),
    ]
    run(plan(two), here, events.append, at_once=1)
    assert events[-1]["report"]["skipped"] == 3


def test_a_change_of_any_image_or_output_makes_the_case_new(two, here):
    events = []
    run(plan(two), here, events.append, at_once=1)
    (two.folder / "out" / "sub-0" / "t2.nii.gz").unlink()
    image = mi.Volume.read(two.folder / "sub-2" / "t2.nii.gz")
    image.with_array(image.array + 1).write(two.folder / "sub-2" / "t2.nii.gz")
    run(plan(two), here, events.append, at_once=1)
    assert [event["skipped"] for event in events if event["event"] == "case"][-3:] == [False, True, False]
    assert (two.folder / "out" / "sub-0" / "t2.nii.gz").exists()


@pytest.mark.parametrize(
    ("row", "options", "problem"),
    [
        (
            ["a", "sub-0/t1.nii.gz;sub-0/t2.nii.gz", "o/a.nii.gz;o/b.nii.gz;o/c.nii.gz"],
            {},
            r"2 image\(s\) and 3 output\(s\)",
        ),
        (["a", "sub-0/t1.nii.gz;sub-0/t2.nii.gz", "o/a.nii.gz"], {}, r"2 image\(s\) and 1 output\(s\)"),
        (["a", "sub-0/t1.nii.gz", "o/a.nii.gz;o/b.nii.gz"], {}, r"1 image\(s\) and 2 output\(s\)"),
        (["a", "sub-0/t1.nii.gz;sub-0/no.nii.gz", "o/a.nii.gz;o/b.nii.gz"], {}, "image 2 '.*no.nii.gz' is not there"),
        (["a", "sub-0/t1.nii.gz;sub-0/t2.nii.gz", "o/a.nii.gz;o/a.nii.gz"], {}, "is also the output 1 of Row 2"),
        (["a", "sub-0/t1.nii.gz;sub-0/t2.nii.gz", "o/a.nii.gz;o/b.xyz"], {}, "xyz"),
        (["a", "sub-0/t1.nii.gz;sub-0/t2.nii.gz", "o/a.nii.gz;o/b.nii.gz"], {"exemplars": "sub-1"}, "exemplars"),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(two, row, options, problem):
    two.write([HEADING, [row[0], row[1], "sub-0/lesion.nii.gz", row[2], "patch"]])
    with pytest.raises(PlanError) as error:
        plan(two, **options)
    assert any(re.search(problem, each) for each in error.value.problems), error.value.problems


def test_each_image_gets_its_page_and_the_index_leads_to_the_first(two, here):
    pages = plan_of_table(two.table, Fill(), options=OPTIONS, beside=("page",))
    run(pages, here, [].append, at_once=1)
    folder = two.folder / "out" / "sub-0"
    for name in ("t1", "t2"):
        assert f"{name}.nii.gz" in (folder / f"{name}.html").read_text(encoding="utf-8")
    links = re.findall(r'href="([^"]+\.html)"', pages.file("index.html").read_text(encoding="utf-8"))
    assert sorted(link.rpartition("/")[2] for link in links) == ["t1.html"] * 3
