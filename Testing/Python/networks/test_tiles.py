"""Slices of any size, tile by tile: where tiles lie, and that nothing is lost between them."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from MedInpaintLib.networks import build
from MedInpaintLib.networks.imputer import Imputer
from MedInpaintLib.networks.tiles import starts, tiled

WEIGHTS = (0.5, -2.0, 3.0)


class Pointwise(Imputer):
    """The same linear combination at each pixel; it remembers what it was given."""

    def __init__(self, pixels):
        super().__init__(pixels=pixels, contrasts=len(WEIGHTS), levels=1)
        self.given, self.told = [], []

    def predict(self, images, present, target):
        self.given.append(images)
        self.told.append(present)
        return (images * torch.tensor(WEIGHTS)[:, None, None]).sum(dim=1, keepdim=True)


class MeanOfTile(Imputer):
    """All pixels of a tile get the same, as if by its normalisation; what they get depends on the tile."""

    def predict(self, images, present, target):
        return images.mean(dim=(1, 2, 3), keepdim=True).expand(-1, 1, *images.shape[2:])


def question(batch, rows, columns, seed):
    chance = torch.Generator().manual_seed(seed)
    images = torch.rand(batch, 3, rows, columns, generator=chance)
    present = torch.rand(batch, 3, generator=chance) < 0.7
    return images, present, torch.randint(3, (batch,), generator=chance)


@given(
    side=st.integers(2, 12),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    seed=st.integers(0, 99),
    dark=st.booleans(),
)
@settings(max_examples=60)
@torch.no_grad()
def test_what_is_made_pixel_by_pixel_is_the_same_in_tiles(side, rows, columns, seed, dark):
    images, present, target = question(3, rows, columns, seed)
    if dark:  # tiles in which nothing is
        images[..., : rows // 2, :] = 0
    network = Pointwise(side)
    found = tiled(network, images, present, target)
    assert {tuple(each.shape[1:]) for each in network.given} <= {(3, side, side)}
    torch.testing.assert_close(found, network(images, present, target), rtol=1e-5, atol=1e-5)


@given(side=st.integers(2, 9), rows=st.integers(1, 24), columns=st.integers(1, 24), seed=st.integers(0, 99))
@settings(max_examples=30)
@torch.no_grad()
def test_overlapping_tiles_are_averaged_and_their_middle_counts_most(side, rows, columns, seed):
    images, present, target = question(2, rows, columns, seed)
    found = tiled(MeanOfTile(pixels=side, contrasts=3, levels=1), images, present, target)
    taper = [max(1e-3, np.sin(np.pi * at / (side - 1)) ** 2) for at in range(side)]
    height, width = max(rows, side), max(columns, side)
    for image, there, wanted, out in zip(images.numpy(), present.tolist(), target.tolist(), found.numpy(), strict=True):
        seen = np.zeros((3, height, width))
        for contrast in range(3):
            if there[contrast] and contrast != wanted:
                seen[contrast, :rows, :columns] = image[contrast]
        total, weights = np.zeros((2, height, width))
        for top in starts(height, side):
            for left in starts(width, side):
                mean = seen[:, top : top + side, left : left + side].mean()
                for row, column in np.ndindex(side, side):
                    total[top + row, left + column] += taper[row] * taper[column] * mean
                    weights[top + row, left + column] += taper[row] * taper[column]
        np.testing.assert_allclose(out[0], (total / weights)[:rows, :columns], rtol=1e-4, atol=1e-6)


@torch.no_grad()
def test_tiles_without_a_signal_that_the_network_may_see_are_0_and_not_looked_at():
    class Bright(Pointwise):
        def predict(self, images, present, target):
            return super().predict(images, present, target) * 0 + 7

    network = Bright(8)
    images = torch.zeros(2, 3, 8, 32)
    images[0, 0, :, 24:] = 1
    images[0, 1] = 1  # wanted
    images[0, 2] = 1  # missing
    found = tiled(network, images, torch.tensor([[True, True, False]] * 2), torch.tensor([1, 1]))
    assert (found[0, ..., :16] == 0).all()
    torch.testing.assert_close(found[0, ..., 28:], torch.full((1, 8, 4), 7.0))
    assert (found[1] == 0).all()
    assert sum(map(len, network.given)) == 2
    assert all(each.any() for each in network.given)


@torch.no_grad()
def test_a_contrast_without_a_signal_in_a_tile_is_missing_there():
    """As one that covers less than the others."""
    network = Pointwise(8)
    images = torch.ones(1, 3, 8, 32)
    images[:, 1, :, :16] = 0
    tiled(network, images, torch.ones(1, 3, dtype=torch.bool), torch.tensor([2]))
    told = [each.tolist() for each in network.told]
    lit = [bool(images[0, 1, :, left : left + 8].any()) for left in starts(32, 8)]
    assert {False, True} == set(lit)
    assert told == [[[True, seen, False]] for seen in lit]


@torch.no_grad()
def test_what_lacks_a_part_is_estimated_there_as_without_it():
    torch.manual_seed(0)
    network = build("collagan", {"pixels": 8, "contrasts": 3, "width": 2, "levels": 2}).eval()
    images, present = 0.1 + torch.rand(1, 3, 8, 40), torch.ones(1, 3, dtype=torch.bool)
    images[:, 1, :, :20] = 0
    wanted, without = torch.tensor([2]), torch.tensor([[True, False, False]])
    found = tiled(network, images, present, wanted)
    torch.testing.assert_close(found[..., :12], tiled(network, images, without, wanted)[..., :12])
    assert not torch.allclose(found[..., 28:], tiled(network, images, without, wanted)[..., 28:])


@pytest.mark.parametrize("hidden_value", [0.0, 5.0])
@torch.no_grad()
def test_what_is_missing_does_not_matter_to_tiles(hidden_value):
    torch.manual_seed(0)
    network = build("collagan", {"pixels": 8, "contrasts": 3, "width": 2, "levels": 2}).eval()
    images, present, target = question(6, 20, 15, 0)
    images[:, :, :12] = 0  # what is there has no signal in some tiles
    hidden = ~present | (torch.arange(3) == target[:, None])
    changed = torch.where(hidden[:, :, None, None], hidden_value, images)
    assert torch.equal(tiled(network, changed, present, target), tiled(network, images, present, target))


@torch.no_grad()
def test_many_images_go_through_the_network_some_at_a_time():
    network = Pointwise(4)
    images, present, target = question(40, 4, 4, 0)
    present[:] = True
    torch.testing.assert_close(tiled(network, images, present, target), network(images, present, target))
    assert [len(each) for each in network.given[:-1]] == [16, 16, 8]


@given(side=st.integers(2, 200), more=st.integers(0, 600))
def test_tiles_cover_everything_overlap_by_half_and_lie_inside(side, more):
    size = side + more
    found = starts(size, side)
    covered = np.zeros(size, dtype=bool)
    for start in found:
        assert 0 <= start <= size - side
        covered[start : start + side] = True
    assert covered.all()
    assert found[0] == 0
    assert found[-1] == size - side
    assert all(0 < after - before <= side / 2 for before, after in itertools.pairwise(found))
