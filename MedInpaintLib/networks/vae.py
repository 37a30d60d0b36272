"""Convolutional variational auto-encoder."""

from __future__ import annotations

import torch
from torch import nn

from .convolutional import Encoder, Generator


class Vae(nn.Module):
    """Encoder to a normal distribution over latents, and decoder.

    Kingma, Welling: Auto-encoding variational Bayes, ICLR 2014.

    Args:
        pixels: of the image's side.
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
        """Mean and logarithm of the variance of the latents, each ``(B, latent)``."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 6.0)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """``(B, latent)`` to images."""
        return self.decoder(latents)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Images to the mean of their latents."""
        return self.posterior(images)[0]
