"""The study of real lesions: planes, shapes, lesions and groups on heads whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.manifest import Entry
from MedInpaintLib.volume import Volume
from Research.real_lesions import holes, plain_flip, strokes
from Research.real_lesions.groups import grouped
from Research.real_lesions.heads import CSF, GREY, VENTRICLE, WHITE, Head
from Research.real_lesions.parts import CORTEX, DEEP_WHITE, VENTRICLES, describe
from Research.real_lesions.rules import best_of


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """Return an egg-shaped head of white matter in a rind of grey, with a ventricle in its middle."""
    shape, middle = (80, 100, 90), np.array([40.0, 50.0, 45.0])
    along = np.indices(shape) - middle.reshape(3, 1, 1, 1)
    radius = np.sqrt((along[0] / 36) ** 2 + (along[1] / 46) ** 2 + (along[2] / 40) ** 2)
    brain = radius < 1
    tissue = np.where(radius < 0.85, WHITE, GREY) * brain
    tissue[np.sqrt((along**2).sum(axis=0)) < 6] = VENTRICLE
    image = np.choose(tissue, [0.0, 20.0, 60.0, 100.0, 20.0]).astype(np.float32)
    entry = Entry(tmp_path_factory.mktemp("head") / "t1.nii.gz", "head/t1", "MR", "T1", "one", "val")
    spacing = (1.0, 1.0, 1.0)
    return Head(entry, Volume(image, spacing), brain, tissue.astype(np.uint8), np.zeros(shape, dtype=bool))


def turned_head(plane, shape):
    """Return an egg that is longer along a plane than across it, with the same texture on both sides."""
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 5)
    points = np.moveaxis(np.indices(shape), 0, -1).astype(float)
    at = plane.mirror(points)
    foot = (points + at) / 2
    aside = np.linalg.norm(points - foot, axis=-1)
    middle = np.array(shape) / 2
    body = (aside / 20) ** 2 + ((foot[..., 1] - middle[1]) / 28) ** 2 + ((foot[..., 0] - middle[0]) / 26) ** 2 < 1
    other = ndimage.map_coordinates(noise, np.moveaxis(at, -1, 0), order=1, mode="nearest")
    return np.where(body, 1000 + 100 * (noise + other) / noise.std(), 0).astype(np.float32)


def test_mirroring_twice_returns_every_voxel():
    plane = plain_flip.Plane(31.0, 0.1, -0.2, (2.0, 1.0, 1.5))
    points = np.random.default_rng(1).uniform(0, 50, (20, 3))
    assert np.allclose(plane.mirror(plane.mirror(points)), points)


def test_the_plane_of_a_symmetric_image_is_found():
    shape = (60, 64, 66)
    true = plain_flip.Plane(30.0, 0.08, -0.03, (1.0, 1.0, 1.0))
    image = turned_head(true, shape)
    hole = np.zeros(shape, dtype=bool)
    hole[20:40, 20:40, 40:55] = True
    found = plain_flip.fit(np.where(hole, 0, image), hole, (1.0, 1.0, 1.0))
    middle = np.array([[30.0, 32.0, 33.0]])
    assert np.abs(found.mirror(middle) - true.mirror(middle)).max() < 1
    assert abs(found.turn - true.turn) < 0.03


def test_a_shape_fills_the_same_share_of_the_brain_box_on_the_other_side_of_x(head):
    voxels = np.zeros(strokes.FIELD, dtype=bool)
    voxels[60:100, 40:150, 10:60] = True
    hole = strokes.lay(strokes.Shape("box", (0, 0, 0), voxels), head)
    box = ndimage.find_objects(head.brain.astype(int))[0]
    width = box[2].stop - box[2].start
    inside = ndimage.find_objects(hole.astype(int))[0]
    assert inside[2].stop - box[2].start == pytest.approx(width * (1 - 10 / 157), abs=1.5)
    assert inside[2].start - box[2].start == pytest.approx(width * (1 - 60 / 157), abs=1.5)
    assert (hole <= head.brain).all()


def test_one_sided_shapes_keep_to_one_side_of_the_field():
    voxels = np.ones((5, 5, 10), dtype=bool)
    assert strokes.is_one_sided(strokes.Shape("right", (50, 50, 100), voxels))
    assert not strokes.is_one_sided(strokes.Shape("both", (50, 50, 74), voxels))


def test_lesions_have_their_volume_keep_apart_and_stay_in_the_brain(head, monkeypatch):
    monkeypatch.setattr(holes, "TOTAL_ML", 8.0)
    labels = holes.cut(head, holes.MS, head.entry.path)
    assert (labels == holes.cut(head, holes.MS, head.entry.path)).all()
    assert not (labels[~head.brain] > 0).any()
    total = np.count_nonzero(labels) / 1000
    assert holes.TOTAL_ML <= total < holes.TOTAL_ML + 3
    for number in range(1, labels.max() + 1, 7):
        others = (labels > 0) & (labels != number)
        assert ndimage.distance_transform_edt(~others)[labels == number].min() > holes.APART


def test_parts_are_told_apart_by_the_tissue_around_them(head):
    labels = np.zeros(head.brain.shape, dtype=np.int32)
    plane = plain_flip.Plane(45.0, 0.0, 0.0, head.image.spacing)
    for number, corner in enumerate([(40, 50, 52), (40, 50, 70), (40, 50, 80)], start=1):
        labels[tuple(slice(at - 1, at + 2) for at in corner)] = number
    labels[39:42, 49:52, 19:22] = 4  # the mirrored place of the second part
    rows = describe(head, labels, plane)
    assert [row["tissue"] for row in rows[:3]] == [VENTRICLES, DEEP_WHITE, CORTEX]
    assert [row["mirrored"] for row in rows] == [1.0, 0.0, 1.0, 0.0]
    assert [row["depth_mm"] for row in rows] == [2.0] * 4  # 27 voxels: the middle one is two from a known one
    assert rows[0]["ml"] == 0.027
    assert CSF == 1


def test_the_cheapest_of_equals_is_chosen():
    assert best_of({"biharmonic": 24.95, "unet": 25.0}) == "biharmonic"
    assert best_of({"biharmonic": 24.8, "unet": 25.0, "rfr": 25.1}) == "unet"


def test_the_best_of_a_group_is_by_person_and_leaves_auto_out():
    base = {"image": "a", "kind": "ms", "ml": 1.0, "tissue": CORTEX, "contrast": "T1"}
    rows = [
        {**base, "subject": subject, "part": part, "method": method, "psnr": psnr}
        for subject, part, scores in (("p", 1, (20, 24, 30)), ("p", 2, (20, 24, 30)), ("q", 3, (30, 22, 30)))
        for method, psnr in zip(("harmonic", "unet", "auto"), scores, strict=True)
    ]
    (group,) = grouped(rows)
    assert (group.best, group.parts, group.people) == ("harmonic", 3, 2)
    assert group.means == {"harmonic": 25.0, "unet": 23.0, "auto": 30.0}
