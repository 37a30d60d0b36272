"""Partial convolution against the published formula, window by window."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from MedInpaintLib.networks.partial import PartialConv2d, PartialConv3d

LAYERS = {2: PartialConv2d, 3: PartialConv3d}


def layer_of(dimensions, inputs, outputs, kernel, **options):
    torch.manual_seed(1)
    layer = LAYERS[dimensions](inputs, outputs, kernel, **options).double()
    if layer.bias is not None:
        torch.nn.init.normal_(layer.bias)
    return layer


def chance(*shape, seed=0, known=0.3):
    """Images and a mask of that shape, with all of it known by chance and a block of hole."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(shape, generator=generator, dtype=torch.float64)
    mask = (torch.rand(shape, generator=generator) < known).double()
    mask[..., 1:5, 1:5] = 0
    return images, mask


def literal(layer, images, mask):
    """The layer, one window after the other; the mask has a channel for each of the images."""
    weight = layer.convolution.weight.detach().numpy()
    bias = np.zeros(len(weight)) if layer.bias is None else layer.bias.detach().numpy()
    images, mask = images.numpy(), mask.numpy()
    stride, padding, dilation = (getattr(layer.convolution, name) for name in ("stride", "padding", "dilation"))
    kernel, space = weight.shape[2:], images.shape[2:]
    size = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(space, padding, dilation, kernel, stride, strict=True)
    ]
    output, found = np.zeros((len(images), len(weight), *size)), np.zeros((len(images), 1, *size))
    for batch, place in itertools.product(range(len(images)), np.ndindex(*size)):
        total, sums = 0, np.zeros(len(weight))
        for offset in np.ndindex(*kernel):
            at = tuple(
                p * s + o * d - q for p, s, o, d, q in zip(place, stride, offset, dilation, padding, strict=True)
            )
            if all(0 <= a < n for a, n in zip(at, space, strict=True)):
                here = mask[(batch, slice(None), *at)]
                total += here.sum()
                sums += weight[(slice(None), slice(None), *offset)] @ (images[(batch, slice(None), *at)] * here)
        if total > 0:
            output[(batch, slice(None), *place)] = sums * (images.shape[1] * np.prod(kernel)) / total + bias
            found[(batch, 0, *place)] = 1
    return torch.from_numpy(output), torch.from_numpy(found)


def agree(found, expected):
    torch.testing.assert_close(found[0], expected[0], rtol=1e-10, atol=1e-10)
    assert torch.equal(found[1], expected[1])


@settings(max_examples=30)
@given(
    dimensions=st.sampled_from([2, 2, 3]),
    channels=st.integers(1, 3),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 2),
    bias=st.booleans(),
    shared=st.booleans(),
    known=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_it_is_the_published_formula(
    dimensions, channels, kernel, stride, padding, dilation, bias, shared, known, seed
):
    layer = layer_of(dimensions, channels, 2, kernel, stride=stride, padding=padding, dilation=dilation, bias=bias)
    images, mask = chance(2, channels, *(8, 7, 9)[:dimensions], seed=seed, known=known)
    mask = mask[:, :1] if shared else mask
    with torch.no_grad():
        agree(layer(images, mask), literal(layer, images, mask.expand_as(images)))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_where_all_is_known_it_is_a_convolution_but_at_the_border(dimensions):
    layer = layer_of(dimensions, 3, 4, 3, padding=1)
    images, _ = chance(2, 3, *[9] * dimensions)
    with torch.no_grad():
        output, found = layer(images, torch.ones_like(images))
        plain = layer.convolution(images) + layer.bias.view(-1, *[1] * dimensions)
    inner = (..., *[slice(1, -1)] * dimensions)
    torch.testing.assert_close(output[inner], plain[inner])
    assert found.all()
    # What lies beyond the border is missing and made up for: 3 for the 2 of a window's 3 rows that are in the image.
    corner = (..., *[0] * dimensions)
    more = (3 / 2) ** dimensions
    torch.testing.assert_close(output[corner] - layer.bias, (plain[corner] - layer.bias) * more)


def test_a_constant_stays_constant_round_a_hole():
    """With weights that average, what the scaling is for."""
    layer = PartialConv2d(1, 1, 5, padding=2)
    torch.nn.init.constant_(layer.convolution.weight, 1 / 25)
    _, mask = chance(1, 1, 16, 16)
    output, found = layer(torch.full((1, 1, 16, 16), 3.0), mask)
    torch.testing.assert_close(output, 3 * found)


def test_where_nothing_is_known_it_is_0_without_bias():
    layer = PartialConv2d(2, 3, 3, padding=1)
    torch.nn.init.constant_(layer.bias, 7.0)
    images, mask = torch.randn(1, 2, 12, 12), torch.ones(1, 1, 12, 12)
    mask[..., 3:9, 3:9] = 0
    output, found = layer(images, mask)
    assert not output[..., 4:8, 4:8].any()
    hole = torch.zeros(12, 12, dtype=torch.bool)
    hole[4:8, 4:8] = True  # one pixel smaller on each side
    assert torch.equal(found[0, 0] == 0, hole)
    output, found = layer(images, torch.zeros_like(mask))
    assert not output.any()
    assert not found.any()


@pytest.mark.parametrize("channels", [1, 3, 7])
def test_equal_masks_for_every_channel_are_one_mask_for_all(channels):
    layer = PartialConv2d(channels, 4, 3, stride=2, padding=1)
    images, mask = (each.float() for each in chance(2, channels, 12, 12))
    mask = mask[:, :1]
    one, many = layer(images, mask), layer(images, mask.repeat(1, channels, 1, 1))
    assert torch.equal(one[0], many[0])
    assert torch.equal(one[1], many[1])


@pytest.mark.parametrize("dimensions", [2, 3])
def test_parts_are_one_image_with_a_mask_for_every_channel(dimensions):
    space = [8] * dimensions
    features, first = chance(2, 5, *space, seed=1)
    skip, second = chance(2, 2, *space, seed=2, known=0.6)
    image, third = chance(2, 3, *space, seed=3)
    first, second = first[:, :1], second[:, :1]
    layer = layer_of(dimensions, 10, 4, 3, padding=1)
    with torch.no_grad():
        whole = torch.cat([features, skip, image], dim=1)
        masks = torch.cat([first.expand_as(features), second.expand_as(skip), third], dim=1)
        found = layer(features, first, (skip, second), (image, third))
        agree(found, layer(whole, masks))
        agree(found, literal(layer, whole, masks))


def test_hidden_values_do_not_matter():
    layer = PartialConv2d(2, 3, 3, padding=1)
    images, mask = (each.float() for each in chance(1, 2, 10, 10))
    junk = torch.where(mask == 1, images, 1e6)
    assert torch.equal(layer(images, mask)[0], layer(junk, mask)[0])


def test_a_mask_may_be_bool():
    layer = PartialConv2d(2, 3, 3)
    images, mask = (each.float() for each in chance(1, 2, 10, 10))
    assert torch.equal(layer(images, mask)[0], layer(images, mask.bool())[0])
    assert torch.equal(layer(images, mask)[1], layer(images, mask.bool())[1])


def test_gradients_are_those_of_the_formula_and_0_where_nothing_is_known():
    layer = layer_of(2, 2, 3, 3, stride=2, padding=1)
    images, mask = chance(1, 2, 9, 9)
    images.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda each: layer(each, mask)[0], images)
    output, found = layer(images, torch.zeros_like(mask))
    assert not found.requires_grad
    output.square().sum().backward()
    for each in (images, *layer.parameters()):
        assert torch.isfinite(each.grad).all()
        assert not each.grad.any()


def test_under_autocast_the_scale_stays_float32():
    layer = PartialConv2d(300, 8, 7, padding=3)  # windows of 14700 numbers, of which bfloat16 knows no neighbours
    images, mask = (each.float() for each in chance(1, 300, 16, 16, known=0.5))
    images, mask = images.requires_grad_(True), mask[:, :1]
    mask[..., :8, :8] = 0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, found = layer(images, mask)
        scale, _ = layer._scale([(images, mask)])
    exact, expected = layer(images, mask)
    assert output.dtype == torch.bfloat16
    assert scale.dtype == found.dtype == torch.float32
    assert torch.equal(found, expected)
    around = functional.conv2d(mask, torch.ones(1, 1, 7, 7), padding=3).round()
    assert torch.equal(scale, torch.where(around > 0, torch.tensor(49.0) / around, 0.0))
    torch.testing.assert_close(output.float(), exact, rtol=0.05, atol=0.05)
    output.float().square().sum().backward()
    for each in (output, images.grad, *(each.grad for each in layer.parameters())):
        assert torch.isfinite(each).all()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_what_is_learned_is_weights_and_bias_alone(dimensions):
    layer = LAYERS[dimensions](3, 32, 3)
    shapes = {"convolution.weight": (32, 3, *[3] * dimensions), "bias": (32,)}
    assert {name: tuple(each.shape) for name, each in layer.state_dict().items()} == shapes
    assert {name: tuple(each.shape) for name, each in layer.named_parameters()} == shapes
    assert not list(layer.buffers())
    assert [*LAYERS[dimensions](3, 32, 3, bias=False).state_dict()] == ["convolution.weight"]


def test_it_remembers_nothing():
    layer = PartialConv2d(1, 2, 3)
    before = set(layer.__dict__)
    first, second = (tuple(each.float() for each in chance(1, 1, 10, 10, seed=seed)) for seed in (1, 2))
    alone = layer(*first)[0]
    layer(*second)
    assert torch.equal(layer(*first)[0], alone)
    assert set(layer.__dict__) == before
