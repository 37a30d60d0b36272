"""U-Net of partial convolutions: its size and what it sees."""

import pytest
import torch

from MedInpaintLib.networks import build
from MedInpaintLib.networks.partial import PartialConv2d

SMALL = {"pixels": 64, "slices": 3, "width": 8, "levels": 4}


def made(**arguments):
    """In evaluation, with statistics and a last layer that are not those of the start."""
    torch.manual_seed(0)
    network = build("pconv", {**SMALL, **arguments})
    last = network.correct.body.head if network.correct else network.head.convolution
    torch.nn.init.normal_(last.weight, std=0.1)
    with torch.no_grad():
        network(*damaged(8, network.inputs.pixels, network.inputs.slices))
    return network.eval()


def damaged(batch=2, pixels=64, slices=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(batch, slices, pixels, pixels, generator=generator) * 2 - 1
    known = torch.rand(batch, slices, pixels, pixels, generator=generator) < 0.9
    known[..., pixels // 4 : pixels // 2, pixels // 4 : pixels // 2] = False
    return images, known


@pytest.mark.parametrize("given", ["nothing", "fill"])
@pytest.mark.parametrize(
    ("pixels", "slices", "width", "levels"), [(64, 1, 8, 4), (64, 7, 16, 4), (96, 3, 4, 5), (16, 1, 4, 1)]
)
@torch.no_grad()
def test_shapes(given, pixels, slices, width, levels):
    network = made(pixels=pixels, slices=slices, given=given, width=width, levels=levels)
    filled = network(*damaged(2, pixels, slices))
    assert filled.shape == (2, 1, pixels, pixels)
    assert torch.isfinite(filled).all()
    assert network.train() is network
    assert network.eval() is network


def test_the_published_size_has_the_published_weights():
    """Kernels, widths and concatenations of the paper's table, one level fewer; gray images in and out."""
    encoder = [(1, 64, 7), (64, 128, 5), (128, 256, 5), (256, 512, 3), *[(512, 512, 3)] * 3]
    decoder = [*[(1024, 512, 3)] * 3, (768, 256, 3), (384, 128, 3), (192, 64, 3), (65, 1, 3)]
    with torch.device("meta"):
        network = build("pconv", {})
    found = [
        (each.convolution.in_channels, each.convolution.out_channels, each.convolution.kernel_size[0])
        for each in network.modules()
        if isinstance(each, PartialConv2d)
    ]
    assert found == encoder + decoder
    weights = sum(before * after * kernel**2 for before, after, kernel in found)
    normalised = sum(after for _, after, _ in [*encoder[1:], *decoder[:-1]])
    biases = 64 + 1  # of the layers without normalisation
    assert sum(each.numel() for each in network.parameters()) == weights + 2 * normalised + biases == 25_772_362


@torch.no_grad()
def test_given_a_fill_the_encoder_sees_known_pixels_alone_and_the_corrector_the_fill():
    network = made(given="fill")
    seen = []
    network.encoder[-1].register_forward_hook(lambda _, inputs, output: seen.extend(output))
    network.correct.register_forward_hook(lambda _, inputs, output: seen.append(inputs[1]))
    images, known = damaged()
    other = images.where(known, torch.tensor(0.25))
    first, second = network(images, known), network(other, known)
    features, mask, last, features_again, mask_again, last_again = seen
    assert torch.equal(features, features_again)
    assert torch.equal(mask, mask_again)
    assert torch.equal(last, images)
    assert torch.equal(last_again, other)
    # What is added depends on the fill, else it could not be a correction of it.
    assert not torch.allclose(first - images[:, 1:2], second - other[:, 1:2])
