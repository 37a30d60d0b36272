"""Priors and adversarial losses against their definitions and against torch's own cross entropy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.nn.functional import binary_cross_entropy_with_logits

from MedInpaintLib.losses.adversarial import CrossEntropyGan, HingeGan, LeastSquaresGan
from MedInpaintLib.losses.prior import GanPrior, VaePrior

logits = st.lists(st.floats(-30, 30), min_size=1, max_size=8).map(lambda each: torch.tensor(each, dtype=torch.float64))


@given(found=logits)
def test_the_prior_of_a_gan_is_the_surprise_that_the_image_is_real(found):
    expected = [-np.log(1 / (1 + np.exp(-each))) for each in found.tolist()]
    np.testing.assert_allclose(GanPrior()(found).numpy(), expected, rtol=1e-6, atol=1e-12)


def test_the_prior_of_a_gan_pulls_where_the_discriminator_is_sure_that_the_image_is_not_real():
    found = torch.tensor([-50.0, 50.0], requires_grad=True)
    GanPrior()(found).sum().backward()
    np.testing.assert_allclose(found.grad.numpy(), [-1, 0], atol=1e-6)


def test_the_prior_of_a_vae_is_the_normal_density_up_to_constants():
    latents = np.random.default_rng(0).normal(size=(5, 7)) * 3
    density = stats.norm.logpdf(latents).sum(axis=1) - stats.norm.logpdf(0) * 7
    np.testing.assert_allclose(VaePrior()(torch.from_numpy(latents)).numpy(), -2 * density / 7, rtol=1e-10)


@given(real=logits, fake=logits, smooth=st.floats(0.5, 1.0))
def test_gan_losses_are_cross_entropies(real, fake, smooth):
    gan = CrossEntropyGan(smooth)
    expected = binary_cross_entropy_with_logits(real, torch.full_like(real, smooth)) + binary_cross_entropy_with_logits(
        fake, torch.zeros_like(fake)
    )
    torch.testing.assert_close(gan.discriminator(real, fake), expected)
    torch.testing.assert_close(gan.generator(fake), binary_cross_entropy_with_logits(fake, torch.ones_like(fake)))


@given(real=logits, fake=logits)
def test_hinge_losses_are_those_of_the_loop(real, fake):
    expected = np.mean([max(0, 1 - each) for each in real.tolist()]) + np.mean(
        [max(0, 1 + each) for each in fake.tolist()]
    )
    assert HingeGan().discriminator(real, fake).item() == pytest.approx(expected)
    assert HingeGan().generator(fake).item() == pytest.approx(-np.mean(fake.tolist()))


@given(real=logits, fake=logits)
def test_least_squares_are_those_of_the_loop(real, fake):
    expected = np.mean([(each - 1) ** 2 for each in real.tolist()]) + np.mean([each**2 for each in fake.tolist()])
    assert LeastSquaresGan().discriminator(real, fake).item() == pytest.approx(expected / 2)
    assert LeastSquaresGan().generator(fake).item() == pytest.approx(
        np.mean([(each - 1) ** 2 for each in fake.tolist()]) / 2
    )
    assert LeastSquaresGan(factor=1.0).discriminator(real, fake).item() == pytest.approx(expected)
    assert LeastSquaresGan(factor=1.0).generator(fake).item() == pytest.approx(
        np.mean([(each - 1) ** 2 for each in fake.tolist()])
    )


def test_with_a_hinge_only_what_is_not_yet_told_apart_moves_the_discriminator():
    real, fake = (torch.tensor([-3.0, 0.0, 3.0], requires_grad=True) for _ in range(2))
    HingeGan().discriminator(real, fake).backward()
    torch.testing.assert_close(real.grad, torch.tensor([-1.0, -1.0, 0.0]) / 3)
    torch.testing.assert_close(fake.grad, torch.tensor([0.0, 1.0, 1.0]) / 3)


@pytest.mark.parametrize("gan", [CrossEntropyGan(), HingeGan(), LeastSquaresGan()])
def test_scores_of_any_shape_will_do_as_patches_have_them(gan):
    real, fake = torch.randn(2, 3, 1, 4, 5, generator=torch.Generator().manual_seed(0))
    assert gan.discriminator(real, fake) == gan.discriminator(real.flatten(), fake.flatten())
    assert gan.generator(fake) == gan.generator(fake.flatten())


@pytest.mark.parametrize("smooth", [0.7, 0.9])
def test_with_smoothing_a_discriminator_is_best_when_as_sure_as_the_target(smooth):
    sure = torch.linspace(-6, 6, 2001, dtype=torch.float64)
    gan, fake = CrossEntropyGan(smooth), torch.zeros(1, dtype=torch.float64)
    losses = torch.stack([gan.discriminator(each[None], fake) for each in sure])
    np.testing.assert_allclose(sure[losses.argmin()].sigmoid(), smooth, atol=0.01)


@pytest.mark.parametrize(
    "loss",
    [
        GanPrior(),
        CrossEntropyGan(0.9).generator,
        HingeGan().generator,
        LeastSquaresGan().generator,
        lambda a: CrossEntropyGan().discriminator(a, -a),
        lambda a: HingeGan().discriminator(a, -2 * a),
        lambda a: LeastSquaresGan().discriminator(a, -a),
    ],
)
def test_gradients_are_those_of_finite_differences(loss):
    found = torch.randn(6, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(loss, (found,))
    assert torch.autograd.gradcheck(VaePrior(), (found.detach().reshape(2, 3).requires_grad_(True),))
