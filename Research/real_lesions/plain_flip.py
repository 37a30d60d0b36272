"""The simplest other side: the image flipped about the plane that fits best; no method may be worse."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

#: mm of the grid on which the plane is fitted.
COARSE = 4.0
#: Voxels of that grid that are compared.
ENOUGH = 8000
#: Slope of the plane at most, that of 15 degrees.
STEEPEST = 0.27


@dataclasses.dataclass(frozen=True)
class Plane:
    """A mid-sagittal plane x = offset + turn y + tilt z, in mm from the image's first voxel.

    Attributes:
        offset, turn, tilt: of the plane.
        spacing: of the image, (k, j, i).
    """

    offset: float
    turn: float
    tilt: float
    spacing: tuple[float, ...]

    def mirror(self, indices: np.ndarray) -> np.ndarray:
        """Return where voxels (k, j, i) along the last axis come to lie on the other side, as indices."""
        points = indices * np.asarray(self.spacing)
        normal = np.array([-self.tilt, -self.turn, 1.0])
        distance = (points @ normal - self.offset) / (normal @ normal)
        return (points - 2 * distance[..., np.newaxis] * normal) / np.asarray(self.spacing)

    def share_known(self, indices: np.ndarray, hole: np.ndarray) -> float:
        """Return the share of these voxels whose mirrored place lies in the image and in no hole."""
        at = np.rint(self.mirror(indices)).astype(int)
        inside = ((at >= 0) & (at < hole.shape)).all(axis=1)
        known = ~hole[tuple(at[inside].T)]
        return float(known.sum()) / len(indices)


def fit(image: np.ndarray, hole: np.ndarray, spacing: Sequence[float]) -> Plane:
    """Find the plane with the least mean absolute difference of both sides, where both are known."""
    from scipy import ndimage, optimize

    steps = tuple(max(1, round(COARSE / mm)) for mm in spacing)
    coarse = tuple(mm * step for mm, step in zip(spacing, steps, strict=True))
    known = ~hole
    # Blurred, and sampled by splines: otherwise planes along the grid, which need no interpolation, seem to fit best.
    sigma = [COARSE / mm for mm in spacing]
    weight = ndimage.gaussian_filter(known.astype(np.float32), sigma)
    mean = ndimage.gaussian_filter(np.where(hole, 0, image).astype(np.float32), sigma) / np.maximum(weight, 1e-3)
    take = tuple(slice(step // 2, None, step) for step in steps)
    values, usable = mean[take], (weight > 0.9)[take]
    indices = np.argwhere(usable)[:: max(1, int(usable.sum()) // ENOUGH)]
    here = values[tuple(indices.T)]
    floor = np.percentile(here, 20)

    splines = ndimage.spline_filter(values, order=3)
    pivot = np.array(values.shape) / 2 * coarse

    def plane_of(guess: np.ndarray) -> Plane:
        """Return a plane from its x in the middle of the image and its slopes in percent, which hardly interact."""
        turn, tilt = np.clip(guess[1:] / 100, -STEEPEST, STEEPEST)
        return Plane(float(guess[0] - turn * pivot[1] - tilt * pivot[0]), float(turn), float(tilt), coarse)

    def cost(guess: np.ndarray) -> float:
        at = plane_of(guess).mirror(indices).T
        there = ndimage.map_coordinates(splines, at, order=3, mode="constant", cval=float(floor), prefilter=False)
        both = ndimage.map_coordinates(usable.astype(np.float32), at, order=0, mode="constant", cval=1.0) > 0.5
        return float(np.abs(here - there)[both].mean())

    body = values > floor + 0.2 * (np.percentile(here, 99.5) - floor)
    middle = float(np.mean([side.mean() for side in _ends(body & usable)])) * coarse[2]
    starts = [np.array([middle + aside, 0.0, 0.0]) for aside in (-4.0, 4.0)]
    found = min((optimize.minimize(cost, start, method="Powell") for start in starts), key=lambda each: each.fun)
    plane = plane_of(found.x)
    # The coarse grid begins some voxels inside the image.
    shift = [step // 2 * mm for step, mm in zip(steps, spacing, strict=True)]
    offset = plane.offset + shift[2] - plane.turn * shift[1] - plane.tilt * shift[0]
    return Plane(offset, plane.turn, plane.tilt, tuple(spacing))


def _ends(body: np.ndarray) -> list[np.ndarray]:
    """Return the first and the last voxel along x of each row that holds some body."""
    rows = body.reshape(-1, body.shape[-1])
    rows = rows[rows.any(axis=1)]
    return [rows.argmax(axis=1), rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)]


def fill(voided: np.ndarray, hole: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Fill a hole with what lies on the other side of the plane, linearly interpolated; a peer of ``evaluate``."""
    from scipy import ndimage

    plane = fit(voided, hole, spacing)
    at = plane.mirror(np.argwhere(hole)).T
    filled = voided.astype(np.float64)
    filled[hole] = ndimage.map_coordinates(filled, at, order=1, mode="nearest")
    return filled
