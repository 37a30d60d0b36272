"""The networks with which CollaGAN is compared: what they look at."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from MedInpaintLib.errors import ParameterError
from Testing.Python.imputers import OWN, SETS, WANTED, fresh, made, slices


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("architecture", ["pix2pix", "cyclegan"])
@torch.no_grad()
def test_a_translator_sees_its_source_alone(architecture, linear):
    network, source = made(architecture, linear=linear), OWN[architecture]["source"]
    images, everything = slices(4), torch.ones(4, 4, dtype=torch.bool)
    target = torch.full((4,), OWN[architecture]["target"])
    expected = network(images, everything, target)
    changed = slices(4, seed=1)
    assert not torch.allclose(network(changed, everything, target), expected)
    changed[:, source] = images[:, source]
    assert torch.equal(network(changed, everything, target), expected)
    only = torch.arange(4).expand(4, 4) == source
    for another in range(4):
        if another != source:
            assert torch.equal(network(images, only, torch.full((4,), another)), expected)
    assert torch.equal(network.sources(everything, target), only)
    if linear:
        start = fresh(architecture, linear=True)(images, everything, target)
        torch.testing.assert_close(start, images[:, source, None])


@torch.no_grad()
def test_the_generators_of_cyclegan_are_two():
    network = made("cyclegan")
    image = slices(1)[:, :1]
    assert not torch.allclose(network.there(image), network.back(image))
    assert not {*map(id, network.there.parameters())} & {*map(id, network.back.parameters())}


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


def test_a_source_that_is_no_contrast_is_refused():
    for numbers in ({"source": 4}, {"source": 2}):  # there are 0 to 3; 2 is the target
        with pytest.raises(ParameterError, match="must be two numbers from 0 to 3"):
            fresh("pix2pix", **numbers)
