"""The shapes of real lesions: what a mask gives, what comes with MedInpaint, and the script that made it."""

from __future__ import annotations

import csv
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.errors import ImageReadError, MaskError
from MedInpaintLib.holes import lesion_shapes, parse, place
from MedInpaintLib.holes.lesion_shapes import VOXELS, released_shapes, shapes_of
from MedInpaintLib.samples import sample
from MedInpaintLib.volume import Volume

REPOSITORY = Path(__file__).resolve().parents[3]
_specification = importlib.util.spec_from_file_location("make_shapes", REPOSITORY / "Testing" / "lesion_shapes.py")
script = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(script)


def ellipsoid(spacing, radii_mm, shape=(30, 50, 50)):
    steps = np.ogrid[tuple(slice(0, size) for size in shape)]
    return sum(((x - n // 2) * mm / r) ** 2 for x, n, mm, r in zip(steps, shape, spacing, radii_mm, strict=True)) <= 1


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 0.7), (0.5, 0.5, 0.5)])
def test_a_shape_is_the_lesion_in_cubic_voxels_of_its_own_scale(spacing):
    """An ellipsoid of 9 x 6 x 6 mm, on any grid, is one of 10.49 x 6.99 x 6.99 voxels with a ball's volume."""
    (shape,) = shapes_of(Volume(ellipsoid(spacing, (9, 6, 6)).astype(np.uint8), spacing))
    assert shape.sum() == VOXELS
    values = np.linalg.eigvalsh(np.cov(np.argwhere(shape).T))  # of an ellipsoid: radius squared over 5
    long = 8 * 1.5 ** (2 / 3)
    assert np.sqrt(5 * values) == pytest.approx([long / 1.5, long / 1.5, long], rel=0.1)


def test_each_lesion_gives_a_shape_and_what_is_too_small_or_flat_gives_none():
    mask = np.zeros((20, 40, 40), dtype=np.uint8)
    mask[2:7, 2:7, 2:7] = 1
    mask[12:17, 20:25, 20:26] = 7  # any label
    mask[2:5, 30:33, 30:33] = 1  # 27 voxels
    mask[10:12, 2:12, 2:12] = 1  # two slices
    assert len(shapes_of(Volume(mask, (1.0, 1.0, 1.0)))) == 2


@pytest.mark.parametrize("shape", [(20, 20, 20), (1, 20, 20), (20, 20)])
def test_a_mask_without_a_shape_is_refused_with_what_is_needed(shape):
    mask = np.zeros(shape, dtype=np.uint8)
    mask[..., 3:13, 3:5] = 1
    with pytest.raises(MaskError, match=r"no lesion to take a shape from.*50 or more voxels"):
        shapes_of(Volume(mask, 1.0))


def test_a_mask_that_is_not_there_is_named():
    with pytest.raises(ImageReadError, match=r"no-such-mask\.nii"):
        place("lesions:9mm:from=no-such-mask.nii", (40, 40))


def test_the_lesions_of_a_sample_can_be_drawn_in_volumes_and_slices():
    spec = f"lesions:9mm:2:from={sample('brain-t1-lesion').mask}"
    assert place(spec, (40, 60, 60), seed=1).max() == 2
    assert place(spec, (60, 60), seed=1).max() == 2


def test_the_released_shapes_are_lesions_of_one_size_in_one_piece():
    shapes = released_shapes()
    assert len(shapes) >= 36
    for shape in shapes:
        assert shape.dtype == bool
        assert shape.sum() == VOXELS == round(math.pi / 6 * 16**3)
        assert ndimage.label(shape)[1] == 1
        assert shape.shape == tuple(part.stop for part in ndimage.find_objects(shape.astype(int))[0])
    assert len({shape.tobytes() for shape in shapes}) == len(shapes)


def test_the_file_is_small_and_its_note_names_every_subject_and_the_licence():
    assert lesion_shapes._RELEASED.stat().st_size < 100_000
    note = lesion_shapes._RELEASED.with_suffix(".md").read_text(encoding="utf-8")
    with np.load(lesion_shapes._RELEASED) as file:
        subjects = file["subjects"].tolist()
    assert len(subjects) == len(released_shapes())
    assert f"{len(subjects)} real lesions" in note
    for subject in subjects:
        assert f"`{subject}`" in note
    assert "(CC-BY) license" in note


@pytest.fixture
def data(tmp_path):
    """A folder with a manifest; each mask shows one box whose length tells the masks apart."""
    rows = [
        # path, contrast, subject, split, licence, thickness of the slices, length of the box
        ("a1.nii.gz", "MASK-lesion", "a", "train", "CC BY 4.0", 3.0, 8),
        ("a2.nii.gz", "MASK-lesion", "a", "train", "CC BY 4.0", 2.0, 9),
        ("b.nii.gz", "MASK-lesion_change_mask", "b", "train", "MIT", 1.0, 10),
        ("c.nii.gz", "MASK-lesion", "c", "test", "CC BY 4.0", 1.0, 11),
        ("d.nii.gz", "MASK-lesion", "d", "val", "CC BY 4.0", 1.0, 12),
        ("e.nii.gz", "MASK-brainmask", "e", "train", "CC BY 4.0", 1.0, 13),
        ("f.nii.gz", "MASK-lesion", "f", "train", "CC BY-NC 4.0", 1.0, 14),
        ("g.nii.gz", "MASK-lesion", "g", "train", "", 1.0, 15),
        ("h.nii.gz", "MASK-lesion", "h", "train", "CC BY 4.0", 1.0, 1),
    ]
    with (tmp_path / "MANIFEST.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["path", "modality", "contrast", "subject_id", "split", "licence"])
        for path, contrast, subject, split, licence, mm, length in rows:
            table.writerow([path, "MR", contrast, subject, split, licence])
            mask = np.zeros((16, 24, 24), dtype=np.uint8)
            mask[4:10, 4:10, 4 : 4 + length] = 1
            Volume(mask, (mm, 1.0, 1.0)).write(tmp_path / path)
    return tmp_path


def test_the_script_takes_lesions_of_training_subjects_that_may_be_given_away(data, tmp_path, monkeypatch):
    target = tmp_path / "shapes.npz"
    assert script.make(data, target) == {"a": 1, "b": 1}
    monkeypatch.setattr(lesion_shapes, "_RELEASED", target)
    made = released_shapes.__wrapped__()
    expected = [shapes_of(Volume.read(data / name))[0] for name in ("a2.nii.gz", "b.nii.gz")]
    assert all((ours == theirs).all() for ours, theirs in zip(made, expected, strict=True))
    before = target.read_bytes()
    script.make(data, target)
    assert target.read_bytes() == before


def test_shapes_are_read_once_for_all_holes_of_a_description(tmp_path, monkeypatch):
    reads = []
    read = Volume.read
    monkeypatch.setattr(Volume, "read", lambda path: reads.append(path) or read(path))
    lesions = parse(f"lesions:9mm:3:from={sample('brain-t1-lesion').mask}")
    for seed in range(3):
        place(lesions, (64, 64), seed=seed)
    assert len(reads) == 1
