"""The sample images are what their index and their page say."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.volume import Volume

FIELDS = {
    "name",
    "title",
    "image",
    "mask",
    "truth_known",
    "modality",
    "split",
    "subject",
    "licence",
    "source",
    "citation",
}
NAMES = ["brain-t1", "brain-t1-lesion", "ct-slab", "chest-film"]


@pytest.fixture(scope="module")
def index(samples):
    return {
        entry["name"]: entry for entry in json.loads((samples / "index.json").read_text(encoding="utf-8"))["samples"]
    }


def test_the_index_lists_a_brain_its_lesions_a_ct_slab_and_a_film(index):
    assert list(index) == NAMES
    for entry in index.values():
        assert set(entry) == FIELDS
        assert entry["split"] in ("train", "val")  # a test subject must not become familiar
        assert all(entry[field] for field in FIELDS - {"truth_known"})


@pytest.mark.parametrize("name", NAMES)
def test_each_mask_is_on_its_images_grid_and_neither_empty_nor_large(samples, index, name):
    image, mask = (Volume.read(samples / index[name][which]) for which in ("image", "mask"))
    assert not image.grid_difference(mask)
    assert 0 < (mask.array > 0).mean() < 0.05


def test_all_files_together_are_a_few_megabytes(samples):
    assert sum(path.stat().st_size for path in samples.iterdir()) <= 5e6


def test_every_file_is_listed_on_the_page_with_its_citation(samples, index):
    page = (samples / "README.md").read_text(encoding="utf-8")
    for path in samples.iterdir():
        assert f"`{path.name}`" in page or path.name == "README.md"
    for entry in index.values():
        doi = re.search(r"doi:(\S+?)[;.]?(\s|$)", entry["citation"])
        assert entry["subject"] in page
        assert doi is None or doi[1] in page
        assert entry["source"].removeprefix("https://").removeprefix("doi.org/") in page


def test_the_synthetic_spheres_are_20_mm_wide_and_5_mm_off_every_lesion(samples):
    holes, lesions = (Volume.read(samples / f"brain-t1-{which}.nii.gz") for which in ("hole", "lesion"))
    assert np.unique(holes.array).tolist() == [0, 1, 2]
    for label in (1, 2):
        box = ndimage.find_objects(holes.array)[label - 1]
        assert [part.stop - part.start for part in box] == [21, 21, 21]
    assert ndimage.distance_transform_edt(lesions.array == 0)[holes.array > 0].min() > 5


def test_the_lines_on_the_page_make_the_holes_that_are_there(samples, monkeypatch):
    code = re.search(r"```python\n(.*?)```", (samples / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    monkeypatch.chdir(samples)
    made: dict[str, np.ndarray] = {}
    exec(code, made)
    for name, file in (
        ("brain", "brain-t1-hole.nii.gz"),
        ("ct", "ct-slab-hole.nii.gz"),
        ("film", "chest-film-hole.png"),
    ):
        stored = Volume.read(samples / file).array
        assert ((made[name] > 0) == (stored > 0)).all()
