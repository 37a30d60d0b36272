"""The map of regions: what FreeSurfer's labels become, the vote, and the overlap that is printed."""

import numpy as np
import pytest

from MedInpaintLib.atlas.maps import head_maps
from MedInpaintLib.atlas.regions import MIRRORED, NAMES
from MedInpaintLib.segmentation.numberings import freesurfer
from Research.atlas_regions import dice, image_of, regions_of, vote

#: How FreeSurfer's own table begins the names of what belongs to each region.
OF = {
    "cortex": ("Cerebral-Cortex",),
    "white matter": ("Cerebral-White-Matter", "Lesion"),
    "deep nuclei": ("Thalamus", "Caudate", "Putamen", "Pallidum", "Accumbens"),
    "hippocampus": ("Hippocampus",),
    "amygdala": ("Amygdala",),
    "ventral diencephalon": ("VentralDC",),
    "lateral ventricle": ("Lateral-Ventricle", "Inf-Lat-Vent"),
    "cerebellum": ("Cerebellum",),
}
MIDDLE = {"3rd-Ventricle": "third ventricle", "4th-Ventricle": "fourth ventricle", "Brain-Stem": "brainstem"}


@pytest.mark.parametrize(("label", "name"), [(label, name) for label, name in freesurfer().items() if label < 100])
def test_labels_belong_to_the_region_that_freesurfers_table_names(label, name):
    side, _, structure = name.partition("-")
    expected = MIDDLE.get(name, "")
    for region, beginnings in OF.items():
        if side in ("Left", "Right") and structure.startswith(beginnings):
            expected = f"{side.lower()} {region}"
    assert NAMES[regions_of(np.array([label], dtype=np.uint8))[0]] == expected


def test_the_vote_is_that_of_most_and_symmetric():
    shape = head_maps().brain.shape
    left, right = NAMES.index("left cortex"), NAMES.index("right cortex")
    white, stem = NAMES.index("right white matter"), NAMES.index("brainstem")
    people = [np.zeros(shape, dtype=np.uint8) for _ in range(3)]
    for person, number in zip(people, (right, right, white), strict=True):
        person[80, 90, -20] = number
        person[80, 90, 19] = MIRRORED[number]
    people[0][10, 10, shape[2] // 2] = people[1][10, 10, shape[2] // 2] = stem
    people[2][20, 20, 5] = left  # one of three, and of six with the mirror images
    voted = vote(head_maps(), iter(people))
    assert (voted[80, 90, -20], voted[80, 90, 19], voted[10, 10, shape[2] // 2]) == (right, left, stem)
    assert np.count_nonzero(voted) == 3
    assert (MIRRORED[voted[:, :, ::-1]] == voted).all()


def test_dice_is_counted_by_hand():
    first, second = np.zeros(10, dtype=bool), np.zeros(10, dtype=bool)
    first[:4], second[2:5] = True, True
    assert dice(first, second) == pytest.approx(2 * 2 / (4 + 3))
    assert dice(first, ~first) == 0
    assert dice(first & False, second & False) == 0


def test_the_image_is_as_bright_as_t1():
    """White matter is brighter than deep nuclei, these than the cortex, and fluid is dark; outside there is nothing."""
    labels = np.zeros((30, 10, 10), dtype=np.uint8)
    for number, label in enumerate((2, 10, 3, 4, 207)):
        labels[6 * number : 6 * number + 6] = label
    image = image_of(labels, 1)
    means = [image[6 * number + 2 : 6 * number + 4].mean() for number in range(5)]
    assert means == sorted(means, reverse=True)
    assert means[-1] == 0
    assert (image_of(labels, 1) == image).all()
    assert (image_of(labels, 2) != image).any()
