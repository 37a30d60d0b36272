"""What all networks keep to that fill in one pass, and the U-Nets and the context encoder themselves."""

import pytest
import torch
from torch.nn import functional

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks import build

SMALL = {
    "unet": {"width": 4, "levels": 3},
    "edge-guided": {"width": 4, "levels": 3},
    "boundary-aware": {"width": 4, "levels": 3},
    "pconv": {"width": 4, "levels": 3},
    "context-encoder": {"width": 4, "bottleneck": 32},
    "rfr": {"width": 8, "recurrences": 2, "kernel": 5},
}
EXTRA = {"edge-guided": "edges", "boundary-aware": "boundary"}
SLICES = 3
SIZE = {"pixels": 32, "slices": SLICES}


def made(architecture, given="fill", **arguments):
    """In evaluation, with weights and statistics that are not those of the start."""
    torch.manual_seed(0)
    network = build(architecture, {**SIZE, "given": given, **SMALL[architecture], **arguments})
    for weights in network.parameters():
        if not weights[0].any():  # the first row makes the image
            torch.nn.init.normal_(weights, std=0.1)
    with torch.no_grad():
        seen = network.inputs
        network(*damaged(8, seen.hint, seen.other_side, pixels=seen.pixels, slices=seen.slices))
    return network.eval()


def damaged(batch=4, hint=False, other_side=False, *, seed=0, pixels=32, slices=SLICES):
    chance = torch.Generator().manual_seed(seed)
    images = torch.rand(batch, slices + hint + other_side, pixels, pixels, generator=chance) * 2 - 1
    known = torch.rand(batch, slices + other_side, pixels, pixels, generator=chance) < 0.9
    known[:, :slices, 8:20, 10:20] = False
    return images, known


@pytest.mark.parametrize("given", ["nothing", "fill"])
@pytest.mark.parametrize("architecture", SMALL)
@torch.no_grad()
def test_the_first_channel_is_the_image_and_a_second_one_what_the_network_says_it_is(architecture, given):
    network = made(architecture, given)
    assert EXTRA.get(architecture) == network.EXTRA
    assert network(*damaged()).shape == (4, 2 if network.EXTRA else 1, 32, 32)


@pytest.mark.parametrize("given", ["nothing", "fill"])
@pytest.mark.parametrize(
    ("architecture", "sizes"),
    [
        *(("context-encoder", {"pixels": side, "slices": n}) for side, n in ((32, 1), (64, 7), (96, 3), (128, 1))),
        ("pconv", {"pixels": 64, "slices": 1, "width": 8, "levels": 4}),
        ("pconv", {"pixels": 64, "slices": 7, "width": 16, "levels": 4}),
        ("pconv", {"pixels": 96, "slices": 3, "width": 4, "levels": 5}),
        ("pconv", {"pixels": 16, "slices": 1, "width": 4, "levels": 1}),
    ],
)
@torch.no_grad()
def test_shapes(architecture, sizes, given):
    network = made(architecture, given, **sizes)
    images, known = damaged(2, pixels=sizes["pixels"], slices=sizes["slices"])
    filled = network(images, known)
    assert filled.shape == (2, 1, sizes["pixels"], sizes["pixels"])
    assert filled.isfinite().all()
    assert network.train() is network
    assert network.eval() is network
    if architecture == "context-encoder":
        assert network.encoder(torch.cat([images, known.float()], dim=1)).shape == (2, 32, 1, 1)


@pytest.mark.parametrize("architecture", SMALL)
@torch.no_grad()
def test_given_nothing_what_lies_under_the_hole_does_not_matter(architecture):
    network = made(architecture, "nothing")
    images, known = damaged()
    assert torch.equal(network(images, known), network(torch.where(known, images, 1e6), known))


@pytest.mark.parametrize("architecture", SMALL)
@torch.no_grad()
def test_given_a_fill_the_correction_depends_on_it(architecture):
    network = made(architecture)
    images, known = damaged()
    other = images.where(known, torch.tensor(0.25))
    first, second = (network(each, known)[:, :1] - each[:, 1:2] for each in (images, other))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("given", ["nothing", "fill"])
@pytest.mark.parametrize("architecture", SMALL)
@torch.no_grad()
def test_an_output_does_not_depend_on_what_else_is_in_the_batch(architecture, given):
    network = made(architecture, given)
    images, known = damaged()
    together = network(images, known)
    for number in range(len(images)):
        alone = network(images[number : number + 1], known[number : number + 1])
        torch.testing.assert_close(alone[0], together[number], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("architecture", SMALL)
@torch.no_grad()
def test_a_new_network_that_corrects_a_fill_leaves_it_as_it_is_and_one_without_a_fill_does_not(architecture, training):
    images, known = damaged()
    for given in ("fill", "nothing"):
        network = build(architecture, {**SIZE, "given": given, **SMALL[architecture]}).train(training)
        assert torch.equal(network(images, known)[:, :1], images[:, 1:2]) == (given == "fill")


@pytest.mark.parametrize("other_side", [True, False])
@pytest.mark.parametrize("architecture", SMALL)
@torch.no_grad()
def test_a_new_network_with_a_hint_leaves_it_as_it_is(architecture, other_side):
    beside = {"hint": True, "other_side": other_side}
    arguments = {**SIZE, "given": "fill", **beside, **SMALL[architecture]}
    images, known = damaged(**beside)
    torch.testing.assert_close(build(architecture, arguments)(images, known)[:, :1], images[:, SLICES : SLICES + 1])


@pytest.mark.parametrize("architecture", SMALL)
@torch.no_grad()
def test_all_slices_the_hint_and_the_other_side_are_seen(architecture):
    beside = {"hint": True, "other_side": True}
    network = made(architecture, **beside).double()  # little of a pixel comes through a bottleneck
    images, known = damaged(**beside)
    images = images.double()
    before = network(images, known)
    for channel in range(SLICES + 2):
        other = images.clone()
        other[:, channel, 2:30, 2:30] *= -1
        change = network(other, known) - before
        assert change.abs().amax(dim=(1, 2, 3)).min() > 1e-9
    for channel in (0, SLICES):
        masked = known.clone()
        masked[:, channel] = ~masked[:, channel]
        assert not torch.equal(network(images, masked), before)


@pytest.mark.parametrize("architecture", SMALL)
@torch.no_grad()
def test_where_there_is_no_other_side_its_values_do_not_matter(architecture):
    beside = {"hint": True, "other_side": True}
    network = made(architecture, **beside)
    images, known = damaged(**beside)
    other = images.clone()
    other[:, -1][~known[:, -1]] = 7.0
    assert not torch.equal(other, images)
    assert torch.equal(network(other, known), network(images, known))


@pytest.mark.parametrize("architecture", SMALL)
@torch.no_grad()
def test_half_precision_comes_close(architecture):
    beside = {"hint": True, "other_side": True}
    network = made(architecture, **beside)
    images, known = damaged(**beside)
    exact = network(images, known)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = network(images, known)
    assert found.isfinite().all()
    assert (found.float() - exact).abs().mean() < 0.05 * (exact.abs().mean() + 1)


@pytest.mark.parametrize("share", [0.0, 0.001, 1.0])
@pytest.mark.parametrize("architecture", SMALL)
def test_bfloat16_and_extreme_masks_stay_finite(architecture, share):
    network = made(architecture, "nothing").train()
    images, _ = damaged()
    known = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0)).expand_as(images) < share
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = network(images, known)
    found.float().square().mean().backward()
    assert found.isfinite().all()
    assert all(weights.grad.isfinite().all() for weights in network.parameters())
    with torch.no_grad():
        assert network.eval()(images, known).isfinite().all()


@pytest.mark.parametrize(("given", "beside"), [("nothing", {}), ("fill", {}), ("fill", {"hint": True})])
@pytest.mark.parametrize("architecture", SMALL)
def test_every_weight_learns(architecture, given, beside):
    network = made(architecture, given, **beside).train()
    network(*damaged(**beside)).square().sum().backward()
    for name, weights in network.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.isfinite().all(), name
        assert weights.grad.any(), name


@pytest.mark.parametrize("architecture", SMALL)
def test_given_a_fill_every_weight_of_a_new_network_learns_within_two_steps(architecture):
    network = build(architecture, {**SIZE, "given": "fill", **SMALL[architecture]})
    images, known = damaged()
    for _ in range(2):
        (network(images, known) - 0.5).abs().mean().backward()
        with torch.no_grad():
            for weights in network.parameters():
                weights -= 0.1 * weights.grad
    assert all(weights.grad.any() for weights in network.parameters())  # those before the zeros from the second step


@pytest.mark.parametrize(("architecture", "inner"), [("pconv", "encoder.1"), ("rfr", "reason.attention")])
@torch.no_grad()
def test_a_call_in_the_middle_of_another_one_changes_neither(architecture, inner):
    network = made(architecture, "nothing")
    names = list(network.state_dict())
    first, second = damaged(2), damaged(3, seed=1)
    alone, held = (network(*first), network(*second)), []

    def interrupt(*_):
        hook.remove()
        held.append(network(*second))

    hook = network.get_submodule(inner).register_forward_hook(interrupt)
    assert torch.equal(network(*first), alone[0])
    assert torch.equal(held[0], alone[1])
    assert list(network.state_dict()) == names


@pytest.mark.parametrize(
    ("architecture", "encoder", "decoder", "count"),
    [
        (  # the layers of the published recipe, gray image and mask in, gray image out
            "context-encoder",
            [(2, 64, 4), (64, 64, 4), (64, 128, 4), (128, 256, 4), (256, 512, 4), (512, 4000, 4)],
            [(4000, 512, 4), (512, 256, 4), (256, 128, 4), (128, 64, 4), (64, 64, 4), (64, 1, 4)],
            71_187_201,
        ),
        (  # kernels, widths and concatenations of the paper's table, one level fewer; gray images in and out
            "pconv",
            [(1, 64, 7), (64, 128, 5), (128, 256, 5), (256, 512, 3), *[(512, 512, 3)] * 3],
            [*[(1024, 512, 3)] * 3, (768, 256, 3), (384, 128, 3), (192, 64, 3), (65, 1, 3)],
            25_772_362,
        ),
    ],
)
def test_the_published_size_has_the_published_weights(architecture, encoder, decoder, count):
    with torch.device("meta"):
        network = build(architecture, {})
    found = [
        (each.in_channels, each.out_channels, each.kernel_size[0])
        for each in network.modules()
        if isinstance(each, torch.nn.Conv2d | torch.nn.ConvTranspose2d)
    ]
    assert found == encoder + decoder
    weights = sum(before * after * kernel**2 for before, after, kernel in found)
    normalised = sum(after for _, after, _ in [*encoder[1:], *decoder[:-1]])
    biases = 64 + 1  # of the layers without normalisation
    assert sum(each.numel() for each in network.parameters()) == weights + 2 * normalised + biases == count


@torch.no_grad()
def test_an_image_of_a_context_encoder_is_within_its_range_and_a_correction_is_not():
    arguments = {**SIZE, **SMALL["context-encoder"]}
    assert build("context-encoder", arguments).decoder(1e3 * torch.randn(4, 32, 1, 1)).abs().max() <= 1
    network = build("context-encoder", {**arguments, "given": "fill"})
    network.decoder[-2].bias.fill_(5.0)
    assert network.predict(*(each.float() for each in damaged()), torch.empty(4, 0, 32, 32)).max() == 5


@torch.no_grad()
def test_the_encoder_of_partial_convolutions_sees_known_pixels_alone_and_the_corrector_the_fill():
    network = made("pconv")
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


@torch.no_grad()
def test_partial_convolutions_that_average_fill_a_constant_with_itself():
    """As every layer, skips included, leaves out what is not known yet; a zero that counted would darken the hole."""
    network = build("pconv", {"pixels": 64, "slices": 1, "width": 4, "levels": 4}).eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.fill_(1 / layer.weight[0].numel())
        elif isinstance(layer, torch.nn.BatchNorm2d):
            layer.eps = 0.0
    known = torch.ones(1, 1, 64, 64, dtype=torch.bool)
    known[..., 10:54, 12:60] = False
    torch.testing.assert_close(network(torch.full((1, 1, 64, 64), 0.7), known), torch.full((1, 1, 64, 64), 0.7))


def test_a_u_net_has_the_published_size():
    """Ronneberger et al.: 23 convolutional layers; without the two-by-two ones on the way up, 18 and the last."""
    network = build("unet", {"pixels": 64})
    convolutions = [each for each in network.modules() if isinstance(each, torch.nn.Conv2d)]
    assert len(convolutions) == 19
    assert max(each.out_channels for each in convolutions) == 1024


@torch.no_grad()
def test_a_u_net_without_levels_is_two_convolutions():
    """Literally: cat, convolve, normalise, ReLU, twice, and a weighted sum of that and of the input."""
    torch.manual_seed(0)
    network = build("unet", {"pixels": 8, "slices": 1, "width": 3, "levels": 1}).eval()
    images, known = torch.rand(2, 1, 8, 8), torch.rand(2, 1, 8, 8) < 0.5
    state = network.state_dict()
    found = seen = torch.cat([images * known, known.float()], dim=1)
    for convolution, norm in ((0, 1), (3, 4)):
        found = functional.conv2d(found, state[f"body.down.0.{convolution}.weight"], padding=1)
        statistics = [state[f"body.down.0.{norm}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
        found = functional.relu(functional.batch_norm(found, *statistics))
    expected = functional.conv2d(torch.cat([found, seen], dim=1), state["body.head.weight"], state["body.head.bias"])
    torch.testing.assert_close(network(images, known), expected)


@pytest.mark.parametrize(
    ("architecture", "arguments", "message"),
    [
        *(
            (architecture, arguments, message)
            for architecture in SMALL
            for arguments, message in (
                ({"slices": 2}, "slices that a network sees must be odd; found 2"),
                ({"given": "all"}, "is given one of nothing, fill under the hole; found 'all'"),
                ({"pixels": 36}, "pixels; found 36"),
                ({"pixels": 0}, "must be 1 pixel or more; found 0"),
                ({"hint": True}, "corrects a fill; give it one"),
                ({"other_side": True}, "corrects a fill; give it one"),
                ({"relative": True}, "corrects a fill; give it one"),
            )
        ),
        ("unet", {"pixels": 36}, "multiple of 16 pixels; found 36"),
        ("pconv", {"pixels": 72, "levels": 4}, "multiple of 16 pixels; found 72"),
        ("pconv", {"levels": 0}, "1 level or more; found 0"),
        ("context-encoder", {"pixels": 72}, "multiple of 32 pixels; found 72"),
        ("context-encoder", {"pixels": 16}, "multiple of 32 pixels; found 16"),
        ("rfr", {"pixels": 72}, "multiple of 16 pixels; found 72"),
        ("rfr", {"width": 12}, "multiple of 8 channels; found 12"),
        ("rfr", {"width": 0}, "multiple of 8 channels; found 0"),
        ("rfr", {"recurrences": 0}, "1 recurrence or more; found 0"),
        ("rfr", {"kernel": 6}, "odd, 3 or more; found 6"),
        ("rfr", {"kernel": 1}, "odd, 3 or more; found 1"),
    ],
)
def test_what_cannot_be_is_refused(architecture, arguments, message):
    with pytest.raises(ParameterError, match=message):
        build(architecture, {"pixels": 64, "given": "nothing", **arguments})


@torch.no_grad()
def test_by_group_no_frame_has_a_part_in_another_ones_scale_while_it_learns():
    images, known = torch.rand(4, 1, 32, 32), torch.ones(4, 1, 32, 32, dtype=torch.bool)
    known[..., 8:20, 10:20] = False
    alone = {}
    for norm in ("batch", "group"):
        torch.manual_seed(0)
        network = build("unet", {"pixels": 32, "given": "fill", "norm": norm, "width": 8, "levels": 3}).train()
        torch.nn.init.normal_(network.body.head.weight, std=0.1)
        whole, part = network(images, known), network(images[:1], known[:1])
        alone[norm] = torch.allclose(whole[:1], part, atol=1e-5)
    assert alone == {"batch": False, "group": True}
    with pytest.raises(ParameterError, match="one of batch, group; found 'layer'"):
        build("unet", {"norm": "layer"})
