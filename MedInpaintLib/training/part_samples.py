"""Samples and validation of 3-D networks that correct a fill."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..losses.structural import SsimLoss
from ..volume_inputs import INTENSITIES, Inputs, mirrored
from .part_cases import PartCase
from .recipe import Data

#: Images side by side in a picture.
COLUMNS = 8


@dataclasses.dataclass(frozen=True)
class PartSamples:
    """Endless crops of parts; crop n depends only on the cases, the seed and n.

    Attributes:
        paths: files of the cases.
        pixels: side of a crop.
        seed: of all random choices.
        flip: whether half of the crops are mirrored from left to right.
        gain, offset: intensities are multiplied by 1 ± gain and shifted by ± offset, uniformly.
    """

    paths: Sequence[Path]
    pixels: int
    seed: int
    flip: bool = True
    gain: float = 0.1
    offset: float = 0.03

    def batch(self, numbers: range) -> tuple[np.ndarray, ...]:
        """Return intensities, maps, truth and the voxels to fill, each ``(n, channels, pixels, pixels, pixels)``."""
        return tuple(np.stack(each) for each in zip(*(self[number] for number in numbers), strict=True))

    def __getitem__(self, number: int) -> tuple[np.ndarray, ...]:
        """Return one sample of :meth:`batch`."""
        rng = np.random.default_rng([self.seed, 8, number])
        case = PartCase.read(self.paths[int(rng.integers(len(self.paths)))])
        room = case.wanted.shape[0] - self.pixels
        flip = bool(rng.random() < 0.5) and self.flip
        gain, offset = 1 + self.gain * rng.uniform(-1, 1), self.offset * rng.uniform(-1, 1)
        intensities, maps, truth, wanted = cropped(case, rng.integers(room + 1, size=3).tolist(), self.pixels)
        if flip:
            seen = mirrored(Inputs(intensities, maps))
            intensities, maps, truth, wanted = seen.intensities, seen.maps, truth[..., ::-1], wanted[..., ::-1]
        intensities, truth = (each * np.float32(gain) + np.float32(offset) for each in (intensities, truth))
        return intensities, maps, truth, wanted


def cropped(case: PartCase, corner: Sequence[int], side: int) -> tuple[np.ndarray, ...]:
    """Return a cube of a case: intensities and truth in float32, maps, voxels to fill; each with channels first."""
    k, j, i = (slice(start, start + side) for start in corner)
    return (
        case.intensities[:, k, j, i].astype(np.float32),
        case.maps[:, k, j, i],
        case.truth[np.newaxis, k, j, i].astype(np.float32),
        case.wanted[np.newaxis, k, j, i],
    )


@dataclasses.dataclass(frozen=True)
class PartTrial:
    """The middles of some cases of held-out subjects, in the network's scale.

    Attributes:
        images, known: intensities and maps, as the network takes them.
        truth, wanted: ``(B, 1, D, H, W)``.
        words: description of the holes.
        rows: of the picture.
    """

    images: torch.Tensor
    known: torch.Tensor
    truth: torch.Tensor
    wanted: torch.Tensor
    words: str
    rows: str = "damaged, smooth, filled, truth"

    @classmethod
    def of(cls, paths: Sequence[Path], pixels: int, count: int, data: Data) -> PartTrial:
        """Read at most ``count`` of the cases, evenly spread."""
        chosen = [paths[int(at)] for at in np.linspace(0, len(paths) - 1, min(count, len(paths))).round()]
        cases = [PartCase.read(path) for path in chosen]
        crops = [cropped(case, [(case.wanted.shape[0] - pixels) // 2] * 3, pixels) for case in cases]
        images, maps, truth, wanted = (torch.from_numpy(np.stack(each)) for each in zip(*crops, strict=True))
        words = f"{len(cases)} parts of {', '.join(dict.fromkeys(data.holes))}"
        return cls(data.normalise(images), maps, data.normalise(truth), wanted, words)

    def to(self, device: torch.device) -> PartTrial:
        """Return the trial on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("images", "known", "truth", "wanted")}
        return dataclasses.replace(self, **moved)

    @property
    def start(self) -> torch.Tensor:
        """``(B, 1, D, H, W)``: the smooth fill."""
        return self.images[:, INTENSITIES.index("smooth"), None]

    @property
    def corrected(self) -> torch.Tensor:
        """``(B, 1, D, H, W)``: the fill that the network corrects."""
        return self.images[:, INTENSITIES.index("base"), None]

    def psnr(self, filled: torch.Tensor) -> float:
        """Return the mean over the parts of the PSNR, dB at a range of 1 of the network's scale."""
        return float(-10 * torch.log10(self._errors(filled).clamp(min=1e-8)).mean())

    def scores(self, filled: torch.Tensor) -> dict[str, float]:
        """Return SSIM over the axial slices of the holes, and RMSE."""
        slices = [each.transpose(1, 2).flatten(0, 1) for each in (filled, self.truth, ~self.wanted)]
        with_hole = (~slices[2]).any(dim=(1, 2, 3))
        images, truth, known = (each[with_hole] for each in slices)
        return {"ssim": 1 - float(SsimLoss()(images, truth, known)), "rmse": float(self._errors(filled).sqrt().mean())}

    def picture(self, filled: torch.Tensor) -> np.ndarray:
        """Return ``(1, 4 H, COLUMNS W)``, 0..1: middle axial slices, damaged, smoothly filled, filled and true."""
        middle = self.truth.shape[2] // 2
        truth, start, images, wanted = (
            each[:COLUMNS, 0, middle] for each in (self.truth, self.start, filled, self.wanted)
        )
        panels = (truth.masked_fill(wanted, -1.0), start, torch.where(wanted, images, truth), truth)
        rows = [torch.cat([*each], dim=1) for each in panels]
        return ((torch.cat(rows)[np.newaxis].flip(1) + 1) / 2).clamp(0, 1).cpu().numpy()

    def _errors(self, filled: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error of each part, ``(B,)``."""
        over, where = (1, 2, 3, 4), self._where
        return ((filled - self.truth).square() * where).sum(dim=over) / where.sum(dim=over).clamp(min=1)

    @functools.cached_property
    def _where(self) -> torch.Tensor:
        return self.wanted.to(self.truth.dtype)
