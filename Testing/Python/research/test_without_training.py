"""The study of fills without training, on a few tiny images: it runs, it resumes, and its page is complete."""

from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import pytest

from MedInpaintLib.errors import InputError, ParameterError
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.volume import Volume
from Research.shared.cases import Task, list_cases
from Research.shared.manifests import read_rows
from Research.without_training import measure, page

TASKS = (
    Task("mr", "MR, spheres", "MR", False, "spheres:5mm:2", (0, 1)),
    Task("film", "Films, squares", "film", True, "squares:6px:2", most=1),
)


@pytest.fixture
def data(tmp_path, head):
    """Two subjects' heads, one mask, two films, and their manifest."""
    folder = tmp_path / "data"
    (folder / "mr").mkdir(parents=True)
    (folder / "cxr").mkdir()
    small = head[::2, ::2, ::2]
    film = np.random.default_rng(0).integers(0, 255, (48, 50)).astype(np.uint8)
    rows = []
    for name, modality, contrast, subject, split, array in (
        ("mr/a.nii.gz", "MR", "T1", "one", "test", small),
        ("mr/mask.nii.gz", "MR", "MASK-lesion", "one", "test", (small > 600).astype(np.uint8)),
        ("mr/b.nii.gz", "MR", "T1", "two", "train", small),
        ("cxr/f.png", "CXR", "CR", "three", "test", film),
        ("cxr/g.png", "CXR", "CR", "four", "test", film),
    ):
        Volume(array, (2.0,) * 3 if array.ndim == 3 else (1.0,) * 2).write(folder / name)
        rows.append({"path": name, "modality": modality, "contrast": contrast, "subject_id": subject, "split": split})
    with (folder / "MANIFEST.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_the_manifest_is_read_by_split(data):
    assert [entry.name for entry in read_manifest(data, "train")] == ["mr/b"]
    assert {entry.modality for entry in read_manifest(data)} == {"MR", "film"}
    with pytest.raises(ParameterError, match="train, val, test"):
        read_manifest(data, "all")
    with pytest.raises(InputError, match=r"MANIFEST\.csv"):
        read_manifest(data / "mr")


def test_cases_are_images_that_suit_the_task_and_no_masks(data):
    found = list_cases(read_manifest(data, "test"), TASKS)
    assert [(task.name, entry.name, seed) for task, entry, seed in found] == [
        ("mr", "mr/a", 0),
        ("mr", "mr/a", 1),
        ("film", "cxr/f", 0),
    ]


@pytest.mark.slow
def test_the_page_is_complete_and_a_second_run_does_nothing_again(data, tmp_path, monkeypatch):
    tasks = (dataclasses.replace(TASKS[0], seeds=(0,)), TASKS[1])  # a second seed would take 8 s more
    monkeypatch.setattr(measure, "TASKS", tasks)
    monkeypatch.setattr(page, "TASKS", tasks)
    out = tmp_path / "page"
    found = measure.run(data, out, workers=1)
    assert len(found) == 2
    kept = {path: path.stat().st_mtime_ns for path in (out / "cases" / "test").iterdir()}
    assert json.loads(json.dumps(measure.run(data, out, workers=1))) == found
    assert {path: path.stat().st_mtime_ns for path in kept} == kept

    page.write_page(found, data, out, "test")
    text = (out / "README.md").read_text(encoding="utf-8")
    for words in ("MR, spheres", "Films, squares", "shell-mean", "auto --self-check", "scikit-image", "split **test**"):
        assert words in text
    assert page.text(out) == text
    for picture in ("mr.webp", "film.webp", "self-check.webp"):
        assert (out / picture).stat().st_size > 1000
    rows = read_rows(out / "scores.csv.gz")
    methods = {row["method"] for row in rows if row["task"] == "mr"}
    assert methods >= {*measure.ENGINE, *measure.VOLUMES, *measure.HEADS, "shell-mean"}
    assert len(rows) == sum(len(case["scores"]) for case in found)
    assert len(read_rows(out / "checks.csv.gz")) == 2


def test_scikit_images_peer_leaves_known_voxels_alone():
    rng = np.random.default_rng(0)
    image, hole = rng.random((3, 20, 20)), np.zeros((3, 20, 20), bool)
    hole[1, 8:12, 8:12] = True
    filled = measure.skimage_slices(np.where(hole, 0, image), hole, (1.0, 1.0, 1.0))
    np.testing.assert_array_equal(filled[~hole], image[~hole])
    assert (filled[hole] != 0).all()
