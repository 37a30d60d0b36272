"""The networks with which CollaGAN is compared: what they look at."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from MedInpaintLib.errors import ParameterError
from Testing.Python.imputers import SETS, WANTED, fresh, made, slices


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("sources", [[1], [3, 1]])
@pytest.mark.parametrize("architecture", ["pix2pix", "cyclegan"])
@torch.no_grad()
def test_a_translator_sees_its_sources_alone(architecture, sources, linear):
    own = {"sources": sources, "target": 2, "linear": linear}
    network = made(architecture, **own)
    images, everything = slices(4), torch.ones(4, 4, dtype=torch.bool)
    target = torch.full((4,), 2)
    expected = network(images, everything, target)
    changed = slices(4, seed=1)
    for number in sources:
        assert not torch.allclose(network(changed, everything, target), expected)
        changed[:, number] = images[:, number]
    assert torch.equal(network(changed, everything, target), expected)
    only = torch.tensor([[number in sources for number in range(4)]]).expand(4, 4)
    for another in {0, 1, 2, 3} - {*sources}:
        assert torch.equal(network(images, only, torch.full((4,), another)), expected)
    assert torch.equal(network.sources(everything, target), only)
    if linear:
        start = fresh(architecture, **own)(images, everything, target)
        torch.testing.assert_close(start, images[:, sources].mean(dim=1, keepdim=True))


@torch.no_grad()
def test_the_way_back_of_cyclegan_makes_each_source_by_a_generator_of_its_own():
    network = made("cyclegan", sources=[3, 1])
    target = slices(2)[:, :1]
    back = network.back(target)
    assert back.shape == (2, 2, 16, 16)
    expected = [network.to_sources[number](target)[:, 0] for number in range(2)]
    assert torch.equal(back, torch.stack(expected, dim=1))
    assert not torch.allclose(*expected)
    weights = [id(each) for part in (network.unet, *network.to_sources) for each in part.parameters()]
    assert len({*weights}) == len(weights) == len([*network.parameters()])


@torch.no_grad()
def test_a_stacked_stargan_sees_all_contrasts_that_are_there_and_each_in_its_own_channel():
    network, images = made("stargan-stacked"), slices(2)
    there = torch.tensor([[True, True, False, True], [True, False, False, True]])
    target = torch.tensor([3, 1])
    expected = network(images, there, target)
    for number in range(4):
        changed = images.clone()
        changed[:, number] = slices(2, seed=1)[:, number]
        same = [torch.equal(a, b) for a, b in zip(network(changed, there, target), expected, strict=True)]
        assert same == [not row[number] or number == wanted for row, wanted in zip(there, target.tolist(), strict=True)]
    swapped = network(images[:, [3, 1, 2, 0]], there[:, [3, 1, 2, 0]], target)[1]
    assert not torch.allclose(swapped, expected[1])
    assert not torch.allclose(network(images, there, torch.tensor([2, 2])), expected)


@given(order=st.permutations(range(4)))
@settings(max_examples=15)
@torch.no_grad()
def test_stargan_sees_the_first_preferred_contrast_that_is_there_and_not_wanted(order):
    images = slices(rows=4, columns=4)
    network = fresh("stargan", preferred=order, linear=True, levels=1)
    found, sources = network(images, SETS, WANTED), network.sources(SETS, WANTED)
    for number, (there, wanted) in enumerate(zip(SETS.tolist(), WANTED.tolist(), strict=True)):
        rest = [contrast for contrast in order if there[contrast] and contrast != wanted]
        if rest:
            torch.testing.assert_close(found[number, 0], images[number, rest[0]])  # where the linear network starts
            assert sources[number].nonzero().tolist() == [[rest[0]]]


@torch.no_grad()
def test_without_a_preference_stargan_takes_the_contrasts_in_their_order_and_makes_of_one_any_other():
    network, images = made("stargan", preferred=[]), slices(3)
    present = torch.tensor([[False, True, True, True]]).expand(3, 4)
    sources = network.sources(present, torch.tensor([0, 1, 2]))
    assert sources.int().argmax(dim=1).tolist() == [1, 2, 1]
    image = images[:1].expand(2, -1, -1, -1)
    first, second = network(image, present[:2], torch.tensor([0, 2]))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("preferred", [[0, 1, 2], [0, 1, 2, 2], [1, 2, 3, 4], [0, 1, 2, 3, 3]])
def test_a_preference_must_name_each_contrast_once(preferred):
    with pytest.raises(ParameterError, match=r"each of the numbers 0 to 3 once; found \["):
        fresh("stargan", preferred=preferred)


@pytest.mark.parametrize(
    ("sources", "target"), [([4], 2), ([-1], 2), ([2], 2), ([1, 1], 2), ([1, 2], 2), ([], 2), ([1], 4)]
)
def test_sources_and_target_must_be_different_contrasts(sources, target):
    with pytest.raises(ParameterError, match="must be different numbers from 0 to 3, one source or more; found"):
        fresh("pix2pix", sources=sources, target=target)
