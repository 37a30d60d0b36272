"""Words for a place in the brain: known places of MNI, shares of parts, and what reports say of them."""

import json

import numpy as np
import pytest

import MedInpaintLib as mi
from MedInpaintLib.atlas import regions
from MedInpaintLib.atlas.maps import head_maps
from MedInpaintLib.atlas.regions import MIRRORED, NAMES, region_map, region_shares, tissue_shares
from MedInpaintLib.atlas.registration import Registration
from MedInpaintLib.report import NO_REGIONS

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
    ((54, -24, 44), "right cortex"),  # postcentral gyrus
]


@pytest.fixture(autouse=True)
def kept_apart(tmp_path_factory, monkeypatch):
    """Keep registrations out of the user's cache."""
    monkeypatch.setenv("MEDINPAINT_REGISTRATIONS", "off")


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


@pytest.mark.parametrize(("place", "radius", "name"), [((8, -20, -10), 7, "left deep nuclei"), ((-40, -62, 24), 11, "right cerebellum")])
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


def test_the_parts_of_a_fill_are_named_and_the_report_is_json(head):
    hole = ball((8, -20, -12), 8) | ball((-38, -62, 24), 10)
    result = mi.inpaint(head, head.with_array(hole.astype(np.uint8)), method="shell-mean", regions=True, modality="MR")
    report = json.loads(json.dumps(result.report))
    assert report == result.report
    named = {part["number"]: next(iter(part["regions"])) for part in report["parts"]}
    assert sorted(named.values()) == ["left deep nuclei", "right cerebellum"]
    for part in report["parts"]:
        assert sum(part["regions"].values()) <= 1.001
        assert sum(part["tissues"].values()) <= 1.001
    assert report["seconds"]["regions"] > 0
    assert NO_REGIONS not in report["notes"]


def test_a_fill_that_is_not_asked_does_not_register(head, monkeypatch):
    monkeypatch.setattr("MedInpaintLib.pipeline.register", lambda *arguments: pytest.fail("registered"))
    hole = ball((8, -20, -12), 8)
    report = mi.inpaint(head, head.with_array(hole.astype(np.uint8)), method="shell-mean", modality="MR").report
    assert not {"regions", "tissues"} & set(report["parts"][0])
    assert "regions" not in report["seconds"]


def test_a_fill_from_the_atlas_names_the_regions_without_being_asked(head):
    hole = ball((-38, -62, 24), 10)
    report = mi.inpaint(head, head.with_array(hole.astype(np.uint8)), method="atlas", modality="MR").report
    assert next(iter(report["parts"][0]["regions"])) == "right cerebellum"


def test_an_image_that_shows_no_head_gives_no_regions_and_says_why():
    array = np.random.default_rng(1).integers(100, 900, (16, 16, 16)).astype(np.int16)
    hole = np.zeros(array.shape, dtype=np.uint8)
    hole[7:9, 7:9, 7:9] = 1
    small = mi.inpaint(array, hole, spacing=3.0, method="shell-mean", modality="MR", regions=True).report
    assert small["notes"][NO_REGIONS] == "the image cannot show a head"
    noise = mi.inpaint(array, hole, spacing=6.0, method="shell-mean", modality="MR", regions=True).report
    assert noise["notes"][NO_REGIONS].startswith(("no head was found in the image", "the image does not agree"))
    for report in (small, noise):
        assert not {"regions", "tissues"} & set(report["parts"][0])
    films = mi.inpaint(array[0], hole[7], method="shell-mean", modality="film", regions=True).report
    assert films["notes"][NO_REGIONS] == "the image cannot show a head"


def test_images_that_are_filled_together_have_the_regions_of_the_first(head):
    hole = head.with_array(ball((-38, -62, 24), 10).astype(np.uint8))
    other = head.with_array((900 - head.array) * (head.array > 0))
    results = mi.inpaint_together([head, other], hole, method="shell-mean", modality="MR", regions=True)
    first, second = (result.report["parts"][0]["regions"] for result in results)
    assert first == second
    assert next(iter(first)) == "right cerebellum"


def test_a_missing_map_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(regions, "atlas_file", lambda: tmp_path / "head.npz")
    region_map.cache_clear()
    with pytest.raises(mi.MedInpaintError, match=r"no file Atlas/regions\.npz in the resources"):
        region_map()
    region_map.cache_clear()
