"""The study of tissue volumes: a brain of three tissues of known volumes, and the page that its folder makes."""

from __future__ import annotations

import csv
import functools
import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.volume import Volume
from Research.__main__ import main
from Research.tissue_volumes import measure, page
from Research.tissue_volumes.lesions import (
    BESIDE,
    IN_WHITE,
    Anatomy,
    beside_ventricles,
    darkened,
    in_white_matter,
    ventricles,
)
from Research.tissue_volumes.segmentation import CSF, GREY, WHITE, k_means, segment

DOCS = Path(__file__).parents[3] / "docs" / "tissue-volumes"
SHAPE, MM = (56, 64, 60), (2.0, 2.0, 2.0)
MEANS = np.array([0, 150, 500, 800])


@functools.cache
def truth():
    """0: background, 1: CSF, 2: grey, 3: white matter; the ventricle in the middle."""
    at = np.indices(SHAPE) - np.reshape([28, 32, 30], (3, 1, 1, 1))
    r = np.sqrt(((at / np.reshape([24, 28, 26], (3, 1, 1, 1))) ** 2).sum(axis=0))
    return np.select([r < 0.2, r < 0.75, r < 0.95, r < 1], [1, 3, 2, 1], 0)


@functools.cache
def brain(bias=0.0):
    noise = np.random.default_rng(0).normal(scale=40, size=SHAPE)
    field = 1 + bias * (np.indices(SHAPE)[1] - 32) / 28
    return np.where(truth() > 0, np.maximum(np.rint(MEANS[truth()] * field + noise), 1), 0).astype(np.int16)


@functools.cache
def anatomy():
    image = brain()
    return Anatomy(image, image > 0, segment(image, image > 0, MM), MM)


@pytest.mark.parametrize("bias", [0.0, 0.15, -0.15])
def test_tissues_of_known_volumes_are_found_in_spite_of_noise_and_a_bias_field(bias):
    tissues = segment(brain(bias), truth() > 0, MM)
    for tissue in (CSF, GREY, WHITE):
        assert tissues.voxels(tissue) == pytest.approx(np.count_nonzero(truth() == tissue + 1), rel=0.02)
    assert (tissues.labels[truth() == 0] == -1).all()


def test_three_means_are_those_of_three_groups():
    values = np.concatenate([np.full(300, 10.0), np.full(500, 50.0), np.full(200, 90.0)])
    values += np.random.default_rng(0).normal(size=values.size)
    np.testing.assert_allclose(k_means(values), [10, 50, 90], atol=0.5)


def test_lesions_lie_in_white_matter_and_have_the_volume():
    labels = in_white_matter(anatomy(), 8.0, np.random.default_rng(1))
    assert 8.0 <= anatomy().ml(np.count_nonzero(labels)) < 9.0
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        own = labels[box] == number
        assert (anatomy().tissues.labels[box][own] == WHITE).mean() >= IN_WHITE
    _, count = ndimage.label(labels > 0, np.ones((3, 3, 3)))
    assert count == labels.max()  # no two touch


def test_lesions_beside_the_ventricle_come_near_and_hold_no_csf():
    labels = beside_ventricles(anatomy(), 3.0, np.random.default_rng(1))
    assert labels.max() >= 1
    distance = ndimage.distance_transform_edt(~ventricles(anatomy()), sampling=MM)
    for number in range(1, labels.max() + 1):
        assert distance[labels == number].min() <= BESIDE
    assert (anatomy().tissues.labels[labels > 0] > CSF).all()


def test_the_ventricle_is_the_csf_in_the_middle():
    middle = (truth() == 1) & (ndimage.distance_transform_edt(truth() > 0) > 8)
    assert np.count_nonzero(ventricles(anatomy()) != middle) < 0.05 * np.count_nonzero(middle)


def test_lesions_are_as_dark_as_grey_matter_and_the_rest_stays():
    labels = in_white_matter(anatomy(), 8.0, np.random.default_rng(1))
    damaged = darkened(anatomy(), labels, np.random.default_rng(1))
    assert np.array_equal(damaged[labels == 0], anatomy().image[labels == 0])
    for number in range(1, labels.max() + 1):
        fall = (anatomy().image[labels == number] - damaged[labels == number]).mean()
        assert 0.75 * 300 < fall < 1.45 * 300


@pytest.fixture
def data(tmp_path):
    """A healthy brain, and a patient with a mask."""
    rows = ["path,modality,contrast,subject_id,split"]
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[26:30, 30:34, 44:47] = 1
    for name, contrast, array in (
        ("mr_t1/ds002748-99/t1", "T1", brain()),
        ("lju-cs07/t1", "T1", brain()),
        ("lju-cs07/mask", "MASK-lesion", mask),
    ):
        path = tmp_path / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        Volume(array, MM).write(path)
        subject, split = name.split("/")[-2], "val" if "ds" in name else "train"
        rows.append(f"{name}.nii.gz,MR,{contrast},{subject},{split}")
    (tmp_path / "MANIFEST.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def test_fills_bring_the_volumes_back(data):
    (entry,) = read_manifest(data, "val")
    rows = {row["what"]: row for row in measure.volumes(entry, ["white-matter"])}
    assert rows[measure.LEFT_IN]["white"] < -1
    assert rows[measure.LEFT_IN]["grey"] > 1
    for tissue in ("grey", "white"):
        assert abs(rows["white-matter"][tissue]) < 0.2 * abs(rows[measure.LEFT_IN][tissue])


def test_the_command_writes_tables_and_page(data, tmp_path):
    out = tmp_path / "out"
    chosen = ["--split", "val", "--method", "biharmonic", "--method", "white-matter"]
    assert main(["tissue-volumes", "--data", str(data), "--out", str(out), *chosen]) == 0
    assert (out / page.PAGE).read_text(encoding="utf-8") == page.text(out)
    dark = page.read_rows(out / page.DARK)
    assert {(row["subject"], row["what"]) for row in dark} == {
        (subject, method) for subject in ("ds002748-99", "lju-cs07") for method in ("biharmonic", "white-matter")
    }
    assert all(float(row["csf"]) == 0 for row in dark if row["what"] == "white-matter")


def test_data_without_the_people_are_refused(tmp_path, capsys):
    (tmp_path / "MANIFEST.csv").write_text("path,modality,contrast,subject_id,split\n", encoding="utf-8")
    assert main(["tissue-volumes", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "lack images 'mr_t1/ds002748-*' of test" in capsys.readouterr().err


def test_the_page_says_what_the_table_says(tmp_path):
    for name in (page.VOLUMES, page.DARK, "facts.json"):
        shutil.copy(DOCS / name, tmp_path)
    with gzip.open(tmp_path / page.DARK, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[-1][rows[0].index("csf")] = "77.125"
    with gzip.open(tmp_path / page.DARK, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    assert "77.12" in page.text(tmp_path)
    assert "77.12" not in page.text(DOCS)
