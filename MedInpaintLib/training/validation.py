"""Validation during a training: the same holes in the same crops of held-out subjects, at every check."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from ..solvers.fill import solve_biharmonic
from .recipe import Recipe
from .slices import Crops, Slice

#: Images side by side in a picture.
COLUMNS = 8


@dataclasses.dataclass(frozen=True)
class Trial:
    """Damaged crops and their truth, all ``(B, 1, H, W)`` in the network's scale.

    Attributes:
        truth: as it was.
        images: with a thin-plate fill under the hole.
        known: bool.
    """

    truth: torch.Tensor
    images: torch.Tensor
    known: torch.Tensor

    def to(self, device: torch.device) -> Trial:
        """On another device."""
        return Trial(self.truth.to(device), self.images.to(device), self.known.to(device))

    def psnr(self, filled: torch.Tensor) -> float:
        """Mean over the crops of the PSNR in the hole, dB at a range of 1 of the network's scale."""
        hole = (~self.known).float()
        error = (hole * (filled - self.truth).square()).sum(dim=(1, 2, 3)) / hole.sum(dim=(1, 2, 3))
        return float(-10 * torch.log10(error.clamp(min=1e-8)).mean())

    def picture(self, filled: torch.Tensor) -> np.ndarray:
        """``(1, 3 H, COLUMNS W)``, 0..1: damaged, filled and true crops below each other."""
        some = slice(0, COLUMNS)
        damaged = torch.where(self.known, self.truth, -1.0)[some]
        composite = torch.where(self.known, self.truth, filled)[some]
        rows = [torch.cat([*images.squeeze(1)], dim=1) for images in (damaged, composite, self.truth[some])]
        return ((torch.cat(rows)[np.newaxis] + 1) / 2).clamp(0, 1).cpu().numpy()


def trials(slices: list[Slice], recipe: Recipe) -> Trial:
    """Discs in the middle of crops of the body."""
    from .loop import normalise

    pixels, mm = recipe.pixels, recipe.data.pixel_mm
    crops = Crops(slices, pixels, seed=recipe.schedule.seed, gain=0.0, offset=0.0)
    truth = normalise(torch.from_numpy(crops.batch(range(recipe.schedule.crops))), recipe)
    offsets = (np.arange(pixels) - (pixels - 1) / 2) * mm
    hole = np.add.outer(offsets**2, offsets**2) <= (recipe.schedule.hole_mm / 2) ** 2
    images = torch.stack([_filled(each, hole, mm) for each in truth])
    known = torch.from_numpy(~hole).expand_as(truth)
    return Trial(truth, images, known)


def _filled(image: torch.Tensor, hole: np.ndarray, mm: float) -> torch.Tensor:
    values = image[0].numpy()
    filled = solve_biharmonic(np.where(hole, np.float32(0), values), hole, (mm, mm)).values
    return torch.from_numpy(np.clip(filled, -1, 1).astype(np.float32))[np.newaxis]
