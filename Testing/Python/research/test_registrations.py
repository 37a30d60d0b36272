"""The study of registrations: moves, folding and overlap of known fields, and the page of known scores."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from MedInpaintLib.atlas import deformable
from MedInpaintLib.atlas.deformable import Field, affine_places
from MedInpaintLib.atlas.maps import Maps
from MedInpaintLib.atlas.registration import Registration
from MedInpaintLib.atlas.scan import Scan
from MedInpaintLib.errors import InputError
from MedInpaintLib.volume import Volume
from Research.atlas_regions import GREY, WHITE
from Research.registrations import algorithms, page
from Research.registrations.heads import reduced
from Research.registrations.scores import folded, overlaps
from Research.registrations.start import Level
from Research.shared.facts import write_facts
from Research.shared.manifests import write_rows

SHAPE = (16, 18, 20)
BOX = tuple(slice(0, size) for size in SHAPE)


@pytest.fixture
def level():
    """A level of 2 mm blocks whose axes are those of MNI, with nothing in it."""
    steps = np.diag([2.0, 2.0, 2.0])
    empty = np.zeros(SHAPE, dtype=np.float32)
    scan = Scan(empty, empty, steps, np.zeros(3), (2.0,) * 3, (1,) * 3)
    maps = Maps(np.zeros((4, *SHAPE), dtype=np.float32), 2.0, np.zeros(3))
    return Level(scan, BOX, affine_places(steps, np.zeros(3), BOX), steps, maps, empty > 0)


def blobs(seed=0):
    """Return a smooth random image, 0..1."""
    values = ndimage.gaussian_filter(np.random.default_rng(seed).random((24, 26, 28)), 2.5)
    return ((values - values.min()) / np.ptp(values)).astype(np.float32)


@pytest.mark.parametrize("flow", [algorithms.demons, algorithms.ilk, algorithms.tv_l1])
def test_a_flow_finds_a_known_shift_along_its_axes(flow):
    pytest.importorskip("SimpleITK")
    pytest.importorskip("skimage")
    scan, shift = blobs(), (0.8, -0.5, 0.3)
    # Atlas[index + shift] is scan[index].
    atlas = ndimage.shift(scan, shift, order=3, mode="nearest").astype(np.float32)
    moves = flow(scan, atlas)
    middle = (slice(None), *(slice(6, -6),) * 3)
    np.testing.assert_allclose(moves[middle].mean(axis=(1, 2, 3)), shift, atol=0.25)


def test_moves_are_put_behind_a_field(level):
    """With constant fields they add up, in mm; a field that grows along an axis is read at the moved place."""
    moves = np.zeros_like(level.start)
    moves[1] = 1.0
    constant = np.full_like(level.start, 3.0)
    np.testing.assert_allclose(algorithms.behind(level, constant, moves)[:, 5, 5, 5], [3.0, 5.0, 3.0])
    growing = np.zeros_like(level.start)
    growing[0] = np.arange(SHAPE[1])[:, np.newaxis]
    np.testing.assert_allclose(algorithms.behind(level, growing, moves)[:, 5, 5, 5], [6.0, 2.0, 0.0])


def test_the_smoothing_is_changed_inside_the_block_alone():
    before = deformable.ELASTIC, deformable.AT_HOLE
    inside = []
    with pytest.raises(InputError):
        _fail(inside)
    assert inside == [0.3, 0.3]
    assert before == (deformable.ELASTIC, deformable.AT_HOLE)


def _fail(inside):
    with algorithms.elastic(0.3):
        inside += [deformable.ELASTIC, deformable.AT_HOLE]
        raise InputError("The atlas does not fit.")


def test_what_is_turned_inside_out_is_counted(level):
    """Within 5 of 16 planes the places run backwards: the slopes of np.gradient are negative there."""
    along = np.arange(SHAPE[0], dtype=float)
    along[6:11] = along[6:11][::-1]
    added = np.zeros_like(level.start)
    added[0] = 2.0 * (along - np.arange(SHAPE[0]))[:, np.newaxis, np.newaxis]
    slopes = np.gradient(along)
    assert np.count_nonzero(slopes <= 0) in (3, 4, 5)
    assert folded(level, Field(added, BOX, (1,) * 3, 0.0)) == pytest.approx(np.mean(slopes <= 0))
    assert folded(level, Field(0 * added, BOX, (1,) * 3, 0.0)) == 0
    assert folded(level, None) == 0


def test_label_maps_that_a_field_brings_onto_each_other_overlap_wholly():
    """The second person is the first one moved by two voxels.

    Every third voxel counts, so that three are white and one is grey along the last axis.
    """
    first = np.zeros(SHAPE, dtype=np.uint8)
    first[4:14, 4:14, 2:12] = WHITE[0]
    first[4:14, 4:14, 12:14] = GREY[0]
    second = np.roll(first, 2, axis=2)
    plain = Registration(np.eye(3), np.zeros(3), None, 1.0)
    added = np.zeros((3, *SHAPE), dtype=np.float32)
    added[2] = -2.0
    moved = dataclasses.replace(plain, field=Field(added, BOX, (1,) * 3, 1.0))
    for dice in overlaps([first, second], [plain, moved]):
        assert dice == {"grey": 1.0, "white": 1.0}
    for dice in overlaps([first, second], [plain, plain]):
        assert dice == {"grey": 0.0, "white": 0.667}


def test_a_reduced_head_lies_where_it_lay():
    """The centre of the first block is the middle of its eight voxels, along turned axes."""
    turned = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    array = np.arange(4 * 6 * 8).reshape(4, 6, 8).astype(np.int16)
    small = reduced(Volume(array, (1.0, 1.0, 1.0), (10.0, 20.0, 30.0), turned))
    assert small.array.shape == (2, 3, 4)
    assert small.spacing == (2.0, 2.0, 2.0)
    assert small.array[0, 0, 0] == array[:2, :2, :2].mean()
    np.testing.assert_allclose(small.origin, (10 - 0.5, 20 + 0.5, 30 + 0.5))


#: dB above the engine's own, and seconds.
GAINS = {"own numpy": (0.0, 4.0), "quick": (0.5, 2.0), "slow": (0.5, 9.0), "affine alone": (-1.0, 2.0)}


def write(folder, people):
    heads = [
        [f"p{n}/t1", f"p{n}", name, seconds, 0.01, 0.7, 25 + n + gain, 20 + n + gain]
        for n in range(people)
        for name, (gain, seconds) in GAINS.items()
    ]
    columns = ["image", "subject", "algorithm", "seconds", "folded", "correlation", *page.KINDS]
    write_rows(folder / page.HEADS, [columns, *heads])
    labels = [
        [onto, brought, name, 5.0, 0.0, 0.8, 0.7, 0.75 + share]
        for name in GAINS
        for onto, brought, share in (("a", "b", 0.0), ("b", "a", 0.1))
    ]
    columns = ["onto", "brought", "algorithm", "seconds", "folded", "correlation", "grey", "white"]
    write_rows(folder / page.LABELS, [columns, *labels])
    write_facts(folder, split="val")
    return page.text(folder)


def test_the_page_says_what_its_tables_say(tmp_path):
    text = write(tmp_path, people=6)
    assert "| quick | 2.0 | 1.00 % | 0.700 | 28.00 | 23.00 |" in text
    assert "| affine alone | yes: +1.00 dB" in text
    assert "| slow | no: -0.50 dB" in text
    assert "6 people" in text
    assert "| quick | 5.0 | 0.00 % | 0.800 | 0.700 and 0.700 | 0.750 and 0.850 | 0.700 | 0.800 |" in text
    assert text.rstrip().endswith("By fill and time, better than `own numpy`: quick.")


def test_few_people_are_too_few_to_tell(tmp_path):
    text = write(tmp_path, people=4)
    assert text.count("too few people to tell: ") == 2 * 3
    assert "No other algorithm fills both kinds of balls better" in text
