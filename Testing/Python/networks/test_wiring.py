"""The U-Net of partial convolutions and the context encoder against literal networks with the same weights."""

import runpy
from pathlib import Path

import pytest
import torch

from MedInpaintLib.networks import build

BENCHMARKS = Path(__file__).parents[2] / "Benchmarks"
LITERAL_PCONV = runpy.run_path(str(BENCHMARKS / "literal_pconv.py"))["literal_pconv"]
LITERAL_CONTEXT_ENCODER = runpy.run_path(str(BENCHMARKS / "literal_context_encoder.py"))["literal_context_encoder"]

#: In single precision the statistics of a small batch make more of the order of additions, so not while training.
WAYS = pytest.mark.parametrize(
    ("training", "dtype", "tolerance"),
    [(False, torch.float64, 1e-12), (True, torch.float64, 1e-12), (False, torch.float32, 1e-5)],
)


class Read(dict):
    """Weights that remember which of them were read."""

    def __init__(self, network):
        super().__init__(network.state_dict())
        self.unread = {name for name in self if not name.endswith("num_batches_tracked")}

    def __getitem__(self, name):
        self.unread.discard(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.unread.discard(name)
        return super().get(name, default)


def made(architecture, dtype, training, **arguments):
    """Build a network whose weights and statistics of normalisation are random."""
    torch.manual_seed(0)
    network = build(architecture, arguments)
    with torch.no_grad():
        for name, values in network.state_dict().items():
            if name.endswith("running_var"):
                values.uniform_(0.5, 2.0)
            elif values.ndim == 1:
                values.add_(0.3 * torch.randn_like(values))
    return network.to(dtype).train(training)


def statistics(weights, training):
    """Return the names of weights that training does not read."""
    return {name for name in weights if "running" in name} if training else set()


def damaged(slices, pixels, dtype):
    """Return images and what is known of them: all but a block, another one in each slice, and single pixels."""
    chance = torch.Generator().manual_seed(1)
    images = 2 * torch.rand(3, slices, pixels, pixels, generator=chance, dtype=dtype) - 1
    known = torch.rand(images.shape, generator=chance) > 0.1
    for image in range(3):
        for number in range(slices):
            known[image, number, 4 * number : pixels // 2 + 9 * image, : pixels - 8 * image - number] = False
    return images, known


@WAYS
@pytest.mark.parametrize(("slices", "levels", "pixels"), [(1, 4, 64), (3, 5, 64), (3, 1, 16)])
@torch.no_grad()
def test_the_u_net_of_partial_convolutions_is_the_papers(slices, levels, pixels, training, dtype, tolerance):
    arguments = {"pixels": pixels, "slices": slices, "levels": levels, "width": 6}
    network = made("pconv", dtype, training, **arguments)
    images, known = damaged(slices, pixels, dtype)
    weights = Read(network)
    _, expected = LITERAL_PCONV(weights, images, known.to(dtype), training=training)
    assert not weights.unread - statistics(weights, training)
    assert expected.std() > 0.01
    torch.testing.assert_close(network(images, known), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("training", [False, True])
@torch.no_grad()
def test_given_a_fill_its_features_are_the_same(training):
    """The corrector in place of the last layer sees the features that the paper's last layer would see."""
    network = made("pconv", torch.float64, training, pixels=64, slices=3, levels=4, width=6, given="fill")
    seen = []
    network.correct.register_forward_hook(lambda _, inputs, output: seen.append(inputs[0]))
    images, known = damaged(3, 64, torch.float64)
    weights = {name: each for name, each in network.state_dict().items() if not name.startswith("correct.")}
    expected, _ = LITERAL_PCONV(weights, images, known.double(), training=training)
    network(images, known)
    torch.testing.assert_close(seen[0], expected, rtol=1e-12, atol=1e-12)


@WAYS
@pytest.mark.parametrize(("slices", "pixels"), [(1, 32), (3, 64)])
@torch.no_grad()
def test_the_context_encoder_is_the_authors_with_a_mask(slices, pixels, training, dtype, tolerance):
    arguments = {"pixels": pixels, "slices": slices, "width": 4, "bottleneck": 24}
    network = made("context-encoder", dtype, training, **arguments)
    images, known = damaged(slices, pixels, dtype)
    weights = Read(network)
    expected = LITERAL_CONTEXT_ENCODER(weights, images * known, known.to(dtype), training=training)
    assert not weights.unread - statistics(weights, training)
    assert expected.std() > 0.01
    torch.testing.assert_close(network(images, known), expected, rtol=tolerance, atol=tolerance)


@torch.no_grad()
def test_given_a_fill_the_context_encoder_sees_it_and_predicts_without_bounds():
    network = made("context-encoder", torch.float64, False, pixels=32, slices=3, width=4, bottleneck=24, given="fill")
    with torch.no_grad():
        network.decoder[-2].weight.normal_()
    images, known = damaged(3, 32, torch.float64)
    predicted = network.predict(images, known.double(), images[:, :0])
    expected = LITERAL_CONTEXT_ENCODER(network.state_dict(), images, known.double(), bounded=False)
    assert expected.abs().max() > 1
    torch.testing.assert_close(predicted, expected, rtol=1e-12, atol=1e-12)
