"""Convolutional variational auto-encoder."""

from __future__ import annotations

import torch
from torch import nn

from .convolutional import Encoder, Generator


class Vae(nn.Module):
    """Encoder to a normal distribution over latents, and decoder to images.

    Kingma, Welling: Auto-encoding variational Bayes, ICLR 2014.

    Args:
        pixels: side of the image.
        latent: length of the latent vector, standard normal a priori.
        kernel: of all convolutions.
        width: of the decoder; the encoder has half of it.
    """

    def __init__(self, *, pixels: int = 64, latent: int = 128, kernel: int = 3, width: int = 32) -> None:
        super().__init__()
        self.latent = latent
        self.encoder = Encoder(pixels, 2 * latent, kernel=kernel, width=width // 2)
        self.decoder = Generator(pixels, latent, kernel=kernel, width=width)

    def posterior(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and logarithm of the variance of the latents, each ``(B, latent)``."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 6.0)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Return the images of latents ``(B, latent)``."""
        return self.decoder(latents)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the mean of the latents of images."""
        return self.posterior(images)[0]
