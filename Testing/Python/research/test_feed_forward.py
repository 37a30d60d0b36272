"""The studies of networks that fill in one pass, on tiny heads with untrained models: all runs, pages are whole."""

from __future__ import annotations

import dataclasses

import pytest

from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.volume import Volume
from Research import given, people
from Research.feed_forward import measure, page
from Research.shared.cases import Task, list_cases
from Research.shared.manifests import read_rows, write_rows

TASKS = (
    Task("mr-10mm", "Small", "MR", False, "spheres:5mm:2", contrasts=("T1",)),
    Task("mr-20mm", "Large", "MR", False, "spheres:8mm:1", (0, 1), contrasts=("T1",)),
)
MODELS = {"unet": ("unet", "a-tiny-unet"), "rfr": ("rfr", "a-tiny-rfr")}


@pytest.fixture
def data(tmp_path, head, monkeypatch):
    for module in (measure, page):
        monkeypatch.setattr(module, "TASKS", TASKS)
        monkeypatch.setattr(module, "MODELS", MODELS)
    folder = tmp_path / "data"
    folder.mkdir()
    rows = ["path,modality,contrast,subject_id,split"]
    for name, split in (("a", "test"), ("b", "train"), ("c", "val")):
        Volume(head[::2, ::2, ::2], (2.0,) * 3).write(folder / f"{name}.nii.gz")
        rows.append(f"{name}.nii.gz,MR,T1,{name},{split}")
    (folder / "MANIFEST.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_each_change_changes_one_thing():
    whole = measure.variants(next(task for task in measure.TASKS if task.name == measure.MAIN))
    for change in measure.CHANGES:
        one, other = whole[f"{measure.CHANGED}, {change}"], whole[measure.CHANGED]
        flat = [{**each, **each["parameters"], "parameters": None} for each in (one, other)]
        assert len([name for name in {*flat[0], *flat[1]} if flat[0].get(name) != flat[1].get(name)]) == 1


@pytest.mark.slow
def test_the_page_is_complete(data, tmp_path):
    found = [measure.run_case(*case) for case in list_cases(read_manifest(data, "test"), TASKS)]
    out = tmp_path / "page"
    out.mkdir()
    curves = ["network,given,step,gain,over", "unet,nothing,150,-3.25,-3.25"]
    curves.append("unet,a thin plate and another fill,150,1.5,0.25")
    write_rows(out / given.CURVES, [line.split(",") for line in curves])
    curve = ["people,who,images,cases,step,gain,over", "2,a b,6,400,250,1.5,0.125", "5,a b c d e,12,400,250,2.0,0.5"]
    write_rows(out / people.CURVE, [line.split(",") for line in curve])
    page.write_page(found, data, out, "test")
    text = (out / "README.md").read_text(encoding="utf-8")
    words = [
        "## Small",
        "## Large",
        "| rfr |",
        "unet, 3 directions",
        "| nothing | -3.25 |",
        "alone | +1.25 |",
        "| 5 | a b c d e | 12 | +0.50 |",
        "Do slices fit",
        "`rfr` over `",
    ]
    assert [each for each in words if each not in text] == []
    assert page.text(out) == text
    assert (out / "fills.webp").stat().st_size > 1000
    rows = read_rows(out / "scores.csv.gz")
    assert len(rows) == sum(len(case["scores"]) for case in found)
    large = [row for row in rows if row["task"] == "mr-20mm" and row["method"] == "biharmonic"]
    assert 0 < float(large[0]["slice_jump"]) < 10


def tiny():
    """The released recipe, for tiny heads."""
    recipe = read_recipe("brain-mr-unet")
    small = {**recipe.arguments, "pixels": 32, "slices": 3, "width": 4, "levels": 2}
    data = dataclasses.replace(recipe.data, holes=("spheres:8mm",), cases=4, hint="nearest", pixel_mm=2.0, also=())
    schedule = dataclasses.replace(recipe.schedule, crops=8, batch=4, hole_mm=8.0)
    return dataclasses.replace(recipe, arguments=small, data=data, schedule=schedule)


def test_recipes_are_compared_by_what_is_given(data, tmp_path, monkeypatch):
    monkeypatch.setattr(given, "read_recipe", lambda name: tiny())
    arguments = ["--data", str(data), "--out", str(tmp_path / "page"), "--runs", str(tmp_path / "runs")]
    given.main([*arguments, "--recipe", "brain-mr-unet", "--steps", "4"])
    rows = read_rows(tmp_path / "page" / given.CURVES)
    assert [(row["given"], int(row["step"])) for row in rows] == [
        (each, step) for each in given.GIVEN for step in (1, 2, 3, 4)
    ]
    # Given a fill, a network begins there; given nothing, far below it.
    first = {row["given"]: float(row["over"]) for row in rows if row["step"] == "1"}
    assert first["nothing"] < -5
    assert min(gain for what, gain in first.items() if what != "nothing") > -1


def test_a_learning_curve_takes_more_and_more_people(data, tmp_path, monkeypatch):
    for copy in "defg":
        (data / f"{copy}.nii.gz").write_bytes((data / "b.nii.gz").read_bytes())
    with (data / "MANIFEST.csv").open("a") as file:
        file.writelines(f"{copy}.nii.gz,MR,T1,{copy},train\n" for copy in "defg")
    monkeypatch.setattr(people, "read_recipe", lambda name: tiny())
    arguments = ["--data", str(data), "--out", str(tmp_path / "page"), "--runs", str(tmp_path / "runs")]
    people.main([*arguments, "--steps", "4", "--cases", "3"])
    rows = read_rows(tmp_path / "page" / people.CURVE)
    assert [(row["people"], row["images"], row["step"]) for row in rows] == [
        (count, count, step) for count in ("1", "2", "5") for step in "1234"
    ]
    shown = [read_manifest(tmp_path / "runs" / f"people-{count}", "train") for count in (1, 2, 5)]
    assert [[each.subject for each in entries] for entries in shown] == [["b"], ["b", "d"], [*"bdefg"]]
    assert all(entry.path.is_file() for entries in shown for entry in entries)
    assert len(read_manifest(tmp_path / "runs" / "people-1", "val")) == 1
