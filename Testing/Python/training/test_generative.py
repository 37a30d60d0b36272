"""Tasks of the VAE and of the GAN: what their losses are, and which weights they reach."""

from __future__ import annotations

import math

import pytest
import torch

from MedInpaintLib.networks import build
from MedInpaintLib.training.tasks import task_of

SMALL = {"pixels": 16, "latent": 4, "kernel": 3, "width": 4}


def task(architecture, **options):
    torch.manual_seed(0)
    return task_of(architecture, build(architecture, SMALL), options)


def images(count=6):
    return torch.rand(count, 1, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_each_loss_of_a_gan_reaches_its_own_part_and_no_earlier_one():
    made = task("dcgan")
    made.network.train()
    parts = ("discriminator", "generator", "encoder")
    #: Through the discriminator the generator learns; neither the discriminator nor the encoder teaches it.
    reached = {"discriminator": {"discriminator"}, "generator": {"generator", "discriminator"}, "encoder": {"encoder"}}
    for name, loss, _ in made.losses([images()], 0, torch.Generator().manual_seed(0)):
        made.network.zero_grad()
        loss.backward()
        assert {
            part for part in parts if any(each.grad is not None for each in getattr(made.network, part).parameters())
        } == reached.pop(name)
    assert not reached


def test_the_encoder_of_a_gan_learns_the_latents_of_what_was_generated(monkeypatch):
    """In closed form: an encoder that is wrong by 0.5 in every latent has a loss of 0.25."""
    made, drawn = task("dcgan"), []
    decode = made.network.decode
    monkeypatch.setattr(made.network, "decode", lambda latents: drawn.append(latents) or decode(latents))
    monkeypatch.setattr(made.network, "encode", lambda images: drawn[0] + 0.5)
    found = {name: loss.item() for name, loss, _ in made.losses([images()], 0, torch.Generator().manual_seed(0))}
    assert found["encoder"] == pytest.approx(0.25, rel=1e-5)


def test_a_vae_draws_its_latents_with_the_standard_deviation_of_the_posterior(monkeypatch):
    made, drawn = task("vae"), []
    count = 2000
    posterior = torch.full((count, 4), 1.5), torch.full((count, 4), math.log(9.0))
    monkeypatch.setattr(made.network, "posterior", lambda _: posterior)
    monkeypatch.setattr(made.network, "decode", lambda z: drawn.append(z) or torch.zeros(count, 1, 16, 16))
    list(made.losses([images(count)], 0, torch.Generator().manual_seed(0)))
    assert drawn[0].mean().item() == pytest.approx(1.5, abs=0.15)
    assert drawn[0].std().item() == pytest.approx(3.0, abs=0.15)


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (5, 0.5), (10, 1.0), (99, 1.0)])
def test_the_loss_of_a_vae_is_the_bound_in_nats_per_pixel(step, share, monkeypatch):
    """In closed form: an error of 0.1 at each of 256 pixels, and four latents of mean 2 and variance 1."""
    made, shown = task("vae", warm_up=10), images()
    monkeypatch.setattr(made.network, "posterior", lambda _: (torch.full((6, 4), 2.0), torch.zeros(6, 4)))
    monkeypatch.setattr(made.network, "decode", lambda _: shown + 0.1)
    ((name, loss, log),) = made.losses([shown], step, torch.Generator())
    bound = 256 / 2 * math.log(2 * math.pi * math.e * 0.01) + share * 4 * (2**2 / 2)
    assert name == "vae"
    assert loss.item() == pytest.approx(bound / 256, rel=1e-4)
    assert log["part/rmse"].item() == pytest.approx(0.1, rel=1e-4)
    assert log["part/kl"].item() == pytest.approx(8.0, rel=1e-5)
