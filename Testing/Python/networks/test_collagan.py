"""CollaGAN's generator and discriminator against the authors' networks, literally."""

import runpy
from pathlib import Path

import pytest
import torch
from torch import nn

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks import build
from MedInpaintLib.networks.contrast_discriminator import LAYOUTS, ContrastDiscriminator

LITERAL = runpy.run_path(str(Path(__file__).parents[2] / "Benchmarks" / "literal_collagan.py"))


def stirred(network, dtype):
    """Give random values to all biases, and to the scales of normalisation."""
    with torch.no_grad():
        for weights in network.parameters():
            if weights.ndim == 1:
                weights.add_(0.3 * torch.randn_like(weights))
    return network.to(dtype).eval()


def generator(width, pixels, dtype=torch.float64):
    """Build the generator of the authors' MR training, with random weights."""
    torch.manual_seed(0)
    arguments = {"pixels": pixels, "contrasts": 4, "width": width, "layout": "published"}
    return stirred(build("collagan", arguments), dtype)


def discriminator(pixels, dtype=torch.float64):
    """Build the discriminator of the authors' MR training, with random weights."""
    torch.manual_seed(0)
    return stirred(ContrastDiscriminator(4, layout=LAYOUTS["published"], pixels=pixels), dtype)


def literal_inputs(images, present, target):
    """Return the images, 0 where one is missing or wanted, and four planes that name the wanted one."""
    inputs = torch.zeros(len(images), 8, *images.shape[2:], dtype=images.dtype)
    for number, wanted in enumerate(target.tolist()):
        for contrast in range(4):
            if present[number, contrast] and contrast != wanted:
                inputs[number, contrast] = images[number, contrast]
        inputs[number, 4 + wanted] = 1
    return inputs


PRESENT = torch.tensor([[True, True, True, True], [True, False, True, True], [False, True, True, True]])
TARGET = torch.tensor([1, 3, 0])


@pytest.mark.parametrize(
    ("width", "pixels", "dtype", "tolerance"), [(2, 64, torch.float64, 1e-12), (16, 32, torch.float32, 1e-5)]
)
@torch.no_grad()
def test_the_published_generator_is_the_authors(width, pixels, dtype, tolerance):
    network = generator(width, pixels, dtype)
    literal = LITERAL["LiteralGenerator"](4 * width).to(dtype).weights_of(network.state_dict())
    images = torch.rand(3, 4, pixels, pixels, dtype=dtype)
    expected = literal(literal_inputs(images, PRESENT, TARGET))
    assert (expected > 0).double().mean() > 0.05
    assert expected.std() > 0.01
    torch.testing.assert_close(network(images, PRESENT, TARGET), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("pixels", "last"), [(240, 5), (96, 1)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@torch.no_grad()
def test_the_published_discriminator_is_the_authors(pixels, last, dtype, tolerance):
    network = discriminator(pixels, dtype)
    literal = LITERAL["LiteralDiscriminator"](last=last).to(dtype).weights_of(network.state_dict())
    images = torch.rand(2, 1, pixels, pixels, dtype=dtype)
    for found, expected in zip(network(images), literal(images), strict=True):
        assert expected.std() > 0.001
        torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


@torch.no_grad()
def test_in_training_half_of_the_features_are_left_out_by_the_given_random_numbers():
    network, images = discriminator(96), torch.rand(2, 1, 96, 96, dtype=torch.float64)
    literal = LITERAL["LiteralDiscriminator"](last=1).double().weights_of(network.state_dict())
    chance = torch.Generator().manual_seed(3)
    kept = [(torch.rand(shape, generator=chance) >= 0.5).double() for shape in ((2, 64, 4, 4), (2, 128, 1, 1))]
    for seed in (3, 3):
        found = network(images, torch.Generator().manual_seed(seed))
        for one, other in zip(found, literal(images, *kept), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
    assert not torch.equal(network(images, torch.Generator().manual_seed(4))[0], found[0])


def test_they_have_the_sizes_of_the_authors():
    with torch.device("meta"):
        networks = [
            (build("collagan", {"pixels": 240, "contrasts": 4, "layout": "published"}), 34_123_520),
            (LITERAL["LiteralGenerator"](), 34_123_520),
            (ContrastDiscriminator(4, layout=LAYOUTS["published"]), 211_872),
            (LITERAL["LiteralDiscriminator"](), 211_872),
        ]
    for network, count in networks:
        assert sum(each.numel() for each in network.parameters()) == count
    judge = networks[2][0]
    assert sum(isinstance(each, nn.Conv2d) for each in judge.modules()) == 16
    paths = [sum(isinstance(each, nn.Conv2d) for each in path) for path in judge.paths]
    assert paths == [4, 3, 4]


@pytest.mark.parametrize(("layout", "least"), [("compact", 32), ("published", 88)])
def test_images_too_small_for_a_discriminator_are_refused(layout, least):
    assert LAYOUTS[layout].least_side == least
    real, named = ContrastDiscriminator(3, layout=LAYOUTS[layout], pixels=least)(torch.rand(2, 1, least, least))
    assert real.shape[2] == real.shape[3] == 2
    assert named.shape == (2, 3)
    with pytest.raises(ParameterError, match=f"'pixels' must be {least} or more"):
        ContrastDiscriminator(3, layout=LAYOUTS[layout], pixels=least - 1)


def test_an_unknown_layout_is_refused():
    with pytest.raises(ParameterError, match="no layout 'wide' of CollaGAN; choose one of compact, published"):
        build("collagan", {"pixels": 32, "contrasts": 4, "layout": "wide"})
