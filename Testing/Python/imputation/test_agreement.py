"""Whether two images show one anatomy: what is known of the answer, and a literal count of shared information."""

import math

import numpy as np
import pytest

from MedInpaintLib.imputation.agreement import Anatomy, _shared
from MedInpaintLib.imputation.agreement import agreement as agreement_of
from MedInpaintLib.imputation.grids import LEAST_SHARPNESS, USUAL_SHARPNESS
from MedInpaintLib.volume import Volume


def agreement(fixed, moving):
    return agreement_of(Anatomy.of(fixed), Anatomy.of(moving))


SHAPE, MM = (26, 46, 38), (5.0, 3.5, 3.5)


@pytest.fixture(scope="module")
def there(grid):
    return grid(SHAPE, MM)


PAIRS = [("T1", "T2"), ("T2", "T1"), ("T1", "FLAIR"), ("FLAIR", "T2")]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_two_contrasts_of_one_anatomy_are_sharp_and_overlap(head, there, first, second):
    found = agreement(head(first, there), head(second, there))
    assert found.sharpness > USUAL_SHARPNESS
    assert found.overlap > 0.9


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("subject", [1, 2])
def test_of_another_anatomy_the_outline_alone_agrees(head, there, first, second, subject):
    found = agreement(head(first, there), head(second, there, subject))
    assert found.sharpness < 1.3
    assert found.overlap > 0.9


@pytest.mark.parametrize("move", [(20, 0, 0), (0, 20, 0), (0, 0, 20)])
def test_what_was_shifted_by_two_centimetres_does_not_agree(head, there, move):
    found = agreement(head("T1", there), head("T2", there, move=move))
    assert found.sharpness < LEAST_SHARPNESS
    assert found.overlap < 0.9


@pytest.mark.parametrize("move", [(6, 0, 0), (-6, 0, 0), (0, 6, 0), (0, -6, 0)])
def test_what_lies_six_mm_aside_fits_better_once_it_is_shifted_back(head, there, move):
    assert agreement(head("T1", there), head("T2", there, move=move)).sharpness < 0.7


def test_units_do_not_matter_and_a_scan_agrees_with_itself(head, there):
    image, other = head("T1", there), head("T2", there)
    before = agreement(image, other)
    after = agreement(image.with_array(0.02 * image.array), other.with_array(31 * other.array))
    assert (after.overlap, after.sharpness) == pytest.approx((before.overlap, before.sharpness), rel=1e-3)
    assert agreement(image, image).overlap == 1
    assert agreement(image, image).sharpness > USUAL_SHARPNESS


@pytest.mark.parametrize("spacing", [(3.5, 3.5), (1.2, 0.9)])
def test_slices_can_be_compared_too(head, grid, spacing):
    there = grid([round(170 / spacing[0]), round(140 / spacing[1])], spacing)
    assert agreement(head("T1", there), head("T2", there)).sharpness > USUAL_SHARPNESS
    assert agreement(head("T1", there), head("T2", there, subject=1)).sharpness < USUAL_SHARPNESS


@pytest.mark.parametrize("shape", [(5, 6, 7), (7, 9), (1, 30, 40), (4, 3)])
def test_where_there_is_too_little_to_tell_nothing_is_told(shape):
    rng = np.random.default_rng(0)
    found = agreement(*(Volume(rng.uniform(1, 9, shape), (1.0,) * len(shape)) for _ in range(2)))
    assert found.sharpness == math.inf
    assert found.overlap > 0.9


def test_what_is_not_to_be_looked_at_does_not_matter(head, there):
    image, other = head("T1", there), head("T2", there)
    hole = np.zeros(SHAPE, bool)
    hole[8:20, 10:40, 5:20] = True
    expected = agreement_of(Anatomy.of(image, hole), Anatomy.of(other))
    for spoiled in (np.nan, 1e6, -500.0, head("T1", there, subject=1).array):
        changed = image.with_array(np.where(hole, spoiled, image.array).astype(np.float32))
        assert agreement_of(Anatomy.of(changed, hole), Anatomy.of(other)) == expected
    assert expected.sharpness > USUAL_SHARPNESS
    assert not (Anatomy.of(image, hole).deep & hole).any()  # voxels of 3.5 mm are not thinned


@pytest.mark.parametrize("apart_mm", [0.0, 20.0, 60.0, 90.0])
def test_the_overlap_of_two_balls_is_that_of_the_formula(apart_mm):
    """Of two balls of radius r at a distance d: 1 - 3 d / 4 r + d^3 / 16 r^3 of the volume of one."""
    spacing, size = (3.0, 2.0, 4.0), (50, 75, 60)
    at = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(size, spacing, strict=True)]
    balls = []
    for middle in (-apart_mm / 2, apart_mm / 2):
        away = at[0][:, None, None] ** 2 + at[1][:, None] ** 2 + (at[2] - middle) ** 2
        balls.append(Volume(np.where(away < 50**2, 1000 - away / 10, 0), spacing))
    t = apart_mm / 50
    assert agreement(*balls).overlap == pytest.approx(1 - 3 * t / 4 + t**3 / 16, abs=0.02)


def test_shared_information_is_that_of_a_literal_count():
    rng = np.random.default_rng(0)
    first = rng.gamma(2, 0.12, 3000)
    second = 0.6 * first + rng.gamma(2, 0.05, 3000)

    def entropy(names):
        counts = {}
        for name in names:
            counts[name] = counts.get(name, 0) + 1
        return -sum(count / len(names) * math.log(count / len(names)) for count in counts.values())

    # 32 bins from 0 to 0.9; the last one has all that is brighter.
    bins = [[min(int(value / (0.9 / 32)), 31) for value in each] for each in (first, second)]
    literal = (entropy(bins[0]) + entropy(bins[1])) / entropy(list(zip(*bins, strict=True))) - 1
    assert _shared(first, second) == pytest.approx(literal, rel=1e-9)


def test_shared_information_lies_between_nothing_and_all():
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 0.9, 100_000)
    assert _shared(values, values) == pytest.approx(1)
    assert _shared(values, 0.9 - values) == pytest.approx(1, abs=0.01)
    assert _shared(values, rng.permutation(values)) == pytest.approx(0, abs=0.002)
    assert _shared(values, np.full_like(values, 0.3)) == pytest.approx(0)
    assert _shared(np.full(9, 0.2), np.full(9, 0.2)) == 0
