"""Deep convolutional generative adversarial network."""

from __future__ import annotations

import torch
from torch import nn

from .convolutional import Encoder, Generator


class Dcgan(nn.Module):
    """Generator, discriminator, and an encoder that estimates the start of a latent search.

    Radford, Metz, Chintala: Unsupervised representation learning with deep convolutional generative adversarial
    networks, ICLR 2016. The encoder learns the latents of generated images (a baseline of Donahue et al., ICLR 2017).

    Args:
        pixels: side of the image.
        latent: length of the latent vector, standard normal.
        kernel: of all convolutions.
        width: of the generator; the discriminator and the encoder have half of it.
    """

    def __init__(self, *, pixels: int = 64, latent: int = 100, kernel: int = 3, width: int = 32) -> None:
        super().__init__()
        self.latent = latent
        self.generator = Generator(pixels, latent, kernel=kernel, width=width)
        self.discriminator = Encoder(pixels, 1, kernel=kernel, width=width // 2)
        self.encoder = Encoder(pixels, latent, kernel=kernel, width=width // 2)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Return the images of latents ``(B, latent)``."""
        return self.generator(latents)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the encoder's estimate of the latents of images."""
        return self.encoder(images)

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Return the discriminator's logits ``(B,)`` of being real; 0 is undecided."""
        return self.discriminator(images).squeeze(1)
