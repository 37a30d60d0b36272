"""Networks that estimate a contrast from others: what they look at, where they start, what they are made of."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks import build
from MedInpaintLib.networks.contrast_attention import ConditionalChannelAttention
from MedInpaintLib.networks.contrast_discriminator import ContrastDiscriminator
from MedInpaintLib.networks.contrast_unet import ContrastUNet
from MedInpaintLib.networks.tiles import tiled
from Testing.Python.imputers import HIDDEN, OWN, SETS, WANTED, fresh, made, slices

of_all_architectures = pytest.mark.parametrize("architecture", OWN)


@pytest.mark.parametrize("linear", [False, True])
@of_all_architectures
@pytest.mark.parametrize(
    ("width", "levels", "rows", "columns"), [(3, 1, 7, 5), (4, 2, 6, 10), (4, 3, 16, 16), (2, 5, 32, 48)]
)
@torch.no_grad()
def test_shapes(architecture, linear, width, levels, rows, columns):
    network = made(architecture, pixels=32, width=width, levels=levels, linear=linear)
    found = network(slices(3, rows, columns), torch.ones(3, 4, dtype=torch.bool), torch.tensor([0, 2, 1]))
    assert found.shape == (3, 1, rows, columns)
    assert found.isfinite().all()
    assert linear or (found >= 0).all()


@of_all_architectures
@pytest.mark.parametrize("linear", [False, True])
@torch.no_grad()
def test_what_is_missing_or_wanted_is_never_looked_at(architecture, linear):
    network, images = made(architecture, linear=linear), slices()
    expected = network(images, SETS, WANTED)
    for other in (9.0, torch.nan, slices(seed=1)):
        changed = torch.where(HIDDEN[:, :, None, None], other, images)
        assert torch.equal(network(changed, SETS, WANTED), expected)
    assert expected.isfinite().all()


@of_all_architectures
@torch.no_grad()
def test_what_is_missing_does_not_matter_to_tiles(architecture):
    network, images = made(architecture, linear=True), slices(rows=20, columns=24)
    images[:, :, :12] = 0  # what is there has no signal in some tiles
    changed = torch.where(HIDDEN[:, :, None, None], 5.0, images)
    assert torch.equal(tiled(network, changed, SETS, WANTED), tiled(network, images, SETS, WANTED))


@pytest.mark.parametrize("branches", [False, True])
@torch.no_grad()
def test_one_encoder_or_one_for_each_contrast_give_images_of_the_same_size(branches):
    network = made(branches=branches)
    assert network(slices(2, 8, 12), SETS[-2:], WANTED[-2:]).shape == (2, 1, 8, 12)


def test_by_default_encoders_have_the_widths_of_the_authors():
    """Four encoders of 16 to 256 channels, which meet at 1024; each sees its contrast and what it is told."""
    with torch.device("meta"):
        network = build("collagan", {"pixels": 240, "contrasts": 4})
        sizes = []
        for block in network.unet.down:
            block.register_forward_hook(lambda _, inputs, output: sizes.append(tuple(output.shape[1:])))
        network(torch.empty(1, 4, 240, 240), torch.ones(1, 4) > 0, torch.zeros(1).long())
    widths = [16, 32, 64, 128, 256]
    assert sizes == [(4 * each, side, side) for each, side in zip(widths, [240, 120, 60, 30, 15], strict=True)]
    assert sizes[-1][0] == 1024
    one = 0
    for before, after in zip([1 + 8, *widths[1:]], widths, strict=True):
        one += (9 * before + 1) * after + (9 * after + 1) * after + 4 * after  # the last: of two normalisations
    one += sum((4 * before + 1) * after for before, after in itertools.pairwise(widths))
    encoder = [*network.unet.down.parameters(), *network.unet.shrink.parameters()]
    assert sum(each.numel() for each in encoder) == 4 * one


@torch.no_grad()
def test_all_the_rest_is_looked_at_by_collagan():
    network, images = made(linear=True), slices()
    expected = network(images, SETS, WANTED)
    for contrast in range(4):
        changed = images.clone()
        changed[:, contrast] = slices(seed=1)[:, contrast]
        differs = (network(changed, SETS, WANTED) != expected).flatten(1).any(dim=1)
        assert torch.equal(differs, SETS[:, contrast] & (contrast != WANTED))


@torch.no_grad()
def test_a_black_contrast_is_not_a_missing_one_and_each_wanted_contrast_is_another():
    network, images = made(linear=True), slices(1)
    images[:, 1] = 0
    present = torch.tensor([[True, True, True, False]])
    first = network(images, present, torch.tensor([0]))
    assert not torch.allclose(first, network(images, torch.tensor([[True, False, True, False]]), torch.tensor([0])))
    present[0, 0] = False
    assert not torch.allclose(network(images, present, torch.tensor([3])), first)


@torch.no_grad()
def test_images_of_a_batch_do_not_influence_each_other():
    network, images = made(linear=True), slices(4)
    together = network(images, SETS[-4:], WANTED[-4:])
    for number in range(4):
        alone = network(*(each[number, None] for each in (images, SETS[-4:], WANTED[-4:])))
        torch.testing.assert_close(alone[0], together[number], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("branches", [False, True])
@torch.no_grad()
def test_with_branches_the_encoder_of_a_contrast_does_not_depend_on_the_others(branches):
    torch.manual_seed(0)
    network = ContrastUNet(3, 2, width=6, levels=3, branches=branches)
    seen: list[torch.Tensor] = []
    for block in network.down:
        block.register_forward_hook(lambda _, inputs, output: seen.append(output))
    images, condition = slices(2)[:, :3], torch.tensor([[1.0, 0.0], [0.5, 2.0]])
    network(images, condition)
    for contrast in range(3):
        changed = images.clone()
        changed[:, contrast] = slices(2, seed=1)[:, contrast]
        network(changed, condition)
        for first, second in zip(seen[:3], seen[-3:], strict=True):
            parts = zip(first.chunk(3, dim=1), second.chunk(3, dim=1), strict=True)
            differs = [not torch.equal(one, other) for one, other in parts]
            assert differs == ([each == contrast for each in range(3)] if branches else [True] * 3)


@torch.no_grad()
def test_a_branch_is_an_encoder_of_its_own():
    """Of the grouped convolutions those of one contrast, as a network that has only this one."""
    torch.manual_seed(0)
    together = ContrastUNet(3, 2, width=4, levels=3, branches=True)
    images, condition = slices(2)[:, :3], torch.tensor([[1.0, 0.0], [0.5, 2.0]])
    features: dict[nn.Module, list[torch.Tensor]] = {}

    def keep(module, _, output):
        features.setdefault(module, []).append(output)

    for block in together.down:
        block.register_forward_hook(keep)
    together(images, condition)
    for number in range(3):
        alone = ContrastUNet(1, 2, width=4, levels=3)
        for of, to in zip((together.down, together.shrink), (alone.down, alone.shrink), strict=True):
            for weights, own in zip(of.parameters(), to.parameters(), strict=True):
                own.copy_(weights.chunk(3)[number])
        for block in alone.down:
            block.register_forward_hook(keep)
        alone(images[:, number, None], condition)
        for one, all_of_them in zip(alone.down, together.down, strict=True):
            expected = features[all_of_them][0].chunk(3, dim=1)[number]
            torch.testing.assert_close(features[one][0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("branches", [False, True])
@torch.no_grad()
def test_the_linear_network_starts_at_the_mean_of_the_contrasts_that_are_there(branches):
    images = slices()
    found = fresh(linear=True, branches=branches)(images, SETS, WANTED).numpy()
    for number, (image, there, wanted) in enumerate(zip(images.numpy(), SETS.tolist(), WANTED.tolist(), strict=True)):
        rest = [image[contrast] for contrast in range(4) if there[contrast] and contrast != wanted]
        expected = np.mean(rest, axis=0) if rest else np.zeros((16, 16))
        np.testing.assert_allclose(found[number, 0], expected, rtol=1e-6)


@torch.no_grad()
def test_the_attention_is_its_formula():
    torch.manual_seed(0)
    attention = ConditionalChannelAttention(40, 3)  # of few hidden units none might be active, whatever the condition
    features, condition = torch.randn(2, 40, 4, 5), torch.randn(2, 3)
    for weights in attention.parameters():
        nn.init.normal_(weights)
    found = attention(features, condition).numpy()
    layers = [(each.weight.numpy(), each.bias.numpy()) for each in attention.weigh if isinstance(each, nn.Linear)]
    assert [weight.shape for weight, _ in layers] == [(10, 43), (10, 10), (40, 10)]
    for one, told, out in zip(features.numpy(), condition.numpy(), found, strict=True):
        hidden = np.array([*told, *(channel.sum() / channel.size for channel in one)])
        for number, (weight, bias) in enumerate(layers):
            hidden = weight @ hidden + bias
            hidden = np.maximum(hidden, 0) if number < len(layers) - 1 else 1 / (1 + np.exp(-hidden))
        for channel, share in enumerate(hidden):
            np.testing.assert_allclose(out[channel], one[channel] * share, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("branches", [False, True])
@torch.no_grad()
def test_every_attention_is_told_which_contrast_is_wanted_and_which_are_there(branches):
    network, told = made(branches=branches), []
    blocks = [each for each in network.modules() if isinstance(each, ConditionalChannelAttention)]
    for block in blocks:
        block.register_forward_hook(lambda _, inputs, output: told.append(inputs[1]))
    network(slices(), SETS, WANTED)
    expected = torch.zeros(len(SETS), 8)
    for row, (there, wanted) in enumerate(zip(SETS.tolist(), WANTED.tolist(), strict=True)):
        expected[row, wanted] = 1
        for contrast in range(4):
            expected[row, 4 + contrast] = there[contrast] and contrast != wanted
    assert blocks
    assert len(told) == len(blocks)
    assert all(torch.equal(each, expected) for each in told)


@torch.no_grad()
def test_through_the_attention_alone_the_condition_changes_the_image():
    torch.manual_seed(0)
    network = ContrastUNet(3, 2, width=4, levels=3, linear=False).eval()
    network.down[0][0].weight[:, 3:] = 0  # the condition's planes are not looked at
    images = slices(1)[:, :3]
    first, second = (network(images, torch.tensor([each])) for each in ([0.0, 1.0], [1.0, 0.0]))
    assert not torch.allclose(first, second)


@torch.no_grad()
def test_a_judgement_is_no_probability():
    """Least squares need outputs without a bound; a sigmoid would have no gradient where they are far from 0 and 1."""
    torch.manual_seed(0)
    real, _ = ContrastDiscriminator(3)(1e4 * torch.randn(16, 1, 64, 64))
    assert real.min() < -1
    assert real.max() > 2


@pytest.mark.parametrize(("contrasts", "inputs", "width"), [(4, 1, 4), (1, 2, 2), (3, 1, 1)])
@pytest.mark.parametrize(("rows", "columns"), [(32, 32), (64, 96)])
@torch.no_grad()
def test_the_discriminator_judges_patches_and_names_contrasts(contrasts, inputs, width, rows, columns):
    real, named = ContrastDiscriminator(contrasts, inputs=inputs, width=width)(torch.rand(2, inputs, rows, columns))
    assert real.shape == (2, 1, rows // 16, columns // 16)
    assert named.shape == (2, contrasts)


@torch.no_grad()
def test_what_is_far_from_a_patch_does_not_matter_to_it_but_to_the_name():
    torch.manual_seed(0)
    judge = ContrastDiscriminator(3, width=2)
    images = torch.rand(1, 1, 32, 256)
    other = images.clone()
    other[..., :16] = 0
    (real, named), (real_again, named_again) = judge(images), judge(other)
    assert not torch.equal(real[..., 0], real_again[..., 0])
    assert torch.equal(real[..., 8:], real_again[..., 8:])
    assert not torch.equal(named, named_again)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"contrasts": 1}, "2 or more; found 1"),
        ({"width": 0}, "1 or more width; found 0"),
        ({"levels": 0}, "1 or more levels; found 0"),
    ],
)
def test_sizes_without_a_network_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        fresh(**arguments)


@pytest.mark.parametrize(
    ("pixels", "levels", "multiple", "least"), [(18, 3, 4, 8), (4, 3, 4, 8), (1, 1, 1, 2), (16, 5, 16, 32)]
)
def test_crops_that_cannot_be_halved_so_often_are_refused(pixels, levels, multiple, least):
    message = (
        rf"Crops of {pixels} pixels cannot be halved {levels - 1} times; .* multiple of {multiple}, and {least} or"
    )
    with pytest.raises(ParameterError, match=message):
        fresh(pixels=pixels, levels=levels)
    assert fresh(pixels=least, levels=levels).pixels == least
    assert fresh(pixels=least + multiple, levels=levels).pixels == least + multiple


def test_a_head_with_a_relu_starts_at_the_level_of_tissue():
    """One that begins below 0 everywhere learns nothing."""
    heads = {
        linear: [
            each.head
            for each in fresh(linear=linear).modules()
            if isinstance(each, ContrastUNet) and each.linear is linear
        ]
        for linear in (False, True)
    }
    assert heads[False]
    assert heads[True]
    for head in heads[False]:
        assert head.bias.tolist() == [0.25]
        assert head.weight.any()
    for head in heads[True]:
        assert not any(weights.any() for weights in head.parameters())


def test_a_net_of_no_contrasts_is_refused():
    with pytest.raises(ParameterError, match="1 or more contrasts; found 0"):
        ContrastUNet(0, 2, width=4, levels=2)
