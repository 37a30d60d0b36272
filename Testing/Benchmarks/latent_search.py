"""Latent search against a literal one: a slice at a time, from a random start, 1500 steps of Adam, nothing frozen.

Same model, same frames, same loss, same road, in one run: only the search itself is exchanged. The literal one does
what the paper and its public implementations do (Yeh et al., CVPR 2017), with the weights and the normalisation right.
"""

from __future__ import annotations

import math
import unittest.mock

import numpy as np
import torch

import MedInpaintLib as mi
from MedInpaintLib.latent.search import Found
from MedInpaintLib.samples import sample

STEPS, RATE = 1500, 0.05
#: Slices of the hole: enough for the batch to show, and few enough for the literal search to end.
SLICES = 6


def literal(decode, images, known, start, settings, prior=None, progress=None, inside=None) -> Found:
    """Takes the arguments of :func:`MedInpaintLib.latent.search.search`, and of the settings only what to minimize."""
    network = decode.__self__
    network.requires_grad_(True)
    chance = torch.Generator().manual_seed(0)
    found = []
    for image, mask, there in zip(images, known, inside, strict=True):
        latent = torch.randn((1, start.shape[1]), generator=chance).requires_grad_(True)
        optimizer = torch.optim.Adam([latent], lr=RATE)
        weights = settings.weights(mask[None], there[None])
        for _ in range(STEPS):
            generated = decode(latent)
            loss = settings.loss(generated, image[None], weights) + settings.prior * prior(latent, generated)
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
        found.append((latent.detach(), decode(latent).detach(), loss.detach()))
    network.requires_grad_(False)
    latents, generated, losses = (torch.cat(each) for each in zip(*found, strict=True))
    return Found(latents, generated, losses, torch.full((len(losses),), STEPS))


def main() -> None:
    image = mi.Volume.of(sample("brain-t1").image)
    k, j, i = np.ogrid[tuple(slice(size) for size in image.array.shape)]
    centre = [size // 2 for size in image.array.shape]
    disc = (j - centre[1]) ** 2 + (i - centre[2] - 30) ** 2 <= 10**2
    hole = disc & (np.abs(k - centre[0]) < SLICES / 2)
    truth = image.array[hole].astype(float)
    width = np.percentile(image.array[image.array > 0.1 * image.array.max()], 99.5)
    print(
        f"Discs of 20 mm on {hole.any(axis=(1, 2)).sum()} slices of the sample brain, {torch.get_num_threads()} threads"
    )
    print(f"{'':12} {'':18} {'frames':>6} {'steps':>6} {'loss':>9} {'PSNR dB':>8} {'s':>8} {'ratio':>7}")
    for method in ("vae-latent", "gan-latent"):
        mi.inpaint(image, hole, method=method, parameters={"steps": 5})
        ours = mi.inpaint(image, hole, method=method)
        with unittest.mock.patch("MedInpaintLib.latent.search.search", literal):
            theirs = mi.inpaint(image, hole, method=method, parameters={"restarts": 1})
        for name, result in (("MedInpaint", ours), ("literal", theirs)):
            notes, seconds = result.report["notes"], result.report["seconds"]["method"]
            psnr = 10 * math.log10(width**2 / np.mean((result.volume.array[hole] - truth) ** 2))
            ratio = seconds / ours.report["seconds"]["method"]
            print(
                f"{method:12} {name:18} {notes['frames']:6} {notes['search_steps']:6.0f} {notes['search_loss']:9.5f} "
                f"{psnr:8.2f} {seconds:8.2f} {ratio:6.0f}x"
            )


if __name__ == "__main__":
    main()
