"""Networks that make images: shapes, ranges, sizes, and what they refuse."""

import pytest
import torch

from MedInpaintLib.errors import ParameterError
from MedInpaintLib.networks import build

ARCHITECTURES = ("dcgan", "vae")


def made(architecture, **arguments):
    torch.manual_seed(0)
    return build(architecture, {"pixels": 64, "latent": 8, "kernel": 3, "width": 4, **arguments}).eval()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("pixels", [64, 96, 128])
@pytest.mark.parametrize("kernel", [3, 7])
@pytest.mark.parametrize("latent", [1, 13])
@torch.no_grad()
def test_images_become_latents_and_latents_images(architecture, pixels, kernel, latent):
    network = made(architecture, pixels=pixels, kernel=kernel, latent=latent)
    decoded = network.decode(5 * torch.randn(2, latent))
    assert decoded.shape == (2, 1, pixels, pixels)
    assert decoded.abs().max() <= 1
    assert network.encode(decoded).shape == (2, latent)
    if architecture == "vae":
        assert [each.shape for each in network.posterior(decoded)] == [(2, latent)] * 2
    else:
        assert network.logits(decoded).shape == (2,)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_images_of_a_batch_do_not_influence_each_other(architecture):
    network = made(architecture)
    with torch.no_grad():
        network.train()
        network.decode(torch.randn(16, 8))  # statistics of normalisation that are not those of the start
        network.eval()
        latents = torch.randn(4, 8)
        together = network.decode(latents)
        for number in range(4):
            alone = network.decode(latents[number : number + 1])
            torch.testing.assert_close(alone[0], together[number], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(network.encode(alone)[0], network.encode(together)[number], rtol=1e-3, atol=1e-4)
        if architecture == "dcgan":
            torch.testing.assert_close(
                network.logits(together[:1])[0], network.logits(together)[0], rtol=1e-3, atol=1e-4
            )


def test_the_variance_of_a_posterior_stays_finite():
    network = made("vae")
    _, log_variance = network.posterior(1e6 * torch.randn(2, 1, 64, 64))
    assert log_variance.min() >= -12
    assert log_variance.max() <= 6


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("pixels", [0, 8, 63, 72])
def test_sides_that_cannot_be_halved_often_enough_are_refused(architecture, pixels):
    with pytest.raises(ParameterError, match=f"must be a multiple of 16 pixels; found {pixels}"):
        made(architecture, pixels=pixels)


def test_even_kernels_are_refused():
    with pytest.raises(ParameterError, match="kernel must be odd; found 4"):
        made("vae", kernel=4)


def test_unknown_architectures_and_wrong_arguments_are_refused():
    with pytest.raises(ParameterError, match=r"no architecture 'fnet'; the architectures are: .*dcgan, .*vae"):
        build("fnet", {})
    with pytest.raises(ParameterError, match=r"'vae' was given wrong arguments: .*depth"):
        build("vae", {"depth": 3})
    with pytest.raises(ParameterError, match="'dcgan' was given wrong arguments"):
        build("dcgan", {"pixels": "64"})
