"""The tasks by which the comparators learn: that each total is that of loops over the batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import Research.comparators  # noqa: F401 - registers them
from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks import build
from MedInpaintLib.training.tasks import task_of
from MedInpaintLib.training.tasks.imputation import ask

SMALL = {"pixels": 32, "contrasts": 3, "width": 8, "levels": 2, "linear": True}
OWN = {
    "cyclegan": {"source": 2, "target": 0},
    "pix2pix": {"source": 2, "target": 0},
    "stargan": {"preferred": [1, 2, 0]},
}
#: What may weigh 0, and what its weight is when the recipe does not say.
WEIGHTS = {
    "cyclegan": {"cycle": 10, "adversarial": 1},
    "pix2pix": {"direct": 100, "adversarial": 1},
    "stargan": {"cycle": 10, "domain": 1, "adversarial": 1},
}
#: Of the second one a contrast is missing, which the fourth one alone has beside another.
THERE = torch.tensor([[True, True, True], [True, True, False], [True, True, True], [False, True, True]])


def task(architecture, **options):
    """In float64, with weights that are not those of the start."""
    torch.manual_seed(0)
    network = build(architecture, {**SMALL, **OWN[architecture]})
    for weights in network.parameters():
        if not weights.any():
            nn.init.normal_(weights, std=0.1)
    made = task_of(architecture, network, options)
    made.network.double()
    made.helpers.double()
    return made


def batch(there=THERE):
    chance = torch.Generator().manual_seed(1)
    images = torch.rand(len(there), 3, 32, 32, generator=chance, dtype=torch.float64)
    return torch.where(there[:, :, None, None], images, 0.0), there


def noise(seed=2):
    return torch.Generator().manual_seed(seed)


def losses(made, given, step=0):
    return {name: (loss, log) for name, loss, log in made.losses(given, step, noise())}


def literal_squares(outputs, wanted) -> float:
    """Half the mean of squared differences."""
    values = outputs.detach().numpy().ravel()
    return 0.5 * sum((value - wanted) ** 2 for value in values) / len(values)


def literal_cross_entropy(logits, classes) -> float:
    rows = logits.detach().numpy()
    shares = [np.exp(row[which]) / np.exp(row).sum() for row, which in zip(rows, classes, strict=True)]
    return -np.mean(np.log(shares))


def test_the_defaults_are_the_published_weights():
    for architecture, expected in WEIGHTS.items():
        made = task(architecture)
        assert {name: getattr(made, name) for name in expected} == expected
        total, log = losses(made, batch())["network"]
        parts = {name: log[f"part/{name}"].item() for name in expected if f"part/{name}" in log}
        assert total.item() == pytest.approx(sum(expected[name] * value for name, value in parts.items()), rel=1e-7)


def test_the_total_of_pix2pix_is_that_of_its_pairs():
    made = task("pix2pix")
    images, there = batch()
    found = losses(made, (images, there))
    pairs = [image for image, row in zip(images, there.tolist(), strict=True) if row[2] and row[0]]
    assert len(pairs) == 2
    with torch.no_grad():
        estimates = [made.network.unet(image[None, 2:])[0, 0] for image in pairs]
        judge = lambda made_of: made.helpers["discriminator"](  # noqa: E731
            torch.stack([torch.stack([image[2], each]) for image, each in zip(pairs, made_of, strict=True)])
        )[0]
        fake, real = judge(estimates), judge([image[0] for image in pairs])
    direct = np.mean([(each - image[0]).abs().numpy() for each, image in zip(estimates, pairs, strict=True)])
    assert found["network"][0].item() == pytest.approx(100 * direct + literal_squares(fake, 1), rel=1e-7)
    expected = literal_squares(real, 1) + literal_squares(fake, 0)
    assert found["discriminator"][0].item() == pytest.approx(expected, rel=1e-7)


def test_the_total_of_cyclegan_is_that_of_sources_and_targets_in_any_order():
    made = task("cyclegan")
    images, _ = batch(torch.ones(4, 3, dtype=torch.bool))
    found = losses(made, (images, torch.ones(4, 3, dtype=torch.bool)))
    network = made.network
    with torch.no_grad():
        sources, targets = [image[None, None, 2] for image in images], [image[None, None, 0] for image in images]
        there, back = [network.there(each) for each in sources], [network.back(each) for each in targets]
        cycle = np.mean([(network.back(a) - b).abs().numpy() for a, b in zip(there, sources, strict=True)])
        cycle += np.mean([(network.there(a) - b).abs().numpy() for a, b in zip(back, targets, strict=True)])
        judged = {
            name: [made.helpers[name](torch.cat(each))[0] for each in pair]
            for name, pair in {"source": (sources, back), "target": (targets, there)}.items()
        }
    fooled = sum(literal_squares(fake, 1) for _, fake in judged.values())
    told = sum(literal_squares(real, 1) + literal_squares(fake, 0) for real, fake in judged.values())
    assert found["network"][0].item() == pytest.approx(10 * cycle + fooled, rel=1e-7)
    assert found["discriminator"][0].item() == pytest.approx(told, rel=1e-7)
    images[:, 0] = images[[2, 0, 3, 1], 0]  # targets of other slices: it learns without pairs
    for name, (loss, _) in losses(made, (images, torch.ones(4, 3, dtype=torch.bool))).items():
        torch.testing.assert_close(loss, found[name][0])


def test_the_total_of_stargan_is_that_of_one_source_there_and_back():
    made = task("stargan", cycle=3.0, domain=0.5, adversarial=2.0)
    given = batch()
    found = losses(made, given)
    asked = ask(*given, noise(), 1.0)
    sources = [row.index(True) for row in asked.present.tolist()]
    name = lambda number: torch.eye(3, dtype=torch.float64)[number, None]  # noqa: E731
    with torch.no_grad():
        seen = [image[source][None, None] for image, source in zip(asked.images, sources, strict=True)]
        estimates = [
            made.network.unet(each, name(wanted)) for each, wanted in zip(seen, asked.target.tolist(), strict=True)
        ]
        again = [made.network.unet(each, name(source)) for each, source in zip(estimates, sources, strict=True)]
        real, real_named = made.helpers["discriminator"](torch.cat(seen))
        fake, fake_named = made.helpers["discriminator"](torch.cat(estimates))
    expected = 3 * np.mean([(a - b).abs().numpy() for a, b in zip(again, seen, strict=True)])
    expected += 0.5 * literal_cross_entropy(fake_named, asked.target.tolist()) + 2 * literal_squares(fake, 1)
    assert found["network"][0].item() == pytest.approx(expected, rel=1e-7)
    told = 2 * (literal_squares(real, 1) + literal_squares(fake, 0)) + 0.5 * literal_cross_entropy(real_named, sources)
    assert found["discriminator"][0].item() == pytest.approx(told, rel=1e-7)


@pytest.mark.parametrize("architecture", ["pix2pix", "cyclegan"])
def test_without_a_pair_there_is_nothing_to_learn_and_what_is_no_pair_does_not_matter(architecture):
    made = task(architecture)
    images, there = batch()
    pair = there[:, 0] & there[:, 2]
    for name, (loss, _) in losses(made, (images[~pair], there[~pair])).items():
        assert loss.item() == 0
        loss.backward()
        weights = [each for group in made.optimizers[name].param_groups for each in group["params"]]
        assert not any(each.grad.any() for each in weights)
    among, alone = losses(made, (images, there)), losses(made, (images[pair], there[pair]))
    for name, (loss, _) in alone.items():
        torch.testing.assert_close(among[name][0], loss)


@pytest.mark.parametrize("architecture", OWN)
def test_gradients_reach_all_weights_of_the_networks_and_each_loss_those_of_its_optimizer(architecture):
    made = task(architecture)
    made.network.train()
    for name, loss, _ in made.losses(batch(), 0, noise()):
        weights = [each for group in made.optimizers[name].param_groups for each in group["params"]]
        loss.backward(inputs=weights)
    for name, weights in made.network.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.any(), name
    of_judges = {id(each) for each in made.helpers.parameters()}
    grouped = made.optimizers["discriminator"].param_groups
    assert of_judges == {id(each) for group in grouped for each in group["params"]}
    grouped = made.optimizers["network"].param_groups
    assert {id(each) for each in made.network.parameters()} == {
        id(each) for group in grouped for each in group["params"]
    }


@pytest.mark.parametrize("architecture", OWN)
def test_a_step_of_the_optimizer_lowers_the_loss(architecture):
    made = task(architecture, rate=1e-3)
    totals = []
    for _ in range(6):
        for name, loss, parts in made.losses(batch(), 0, noise()):
            made.optimizers[name].zero_grad()
            weights = [each for group in made.optimizers[name].param_groups for each in group["params"]]
            loss.backward(inputs=weights)
            made.optimizers[name].step()
            if name == "network":
                totals.append(sum(parts[part] for part in ("part/cycle", "part/direct") if part in parts))
    assert totals[-1] < totals[0]


@pytest.mark.parametrize("architecture", OWN)
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


@pytest.mark.parametrize("architecture", OWN)
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
