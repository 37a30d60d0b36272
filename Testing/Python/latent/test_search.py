"""Latent search against closed forms: for a linear decoder the optimum is a weighted ridge regression."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from MedInpaintLib.errors import Cancelled
from MedInpaintLib.latent.search import CHECK, Settings, search
from MedInpaintLib.losses.context import ContextLoss, ContextWeights
from MedInpaintLib.losses.prior import VaePrior
from MedInpaintLib.progress import Progress

LATENT, SIDE = 5, 8
L2 = Settings(steps=1500, loss=ContextLoss(2), bound=math.inf, tolerance=0.0)


class Linear:
    """``G(z) = A z + b``."""

    def __init__(self, seed=0, orthogonal=False):
        rng = np.random.default_rng(seed)
        self.a = rng.normal(size=(SIDE**2, LATENT))
        if orthogonal:
            self.a = np.linalg.qr(self.a)[0] * SIDE
        self.b = rng.normal(size=SIDE**2)

    def __call__(self, latents):
        flat = latents @ torch.from_numpy(self.a.T).float() + torch.from_numpy(self.b).float()
        return flat.unflatten(1, (1, SIDE, SIDE))


def scene(frames=3, seed=1, noise=0.3):
    """A decoder, images that it cannot show exactly, and what is known of them."""
    rng = np.random.default_rng(seed)
    decoder = Linear()
    truth = decoder(torch.from_numpy(rng.normal(size=(frames, LATENT))).float())
    images = truth + noise * torch.from_numpy(rng.normal(size=truth.shape)).float()
    known = torch.ones(truth.shape, dtype=torch.bool)
    known[:, :, 2:6, 3:7] = False
    return decoder, images, known


def ridge(decoder, images, known, settings):
    """``(A' W A / sum W + lambda I / n)^-1 A' W (x - b) / sum W``, of every frame."""
    weights = settings.weights(known).double().flatten(1).numpy()
    found = []
    for image, weight in zip(images.double().flatten(1).numpy(), weights, strict=True):
        weight = weight / weight.sum()
        matrix = decoder.a.T @ (weight[:, None] * decoder.a) + settings.prior / LATENT * np.eye(LATENT)
        found.append(np.linalg.solve(matrix, decoder.a.T @ (weight * (image - decoder.b))))
    return np.array(found)


def normal_prior(latents, _):
    return VaePrior()(latents)


def start(frames=3):
    return torch.zeros(frames, LATENT)


@pytest.mark.parametrize("prior", [0.0, 2.0])
@pytest.mark.parametrize(("steps", "polish", "tolerance"), [(1500, 0, 0.01), (30, 60, 1e-3), (0, 60, 1e-3)])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_optimum_of_a_linear_decoder_is_reached(prior, steps, polish, tolerance, weighted):
    decoder, images, known = scene()
    weights = ContextWeights(window=5, far=0.1, weighted=weighted)
    settings = dataclasses.replace(L2, steps=steps, polish=polish, prior=prior, weights=weights)
    found = search(decoder, images, known, start(), settings, normal_prior)
    np.testing.assert_allclose(found.latents, ridge(decoder, images, known, settings), atol=tolerance)
    torch.testing.assert_close(found.images, decoder(found.latents))


def test_the_context_weighs_one_unless_told_otherwise_and_losses_are_what_was_minimised():
    decoder, images, known = scene()
    settings = dataclasses.replace(L2, steps=30, prior=0.5, context=2.0)
    found = search(decoder, images, known, start(), settings, normal_prior)
    weights = settings.weights(known)
    expected = 2 * ContextLoss(2)(found.images, images, weights) + 0.5 * found.latents.square().mean(dim=1)
    torch.testing.assert_close(found.losses, expected)


def test_no_step_takes_the_start_and_a_step_is_never_for_the_worse():
    decoder, images, known = scene()
    none, one, some = (
        search(decoder, images, known, start(), dataclasses.replace(L2, steps=steps)) for steps in (0, 1, 10)
    )
    assert torch.equal(none.latents, start())
    torch.testing.assert_close(none.losses, ContextLoss(2)(decoder(start()), images, L2.weights(known)))
    assert (one.losses < none.losses).all()
    assert (some.losses < one.losses).all()
    assert [none.steps.tolist(), one.steps.tolist()] == [[0, 0, 0], [1, 1, 1]]
    best = search(decoder, images, known, one.latents, dataclasses.replace(L2, steps=3, rate=100.0))
    torch.testing.assert_close(best.losses, one.losses)


@pytest.mark.parametrize("settings", [Settings(steps=90), Settings(steps=25, polish=4, prior=0.1)])
def test_a_frame_alone_comes_out_as_in_a_batch(settings):
    decoder, images, known = scene(frames=6)

    def curved(latents):
        return decoder(latents).tanh()

    together = search(curved, images, known, start(6), settings, normal_prior)
    for number in range(6):
        row = slice(number, number + 1)
        alone = search(curved, images[row], known[row], start(1), settings, normal_prior)
        torch.testing.assert_close(alone.latents[0], together.latents[number], rtol=1e-3, atol=1e-3)
        assert alone.steps[0] == together.steps[number]


@pytest.mark.parametrize("hidden", [float("nan"), float("inf"), 1e30])
def test_hidden_pixels_never_matter(hidden):
    decoder, images, known = scene()
    settings = Settings(steps=25, polish=3)
    first = search(decoder, images, known, start(), settings)
    second = search(decoder, torch.where(known, images, hidden), known, start(), settings)
    assert torch.equal(first.latents, second.latents)
    assert torch.isfinite(second.images).all()


@pytest.mark.parametrize("polish", [0, 20])
def test_the_bound_is_kept_and_with_orthogonal_latents_the_optimum_is_the_bounded_one(polish):
    _, images, known = scene()
    decoder = Linear(orthogonal=True)
    known[:] = True
    settings = dataclasses.replace(
        L2, steps=800, polish=polish, prior=0.0, bound=0.1, weights=ContextWeights(weighted=False)
    )
    free = ridge(decoder, images, known, settings)
    assert (np.abs(free) > 0.1).any()
    found = search(decoder, images, known, 9 * torch.ones(3, LATENT), settings)
    assert found.latents.abs().max() <= 0.1
    np.testing.assert_allclose(found.latents, np.clip(free, -0.1, 0.1), atol=5e-3)


def test_polishing_never_makes_it_worse():
    decoder, images, known = scene()
    settings = dataclasses.replace(L2, steps=300, bound=0.3)
    without, polished = (
        search(decoder, images, known, start(), dataclasses.replace(settings, polish=polish)) for polish in (0, 30)
    )
    assert (polished.losses <= without.losses).all()
    torch.testing.assert_close(polished.losses, ContextLoss(2)(polished.images, images, settings.weights(known)))


def test_a_prior_without_weight_is_never_asked():
    def prior(latents, images):
        raise AssertionError

    decoder, images, known = scene()
    search(decoder, images, known, start(), Settings(steps=3, polish=2, prior=0.0), prior)


def test_without_context_the_prior_alone_decides():
    decoder, images, known = scene()
    goal = torch.tensor([0.5, -0.3, 0.0, 1.0, 2.0])
    settings = dataclasses.replace(L2, steps=600, context=0.0, prior=0.7)
    found = search(decoder, images, known, start(), settings, lambda latents, _: (latents - goal).square().sum(dim=1))
    np.testing.assert_allclose(found.latents, goal.expand(3, -1), atol=5e-3)


def test_the_prior_sees_the_images_of_its_latents():
    decoder, images, known = scene()
    seen = []

    def prior(latents, generated):
        seen.append(torch.equal(decoder(latents), generated))
        return generated.square().mean(dim=(1, 2, 3))

    search(decoder, images, known, start(), Settings(steps=3, prior=0.1), prior)
    assert seen
    assert all(seen)


def test_frames_that_no_longer_improve_take_fewer_steps():
    decoder, images, known = scene(frames=2)
    best = torch.from_numpy(ridge(decoder, images, known, L2)).float()
    begin = torch.stack([best[0], best[1] + 10])
    found = search(decoder, images, known, begin, dataclasses.replace(L2, steps=400, tolerance=0.005))
    assert found.steps[0] == 2 * CHECK
    assert found.steps[1] > 4 * CHECK
    torch.testing.assert_close(found.latents[0], best[0], atol=1e-4, rtol=0)


@pytest.mark.parametrize(("steps", "polish"), [(5, 0), (0, 5)])
def test_the_search_can_be_cancelled(steps, polish):
    with pytest.raises(Cancelled):
        search(
            *scene(),
            start(),
            Settings(steps=steps, polish=polish),
            progress=Progress(cancelled=lambda: True),
        )
