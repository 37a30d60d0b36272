"""Validation during a training: at every check the same holes in the same images of held-out subjects."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import torch

from ..losses.structural import SsimLoss
from ..progress import Progress
from ..solvers.fill import solve_biharmonic
from .cases import Cases
from .damage import Damages
from .recipe import Recipe
from .slices import Crops, Slice
from .undamaged import Undamaged

#: Images side by side in a picture.
COLUMNS = 8
#: Frames of a sphere, on average.
FRAMES = 4


@dataclasses.dataclass(frozen=True)
class Trial:
    """Damaged images and their truth in the network's scale.

    Attributes:
        images, known: as in :meth:`.FeedForward.forward`, with a thin-plate fill under the hole; generative networks
            see one slice.
        truth: ``(B, 1, H, W)``, the undamaged middle slice.
        words: description of the holes.
        slices, hint: number of channels that are slices, and whether a hint follows.
        rows: of the picture.
    """

    images: torch.Tensor
    known: torch.Tensor
    truth: torch.Tensor
    words: str
    slices: int = 1
    hint: bool = False
    rows: str = "damaged, smooth, filled, truth"

    def to(self, device: torch.device) -> Trial:
        """Return the trial on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("images", "known", "truth")}
        return dataclasses.replace(self, **moved)

    @property
    def start(self) -> torch.Tensor:
        """``(B, 1, H, W)``: the smooth fill that every network should improve on."""
        return self.images[:, self._middle, None]

    @property
    def corrected(self) -> torch.Tensor:
        """``(B, 1, H, W)``: the hint if there is one, else the smooth fill."""
        return self.images[:, self.slices, None] if self.hint else self.start

    @property
    def hole(self) -> torch.Tensor:
        """Bool, ``(B, 1, H, W)``."""
        return ~self.known[:, self._middle, None]

    @property
    def _middle(self) -> int:
        return self.slices // 2

    def psnr(self, filled: torch.Tensor) -> float:
        """Return the mean over the images of the PSNR in the hole, dB at a range of 1 of the network's scale."""
        hole = self.hole.float()
        error = (hole * (filled - self.truth).square()).sum(dim=(1, 2, 3)) / hole.sum(dim=(1, 2, 3))
        return float(-10 * torch.log10(error.clamp(min=1e-8)).mean())

    def scores(self, filled: torch.Tensor) -> dict[str, float]:
        """Return SSIM and RMSE in the hole, see :func:`similarity_and_error`."""
        return similarity_and_error(filled, self.truth, self.hole)

    def picture(self, filled: torch.Tensor) -> np.ndarray:
        """Return ``(1, 4 H, COLUMNS W)``, 0..1: damaged, smoothly filled, filled and true images below each other."""
        some = slice(0, COLUMNS)
        known, truth = ~self.hole[some], self.truth[some]
        panels = (torch.where(known, truth, -1.0), self.start[some], torch.where(known, truth, filled[some]), truth)
        rows = [torch.cat([*images.squeeze(1)], dim=1) for images in panels]
        return ((torch.cat(rows)[np.newaxis] + 1) / 2).clamp(0, 1).cpu().numpy()


def similarity_and_error(images: torch.Tensor, truth: torch.Tensor, where: torch.Tensor) -> dict[str, float]:
    """Return SSIM and RMSE of images ``(B, 1, H, W)``, -1..1, where a mask says so; the means over the images."""
    inside = where.float()
    error = (inside * (images - truth).square()).sum(dim=(1, 2, 3)) / inside.sum(dim=(1, 2, 3))
    return {"ssim": 1 - float(SsimLoss()(images, truth, ~where)), "rmse": float(error.sqrt().mean())}


def discs(slices: list[Slice], recipe: Recipe) -> Trial:
    """Make a trial of discs in the middle of crops of the body."""
    pixels, mm = recipe.pixels, recipe.data.pixel_mm
    crops = Crops(slices, pixels, seed=recipe.schedule.seed, gain=0.0, offset=0.0)
    truth = recipe.data.normalise(torch.from_numpy(crops.batch(range(recipe.schedule.crops))[0]))
    offsets = (np.arange(pixels) - (pixels - 1) / 2) * mm
    hole = np.add.outer(offsets**2, offsets**2) <= (recipe.schedule.hole_mm / 2) ** 2
    images = torch.stack([_filled(each, hole, mm) for each in truth])
    known = torch.from_numpy(~hole).expand_as(truth)
    words = f"discs of {recipe.schedule.hole_mm:g} mm in {recipe.schedule.crops} crops"
    return Trial(images, known, truth, words)


def damages(images: list[Undamaged], recipe: Recipe, folder: Path, progress: Progress) -> Trial:
    """Make a trial of spheres, or of the recipe's holes for validation, with random frames of each."""
    schedule = recipe.schedule
    holes = schedule.holes or (f"spheres:{schedule.hole_mm}mm",)
    # In flat images most holes have one frame.
    each = 1 if all(sum(size > 1 for size in image.image.array.shape) == 2 for image in images) else FRAMES
    count = math.ceil(schedule.crops / each)
    data = dataclasses.replace(recipe.data, holes=holes)
    cases = Cases(images, data, recipe.pixels, recipe.slices, count, schedule.seed, folder)
    cases.make(progress)
    batch = Damages(cases, recipe.hint, recipe.other_side, flip=False, gain=0, offset=0).batch(range(schedule.crops))
    what = ", ".join(schedule.holes) or f"spheres of {schedule.hole_mm:g} mm"
    words = f"holes {what}, {schedule.crops} frames of {count} holes"
    frames, known, truth = (recipe.data.normalise(torch.from_numpy(each)) for each in batch)
    return Trial(frames, known, truth, words, recipe.slices, recipe.hint)


def _filled(image: torch.Tensor, hole: np.ndarray, mm: float) -> torch.Tensor:
    values = image[0].numpy()
    filled = solve_biharmonic(np.where(hole, np.float32(0), values), hole, (mm, mm)).values
    return torch.from_numpy(np.clip(filled, -1, 1).astype(np.float32))[np.newaxis]
