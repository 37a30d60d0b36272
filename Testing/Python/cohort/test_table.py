"""Tables and patterns become plans, and all that is wrong with them is told at once."""

import os
import sys

import pytest

from MedInpaintLib.cohort.fill import Fill
from MedInpaintLib.cohort.patterns import matches, plan_of_patterns
from MedInpaintLib.cohort.plan import Plan, PlanError, part_of
from MedInpaintLib.cohort.table import plan_of_table
from MedInpaintLib.errors import InputError

ROW = ["sub-0/t1.nii.gz", "sub-0/lesion.nii.gz", "out/a.nii.gz"]
#: What this process opens and lists, while it is a list.
_opened: list[str] | None = None


def _hear(event, arguments):
    if _opened is not None and event in ("open", "os.listdir", "os.scandir"):
        _opened.append(str(arguments[0]))


sys.addaudithook(_hear)


def plan(study, rows, **keywords):
    study.write(rows)
    return plan_of_table(study.table, Fill(), **keywords)


def problems(study, rows, **keywords):
    with pytest.raises(PlanError) as error:
        plan(study, rows, **keywords)
    return error.value.problems


def test_a_row_becomes_a_job_with_paths_beside_the_table_and_its_own_options(study):
    heading = ["id", "image", "mask", "output", "method", "dilate", "labels", "set", "guides", "grain", "seed", "#age"]
    row = ["s0", *ROW, "patch", "1.5", "2; left hippocampus", "size=3", "sub-1/t1.nii.gz", "yes", "7", "61"]
    (case,) = plan(study, [heading, row], options={"method": "harmonic", "blend": "paste", "workers": 1}).cases
    job = case.job
    assert (case.id, case.origin) == ("s0", "Row 2")
    assert job.image == str(study.folder / "sub-0" / "t1.nii.gz")
    assert job.guides == [str(study.folder / "sub-1" / "t1.nii.gz")]
    assert (job.method, job.blend, job.workers) == ("patch", "paste", 1)
    assert (job.dilate_mm, job.labels, job.parameters) == (1.5, [2, "left hippocampus"], {"size": "3"})
    assert (job.grain, job.seed) == (True, 7)


def test_an_empty_cell_leaves_the_commands_option_and_an_empty_row_is_none(study):
    rows = [["image", "mask", "output", "method"], [*ROW, ""], ["", "", "", ""], [*ROW[:2], "out/b.nii.gz", "patch"]]
    cases = plan(study, rows, options={"method": "harmonic"}).cases
    assert [(case.id, case.origin, case.job.method) for case in cases] == [
        ("out/a.nii.gz", "Row 2", "harmonic"),
        ("out/b.nii.gz", "Row 4", "patch"),
    ]


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ","), ("t.csv", ";"), ("t.tsv", "\t"), ("t.txt", "\t")])
def test_the_columns_of_a_spreadsheet_are_found_whatever_is_between_them(study, name, delimiter):
    study.table = study.folder / name
    study.write([["image", "mask", "output", "labels"], [*ROW, "1;2"]], delimiter)
    text = study.table.read_text(encoding="utf-8")
    study.table.write_text("\ufeff" + text.replace("\n", "\r\n"), encoding="utf-8", newline="")
    (case,) = plan_of_table(study.table, Fill()).cases
    assert case.job.labels == [1, 2]


def test_every_bad_row_is_told_with_its_number_and_column(study):
    heading = ["image", "mask", "output", "seed", "method", "grain", "dilate_mm", "set"]
    rows = [
        [*ROW, "", "", "", "", ""],
        ["sub-9/t1.nii.gz", "sub-1/lesion.nii.gz", "out/b.nii.gz", "x", "", "", "", ""],
        ["sub-9/t1.nii.gz", "sub-1/lesion.nii.gz", "out/c.nii.gz", "", "", "", "", ""],
        [*ROW[:2], "out/d.nii.gz", "", "magic", "", "", ""],
        [*ROW[:2], "out/e.nii.gz", "", "", "perhaps", "", ""],
        [*ROW[:2], "out/f.nii.gz", "", "", "", "nan", ""],
        [*ROW[:2], "out/g.nii.gz", "", "harmonic", "", "", "size=3"],
        [*ROW[:2], "out/h.xyz", "", "", "", "", ""],
        [*ROW[:2], ""],
        [ROW[0], "", "out/i.nii.gz", "", "", "", "", ""],
        [*ROW[:2], "", "", "", "", "", ""],
    ]
    told = "\n".join(problems(study, [heading, *rows]))
    assert len(told.splitlines()) == 10
    for expected in (
        "Row 3, column 'seed': it must be a whole number; found 'x'.",
        f"Row 4: the image '{study.folder / 'sub-9/t1.nii.gz'}' is not there.",
        "Row 5: There is no method 'magic'",
        "Row 6, column 'grain': it must be true or false; found 'perhaps'.",
        "Row 7: column 'dilate_mm' must be a finite number",
        "Row 8: Method 'harmonic' has no parameter 'size'",
        "Row 9: 'h.xyz' does not say in which format to write",
        "Row 10 has 3 cells, and the table 8 columns.",
        "Row 11: Give a mask of what to fill",
        "Row 12: nothing in the column output.",
    ):
        assert expected in told


def test_unknown_missing_and_double_columns_are_told(study):
    told = problems(study, [["image", "mask", "dilate", "dilate-mm", "metod", "workers"], ["a", "b", "1", "1", "", ""]])
    assert [line.split(";")[0] for line in told] == [
        "Row 1: column 5 'metod' is unknown",
        "Row 1: column 6 'workers' is unknown",
        "Row 1: the column 'dilate_mm' is there twice.",
        "Row 1: the column 'output' is missing.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("image,mask,output\n", "has no rows"),
        ('image,mask,output\n"a,b,c\n', "cannot be read after row 1"),
    ],
)
def test_a_table_without_rows_or_with_an_open_quotation_mark_is_refused(study, text, message):
    study.table.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        plan_of_table(study.table, Fill())
    assert message in "\n".join([str(error.value), *getattr(error.value, "problems", [])])


def test_nothing_is_written_over_an_input_or_another_output(study):
    os.symlink(study.folder / "sub-1", study.folder / "link")
    os.link(study.folder / "sub-2" / "t1.nii.gz", study.folder / "second-name.nii.gz")
    rows = [
        [*ROW],
        [*ROW[:2], "OUT/A.nii.gz"],
        [*ROW[:2], "link/t1.nii.gz"],
        ["sub-1/t1.nii.gz", "sub-2/t1.nii.gz", "out/b.nii.gz"],
        [*ROW[:2], "second-name.nii.gz"],
    ]
    told = problems(study, [["image", "mask", "output"], *rows])
    assert len(told) == 3
    assert told[0].endswith("is also the output of Row 2.")
    assert told[1].endswith("would overwrite the image of Row 5.")
    assert told[2].endswith("would overwrite the mask of Row 5.")


def test_nothing_is_written_over_the_table_its_summary_or_into_a_folder_that_is_read(study):
    study.table = study.folder / "study.tif"
    (study.folder / "scans").mkdir()
    heading = ["image", "mask", "output", "exemplars", "report"]
    rows = [
        [*ROW[:2], "study.tif", "", ""],
        [*ROW[:2], "scans/more/b.nii.gz", "scans", ""],
        [*ROW[:2], "c.nii.gz", "", "study-cohort/summary.tsv"],
    ]
    told = problems(study, [heading, *rows])
    assert [line.split(" ", 2)[1] for line in told] == ["2:", "3:", "4:"]
    assert "would overwrite the table" in told[0]
    assert "lies in the folder of the exemplars of Row 3" in told[1]
    assert told[2].endswith("is also the study's summary.tsv.")


def test_names_that_are_there_twice_are_refused(study):
    rows = [["id", "image", "mask", "output"], ["a", *ROW], ["a", *ROW[:2], "out/b.nii.gz"]]
    assert problems(study, rows) == ["Row 3: 'a' is also the name of Row 2."]


def test_of_many_problems_some_are_listed():
    error = PlanError([f"Row {number}: no." for number in range(1000)])
    assert len(error.lines()) == 21
    assert error.lines()[-1] == "... and 980 more"


def test_further_outputs_lie_beside_the_output_unless_the_row_names_them(study):
    rows = [["image", "mask", "output", "report"], [*ROW, "r.json"], [*ROW[:2], "out/b.nii.gz", ""]]
    first, second = plan(study, rows, beside=("report", "uncertainty", "filled_mask")).cases
    assert first.job.report == str(study.folder / "r.json")
    assert second.job.report == str(study.folder / "out/b.json")
    assert second.job.uncertainty == str(study.folder / "out/b-uncertainty.nii.gz")
    assert second.job.filled_mask == str(study.folder / "out/b-filled-mask.nii.gz")


def test_ten_thousand_rows_are_planned_without_opening_an_image(study):
    global _opened
    rows = [[*ROW[:2], f"out/{number // 100}/{number}.nii.gz"] for number in range(10_000)]
    study.write([["image", "mask", "output"], *rows])
    plan_of_table(study.table, Fill())  # imports
    _opened = []
    try:
        cases = plan_of_table(study.table, Fill()).cases
    finally:
        opened, _opened = _opened, None
    assert len({case.id for case in cases}) == 10_000
    assert opened == [str(study.table)]
    assert not (study.folder / "out").exists()


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 20])
def test_the_parts_of_a_plan_are_the_plan(study, parts):
    rows = [[*ROW[:2], f"out/{number}.nii.gz"] for number in range(10)]
    whole = plan(study, [["image", "mask", "output"], *rows])
    pieces = [whole.only(number, parts) for number in range(1, parts + 1)]
    assert sorted(case.id for piece in pieces for case in piece.cases) == sorted(case.id for case in whole.cases)
    sizes = [len(piece.cases) for piece in pieces]
    assert max(sizes) - min(sizes) <= 1
    assert len({piece.file("summary.tsv") for piece in pieces} | {whole.file("summary.tsv")}) == parts + 1


@pytest.mark.parametrize("text", ["3", "0/3", "4/3", "a/b", "1/", "-1/3", "1/2/3", "1" * 30 + "/" + "2" * 30])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(InputError, match="written as 3/20"):
        part_of(text)


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_stars_tie_images_and_masks(tmp_path):
    touch(tmp_path, "raw/sub-1/ses-a/t1.nii.gz", "raw/sub-1/ses-b/t1.nii.gz", "raw/sub-2/ses-a/t1.nii.gz")
    touch(tmp_path, "masks/1_a.nii.gz", "masks/1_b.nii.gz", "masks/2_a.nii.gz", "masks/3_a.nii.gz")
    touch(tmp_path, "raw/.hidden/ses-a/t1.nii.gz", "raw/sub-4/t1.nii.gz")
    patterns = {"image": f"{tmp_path}/raw/sub-*/ses-*/t1.nii.gz", "mask": f"{tmp_path}/masks/*_*.nii.gz"}
    made = plan_of_patterns(patterns, Fill(), folder=tmp_path / "out")
    assert [case.id for case in made.cases] == [
        "sub-1/ses-a/t1.nii.gz", "sub-1/ses-b/t1.nii.gz", "sub-2/ses-a/t1.nii.gz"
    ]  # fmt: skip
    assert [os.path.basename(case.job.mask) for case in made.cases] == ["1_a.nii.gz", "1_b.nii.gz", "2_a.nii.gz"]
    assert made.cases[1].job.output == str(tmp_path / "out/sub-1/ses-b/t1.nii.gz")
    assert made.warnings == (
        f"'{tmp_path}/masks/3_a.nii.gz' belongs to no file like '{patterns['image']}' and is not used.",
    )


def test_guides_are_tied_in_their_order_and_a_dicom_folder_gives_one(tmp_path):
    touch(tmp_path, "1/t1/a.dcm", "1/m.nrrd", "1/t2.nrrd", "1/flair.nrrd")
    patterns = {"image": f"{tmp_path}/*/t1", "mask": f"{tmp_path}/*/m.nrrd"}
    patterns["guides"] = [f"{tmp_path}/*/t2.nrrd", f"{tmp_path}/*/flair.nrrd"]
    (case,) = plan_of_patterns(patterns, Fill(), folder=tmp_path / "out").cases
    assert [os.path.basename(guide) for guide in case.job.guides] == ["t2.nrrd", "flair.nrrd"]
    assert case.job.output == os.path.join(tmp_path, "out", "1", "t1", "")


def test_an_image_without_a_mask_is_refused_by_name(tmp_path):
    touch(tmp_path, "sub-1/t1.nii.gz", "sub-2/t1.nii.gz", "sub-1/m.nii.gz")
    patterns = {"image": f"{tmp_path}/sub-*/t1.nii.gz", "mask": f"{tmp_path}/sub-*/m.nii.gz"}
    with pytest.raises(PlanError) as error:
        plan_of_patterns(patterns, Fill(), folder=tmp_path / "out")
    expected = f"'{tmp_path}/sub-2/t1.nii.gz' has no mask: '{tmp_path}/sub-2/m.nii.gz' is not there."
    assert error.value.problems == [expected]


def test_patterns_with_other_numbers_of_stars_and_without_files_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"same number of \*"):
        plan_of_patterns({"image": "*/a_*.nii", "mask": "*/m.nii"}, Fill(), folder=tmp_path)
    with pytest.raises(PlanError) as error:
        plan_of_patterns({"image": f"{tmp_path}/*.nii", "mask": f"{tmp_path}/*.nii"}, Fill(), folder=tmp_path / "out")
    assert "No file is named like" in error.value.problems[0]


def test_all_but_the_star_means_itself(tmp_path):
    touch(tmp_path, "a[1]+.nii", "a1+.nii", "a[2]+.nii")
    assert sorted(matches(f"{tmp_path}/a[*]+.nii")) == [("1",), ("2",)]


def test_a_part_of_a_plan_keeps_its_folder():
    assert Plan((), Fill(), "out").only(1, 2).folder == "out"
