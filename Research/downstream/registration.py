"""Errors of a registration whose true deformation is known, in mm at points of healthy tissue.

The moving image is the healthy head of the same person, deformed, with other noise and another contrast curve, as an
earlier scan would be; the fixed image is the head with lesions, masked or filled.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from .lesions import Patient

#: The affine part: degrees, mm and share, uniformly at most; the smooth part: mm at most, and its width in mm.
DEGREES, SHIFT, SCALE = 6.0, 5.0, 0.04
BEND, WIDTH = 5.0, 25.0
#: Exponent of the other contrast curve, and standard deviation of the other noise in the brain's 99 percentile.
GAMMA, NOISE = 0.9, 0.02
#: mm of the grid on which is registered, of the coarser one of the affine part, and between control points.
GRID, COARSE, CONTROL = 2.0, 4.0, 30.0
AFFINE_ITERATIONS, SPLINE_ITERATIONS = 60, 15
#: Share of the voxels on which the B-splines are fitted: with 0.02 they take 5 s a head, with all of them minutes. More
#: iterations and closer control points make the error of a healthy head larger (0.21 mm against 0.18 mm, one head of
#: val).
SAMPLED = 0.02
#: Points, and mm from the lesions up to which a point is near them.
POINTS, NEAR = 3000, 20.0


@dataclasses.dataclass(frozen=True)
class Deformation:
    """A smooth map of points: an affine one plus a displacement.

    Attributes:
        matrix, offset: of the affine map about the middle of the image, mm.
        bend: displacement in mm, (3, k, j, i), on the image's grid.
        spacing: mm.
    """

    matrix: np.ndarray
    offset: np.ndarray
    bend: np.ndarray
    spacing: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return where points are mapped to; (n, 3), mm from the first voxel, in the order of the array's axes."""
        middle = (np.array(self.bend.shape[1:]) - 1) * self.spacing / 2
        at = (points / self.spacing).T
        bend = np.stack([ndimage.map_coordinates(each, at, order=1, mode="nearest") for each in self.bend], axis=1)
        return (points - middle) @ self.matrix.T + middle + self.offset + bend


def random_deformation(shape: Sequence[int], spacing: Sequence[float], rng: np.random.Generator) -> Deformation:
    """Return a random rotation, scaling, shift and smooth displacement."""
    from scipy.spatial.transform import Rotation

    mm = np.array(spacing)
    turn = Rotation.from_euler("xyz", rng.uniform(-DEGREES, DEGREES, 3), degrees=True).as_matrix()
    matrix = turn @ np.diag(1 + rng.uniform(-SCALE, SCALE, 3))
    noise = rng.normal(size=(3, *shape)).astype(np.float32)
    bend = np.stack([ndimage.gaussian_filter(each, WIDTH / mm) for each in noise])
    bend *= BEND / np.abs(bend).max()
    return Deformation(matrix, rng.uniform(-SHIFT, SHIFT, 3), bend, mm)


def deformed(image: np.ndarray, deformation: Deformation, rng: np.random.Generator) -> np.ndarray:
    """Return the other scan: at each point the image at the point that this is mapped to, float32."""
    points = np.indices(image.shape).reshape(3, -1).T * deformation.spacing
    at = (deformation(points) / deformation.spacing).T
    values = ndimage.map_coordinates(image.astype(np.float32), at, order=1).reshape(image.shape)
    bright = float(np.percentile(image[image > 0], 99))
    noisy = bright * (values / bright) ** GAMMA + rng.normal(scale=NOISE * bright, size=image.shape)
    return np.where(values > 0, np.maximum(noisy, 0), 0).astype(np.float32)


class Exam:
    """A patient's other scan, with points whose true partners are known."""

    def __init__(self, patient: Patient, seed: str) -> None:
        rng = np.random.default_rng(zlib.crc32(seed.encode()))
        deformation = random_deformation(patient.image.shape, patient.spacing, rng)
        moving = deformed(patient.image, deformation, rng)
        mm = np.array(patient.spacing)
        # Drawn in the moving image, so that the deformation, which leads from there, need not be inverted.
        points = rng.uniform(0, np.array(moving.shape) - 1, size=(20 * POINTS, 3)) * mm
        partners = deformation(points)
        nearest = np.rint(partners / mm).astype(int)
        inside = ((nearest >= 0) & (nearest < moving.shape)).all(axis=1)
        points, partners, at = points[inside], partners[inside], tuple(nearest[inside].T)
        healthy = (patient.brain & ~patient.hole)[at]
        distance = ndimage.distance_transform_edt(~patient.hole, mm)[at]
        self.spacing = patient.spacing
        self.moving = moving
        self.points, self.partners = points[healthy][:POINTS], partners[healthy][:POINTS]
        self.near = distance[healthy][:POINTS] <= NEAR

    def errors(self, fixed: np.ndarray, where: np.ndarray) -> dict[str, Any]:
        """Register the other scan onto an image, and return the mean errors in mm of points near the lesions and far.

        Args:
            fixed: the head with lesions or fills.
            where: bool, what the registration may look at.
        """
        transform = register(fixed, self.moving, where, self.spacing)
        mapped = [transform.TransformPoint(each[::-1].tolist())[::-1] for each in self.partners]
        errors = np.linalg.norm(np.array(mapped) - self.points, axis=1)
        return {"near": float(errors[self.near].mean()), "far": float(errors[~self.near].mean())}


def register(fixed: np.ndarray, moving: np.ndarray, where: np.ndarray, spacing: Sequence[float]) -> Any:
    """Register by SimpleITK: affine, then B-splines, by correlation; return the map from fixed to moving points.

    Args:
        fixed, moving: two heads of one grid.
        where: bool, the voxels of the fixed one that count.
        spacing: mm.
    """
    import SimpleITK as sitk

    pairs = [[_reduced(each, spacing, mm) for each in (fixed, moving, where)] for mm in (COARSE, GRID)]
    middle = [(length - 1) * mm / 2 for length, mm in zip(fixed.shape[::-1], spacing[::-1], strict=True)]
    affine = sitk.AffineTransform(3)
    affine.SetCenter(middle)
    for pair in pairs:
        method = _method(*pair)
        method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, AFFINE_ITERATIONS, relaxationFactor=0.6)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(affine, inPlace=True)
        method.Execute(pair[0], pair[1])
    mesh = [round(length * mm / CONTROL) for length, mm in zip(fixed.shape[::-1], spacing[::-1], strict=True)]
    spline = sitk.BSplineTransformInitializer(pairs[-1][0], mesh, order=3)
    method = _method(*pairs[-1])
    method.SetMovingInitialTransform(affine)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(SAMPLED, 1)
    method.SetOptimizerAsLBFGSB(1e-6, SPLINE_ITERATIONS, 5, 10 * SPLINE_ITERATIONS)
    method.SetInitialTransform(spline, inPlace=True)
    method.Execute(pairs[-1][0], pairs[-1][1])
    return sitk.CompositeTransform([affine, spline])


def _method(fixed: Any, moving: Any, where: Any) -> Any:
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums in another order are other sums
    method.SetMetricAsCorrelation()
    method.SetMetricFixedMask(sitk.Cast(where > 0.5, sitk.sitkUInt8))
    method.SetInterpolator(sitk.sitkLinear)
    return method


def _reduced(array: np.ndarray, spacing: Sequence[float], mm: float) -> Any:
    """Return an image on a coarser grid from the same first voxel, smoothed as the grid needs it."""
    import SimpleITK as sitk

    smooth = ndimage.gaussian_filter(array.astype(np.float32), [0.4 * mm / each for each in spacing])
    image = sitk.GetImageFromArray(smooth)
    image.SetSpacing(spacing[::-1])
    size = [int((n - 1) * each / mm) + 1 for n, each in zip(array.shape[::-1], spacing[::-1], strict=True)]
    return sitk.Resample(image, size, sitk.Transform(), sitk.sitkLinear, image.GetOrigin(), [mm] * 3)
