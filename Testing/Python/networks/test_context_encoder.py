"""Context encoder: its size, its range, what it sees, where it starts."""

import pytest
import torch

from MedInpaintLib.errors import ParameterError
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


@torch.no_grad()
def test_given_nothing_hidden_pixels_do_not_matter():
    network = made()
    images, known = damaged()
    assert torch.equal(network(images, known), network(images.where(known, torch.tensor(9.0)), known))


@torch.no_grad()
def test_given_a_fill_it_starts_at_the_fill_and_sees_it():
    images, known = damaged()
    for training in (True, False):
        network = build("context-encoder", {**SMALL, "given": "fill"}).train(training)
        assert torch.equal(network(images, known), images[:, 1:2])
    torch.nn.init.normal_(network.decoder[-2].weight)
    other = images.where(known, torch.tensor(0.25))
    assert not torch.allclose(network(images, known) - images[:, 1:2], network(other, known) - other[:, 1:2])


def test_given_a_fill_all_of_it_learns_within_two_steps():
    network = build("context-encoder", {**SMALL, "given": "fill"})
    images, known = damaged()
    for _ in range(2):
        (network(images, known) - 0.5).abs().mean().backward()
        with torch.no_grad():
            for each in network.parameters():
                each -= 0.1 * each.grad
    assert all(each.grad.any() for each in network.parameters())  # those before the zeros from the second step


@pytest.mark.parametrize("given", ["nothing", "fill"])
@torch.no_grad()
def test_images_of_a_batch_do_not_influence_each_other(given):
    network = made(given=given)
    if given == "fill":
        torch.nn.init.normal_(network.decoder[-2].weight, std=0.1)
    images, known = damaged(4)
    together = network(images, known)
    for number in range(4):
        alone = network(images[number : number + 1], known[number : number + 1])
        torch.testing.assert_close(alone[0], together[number], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pixels": 72}, "multiple of 32 pixels; found 72"),
        ({"pixels": 16}, "multiple of 32 pixels; found 16"),
        ({"pixels": 0}, "1 pixel or more; found 0"),
        ({"slices": 2}, "must be odd; found 2"),
        ({"given": "all"}, "found 'all'"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        build("context-encoder", {**SMALL, **arguments})
