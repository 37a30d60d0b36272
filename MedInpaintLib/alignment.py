"""Alignment: another scan, laid affinely over this one. SimpleITK does it, and appears here and in ``volume`` alone."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from .mask import Box
from .volume import Volume

if TYPE_CHECKING:
    import SimpleITK

#: mm between samples, coarse to fine.
GRIDS = (8.0, 4.0)
ITERATIONS = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Aligned:
    """A scan and the map from the other one's points to its own.

    Attributes:
        moving: the scan.
        transform: a SimpleITK transform, mm to mm, LPS.
        similarity: correlation of the two where both are known, after alignment; 0 when they cannot be aligned.
    """

    moving: Volume
    transform: Any
    similarity: float

    @functools.cached_property
    def _image(self) -> SimpleITK.Image:
        import SimpleITK as sitk

        return sitk.Cast(self.moving.to_sitk(), sitk.sitkFloat32)

    def onto(self, grid: Volume, box: Box) -> np.ndarray:
        """The scan at the voxels of a box of a grid, linear, float32; NaN where it has none."""
        import SimpleITK as sitk

        part = grid.crop(box).to_sitk()
        resampled = sitk.Resample(self._image, part, self.transform, sitk.sitkLinear, float("nan"))
        return sitk.GetArrayFromImage(resampled)


def align(fixed: Volume, known: np.ndarray, moving: Volume) -> Aligned:
    """Register a scan of the same contrast onto another one: rigid, then affine; by correlation, centres first.

    Args:
        fixed: the image to lay over; what is not known in it is not looked at.
        known: bool, of its shape.
        moving: the scan, somewhere else in space, of any orientation.
    """
    import SimpleITK as sitk

    target = sitk.Cast(
        fixed.with_array(np.where(known, fixed.array, fixed.array.dtype.type(0))).to_sitk(), sitk.sitkFloat32
    )
    source = sitk.Cast(moving.to_sitk(), sitk.sitkFloat32)
    mask = fixed.with_array(known.astype(np.uint8)).to_sitk()
    try:
        transform = _affine(target, source, mask)
    except RuntimeError:  # too small, too flat, or too far apart for SimpleITK
        return Aligned(moving, sitk.Transform(), 0.0)
    return Aligned(moving, transform, _similarity(target, source, mask, transform))


def _affine(target: SimpleITK.Image, source: SimpleITK.Image, mask: SimpleITK.Image) -> Any:
    import SimpleITK as sitk

    dimensions = target.GetDimension()
    rigid = sitk.Euler3DTransform() if dimensions == 3 else sitk.Euler2DTransform()
    starts = [
        _registered(target, source, mask, sitk.CenteredTransformInitializer(target, source, rigid, how), GRIDS[:1])
        for how in (sitk.CenteredTransformInitializerFilter.MOMENTS, sitk.CenteredTransformInitializerFilter.GEOMETRY)
    ]
    # Fields of view differ (a neck more, a vertex less), so neither centre is always the better one to start from.
    best = max(starts, key=lambda each: _similarity(target, source, mask, each))
    turned = _registered(target, source, mask, best, GRIDS[1:])
    affine = sitk.AffineTransform(dimensions)
    affine.SetCenter(turned.GetCenter())
    affine.SetMatrix(turned.GetMatrix())
    affine.SetTranslation(turned.GetTranslation())
    return _registered(target, source, mask, affine, GRIDS[-1:])


def _registered(
    target: SimpleITK.Image, source: SimpleITK.Image, mask: SimpleITK.Image, start: Any, grids: tuple[float, ...]
) -> Any:
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricFixedMask(mask)
    method.SetInterpolator(sitk.sitkLinear)
    # Smoothed and thinned by hand: the method's own pyramid would not make thick slices isotropic first.
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, ITERATIONS, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    # The sum over several threads depends on how they take turns, and the same seed must give the same fill.
    method.SetNumberOfThreads(1)
    transform = type(start)(start)
    for mm in grids:
        method.SetInitialTransform(transform, inPlace=True)
        method.SetMetricFixedMask(_thinned(mask, mm, nearest=True))
        method.Execute(_thinned(target, mm), _thinned(source, mm))
    return transform


def _thinned(image: SimpleITK.Image, mm: float, nearest: bool = False) -> SimpleITK.Image:
    """The image at about ``mm`` between samples, smoothed first."""
    import SimpleITK as sitk

    spacing = np.array(image.GetSpacing())
    fields = spacing * image.GetSize()
    wanted = np.maximum(spacing, np.minimum(mm, fields / 16))
    size = np.maximum(np.floor(fields / wanted), 4)
    wanted = fields / size
    if not nearest:
        image = sitk.SmoothingRecursiveGaussian(image, [float(each) for each in np.maximum(wanted / 2, 1e-3)])
    start = image.TransformContinuousIndexToPhysicalPoint([float(each) for each in (wanted / spacing - 1) / 2])
    return sitk.Resample(
        image,
        [int(each) for each in size],
        sitk.Transform(),
        sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear,
        start,
        [float(each) for each in wanted],
        image.GetDirection(),
        0.0,
        image.GetPixelID(),
    )


def _similarity(target: SimpleITK.Image, source: SimpleITK.Image, mask: SimpleITK.Image, transform: Any) -> float:
    import SimpleITK as sitk

    target, mask = _thinned(target, GRIDS[-1]), _thinned(mask, GRIDS[-1], nearest=True)
    laid = sitk.Resample(_thinned(source, GRIDS[-1]), target, transform, sitk.sitkLinear, float("nan"))
    here, there = (sitk.GetArrayFromImage(each) for each in (target, laid))
    both = np.isfinite(there) & (sitk.GetArrayFromImage(mask) > 0)
    if np.count_nonzero(both) < 50 or min(here[both].std(), there[both].std()) == 0:
        return 0.0
    return float(np.corrcoef(here[both], there[both])[0, 1])
