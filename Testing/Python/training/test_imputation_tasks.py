"""Tasks of networks that estimate a contrast: what is asked, and that each total is that of loops over the batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from torch import nn

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks import build
from MedInpaintLib.training.tasks import task_of
from MedInpaintLib.training.tasks.imputation import ask
from Testing.Python.imputation_tasks import (
    OWN,
    WEIGHTS,
    batch,
    literal_cross_entropy,
    literal_squares,
    losses,
    noise,
    task,
    weights_of,
)

of_all_architectures = pytest.mark.parametrize("architecture", OWN)


def literal_log_ssim(first, second, brightest) -> float:
    options = {"data_range": brightest, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    maps = [
        structural_similarity(one, other, full=True, **options)[1] for one, other in zip(first, second, strict=True)
    ]
    return -np.log((1 + np.mean(maps)) / 2)


@st.composite
def masks(draw):
    """bool ``(B, contrasts)``, two or more of each there."""
    contrasts = draw(st.integers(2, 5))
    row = st.lists(st.booleans(), min_size=contrasts, max_size=contrasts).filter(lambda each: sum(each) >= 2)
    return torch.tensor(draw(st.lists(row, min_size=1, max_size=6)))


@given(there=masks(), seed=st.integers(0, 9999), dropout=st.sampled_from([0.0, 0.3, 0.9, 1.0]))
def test_what_is_wanted_is_there_and_hidden_and_of_the_others_one_at_least_stays(there, seed, dropout):
    images = torch.rand(*there.shape, 2, 2)
    asked = ask(images, there, noise(seed), dropout)
    for number, (row, seen, wanted) in enumerate(
        zip(there.tolist(), asked.present.tolist(), asked.target.tolist(), strict=True)
    ):
        others = {contrast for contrast, is_there in enumerate(row) if is_there and contrast != wanted}
        stay = {contrast for contrast, is_seen in enumerate(seen) if is_seen}
        assert row[wanted]
        assert stay
        assert stay <= others
        assert dropout > 0 or stay == others
        assert dropout < 1 or len(stay) == 1
        assert torch.equal(asked.truth[number, 0], images[number, wanted])
    again = ask(images, there, noise(seed), dropout)
    assert torch.equal(again.target, asked.target)
    assert torch.equal(again.present, asked.present)


def test_each_contrast_is_wanted_equally_often_and_left_out_at_the_rate_of_dropout():
    there = torch.tensor([[True, True, True, False]]).expand(6000, 4)
    asked = ask(torch.empty(6000, 4, 0, 0), there, noise(), 0.3)
    wanted = torch.bincount(asked.target, minlength=4) / 6000
    torch.testing.assert_close(wanted, torch.tensor([1 / 3, 1 / 3, 1 / 3, 0]), atol=0.03, rtol=0)
    # One of two always stays, the other one seven times out of ten.
    assert asked.present.sum(dim=1).double().mean().item() == pytest.approx(1.7, abs=0.03)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_total_of_collagan_is_that_of_loops_over_slices_and_contrasts(dropout):
    weights = {"direct": 2.0, "direct_ssim": 0.5, "cycle": 3.0, "cycle_ssim": 0.75, "adversarial": 1.5, "domain": 0.4}
    made = task("collagan", dropout=dropout, range=0.5, **weights)
    given = batch()
    asked = ask(*given, noise(), dropout)
    found = losses(made, given)
    images, present, targets = asked.images, asked.present, asked.target.tolist()
    estimates, again, truth = [], [], []
    with torch.no_grad():
        for image, seen, wanted in zip(images, present, targets, strict=True):
            estimate = made.network(image[None], seen[None], torch.tensor([wanted]))[0, 0]
            estimates.append(estimate)
            changed = image.clone()
            changed[wanted] = estimate
            for other in range(3):
                if seen[other]:
                    rest = seen.clone()
                    rest[wanted], rest[other] = True, False
                    again.append(made.network(changed[None], rest[None], torch.tensor([other]))[0, 0].numpy())
                    truth.append(image[other].numpy())
        judge = made.helpers["discriminator"]
        fake, fake_named = judge(torch.stack(estimates)[:, None])
        real, real_named = judge(
            torch.stack([each[wanted] for each, wanted in zip(images, targets, strict=True)])[:, None]
        )
    estimates = [each.numpy() for each in estimates]
    wanted_images = [each[wanted].numpy() for each, wanted in zip(images, targets, strict=True)]
    expected = {
        "direct": np.mean([np.abs(a - b) for a, b in zip(estimates, wanted_images, strict=True)]),
        "direct_ssim": literal_log_ssim(estimates, wanted_images, 0.5),
        "cycle": np.mean([np.abs(a - b) for a, b in zip(again, truth, strict=True)]),
        "cycle_ssim": literal_log_ssim(again, truth, 0.5),
        "adversarial": literal_squares(fake, 1),
        "domain": literal_cross_entropy(fake_named, targets),
    }
    total, log = found["network"]
    assert {name.removeprefix("part/"): value.item() for name, value in log.items()} == pytest.approx(
        expected, rel=1e-7
    )
    assert total.item() == pytest.approx(sum(weights[name] * value for name, value in expected.items()), rel=1e-7)
    gan = literal_squares(real, 1) + literal_squares(fake, 0)
    named = literal_cross_entropy(real_named, targets)
    assert found["discriminator"][0].item() == pytest.approx(1.5 * gan + 0.4 * named, rel=1e-7)


@torch.no_grad()
def second_pass(network, image, estimate, wanted):
    """Estimate every contrast of an image, the wanted one too, from the others; the wanted one is an estimate there."""
    again = []
    for contrast in range(len(image)):
        given = image.clone()
        given[wanted] = estimate
        present = torch.ones(1, len(image), dtype=torch.bool)
        present[0, contrast] = False
        again.append(network(given[None], present, torch.tensor([contrast]))[0, 0])
    return again


@torch.no_grad()
def literal_squared(outputs, wanted) -> float:
    """Return the mean of squared differences."""
    return np.mean([(value - wanted) ** 2 for value in outputs.numpy().ravel()])


@torch.no_grad()
def test_the_published_losses_are_sums_over_an_images_estimates():
    """As the authors write them out for one image: the wanted contrast, and each one of a second pass."""
    weights = {"cycle": 10.0, "cycle_ssim": 1.0, "adversarial": 1.0, "domain": 1.0}
    made = task("collagan", range=0.5, reduction="published", **weights)
    given = batch(torch.ones(2, 3, dtype=torch.bool))
    asked = ask(*given, noise(), 0.0)
    with torch.enable_grad():
        found = losses(made, given)
    judge = made.helpers["discriminator"]
    sums = dict.fromkeys((*weights, "discriminator"), 0.0)
    for image, wanted in zip(asked.images, asked.target.tolist(), strict=True):
        seen = torch.arange(3) != wanted
        estimate = made.network(image[None], seen[None], torch.tensor([wanted]))[0, 0]
        again = second_pass(made.network, image, estimate, wanted)
        torch.testing.assert_close(again[wanted], estimate)
        for contrast in range(3):
            if contrast != wanted:
                one, other = again[contrast].numpy(), image[contrast].numpy()
                sums["cycle"] += np.abs(one - other).mean()
                sums["cycle_ssim"] += literal_log_ssim([one], [other], 0.5)
            (_, of_truth), contrasts = judge(image[contrast][None, None]), [contrast]
            sums["discriminator"] += literal_cross_entropy(of_truth, contrasts) / 3
        pairs = [(estimate, wanted), *((again[contrast], contrast) for contrast in range(3))]
        for fake_image, contrast in pairs:
            fake, named = judge(fake_image[None, None])
            real, _ = judge(image[contrast][None, None])
            sums["adversarial"] += literal_squared(fake, 1)
            sums["domain"] += literal_cross_entropy(named, [contrast])
            sums["discriminator"] += (literal_squared(real, 1) + literal_squared(fake, 0)) / 4
    expected = {name: value / 2 for name, value in sums.items()}  # of two images
    total, log = found["network"]
    for name in weights:
        assert log[f"part/{name}"].item() == pytest.approx(expected[name], rel=1e-7), name
    assert total.item() == pytest.approx(sum(weights[name] * expected[name] for name in weights), rel=1e-7)
    assert found["discriminator"][0].item() == pytest.approx(expected["discriminator"], rel=1e-7)


class OneTooMuch(nn.Module):
    """A network whose estimates are all wrong by 1."""

    contrasts, pixels = 4, 32

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, images, present, target):
        return images[torch.arange(len(images)), target][:, None] + self.weight


class Undecided(nn.Module):
    """A discriminator that takes every image for generated, and for any of four contrasts."""

    def forward(self, images, noise):
        return images.new_zeros(len(images), 1, 2, 2), images.new_zeros(len(images), 4)


@pytest.mark.parametrize(
    ("reduction", "cycle", "adversarial", "domain", "discriminator"),
    [("published", 30, 5, 5, 1), ("mean", 10, 0.5, 1, 0.5)],
)
def test_an_error_of_1_in_every_estimate_weighs_as_published_or_as_ours(
    reduction, cycle, adversarial, domain, discriminator
):
    options = {"cycle": 10.0, "cycle_ssim": 0.0, "adversarial": 1.0, "domain": 1.0, "reduction": reduction}
    made = task_of("collagan", OneTooMuch(), options)
    made.helpers["discriminator"] = Undecided()
    images, there = torch.rand(2, 4, 32, 32), torch.ones(2, 4, dtype=torch.bool)
    found = losses(made, (images, there))
    parts = {name.removeprefix("part/"): value.item() for name, value in found["network"][1].items()}
    assert 10 * parts["cycle"] == pytest.approx(cycle, rel=1e-5)
    assert parts["adversarial"] == pytest.approx(adversarial)
    assert parts["domain"] == pytest.approx(domain * np.log(4), rel=1e-5)
    assert found["network"][0].item() == pytest.approx(cycle + adversarial + domain * np.log(4), rel=1e-5)
    assert found["discriminator"][0].item() == pytest.approx(discriminator + np.log(4), rel=1e-5)


def test_the_published_discriminator_draws_its_dropout_from_the_steps_random_numbers():
    made = task_of(
        "collagan",
        build("collagan", {"pixels": 96, "contrasts": 3, "width": 2, "levels": 2, "layout": "published"}),
        {"discriminator": "published", "reduction": "published", "discriminator_width": 1},
    )
    given = (torch.rand(1, 3, 96, 96), torch.ones(1, 3, dtype=torch.bool))
    runs = [{name: loss.item() for name, loss, _ in made.losses(given, 0, noise(seed))} for seed in (5, 5, 6)]
    torch.rand(3)  # other random numbers do not matter
    runs.append({name: loss.item() for name, loss, _ in made.losses(given, 0, noise(5))})
    assert runs[0] == runs[1] == runs[3]
    assert runs[0] != runs[2]


@of_all_architectures
def test_the_defaults_are_the_weights_that_the_authors_give(architecture):
    made, expected = task(architecture), WEIGHTS[architecture]
    assert {name: getattr(made, name) for name in expected} == expected
    total, log = losses(made, batch())["network"]
    parts = {name: log[f"part/{name}"].item() for name in expected if f"part/{name}" in log}
    assert total.item() == pytest.approx(sum(expected[name] * value for name, value in parts.items()), rel=1e-7)


def test_losses_that_are_switched_off_leave_no_discriminator_and_no_second_pass():
    off = dict.fromkeys(WEIGHTS["collagan"], 0.0)
    made = task("collagan", **{**off, "direct": 2.0})
    assert list(made.optimizers) == ["network"]
    assert not list(made.helpers.parameters())
    passes = []
    made.network.register_forward_hook(lambda _, inputs, output: passes.append(output))
    found = losses(made, batch())
    assert list(found) == ["network"]
    assert len(passes) == 1
    assert found["network"][0].item() == pytest.approx(2 * found["network"][1]["part/direct"].item())
    for name in ("adversarial", "domain"):
        assert list(task("collagan", **{**off, name: 1.0}).optimizers) == ["discriminator", "network"]


@of_all_architectures
def test_gradients_reach_all_weights_of_the_networks_and_each_loss_those_of_its_optimizer(architecture):
    made = task(architecture)
    made.network.train()
    for name, loss, _ in made.losses(batch(), 0, noise()):
        loss.backward(inputs=weights_of(made.optimizers[name]))
    for name, weights in made.network.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.any(), name
    for name, learns in (("discriminator", made.helpers), ("network", made.network)):
        assert {id(each) for each in learns.parameters()} == {id(each) for each in weights_of(made.optimizers[name])}


@of_all_architectures
def test_a_step_of_the_optimizer_lowers_the_loss(architecture):
    made = task(architecture, rate=1e-3)
    totals = []
    for _ in range(6):
        for name, loss, parts in made.losses(batch(), 0, noise()):
            made.optimizers[name].zero_grad()
            loss.backward(inputs=weights_of(made.optimizers[name]))
            made.optimizers[name].step()
            if name == "network":
                totals.append(sum(parts[part] for part in ("part/cycle", "part/direct") if part in parts))
    assert totals[-1] < totals[0]


def test_after_a_half_life_the_rate_is_half():
    made = task("collagan", rate=1e-2, half_life=8)
    for step, rate in ((0, 1e-2), (8, 5e-3), (16, 2.5e-3), (4, 1e-2 / np.sqrt(2)), (0, 1e-2)):
        losses(made, batch(), step)
        for optimizer in made.optimizers.values():
            assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([rate])
    made = task("collagan", rate=1e-2, half_life=0)
    losses(made, batch(), 10**6)
    assert made.optimizers["network"].param_groups[0]["lr"] == 1e-2


def test_the_authors_rate_falls_by_a_hundredth_in_400_steps():
    made = task("collagan")
    losses(made, batch(), 400)
    assert made.optimizers["network"].param_groups[0]["lr"] == pytest.approx(0.99e-5, rel=1e-5)


@of_all_architectures
def test_validation_asks_the_network_for_what_is_wanted(architecture):
    made = task(architecture)
    network = made.network.eval()
    images, _ = batch(torch.ones(4, 3, dtype=torch.bool))
    present = torch.tensor([[False, True, True], [False, False, True], [False, True, True], [False, True, True]])
    wanted = torch.tensor([[True, False, False]] * 4)
    found = made.fill(network, images, torch.cat([present, wanted], dim=1))
    assert not found.requires_grad
    expected = network(images, present, torch.zeros(4, dtype=torch.int64))
    torch.testing.assert_close(found, expected.detach())


@of_all_architectures
def test_weights_that_are_all_0_or_below_0_are_refused(architecture):
    names = WEIGHTS[architecture]
    with pytest.raises(ParameterError, match="All losses of the recipe's"):
        task(architecture, **dict.fromkeys(names, 0.0))
    for name in (*names, "rate", "half_life"):
        value = -1 if name == "half_life" else -1.0
        with pytest.raises(ParameterError, match=f"has {name} = -1; it must be 0 or more"):
            task(architecture, **{name: value})
    with pytest.raises(ParameterError, match="has adversarial = nan"):
        task(architecture, adversarial=float("nan"))


def test_unknown_options_and_those_of_the_wrong_kind_are_refused():
    with pytest.raises(ParameterError, match="reduction = 'sum'; choose one of mean, published"):
        task("collagan", reduction="sum")
    with pytest.raises(ParameterError, match="discriminator = 'big'; choose one of compact, published"):
        task("collagan", discriminator="big")
    with pytest.raises(ParameterError, match="knows no 'gan'"):
        task("collagan", gan="hinge")
    with pytest.raises(ParameterError, match="half_life = '5'; its default is"):
        task("collagan", half_life="5")
