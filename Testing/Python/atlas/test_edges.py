"""The edges of the atlas on an image lie where the tissues of a head made by a known map end."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.atlas import edges
from MedInpaintLib.atlas.edges import BRAIN, WHITE, edge_labels
from MedInpaintLib.atlas.maps import head_maps
from MedInpaintLib.atlas.registration import Registration, register
from MedInpaintLib.errors import InputError
from MedInpaintLib.jobs.atlas_edges import AtlasEdgesJob
from MedInpaintLib.progress import Progress
from MedInpaintLib.volume import Volume

from .heads import MM, SHAPE, head

#: MNI mm (superior, anterior, right) of the middle of an image, whose axes point to superior, posterior, left.
MIDDLE = np.array([8.0, -18.0, 0.0])


def straight(shape, spacing, turn=0.0):
    """Return the registration of an image that an affine map brings onto the atlas, turned about the first axis."""
    c, s = np.cos(turn), np.sin(turn)
    matrix = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.diag([1.0, -1.0, -1.0]) @ np.diag(spacing)
    return Registration(matrix, MIDDLE - matrix @ ((np.array(shape) - 1) / 2), None, 1.0)


def expected(inside, axes=(0, 1, 2)):
    """Mark the voxels of a tissue beside one that is none, voxel by voxel."""
    marked = np.zeros_like(inside)
    for index in np.argwhere(inside):
        for axis in axes:
            for step in (-1, 1):
                other = index.copy()
                other[axis] += step
                if 0 <= other[axis] < inside.shape[axis] and not inside[tuple(other)]:
                    marked[tuple(index)] = True
    return marked


def tissue(share, registration, shape):
    """Return where a map of the atlas is half or more, by scipy's interpolation."""
    maps = head_maps()
    index = np.tensordot(registration.matrix, np.indices(shape, dtype=float), 1)
    at = index + (registration.offset - maps.origin).reshape(3, 1, 1, 1)
    return ndimage.map_coordinates(share, at, order=1) >= 0.5


@pytest.mark.parametrize(
    ("shape", "spacing", "axes"),
    [((46, 54, 46), (4.0, 4.0, 4.0), (0, 1, 2)), ((23, 70, 58), (8.0, 3.0, 3.0), (1, 2))],
    ids=["cubes", "thick slices"],
)
def test_edges_are_the_outermost_voxels_of_brain_and_white_matter(shape, spacing, axes):
    registration, maps = straight(shape, spacing, turn=0.3), head_maps()
    labels = edge_labels(registration, shape, spacing)
    brain = expected(tissue(maps.brain, registration, shape), axes)
    white = expected(tissue(maps.channels[1], registration, shape), axes)
    assert brain.sum() > 1000
    assert white.sum() > 1000
    # Shares of exactly one half are rounded to one side or the other.
    assert (labels == BRAIN)[brain].mean() > 0.999
    assert (labels == WHITE)[white & ~brain].mean() > 0.999
    assert np.count_nonzero(labels) == pytest.approx(np.count_nonzero(brain | white), rel=1e-3)


def test_a_cut_off_head_has_no_edge_at_the_border_of_the_image():
    shape = (10, 54, 46)
    labels = edge_labels(straight(shape, (4.0,) * 3), shape, (4.0,) * 3)
    whole = edge_labels(straight((46, 54, 46), (4.0,) * 3), (46, 54, 46), (4.0,) * 3)
    assert np.array_equal(labels[1:-1], whole[18:28][1:-1])
    assert np.count_nonzero(labels[0]) < np.count_nonzero(whole[18]) + 10


def test_slices_at_a_time_give_what_the_whole_image_gives(monkeypatch):
    shape, spacing = (30, 40, 40), (5.0,) * 3
    whole = edge_labels(straight(shape, spacing), shape, spacing)
    monkeypatch.setattr(edges, "SLICES", 7)
    assert np.array_equal(edge_labels(straight(shape, spacing), shape, spacing), whole)


@pytest.fixture(scope="module")
def damaged():
    """A bent head with a hole, and its edges."""
    made = head()
    hole = made.ball((20.0, -10.0, 30.0), 18.0)
    image = np.where(hole, -5.0, made.volume.array).astype(np.float32)
    return made, hole, mi.atlas_edges(image, hole, spacing=MM, modality="MR")


def test_edges_lie_where_the_tissues_of_a_bent_head_end(damaged):
    made, hole, labels = damaged
    maps = head_maps()
    brain = maps.sample(maps.brain, made.places) >= 0.5
    for label, inside in ((BRAIN, brain), (WHITE, maps.sample(maps.channels[1], made.places) >= 0.5)):
        truth = inside & ~ndimage.binary_erosion(inside)
        apart = MM * ndimage.distance_transform_edt(~truth)
        # The registration is right within 2.5 mm in the median, the voxels are 4 mm wide.
        assert np.median(apart[labels.array == label]) <= MM
        assert np.percentile(apart[labels.array == label], 90) <= 2 * MM
    assert (labels.array[hole] == WHITE).any()


def test_edges_are_those_of_the_registration_that_fills_use(damaged):
    made, hole, labels = damaged
    registration = register(made.subject(hole))
    assert labels.array.dtype == np.uint8
    assert labels.spacing == (MM,) * 3
    agree = edge_labels(registration, SHAPE, (MM,) * 3) == labels.array
    # The heads are scaled a little differently, which moves a few borders.
    assert agree.mean() > 0.97


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_where_the_atlas_does_not_fit_one_line_says_why(modality):
    noise = np.random.default_rng(0).normal(100.0, 20.0, (30, 30, 30)).astype(np.float32)
    hole = np.zeros(noise.shape, dtype=bool)
    hole[14:17, 14:17, 14:17] = True
    reason = "no head was found in the image" if modality == "MR" else "the image cannot show a head"
    with pytest.raises(InputError, match=f"The atlas does not fit this image: {reason}") as error:
        mi.atlas_edges(noise, hole, spacing=4.0, modality=modality)
    assert "\n" not in str(error.value)


def test_the_job_writes_them_on_the_grid_of_the_image(damaged, tmp_path):
    made, hole, labels = damaged
    grid = dataclasses.replace(made.volume, origin=(10.0, -20.0, 30.0))
    grid.write(tmp_path / "image.nii.gz")
    grid.of_another_quantity(hole.astype(np.uint8)).write(tmp_path / "mask.nii.gz")
    stages = []
    job = AtlasEdgesJob(
        "atlas-edges",
        output=str(tmp_path / "edges.nii.gz"),
        image=str(tmp_path / "image.nii.gz"),
        mask=str(tmp_path / "mask.nii.gz"),
        modality="MR",
    )
    report = job.run(Progress(lambda fraction, stage: stages.append(stage)))
    written = Volume.read(tmp_path / "edges.nii.gz")
    assert written.same_grid(Volume.read(tmp_path / "image.nii.gz"))
    assert np.array_equal(written.array, labels.array)
    assert report["edges"] == {"1": "outline of the brain", "2": "border of white matter"}
    assert stages[0] == "Reading"
    assert stages[-1] == "Done"
