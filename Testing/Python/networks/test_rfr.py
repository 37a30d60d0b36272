"""Recurrent feature reasoning: against the published network, literally."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from MedInpaintLib.networks.attention import ConsistentAttention, Scores
from MedInpaintLib.networks.rfr import RfrNet

LITERAL = runpy.run_path(str(Path(__file__).parents[2] / "Benchmarks" / "literal_rfr.py"))["LiteralRfr"]


def damaged(batch=2, slices=1, pixels=64, dtype=torch.float32, hint=False):
    """Frames and what is known of them: blocks at the border and inside, another one in each image."""
    images = torch.randn(batch, slices + hint, pixels, pixels, dtype=dtype).tanh()
    known = torch.ones(batch, slices, pixels, pixels, dtype=torch.bool)
    for number in range(batch):
        start = 7 * number
        known[number, :, start : start + pixels // 2, pixels // 4 : pixels // 2 + 3 * number + 1] = False
    return images, known


def made(**arguments):
    """A network whose weights, and statistics of normalisation, are not those of the start."""
    torch.manual_seed(0)
    network = RfrNet(**{"pixels": 64, "width": 8, **arguments})
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
        network.train()
        for _ in range(3):
            network(*damaged(4, network.inputs.slices, hint=network.inputs.hint))
        if network.inputs.given == "fill":
            network.correct.body.head.weight.normal_()
    return network.eval()


@pytest.mark.parametrize("kernel", [5, 7])
@pytest.mark.parametrize("pixels", [64, 96])
@torch.no_grad()
def test_it_is_the_published_network(kernel, pixels):
    network = made(kernel=kernel, width=16).double()
    literal = LITERAL(channels=1, width=16, kernel=kernel).double().weights_of(network.state_dict()).eval()
    images, known = damaged(pixels=pixels, dtype=torch.float64)
    found, expected = network(images, known), literal(images * known, known.double())
    assert expected.std() > 0.01
    # The published partial convolution adds 1e-8 to the count of known pixels.
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-7)
    # In float32 the two add up in another order, and the attention's softmax of large numbers makes more of it.
    torch.testing.assert_close(network.float()(images.float(), known), expected.float(), rtol=1e-3, atol=1e-3)


def open_hole():
    """Frames whose hole features of a kernel of 5 fill in the fifth recurrence, those of a kernel of 3 never."""
    images = torch.randn(2, 1, 96, 96, dtype=torch.float64).tanh()
    known = torch.ones(2, 1, 96, 96, dtype=torch.bool)
    known[..., 8:88, 8:88] = False
    return images, known


@pytest.mark.parametrize("kernel", [3, 5])
@torch.no_grad()
def test_it_is_the_published_network_where_a_hole_stays_open_for_some_recurrences_or_all(kernel):
    network = made(kernel=kernel, pixels=96).double()
    literal = LITERAL(channels=1, width=8, kernel=kernel).double().weights_of(network.state_dict()).eval()
    images, known = open_hole()
    unknown = []
    network.grow.register_forward_hook(lambda module, inputs, output: unknown.append(int((output[1] == 0).sum())))
    output = network(images, known)
    assert unknown[0] > unknown[1] > unknown[2] > 0
    assert (unknown[-1] > 0) == (kernel == 3)
    torch.testing.assert_close(output, literal(images * known, known.double()), rtol=1e-7, atol=1e-7)


class Recurrence(torch.nn.Module):
    """A stand-in for reasoning: recurrence t says t, also where nothing is known."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, features, seen, scores):
        self.seen.append(seen)
        return torch.full_like(features, float(len(self.seen))), scores


@torch.no_grad()
def test_features_are_the_mean_over_the_recurrences_that_knew_their_position():
    """In closed form: a position that is known from recurrence k to the last one, R, has the mean of k..R."""
    network = made(kernel=5, pixels=96, recurrences=4).double()
    network.reason = reasoning = Recurrence()
    with torch.no_grad():
        network.look[-1].normalisation.weight.zero_()
        network.look[-1].normalisation.bias.zero_()  # at first all features are 0
    merged, at_first = [], []
    network.enlarge.register_forward_pre_hook(lambda module, inputs: merged.append(inputs[0]))
    network.look[-1].register_forward_hook(lambda module, inputs, output: at_first.append(output[1]))
    network(*open_hole())
    masks = [at_first[0], *reasoning.seen]
    expected = torch.zeros_like(merged[0])
    for first in range(4, -1, -1):
        mean = sum(range(first, 5)) / (5 - first)
        expected = torch.where(masks[first] > 0, mean, expected)
    assert set(expected.unique().tolist()) == {0.0, 2.0, 2.5, 3.0, 3.5, 4.0}
    torch.testing.assert_close(merged[0], expected, rtol=1e-6, atol=1e-6)


@torch.no_grad()
def test_in_training_too():
    network = made().double().train()
    literal = LITERAL(channels=1, width=8).double().weights_of(network.state_dict()).train()
    images, known = damaged(4, dtype=torch.float64)
    torch.testing.assert_close(network(images, known), literal(images * known, known.double()), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(network.grow.normalisation.running_var, literal.norm_2.running_var, rtol=1e-6, atol=1e-6)


def test_it_has_the_size_of_the_published_network():
    with torch.device("meta"):
        ours, published = RfrNet(), LITERAL()
    count, expected = (sum(each.numel() for each in network.parameters()) for network in (ours, published))
    assert expected == 31_224_065
    # Two colours less: in the first convolution, in the tail, and in the last one.
    assert expected - count == 2 * (64 * 7**2 + 32 * 3**2 + 64 * 3**2)


def naive_attention(features, mask, ratio, before):
    """Of one image: features ``(C, H, W)``, mask ``(H, W)``, scores ``(H, W, H, W)``; position by position."""
    height, width = features.shape[1:]
    keys = features + 1e-7
    keys = keys / np.sqrt((keys**2).sum(axis=0))
    attended, scores = np.zeros_like(features), np.zeros((height, width, height, width))
    for row, column in np.ndindex(height, width):
        logits = np.zeros((height, width))
        for y in range(max(0, row - 1), min(height, row + 2)):
            for x in range(max(0, column - 1), min(width, column + 2)):
                for place in np.ndindex(height, width):
                    logits[place] += features[:, y, x] @ keys[(slice(None), *place)]
        weights = np.exp(logits - logits.max())
        weights /= weights.sum()
        if before is not None:
            scores_before, mask_before = before
            trust = mask_before[row, column]
            weights = (scores_before[row, column] * trust + weights * (ratio + 1e-7)) / (trust + ratio + 1e-7)
        scores[row, column] = weights
        for place in np.ndindex(height, width):
            attended[:, row, column] += weights[place] * keys[(slice(None), *place)]
    return attended, scores


@torch.no_grad()
def test_attention_is_what_it_is_defined_to_be():
    rng = np.random.default_rng(0)
    layer = ConsistentAttention(3).double()
    layer.ratio.fill_(-0.4)  # its absolute value counts
    before, naive_before = None, [None, None]
    for _ in range(3):
        features, mask = rng.normal(size=(2, 3, 4, 5)), rng.random((2, 1, 4, 5)) > 0.5
        found, before = layer(torch.tensor(features), torch.tensor(mask, dtype=torch.float64), before)
        for number in range(2):
            attended, scores = naive_attention(features[number], mask[number, 0], 0.4, naive_before[number])
            naive_before[number] = scores, mask[number, 0]
            np.testing.assert_allclose(before.scores[number].reshape(4, 5, 4, 5), scores, rtol=1e-9, atol=1e-12)
            both = torch.tensor(np.concatenate([attended, features[number]]))
            torch.testing.assert_close(found[number], layer.combine(both[None])[0], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(before.scores.sum(dim=2), torch.ones(2, 20, dtype=torch.float64))


@torch.no_grad()
def test_attention_sees_the_nearest_pixel_of_a_larger_mask_and_survives_zeros():
    layer, large = ConsistentAttention(3), (torch.rand(2, 1, 16, 16) > 0.5).float()
    attended, scores = layer(torch.zeros(2, 3, 4, 4), large, None)
    assert attended.isfinite().all()
    torch.testing.assert_close(scores.mask.reshape(2, 4, 4), large[:, 0, ::4, ::4])


@torch.no_grad()
def test_scores_keep_their_precision_under_autocast():
    layer, features, mask = ConsistentAttention(8), 10 * torch.randn(2, 8, 4, 4), torch.ones(2, 1, 4, 4)
    expected = layer(features, mask, None)[1]
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(features, mask, expected)[1]
    assert isinstance(found, Scores)
    assert found.scores.dtype == torch.float32
    torch.testing.assert_close(found.scores, expected.scores)


@torch.no_grad()
def test_of_the_fill_and_the_hint_only_the_corrector_knows():
    network = made(given="fill", recurrences=2, hint=True)
    images, known = damaged(hint=True)
    fill, hint = images.clone(), images.clone()
    fill[:, :1][~known] += 0.3
    hint[:, 1:][~known] += 0.3
    reasoned = []
    network.enlarge.register_forward_pre_hook(lambda module, inputs: reasoned.append(inputs[0]))
    one, other, hinted = (network(each, known) - each[:, :1] for each in (images, fill, hint))
    assert torch.equal(reasoned[0], reasoned[1])
    assert torch.equal(reasoned[0], reasoned[2])
    assert not torch.allclose(one, other)
    assert not torch.allclose(one, hinted)
