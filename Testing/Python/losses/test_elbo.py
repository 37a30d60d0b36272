"""The evidence lower bound against scipy, integration and torch's distributions."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from MedInpaintLib.losses.elbo import Elbo


def normal(*shape, seed=0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


@pytest.fixture
def decoded():
    return normal(3, 1, 5, 6)


@pytest.fixture
def images():
    return normal(3, 1, 5, 6, seed=1)


@pytest.mark.parametrize(("mean", "log_variance"), [(0.0, 0.0), (1.3, -1.0), (-0.4, 1.5)])
def test_the_divergence_of_one_latent_is_its_integral(mean, log_variance):
    posterior, prior = stats.norm(mean, np.exp(log_variance / 2)), stats.norm()
    expected, _ = integrate.quad(
        lambda z: posterior.pdf(z) * (posterior.logpdf(z) - prior.logpdf(z)), -20, 20, points=[mean]
    )
    given = (torch.tensor([[each]], dtype=torch.float64) for each in (mean, log_variance))
    assert Elbo().kl(*given).item() == pytest.approx(expected, abs=1e-6)


def test_the_divergence_is_that_of_torch():
    mean, log_variance = normal(4, 7), normal(4, 7, seed=1)
    each = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (log_variance / 2).exp()), torch.distributions.Normal(0.0, 1.0)
    )
    torch.testing.assert_close(Elbo().kl(mean, log_variance), each.sum(dim=1))


def test_the_bound_is_the_likelihood_under_the_most_likely_noise_plus_the_divergence(decoded, images):
    mean, log_variance = normal(3, 4, seed=2), normal(3, 4, seed=3)
    error = (decoded - images).numpy()

    def surprise(sd):
        return -stats.norm.logpdf(error, scale=sd).sum() / len(error)

    sd = np.sqrt((error**2).mean())
    found = Elbo()(decoded, images, mean, log_variance, step=0)
    divergence = Elbo().kl(mean, log_variance).mean()
    assert found.item() == pytest.approx(surprise(sd) + divergence.item(), rel=1e-10)
    assert surprise(sd) < min(surprise(0.95 * sd), surprise(1.05 * sd))


def test_the_divergence_comes_in_over_the_warm_up(decoded, images):
    elbo = Elbo(warm_up=100)
    assert [elbo.beta(step) for step in (0, 25, 100, 1000)] == [0, 0.25, 1, 1]
    assert Elbo().beta(0) == 1
    mean, log_variance = normal(3, 4, seed=2), normal(3, 4, seed=3)
    losses = [elbo(decoded, images, mean, log_variance, step).item() for step in (0, 50, 100, 200)]
    divergence = elbo.kl(mean, log_variance).mean().item()
    np.testing.assert_allclose(np.diff(losses), [divergence / 2, divergence / 2, 0], atol=1e-9)


def test_gradients_are_those_of_finite_differences(decoded, images):
    given = [each.requires_grad_(True) for each in (decoded, normal(3, 4, seed=2), normal(3, 4, seed=3))]
    assert torch.autograd.gradcheck(lambda d, m, v: Elbo(10)(d, images, m, v, 5), given)
