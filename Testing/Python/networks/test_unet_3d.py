"""The 3-D U-Net that corrects a fill, against its formula."""

import pytest

torch = pytest.importorskip("torch")

from MedInpaintLib.errors import ParameterError  # noqa: E402
from MedInpaintLib.networks import build  # noqa: E402
from MedInpaintLib.networks.unet_3d import FILLS, START, in_blocks, out_of_blocks  # noqa: E402


def inputs(side=16, count=2):
    noise = torch.Generator().manual_seed(0)
    images = torch.rand(count, 6, side, side, side, generator=noise) * 2 - 1
    maps = torch.randint(-127, 128, (count, 12, side, side, side), generator=noise).to(torch.int8)
    return images, maps


@pytest.fixture
def network():
    torch.manual_seed(0)
    return build("unet-3d", {"pixels": 16, "width": 4})


def test_training_begins_at_the_fill_that_is_corrected(network):
    images, maps = inputs()
    mean, log_variance = network(images, maps).split(1, dim=1)
    torch.testing.assert_close(mean, images[:, :1])
    assert (log_variance == START).all()


@pytest.mark.parametrize("fill", range(FILLS))
def test_a_weight_of_1_takes_a_fill_and_the_rest_is_added(network, fill):
    images, maps = inputs()
    with torch.no_grad():
        network.head.bias[8 * fill : 8 * fill + 8] = 1.0
        network.head.bias[8 * FILLS : 8 * FILLS + 8] = 0.25
    mean = network(images, maps)[:, :1]
    torch.testing.assert_close(mean, images[:, 1 + fill, None] + 0.25)


def test_blocks_of_a_slice_are_those_of_torch():
    flat = torch.rand(2, 3, 4, 6)
    doubled = flat[:, :, None].expand(-1, -1, 2, -1, -1)
    blocks = in_blocks(doubled)[:, :, 0].reshape(2, 3, 2, 4, 2, 3)
    expected = torch.nn.functional.pixel_unshuffle(flat, 2).reshape(2, 3, 4, 2, 3)
    torch.testing.assert_close(blocks[:, :, 0], expected)
    torch.testing.assert_close(blocks[:, :, 1], expected)


def test_out_of_blocks_is_the_inverse():
    volumes = torch.rand(2, 3, 4, 6, 8)
    torch.testing.assert_close(out_of_blocks(in_blocks(volumes)), volumes)


def test_maps_matter_and_other_sides_work(network):
    torch.nn.init.normal_(network.head.weight, std=0.1)
    images, maps = inputs(24, 1)
    assert network(images, maps).shape == (1, 2, 24, 24, 24)
    assert not torch.allclose(network(images, maps), network(images, -maps))


def test_sides_that_cannot_be_halved_three_times_are_refused():
    with pytest.raises(ParameterError, match="multiple of 8"):
        build("unet-3d", {"pixels": 20})
    with pytest.raises(ParameterError, match="5 intensities; found 3"):
        build("unet-3d", {"pixels": 16, "intensities": 3})
