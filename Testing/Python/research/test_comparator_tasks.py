"""The tasks by which the comparators learn: that each total is that of loops over the batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedInpaintLib.training.tasks.imputation import ask
from Testing.Python.imputation_tasks import (
    batch,
    literal_cross_entropy,
    literal_squares,
    losses,
    noise,
    task,
    weights_of,
)


@pytest.mark.parametrize("sources", [[2], [1, 2]])
def test_the_total_of_pix2pix_is_that_of_its_pairs(sources):
    made = task("pix2pix", {"sources": sources})
    images, there = batch()
    found = losses(made, (images, there))
    pairs = [
        image for image, row in zip(images, there.tolist(), strict=True) if row[0] and all(row[n] for n in sources)
    ]
    assert len(pairs) == 2
    with torch.no_grad():
        estimates = [made.network.unet(image[None, sources])[0, 0] for image in pairs]
        judge = lambda made_of: made.helpers["discriminator"](  # noqa: E731
            torch.stack([torch.stack([*image[sources], each]) for image, each in zip(pairs, made_of, strict=True)])
        )[0]
        fake, real = judge(estimates), judge([image[0] for image in pairs])
    direct = np.mean([(each - image[0]).abs().numpy() for each, image in zip(estimates, pairs, strict=True)])
    assert found["network"][0].item() == pytest.approx(100 * direct + literal_squares(fake, 1), rel=1e-7)
    expected = literal_squares(real, 1) + literal_squares(fake, 0)
    assert found["discriminator"][0].item() == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("own", [[2], [2, 1]])
def test_the_total_of_cyclegan_is_that_of_sources_and_targets_in_any_order(own):
    made = task("cyclegan", {"sources": own})
    images, _ = batch(torch.ones(4, 3, dtype=torch.bool))
    found = losses(made, (images, torch.ones(4, 3, dtype=torch.bool)))
    network = made.network
    with torch.no_grad():
        sources, targets = [image[None, own] for image in images], [image[None, None, 0] for image in images]
        there, back = [network.unet(each) for each in sources], [network.back(each) for each in targets]
        cycle = np.mean([(network.back(a) - b).abs().numpy() for a, b in zip(there, sources, strict=True)])
        cycle += np.mean([(network.unet(a) - b).abs().numpy() for a, b in zip(back, targets, strict=True)])
        judged = {
            name: [made.helpers[name](torch.cat(each))[0] for each in pair]
            for name, pair in {"sources": (sources, back), "target": (targets, there)}.items()
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
    _check_stargan(made, found, asked, seen, sources, estimates, again)


def test_the_total_of_a_stacked_stargan_is_that_of_each_source_made_again_from_the_estimate_alone():
    made = task("stargan-stacked", cycle=3.0, domain=0.5, adversarial=2.0, dropout=0.2)
    given = batch()
    found = losses(made, given)
    asked = ask(*given, noise(), 0.2)
    assert asked.present.sum(dim=1).tolist().count(2) > 0, "several sources are what this test is about"
    name = lambda number: torch.eye(3, dtype=torch.float64)[number, None]  # noqa: E731
    seen, sources, estimates, again = [], [], [], []
    with torch.no_grad():
        for image, there, wanted in zip(asked.images, asked.present.tolist(), asked.target.tolist(), strict=True):
            stack = torch.zeros_like(image)[None]
            for number in range(3):
                if there[number]:
                    stack[0, number] = image[number]
            estimates.append(made.network.unet(stack, name(wanted)))
            alone = torch.zeros_like(image)[None]
            alone[0, wanted] = estimates[-1][0, 0]
            for number in range(3):
                if there[number]:
                    seen.append(image[number][None, None])
                    sources.append(number)
                    again.append(made.network.unet(alone, name(number)))
    _check_stargan(made, found, asked, seen, sources, estimates, again)


def _check_stargan(made, found, asked, seen, sources, estimates, again):
    """Compare losses with those of images in lists: cycle 3, domain 0.5, adversarial 2."""
    with torch.no_grad():
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
        assert not any(each.grad.any() for each in weights_of(made.optimizers[name]))
    among, alone = losses(made, (images, there)), losses(made, (images[pair], there[pair]))
    for name, (loss, _) in alone.items():
        torch.testing.assert_close(among[name][0], loss)
