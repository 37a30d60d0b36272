"""Words for a place in the brain: known places of MNI, shares of parts, and what reports say of them."""

import json

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.atlas import regions
from MedInpaintLib.atlas.maps import head_maps
from MedInpaintLib.atlas.regions import MIRRORED, NAMES, region_map, region_shares, tissue_shares
from MedInpaintLib.atlas.registration import Registration
from MedInpaintLib.report import NO_REGIONS, shares_in_words

#: A head as of :func:`head_maps` at 4 mm: up, to the front and to the right are the axes k, j and i.
MM = 4
DIRECTION = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
#: Places that anatomists agree on, MNI mm (superior, anterior, right), from the literature on MNI coordinates.
PLACES = [
    ((8, -20, -10), "left deep nuclei"),  # thalamus
    ((8, -20, 10), "right deep nuclei"),
    ((2, 4, 26), "right deep nuclei"),  # putamen
    ((12, 12, -12), "left deep nuclei"),  # caudate
    ((-14, -22, 26), "right hippocampus"),
    ((-18, -4, -22), "left amygdala"),
    ((-40, -60, 20), "right cerebellum"),
    ((-40, -60, -20), "left cerebellum"),
    ((16, 0, 8), "right lateral ventricle"),
    ((16, 0, -8), "left lateral ventricle"),
    ((-30, -26, 0), "brainstem"),  # pons
    ((30, -20, -28), "left white matter"),  # corona radiata
    ((4, -90, -8), "left cortex"),  # primary visual cortex
    ((30, 20, 4), "right cortex"),  # cingulate gyrus
    ((0, 6, 40), "right cortex"),  # insula
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("registrations")


@pytest.fixture(autouse=True)
def apart(folder, monkeypatch):
    """Keep registrations out of the user's cache; the head with its hole is registered once for all tests."""
    monkeypatch.setenv("MEDINPAINT_REGISTRATIONS", str(folder))


def at(place, mm=1.0, origin=None):
    """Return the index of MNI mm in a grid."""
    return tuple(np.rint((np.array(place) - (head_maps().origin if origin is None else origin)) / mm).astype(int))


def ball(place, radius):
    """Return the voxels of the head that lie around MNI mm."""
    maps = head_maps(MM)
    index = np.indices(maps.brain.shape) * MM + maps.origin.reshape(3, 1, 1, 1)
    return ((index - np.reshape(place, (3, 1, 1, 1))) ** 2).sum(axis=0) <= radius**2


@pytest.fixture(scope="module")
def head():
    """A T1 image of the average head, 4 mm, with 800 for its brightest voxels and some noise."""
    bright = head_maps(MM).channels[3] / head_maps(MM).channels[3].max()
    noise = np.random.default_rng(0).normal(scale=8.0, size=bright.shape)
    array = np.where(bright > 0.02, np.maximum(800 * bright + noise, 1), 0).astype(np.int16)
    return mi.Volume(array, (MM,) * 3, (60.0, -20.0, 33.0), DIRECTION)


@pytest.fixture(scope="module")
def hole(head):
    """A hole of two parts: in the left thalamus, and in the right half of the cerebellum."""
    return head.with_array((ball((8, -20, -12), 8) | ball((-38, -62, 24), 10)).astype(np.uint8))


EXPECTED = ["left deep nuclei", "right cerebellum"]


def largest(report):
    """Return the region that holds most of each part."""
    return sorted(next(iter(part["regions"])) for part in report["parts"])


def exact():
    """The registration of the head: no search, no deformation."""
    maps = head_maps(MM)
    return Registration(MM * np.eye(3), maps.origin, None, 1.0)


def around(mask):
    """Return the smallest box around voxels, and the voxels in it."""
    box = tuple(slice(int(each.min()), int(each.max()) + 1) for each in np.nonzero(mask))
    return box, mask[box]


@pytest.mark.parametrize(("place", "name"), PLACES)
def test_known_places_have_their_names(place, name):
    assert NAMES[region_map().at(np.array(place, dtype=float)[:, np.newaxis])[0]] == name


def test_the_map_is_symmetric_and_lies_on_the_grid_of_the_atlas():
    numbers = region_map().numbers
    assert numbers.shape == head_maps().brain.shape
    assert list(region_map().origin) == list(head_maps().origin)
    middle = numbers.shape[2] // 2
    mirrored = MIRRORED[numbers[:, :, ::-1]]
    assert (mirrored[:, :, :middle] == numbers[:, :, :middle]).all()
    assert sorted(np.unique(numbers)) == list(range(len(NAMES)))


def test_regions_agree_with_the_tissue_maps_of_the_atlas():
    grey, white, csf = head_maps().channels[:3]
    names = np.array(NAMES)[region_map().numbers]
    assert white[np.isin(names, ["left white matter", "right white matter"])].mean() > 0.8
    assert grey[np.isin(names, ["left cortex", "right cortex"])].mean() > 0.6
    assert csf[np.isin(names, ["left lateral ventricle", "right lateral ventricle"])].mean() > 0.5
    # Half of the brain's volume, as textbooks have it, is cortex.
    assert 0.35 < np.isin(names, ["left cortex", "right cortex"]).sum() / (names != "").sum() < 0.6


def test_what_lies_outside_of_the_map_is_no_region():
    places = np.array([[200.0, 0.0, -500.0], [0.0, 300.0, 0.0], [0.0, 0.0, 90.0]]).T
    assert not region_map().at(places).any()


@pytest.mark.parametrize(
    ("place", "radius", "name"), [((8, -20, -10), 7, "left deep nuclei"), ((-40, -62, 24), 11, "right cerebellum")]
)
def test_shares_of_a_part_add_up_to_at_most_one_the_largest_first(place, radius, name):
    box, voxels = around(ball(place, radius))
    shares = region_shares(exact(), box, voxels)
    assert next(iter(shares)) == name
    assert shares[name] > 0.5
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert 0 < sum(shares.values()) <= 1 + 1e-9
    tissues = tissue_shares(exact(), box, voxels)
    assert set(tissues) == {"grey", "white", "csf"}
    assert 0.9 < sum(tissues.values()) <= 1 + 1e-5


def test_shares_are_those_of_the_voxels_alone_and_of_each_voxel_alike():
    """A part of two far voxels has the mean of their shares, whatever lies between them."""
    mask = np.zeros(head_maps(MM).brain.shape, dtype=bool)
    origin = head_maps(MM).origin
    for place in ((30, -20, -28), (-30, -26, 0)):
        mask[at(place, MM, origin)] = True
    box, voxels = around(mask)
    assert region_shares(exact(), box, voxels) == {"left white matter": 0.5, "brainstem": 0.5}


def test_the_parts_of_a_fill_are_named_and_the_report_is_json(head, hole):
    result = mi.inpaint(head, hole, method="shell-mean", regions=True, modality="MR")
    report = json.loads(json.dumps(result.report))
    assert report == result.report
    assert largest(report) == EXPECTED
    for part in report["parts"]:
        assert sum(part["regions"].values()) <= 1.001
        assert sum(part["tissues"].values()) <= 1.001
    assert report["seconds"]["regions"] > 0
    assert NO_REGIONS not in report["notes"]


def test_a_fill_that_is_not_asked_does_not_register(head, hole, monkeypatch):
    monkeypatch.setattr("MedInpaintLib.pipeline.register", lambda *arguments: pytest.fail("registered"))
    report = mi.inpaint(head, hole, method="shell-mean", modality="MR").report
    assert not any({"regions", "tissues"} & set(part) for part in report["parts"])
    assert "regions" not in report["seconds"]


def test_a_fill_from_the_atlas_names_the_regions_without_being_asked(head, hole):
    assert largest(mi.inpaint(head, hole, method="atlas", modality="MR").report) == EXPECTED


def test_images_that_are_filled_together_have_the_regions_of_the_first(head, hole):
    other = head.with_array(((900 - head.array) * (head.array > 0)).astype(np.int16))
    for result in mi.inpaint_together([head, other], hole, method="shell-mean", modality="MR", regions=True):
        assert largest(result.report) == EXPECTED


def test_labels_without_names_are_named_by_the_atlas_where_the_image_is_given(head, hole):
    labels = np.zeros(head.array.shape, dtype=np.uint8)
    labels[ball((-38, -62, -24), 14)] = 1
    labels[ball((-38, -62, 24), 14)] = 2
    labels[ball((8, -20, -12), 10) | ball((8, -20, 12), 10)] = 3  # half of it on each side: no single name
    segmentation = head.with_array(labels)
    report = mi.lesion_back(segmentation, hole, image=head).report
    names = {row["label"]: (row["name"], row["side"]) for row in report["regions"]}
    assert (names[1], names[2], names[3][0]) == (("left cerebellum", "left"), ("right cerebellum", "right"), "")
    assert report["numbering"] == "atlas"
    assert report["lesion"]["left_ml"] > 0 < report["lesion"]["right_ml"]
    assert mi.lesion_back(segmentation, hole).report["numbering"] == "none"
    assert mi.lesion_back(segmentation, hole, image=head, names={1: "mine"}).report["numbering"] == "table"
    with pytest.raises(mi.MedInpaintError, match="another grid"):
        mi.lesion_back(segmentation, hole, image=mi.Volume(head.array, head.spacing, (0.0, 0.0, 0.0), DIRECTION))


def test_an_image_without_a_head_names_no_labels_and_is_warned_of():
    labels = np.zeros((12, 12, 12), dtype=np.uint8)
    labels[2:10, 2:10, 2:10] = 7
    mask = labels * 0
    mask[4:6, 4:6, 4:6] = 1
    noise = np.random.default_rng(2).integers(100, 900, labels.shape).astype(np.int16)
    report = mi.lesion_back(labels, mask, image=noise, spacing=2.0).report
    assert report["numbering"] == "none"
    assert "The atlas names no regions: the image cannot show a head." in report["warnings"]


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_an_image_that_cannot_show_a_head_gives_no_regions_and_says_why(modality):
    array = np.random.default_rng(1).integers(100, 900, (16, 16, 16)).astype(np.int16)
    hole = np.zeros(array.shape, dtype=np.uint8)
    hole[7:9, 7:9, 7:9] = 1
    spacing = 3.0 if modality == "MR" else 10.0  # too small, or of a kind that the atlas does not know
    options = {"method": "shell-mean", "modality": modality, "spacing": spacing}
    report = mi.inpaint(array, hole, **options, regions=True).report
    assert report["notes"][NO_REGIONS] == "the image cannot show a head"
    assert not {"regions", "tissues"} & set(report["parts"][0])
    assert NO_REGIONS not in mi.inpaint(array, hole, **options).report["notes"]


def test_a_registration_that_failed_names_nothing():
    failed = Registration(np.eye(3), np.zeros(3), None, 0.12)
    known = regions.anatomy(None, [], failed)
    assert (known.regions, known.tissues) == ({}, {})
    assert known.reason == "no head was found in the image (correlation with the atlas 0.12)"
    assert regions.anatomy(None, [], failed, asked=False).reason == ""


def test_words_name_the_largest_shares_first_and_leave_small_ones_out():
    shares = {"left cortex": 0.62, "left white matter": 0.301, "left hippocampus": 0.049}
    assert shares_in_words(shares) == "left cortex (62 %), left white matter (30 %)"
    assert shares_in_words({}) == ""


def test_a_missing_map_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(regions, "atlas_file", lambda: tmp_path / "head.npz")
    region_map.cache_clear()
    with pytest.raises(mi.MedInpaintError, match=r"no file Atlas/regions\.npz in the resources"):
        region_map()
    region_map.cache_clear()
