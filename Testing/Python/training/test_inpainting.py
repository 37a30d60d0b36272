"""The task of networks that fill: its total is the sum of its losses, and what its phases freeze."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from MedInpaintLib.errors import ModelError, ParameterError
from MedInpaintLib.losses.edge import EdgeCrossEntropy, EdgeLoss, boundaries
from MedInpaintLib.losses.reconstruction import ReconstructionLoss
from MedInpaintLib.losses.structural import MultiScaleSsimLoss, SsimLoss
from MedInpaintLib.losses.total_variation import TotalVariationLoss
from MedInpaintLib.networks import build
from MedInpaintLib.networks.surroundings import surroundings
from MedInpaintLib.training.tasks import task_of

SMALL = {"pixels": 32, "slices": 3, "given": "fill", "width": 4, "levels": 2}


def network(architecture="unet", **arguments):
    torch.manual_seed(0)
    made = build(architecture, {**SMALL, **arguments})
    for weights in made.parameters():
        if not weights.any():
            nn.init.normal_(weights, std=0.1)
    return made


def task(made, **options):
    return task_of("unet", made, {"features": "a-tiny-vae", **options})


def batch():
    chance = torch.Generator().manual_seed(1)
    truth = torch.rand(4, 1, 32, 32, generator=chance) * 2 - 1
    known = torch.ones(4, 3, 32, 32, dtype=torch.bool)
    known[:, 1:, 10:20, 12:22] = False
    images = torch.where(known, truth, 0.0)
    return images, known, truth


def losses(made, step=0, optimize=False):
    made.network.train()
    found = {}
    for name, loss, log in made.losses(batch(), step, torch.Generator()):
        found[name] = (loss, log)
        if optimize:
            made.optimizers[name].zero_grad()
            loss.backward()
            made.optimizers[name].step()
    return found


def test_the_total_is_the_weighted_sum_of_the_losses():
    weights = {
        "valid": 0.5,
        "hole": 2.0,
        "variation": 3.0,
        "ssim": 0.25,
        "multi_scale": 0.75,
        "edge": 1.5,
        "extra": 0.4,
    }
    made = network("boundary-aware")
    images, known, truth = batch()
    output = made.train()(images, known)
    middle, filled = known[:, 1:2], output[:, :1]
    expected = {
        "valid": ReconstructionLoss("known")(filled, truth, middle),
        "hole": ReconstructionLoss("hole")(filled, truth, middle),
        "variation": TotalVariationLoss()(filled, truth, middle),
        "ssim": SsimLoss()(filled, truth, middle),
        "multi_scale": MultiScaleSsimLoss()(filled, truth, middle),
        "edge": EdgeLoss()(filled, truth, middle),
        "extra": EdgeCrossEntropy()(output[:, 1:], boundaries(truth), middle),
    }
    total, log = losses(task(made, perceptual=0, style=0, **weights))["network"]
    assert {name.removeprefix("part/") for name in log} == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(log[f"part/{name}"], value, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(total, sum(weights[name] * value for name, value in expected.items()))


def test_the_losses_of_hole_and_known_pixels_are_those_of_their_own_pixels(monkeypatch):
    """In closed form: an error of a in the hole, and of b elsewhere, by the pixels of each over those of the frame."""
    made = task(network(), perceptual=0, style=0, variation=0)
    _, known, truth = batch()
    inside = ~known[:, 1:2]
    monkeypatch.setattr(made.network, "forward", lambda *_: truth + torch.where(inside, 0.5, -0.25))
    total, log = losses(made)["network"]
    share = 100 / 32**2
    assert log["part/hole"].item() == pytest.approx(0.5 * share, rel=1e-5)
    assert log["part/valid"].item() == pytest.approx(0.25 * (1 - share), rel=1e-5)
    assert total.item() == pytest.approx(6 * 0.5 * share + 0.25 * (1 - share), rel=1e-5)


def test_the_discriminator_sees_truth_outside_the_hole_and_its_loss_does_not_reach_the_network():
    made = task(network(), adversarial=1.0, perceptual=0, style=0)
    images, known, truth = batch()
    judged = []
    made.helpers["discriminator"].register_forward_pre_hook(lambda module, inputs: judged.append(inputs[0]))
    made.network.train()
    name, loss, _ = next(made.losses((images, known, truth), 0, torch.Generator()))
    assert name == "discriminator"
    loss.backward()
    assert all(weights.grad is None for weights in made.network.parameters())
    real, composed = judged
    assert torch.equal(real, truth)
    assert torch.equal(composed[known[:, 1:2]], truth[known[:, 1:2]])
    assert not torch.equal(composed, truth)


def test_the_defaults_are_the_published_weights():
    made = task(network())
    found = {name: getattr(made, name) for name in ("valid", "hole", "perceptual", "style", "variation")}
    assert found == {"valid": 1, "hole": 6, "perceptual": 0.05, "style": 120, "variation": 0.1}
    _, log = losses(made)["network"]
    assert {name.removeprefix("part/") for name in log} == set(found)
    assert all(value > 0 for value in log.values())


def test_the_features_of_a_model_do_not_learn():
    made = task(network())
    before = [each.clone() for each in made._seen.extractor.parameters()]
    losses(made, optimize=True)
    assert all(torch.equal(a, b) for a, b in zip(before, made._seen.extractor.parameters(), strict=True))


@pytest.mark.parametrize("gan", ["hinge", "least-squares"])
def test_the_discriminator_learns_to_tell_fills_from_truth(gan):
    made = task(network(), adversarial=1e-9, gan=gan, rate=1e-3, perceptual=0, style=0)
    scores = [float(losses(made, optimize=True)["discriminator"][0].detach()) for _ in range(25)]
    assert sum(scores[-3:]) < 0.7 * sum(scores[:3])


def test_in_the_second_phase_statistics_are_frozen_and_the_steps_smaller():
    made = task(network(), fine_tune=5, rate=1e-3, fine_rate=1e-4, perceptual=0, style=0)
    statistics = lambda: [each.clone() for name, each in made.network.named_buffers() if "running" in name]  # noqa: E731
    before = statistics()
    losses(made, step=4)
    between = statistics()
    losses(made, step=5)
    assert not all(torch.equal(a, b) for a, b in zip(before, between, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(between, statistics(), strict=True))
    assert made.optimizers["network"].param_groups[0]["lr"] == 1e-4
    losses(made, step=4)  # the phase is that of the step, whatever came before
    assert made.optimizers["network"].param_groups[0]["lr"] == 1e-3


@pytest.mark.parametrize("fresh", [True, False])
def test_the_second_phase_begins_with_a_new_optimizer_where_that_is_asked_for(fresh):
    """The first step, against a new Adam's on the same gradients; a kept one remembers those of the first phase."""
    made = task(network(), fine_tune=3, rate=1e-3, fine_rate=1e-4, fresh=fresh, perceptual=0, style=0)
    for step in range(3):
        losses(made, step, optimize=True)
    other = copy.deepcopy(made.network)
    losses(made, 3, optimize=True)
    new = torch.optim.Adam(other.parameters(), lr=1e-4)
    for twin, weights in zip(other.parameters(), made.network.parameters(), strict=True):
        twin.grad = weights.grad.clone()
    new.step()
    pairs = list(zip(other.parameters(), made.network.parameters(), strict=True))
    assert all(torch.equal(twin, weights) for twin, weights in pairs) == fresh
    steps = {float(each["step"]) for each in made.optimizers["network"].state.values()}
    assert steps == ({1} if fresh else {4})
    losses(made, 4, optimize=True)
    assert {float(each["step"]) for each in made.optimizers["network"].state.values()} == {min(steps) + 1}


def test_the_discriminator_has_a_step_size_of_its_own_in_both_phases():
    made = task(network(), adversarial=1.0, fine_tune=1, rate=1e-3, fine_rate=1e-4, discriminator_rate=0.1)
    for step, rate in enumerate((1e-3, 1e-4)):
        losses(made, step)
        found = {name: optimizer.param_groups[0]["lr"] for name, optimizer in made.optimizers.items()}
        assert found == pytest.approx({"network": rate, "discriminator": rate / 10})


def test_partial_convolutions_are_frozen_in_the_encoder_alone():
    made = task_of("pconv", network("pconv"), {"fine_tune": 1, "perceptual": 0, "style": 0})
    losses(made, step=1)
    modes = {name: each.training for name, each in made.network.named_modules() if isinstance(each, nn.BatchNorm2d)}
    assert {name.startswith("encoder") for name, training in modes.items() if not training} == {True}
    assert {name.startswith("encoder") for name, training in modes.items() if training} == {False}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"gan": "dc"}, ParameterError, "gan = 'dc'; choose one of hinge, least-squares"),
        ({"features": "nobody"}, ModelError, "no model 'nobody'"),
        ({"power": 3}, ParameterError, "power = 3; choose one of 1, 2"),
        ({"per": "image"}, ParameterError, "per = 'image'; choose one of frame, region"),
        ({"rate": -1.0}, ParameterError, "rate = -1; it must be above 0"),
        ({"discriminator_rate": 0.0}, ParameterError, "discriminator_rate = 0; it must be above 0"),
        ({"fresh": 1}, ParameterError, "fresh = 1; its default is False"),
        ({"style": -1.0}, ParameterError, "style = -1; it must be 0 or more"),
        (dict.fromkeys(("valid", "hole", "perceptual", "style", "variation"), 0), ParameterError, "All losses"),
        ({"hole": "6"}, ParameterError, "hole = '6'; its default is 6.0"),
        ({"holes": 6}, ParameterError, r"\[task\] knows no 'holes'"),
    ],
)
def test_wrong_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        task(network(), **options)


def test_a_model_without_an_encoder_has_no_features():
    with pytest.raises(ParameterError, match=r"'a-tiny-unet' \(unet\) has no encoder"):
        task(network(), features="a-tiny-unet")


def test_a_relative_network_learns_at_the_scale_of_the_surroundings():
    _, known, truth = batch()
    found = {}
    for relative in (False, True):
        made = task(network(relative=relative), valid=0.0, hole=0.0, perceptual=0.0, style=0.0, variation=0.0, rmse=1.0)
        made.network.train()
        filled = truth + 0.1
        found[relative] = made._parts(filled, truth, known[:, 1:2])["rmse"].item()
    scale = surroundings(truth, known[:, 1:2].float())[1]
    assert found[False] == pytest.approx(0.1, rel=1e-3)
    assert found[True] == pytest.approx((0.1 / scale).mean().item(), rel=1e-3)
