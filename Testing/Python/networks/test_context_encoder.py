"""Context encoder: its size and its range."""

import pytest
import torch

from MedInpaintLib.networks import build

SMALL = {"pixels": 64, "slices": 3, "width": 8, "bottleneck": 32}


def made(**arguments):
    """In evaluation, with statistics that are not those of the start."""
    torch.manual_seed(0)
    network = build("context-encoder", {**SMALL, **arguments})
    with torch.no_grad():
        network(*damaged(8, network.inputs.pixels, network.inputs.slices))
    return network.eval()


def damaged(batch=2, pixels=64, slices=3):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, slices, pixels, pixels, generator=generator) * 2 - 1
    known = torch.rand(batch, slices, pixels, pixels, generator=generator) < 0.9
    known[..., pixels // 4 : pixels // 2, pixels // 4 : pixels // 2] = False
    return images, known


@pytest.mark.parametrize("given", ["nothing", "fill"])
@pytest.mark.parametrize(("pixels", "slices"), [(32, 1), (64, 7), (96, 3), (128, 1)])
@torch.no_grad()
def test_shapes(given, pixels, slices):
    network = made(pixels=pixels, slices=slices, given=given)
    images, known = damaged(2, pixels, slices)
    assert network(images, known).shape == (2, 1, pixels, pixels)
    vector = network.encoder(torch.cat([images, known.float()], dim=1))
    assert vector.shape == (2, 32, 1, 1)


@torch.no_grad()
def test_an_image_is_within_its_range_and_a_correction_is_not():
    assert build("context-encoder", SMALL).decoder(1e3 * torch.randn(4, 32, 1, 1)).abs().max() <= 1
    network = build("context-encoder", {**SMALL, "given": "fill"})
    network.decoder[-2].bias.fill_(5.0)
    assert network.predict(*(each.float() for each in damaged()), torch.empty(2, 0, 64, 64)).max() == 5


def test_the_published_size_has_the_published_weights():
    """The layers of the published recipe, gray image and mask in, gray image out."""
    encoder = [(2, 64, 4), (64, 64, 4), (64, 128, 4), (128, 256, 4), (256, 512, 4), (512, 4000, 4)]
    decoder = [(4000, 512, 4), (512, 256, 4), (256, 128, 4), (128, 64, 4), (64, 64, 4), (64, 1, 4)]
    with torch.device("meta"):
        network = build("context-encoder", {})
    found = [
        (each.in_channels, each.out_channels, each.kernel_size[0])
        for each in network.modules()
        if isinstance(each, torch.nn.Conv2d | torch.nn.ConvTranspose2d)
    ]
    assert found == encoder + decoder
    weights = sum(before * after * kernel**2 for before, after, kernel in found)
    normalised = sum(after for _, after, _ in [*encoder[1:], *decoder[:-1]])
    biases = 64 + 1  # of the layers without normalisation
    assert sum(each.numel() for each in network.parameters()) == weights + 2 * normalised + biases == 71_187_201
