"""Pages of a study, and the index over them."""

import html.parser
import urllib.parse

import pytest
from typer.testing import CliRunner

from MedInpaintLib.cli.app import app
from MedInpaintLib.cohort.case import CONTROL, DONE, FAILED, Case, Outcome
from MedInpaintLib.cohort.fill import Fill
from MedInpaintLib.cohort.index import write_index
from MedInpaintLib.cohort.plan import Plan, PlanError
from MedInpaintLib.cohort.run import CasesFailedError, run
from MedInpaintLib.cohort.table import plan_of_table
from MedInpaintLib.jobs.fill import FillJob


class Cells(html.parser.HTMLParser):
    """The rows of the index, and the links in them."""

    def __init__(self, path):
        super().__init__()
        self.rows, self.links, self.tags, self.in_body = [], [], [], False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "tbody":
            self.in_body = True
        elif self.in_body and tag == "tr":
            self.rows.append([])
        elif self.in_body and tag == "td":
            self.rows[-1].append("")
        elif self.in_body and tag == "a":
            self.links.append(dict(attributes)["href"])

    def handle_endtag(self, tag):
        self.in_body = self.in_body and tag != "tbody"

    def handle_data(self, data):
        if self.in_body and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def plan(study, **options):
    return plan_of_table(study.table, Fill(), options={"method": "shell-mean", "workers": 1}, **options)


def with_pages(study):
    return plan(study, beside=("page",))


def test_each_case_has_a_page_beside_its_output_and_the_index_leads_to_all_but_failures(study, here):
    study.image("sub-1").write_bytes(b"no image")
    events = []
    with pytest.raises(CasesFailedError):
        run(with_pages(study), here, events.append, at_once=1)
    index = study.folder / "study-cohort" / "index.html"
    assert events[-1]["report"]["index"] == str(index)
    cells = Cells(index)
    assert [row[:2] for row in cells.rows] == [
        ["filled/sub-1.nii.gz", "failed"],
        ["filled/sub-0.nii.gz", "clear"],
        ["filled/sub-2.nii.gz", "copy"],
    ]
    assert "t1.nii.gz" in cells.rows[0][2]
    pages = [(index.parent / urllib.parse.unquote(link)).resolve() for link in cells.links]
    assert pages == [study.folder / "filled" / f"sub-{number}.html" for number in (0, 2)]
    assert "No warnings." in pages[0].read_text(encoding="utf-8")
    assert "The mask is empty." in pages[1].read_text(encoding="utf-8")


def test_without_pages_there_is_no_index(study, here):
    events = []
    run(plan(study), here, events.append, at_once=1)
    assert events[-1]["report"]["index"] is None
    assert not (study.folder / "study-cohort" / "index.html").exists()


def test_a_page_that_was_removed_is_made_again_and_nothing_else(study, here):
    run(with_pages(study), here, lambda event: None, at_once=1)
    times = {name: study.output(name).stat().st_mtime_ns for name in study.subjects}
    (study.folder / "filled" / "sub-0.html").unlink()
    run(with_pages(study), here, lambda event: None, at_once=1)
    assert (study.folder / "filled" / "sub-0.html").exists()
    changed = {name for name in study.subjects if study.output(name).stat().st_mtime_ns != times[name]}
    assert changed == {"sub-0"}


def case(name, folder):
    page = str(folder / "filled" / f"{name.replace('/', '_')}.html")
    job = FillJob(job="fill", image="a.nrrd", mask="b.nrrd", output=str(folder / "filled" / "a.nrrd"), page=page)
    return Case(name, job, "Row 2")


def done(warned=0, deepest=1.0, warnings=0, first=""):
    facts = {"voxels": 9, "warned_parts": warned, "deepest_mm": deepest, "warnings": warnings, "first_warning": first}
    return Outcome(DONE, seconds=1.0, facts=facts)


def test_what_asks_for_a_look_comes_first(tmp_path):
    outcomes = {
        "control": Outcome(CONTROL, facts={"voxels": 0}),
        "clear": done(),
        "deep": done(deepest=20.0),
        "noted": done(warnings=3, first="The mask is on another grid."),
        "one part": done(warned=1, warnings=1, deepest=9.0),
        "two parts": done(warned=2, warnings=1, deepest=2.0),
        "failed": Outcome(FAILED, message="No such file.", kind="ImageReadError"),
    }
    whole = Plan(tuple(case(name, tmp_path) for name in outcomes), Fill(), tmp_path / "study")
    (tmp_path / "study").mkdir()
    index = write_index(whole, outcomes)
    names = [row[0] for row in Cells(index).rows]
    assert names == ["failed", "two parts", "one part", "noted", "deep", "clear", "control"]
    assert write_index(whole.only(2, 3), outcomes).name == "index-2-of-3.html"


def test_no_name_or_message_of_the_index_is_taken_for_html_or_another_address(tmp_path):
    name = '<img src=x onerror=alert(1)>"#?%41&amp; é'
    message = "</td><script>alert(2)</script>"
    (tmp_path / "study").mkdir()
    index = write_index(
        Plan((case(name, tmp_path),), Fill(), tmp_path / "study"), {name: done(warnings=1, first=message)}
    )
    cells = Cells(index)
    assert cells.rows[0][0] == name
    assert cells.rows[0][2] == message
    assert "img" not in cells.tags
    assert cells.tags.count("script") == 1
    address = urllib.parse.urljoin(index.as_uri(), cells.links[0])
    assert urllib.parse.unquote(urllib.parse.urlparse(address).path).endswith(f"/filled/{name}.html")


def test_a_page_does_not_take_the_place_of_the_index(study):
    rows = [["image", "mask", "output", "page"]]
    rows.append(["sub-0/t1.nii.gz", "sub-0/lesion.nii.gz", "out/a.nii.gz", "study-cohort/index.html"])
    study.write(rows)
    with pytest.raises(PlanError) as error:
        plan(study)
    assert error.value.problems[0].endswith("is also the study's index.html.")


def test_the_command_writes_pages_and_names_the_index(study):
    arguments = ["cohort", str(study.table), "--method", "shell-mean", "--page", "--jobs", "1", "--workers", "1"]
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 0, outcome.output
    assert f"Pages: {study.folder / 'study-cohort' / 'index.html'}" in outcome.output
    assert (study.folder / "filled" / "sub-0.html").exists()
