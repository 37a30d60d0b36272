"""Networks that estimate a contrast from others: what they look at, where they start, what they are made of."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import Research.comparators  # noqa: F401 - registers the networks that are tested beside CollaGAN
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks import build
from MedInpaintLib.networks.contrast_attention import ConditionalChannelAttention
from MedInpaintLib.networks.contrast_discriminator import ContrastDiscriminator
from MedInpaintLib.networks.contrast_unet import ContrastUNet

SMALL = {"pixels": 16, "contrasts": 4, "width": 4, "levels": 3}
OWN = {
    "collagan": {},
    "cyclegan": {"source": 3, "target": 0},
    "pix2pix": {"source": 1, "target": 2},
    "stargan": {"preferred": [2, 0, 3, 1]},
}
#: Every set of four contrasts that may be there, once with each of them wanted.
SETS = torch.tensor(list(itertools.product([False, True], repeat=4))).repeat_interleave(4, dim=0)
WANTED = torch.arange(4).repeat(16)


def made(architecture, **arguments):
    """In evaluation, with weights that are not those of the start."""
    network = fresh(architecture, **arguments)
    for weights in network.parameters():
        if not weights.any():
            nn.init.normal_(weights, std=0.1)
    return network


def fresh(architecture, **arguments):
    torch.manual_seed(0)
    return build(architecture, {**SMALL, **OWN[architecture], **arguments}).eval()


def slices(batch=len(SETS), rows=16, columns=16, seed=0):
    """With a signal everywhere."""
    return 0.1 + torch.rand(batch, 4, rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("architecture", OWN)
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


@pytest.mark.parametrize("branches", [False, True])
@torch.no_grad()
def test_one_encoder_or_one_for_each_contrast_give_images_of_the_same_size(branches):
    network = made("collagan", branches=branches)
    assert network(slices(2, 8, 12), SETS[-2:], WANTED[-2:]).shape == (2, 1, 8, 12)


def test_the_published_size_has_the_published_widths():
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


@pytest.mark.parametrize("architecture", OWN)
@pytest.mark.parametrize("linear", [False, True])
@torch.no_grad()
def test_what_is_missing_or_wanted_is_never_looked_at(architecture, linear):
    network, images = made(architecture, linear=linear), slices()
    hidden = ~SETS | torch.nn.functional.one_hot(WANTED, 4).bool()
    expected = network(images, SETS, WANTED)
    for other in (9.0, torch.nan, slices(seed=1)):
        changed = torch.where(hidden[:, :, None, None], other, images)
        assert torch.equal(network(changed, SETS, WANTED), expected)
    assert expected.isfinite().all()


@torch.no_grad()
def test_all_the_rest_is_looked_at_by_collagan():
    network, images = made("collagan", linear=True), slices()
    expected = network(images, SETS, WANTED)
    for contrast in range(4):
        changed = images.clone()
        changed[:, contrast] = slices(seed=1)[:, contrast]
        differs = (network(changed, SETS, WANTED) != expected).flatten(1).any(dim=1)
        assert torch.equal(differs, SETS[:, contrast] & (contrast != WANTED))


@torch.no_grad()
def test_a_black_contrast_is_not_a_missing_one_and_each_wanted_contrast_is_another():
    network, images = made("collagan", linear=True), slices(1)
    images[:, 1] = 0
    present = torch.tensor([[True, True, True, False]])
    first = network(images, present, torch.tensor([0]))
    assert not torch.allclose(first, network(images, torch.tensor([[True, False, True, False]]), torch.tensor([0])))
    present[0, 0] = False
    assert not torch.allclose(network(images, present, torch.tensor([3])), first)


@pytest.mark.parametrize("architecture", OWN)
@torch.no_grad()
def test_images_of_a_batch_do_not_influence_each_other(architecture):
    network, images = made(architecture, linear=True), slices(4)
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
    found = fresh("collagan", linear=True, branches=branches)(images, SETS, WANTED).numpy()
    for number, (image, there, wanted) in enumerate(zip(images.numpy(), SETS.tolist(), WANTED.tolist(), strict=True)):
        rest = [image[contrast] for contrast in range(4) if there[contrast] and contrast != wanted]
        expected = np.mean(rest, axis=0) if rest else np.zeros((16, 16))
        np.testing.assert_allclose(found[number, 0], expected, rtol=1e-6)


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


@torch.no_grad()
def test_the_attention_is_its_formula():
    torch.manual_seed(0)
    attention = ConditionalChannelAttention(12, 3)
    features, condition = torch.randn(2, 12, 4, 5), torch.randn(2, 3)
    for weights in attention.parameters():
        nn.init.normal_(weights)
    found = attention(features, condition).numpy()
    layers = [(each.weight.numpy(), each.bias.numpy()) for each in attention.weigh if isinstance(each, nn.Linear)]
    assert [weight.shape for weight, _ in layers] == [(3, 15), (3, 3), (12, 3)]
    for one, told, out in zip(features.numpy(), condition.numpy(), found, strict=True):
        hidden = np.array([*told, *(channel.sum() / channel.size for channel in one)])
        for number, (weight, bias) in enumerate(layers):
            hidden = weight @ hidden + bias
            hidden = np.maximum(hidden, 0) if number < len(layers) - 1 else 1 / (1 + np.exp(-hidden))
        for channel, share in enumerate(hidden):
            np.testing.assert_allclose(out[channel], one[channel] * share, rtol=1e-5, atol=1e-6)


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


@pytest.mark.parametrize("architecture", OWN)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"contrasts": 1}, "2 or more; found 1"),
        ({"width": 0}, "1 or more width; found 0"),
        ({"levels": 0}, "1 or more levels; found 0"),
    ],
)
def test_sizes_without_a_network_are_refused(architecture, arguments, message):
    with pytest.raises(ParameterError, match=message):
        fresh(architecture, **arguments)


@pytest.mark.parametrize("architecture", OWN)
@pytest.mark.parametrize(
    ("pixels", "levels", "multiple", "least"), [(18, 3, 4, 8), (4, 3, 4, 8), (1, 1, 1, 2), (16, 5, 16, 32)]
)
def test_crops_that_cannot_be_halved_so_often_are_refused(architecture, pixels, levels, multiple, least):
    message = (
        rf"Crops of {pixels} pixels cannot be halved {levels - 1} times; .* multiple of {multiple}, and {least} or"
    )
    with pytest.raises(ParameterError, match=message):
        fresh(architecture, pixels=pixels, levels=levels)
    assert fresh(architecture, pixels=least, levels=levels).pixels == least
    assert fresh(architecture, pixels=least + multiple, levels=levels).pixels == least + multiple


@pytest.mark.parametrize("architecture", OWN)
def test_a_head_with_a_relu_starts_at_the_level_of_tissue(architecture):
    """One that begins below 0 everywhere learns nothing."""
    heads = {
        linear: [
            each.head
            for each in fresh(architecture, linear=linear).modules()
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


@pytest.mark.parametrize("preferred", [[0, 1, 2], [0, 1, 2, 2], [1, 2, 3, 4], [0, 1, 2, 3, 3]])
def test_a_preference_must_name_each_contrast_once(preferred):
    with pytest.raises(ParameterError, match=r"each of the numbers 0 to 3 once; found \["):
        fresh("stargan", preferred=preferred)


def test_a_net_of_no_contrasts_is_refused():
    with pytest.raises(ParameterError, match="1 or more contrasts; found 0"):
        ContrastUNet(0, 2, width=4, levels=2)
