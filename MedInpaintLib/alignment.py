"""Alignment of another scan to this one by an affine map. SimpleITK is used only here and in ``volume``."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .io.foreign_lines import foreign_lines
from .mask import Box
from .no_data import find, without_gaps
from .progress import Progress
from .volume import Volume

if TYPE_CHECKING:
    import SimpleITK

#: mm between samples, coarse to fine.
GRIDS = (8.0, 4.0)
#: A sampled point has data when all voxels that go into it have, up to rounding.
ROUNDING = 1e-3
ITERATIONS = 100
_STAGE = "Laying exemplars over the scan"


@dataclasses.dataclass(frozen=True, eq=False)
class Aligned:
    """A scan and the map from the other one's points to its own.

    Attributes:
        moving: the scan.
        transform: a SimpleITK transform, mm to mm, LPS.
        similarity: correlation of the two where both are known, after alignment; 0 when they cannot be aligned.
        covered: where the scan has data, as a volume of 0 and 1 on its grid; None when that is everywhere.
    """

    moving: Volume
    transform: Any
    similarity: float
    covered: Volume | None = None

    @functools.cached_property
    def _image(self) -> SimpleITK.Image:
        import SimpleITK as sitk

        return sitk.Cast(self.moving.to_sitk(), sitk.sitkFloat32)

    def onto(self, grid: Volume, box: Box) -> np.ndarray:
        """Sample the scan at the voxels of a box of a grid: linear, float32, NaN where it has none."""
        import SimpleITK as sitk

        part = grid.crop(box).to_sitk()
        resampled = sitk.Resample(self._image, part, self.transform, sitk.sitkLinear, float("nan"))
        values = sitk.GetArrayFromImage(resampled)
        if self.covered is not None:
            share = sitk.Cast(self.covered.to_sitk(), sitk.sitkFloat32)
            share = sitk.Resample(share, part, self.transform, sitk.sitkLinear, 0.0)
            values[sitk.GetArrayFromImage(share) < 1 - ROUNDING] = np.nan
        return values


@dataclasses.dataclass(frozen=True)
class _Pair:
    """Both scans and the mask of known voxels, thinned: smoothing a whole scan takes longer than registering it."""

    target: SimpleITK.Image
    source: SimpleITK.Image
    mask: SimpleITK.Image


def align(fixed: Volume, known: np.ndarray, moving: Volume, progress: Progress | None = None) -> Aligned:
    """Register a scan of the same contrast onto another one: rigid, then affine; by correlation, centres first.

    Args:
        fixed: the image to register to; only its known voxels count.
        known: bool, of its shape.
        moving: the scan, anywhere in space, of any orientation; where it has no data, it cannot be sampled.
        progress: reports and cancels.
    """
    import SimpleITK as sitk

    progress = progress or Progress()
    no_data, _ = find(moving)
    covered = None if no_data is None else moving.with_array((~no_data).astype(np.uint8))
    if no_data is not None:
        moving = without_gaps(moving, no_data)
    target = sitk.Cast(
        fixed.with_array(np.where(known, fixed.array, fixed.array.dtype.type(0))).to_sitk(), sitk.sitkFloat32
    )
    source = sitk.Cast(moving.to_sitk(), sitk.sitkFloat32)
    mask = fixed.with_array(known.astype(np.uint8)).to_sitk()
    try:
        pairs = []
        for number, mm in enumerate(GRIDS):
            progress.update(0.3 * number / len(GRIDS), _STAGE)
            pairs.append(_Pair(_thinned(target, mm), _thinned(source, mm), _thinned(mask, mm, nearest=True)))
        transform = _affine(target, source, pairs, progress.part(0.3, 1.0))
    except RuntimeError:  # too small, too flat, or too far apart for SimpleITK
        return Aligned(moving, sitk.Transform(), 0.0, covered)
    return Aligned(moving, transform, _similarity(pairs[-1], transform), covered)


def align_rigidly(fixed: Volume, moving: Volume, progress: Progress | None = None) -> Volume | None:
    """Register another contrast of the same subject rigidly: float32 on the image's grid, 0 beyond; by mutual
    information (Mattes et al., SPIE Medical Imaging 2001), from the headers' positions and from aligned centres.

    Args:
        fixed: the image to register to.
        moving: the other contrast, of as many axes.
        progress: reports and cancels.

    Returns:
        None where SimpleITK fails: too small, too flat, too far apart.
    """
    import SimpleITK as sitk

    progress = progress or Progress()
    target, source = (sitk.Cast(each.to_sitk(), sitk.sitkFloat32) for each in (fixed, moving))
    flat = target.GetDimension() == 2
    starts: list[Any] = [sitk.Euler2DTransform() if flat else sitk.Euler3DTransform()]
    starts[0].SetCenter(_middle(target))
    how = sitk.CenteredTransformInitializerFilter.MOMENTS
    candidates: list[tuple[float, Any]] = []
    try:
        starts.append(sitk.CenteredTransformInitializer(target, source, starts[0], how))
        for number, start in enumerate(starts):
            progress.update(0.05 + 0.3 * number, "Registering")
            candidates.append(_rigid(target, source, GRIDS[1], type(starts[0])(start)))
        best = min(candidates, key=lambda each: each[0])[1]
        progress.update(0.65, "Registering")
        transform = _rigid(target, source, GRIDS[1] / 2, best)[1]
    except RuntimeError:
        return None
    laid = sitk.Resample(source, target, transform, sitk.sitkLinear, 0.0)
    return fixed.with_array(sitk.GetArrayFromImage(laid))


def _middle(image: SimpleITK.Image) -> Any:
    return image.TransformContinuousIndexToPhysicalPoint([(size - 1) / 2 for size in image.GetSize()])


def _rigid(target: SimpleITK.Image, source: SimpleITK.Image, mm: float, start: Any) -> tuple[float, Any]:
    """Return the metric (smaller is better) and the transform, from samples of about ``mm``."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, ITERATIONS, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetNumberOfThreads(1)  # as above
    transform = type(start)(start)
    method.SetInitialTransform(transform, inPlace=True)
    with foreign_lines():  # an alignment without overlap is judged by its result
        method.Execute(_thinned(target, mm), _thinned(source, mm))
    return float(method.GetMetricValue()), transform


def _affine(target: SimpleITK.Image, source: SimpleITK.Image, pairs: Sequence[_Pair], progress: Progress) -> Any:
    import SimpleITK as sitk

    dimensions = target.GetDimension()
    rigid = sitk.Euler3DTransform() if dimensions == 3 else sitk.Euler2DTransform()
    starts: list[Any] = []
    for how in (sitk.CenteredTransformInitializerFilter.MOMENTS, sitk.CenteredTransformInitializerFilter.GEOMETRY):
        progress.update(len(starts) / 4, _STAGE)
        starts.append(_registered(pairs[0], sitk.CenteredTransformInitializer(target, source, rigid, how)))
    # Fields of view differ (a neck more, a vertex less), so neither centre is always the better one to start from.
    turned = max(starts, key=lambda each: _similarity(pairs[-1], each))
    for number, pair in enumerate(pairs[1:]):
        progress.update(0.5 + number / 4, _STAGE)
        turned = _registered(pair, turned)
    affine = sitk.AffineTransform(dimensions)
    affine.SetCenter(turned.GetCenter())
    affine.SetMatrix(turned.GetMatrix())
    affine.SetTranslation(turned.GetTranslation())
    progress.update(0.75, _STAGE)
    return _registered(pairs[-1], affine)


def _registered(pair: _Pair, start: Any) -> Any:
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricFixedMask(pair.mask)
    method.SetInterpolator(sitk.sitkLinear)
    # Smoothed and thinned beforehand: the method's own pyramid would not make thick slices isotropic first.
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, ITERATIONS, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    # The sum over several threads depends on how they take turns, and the same seed must give the same fill.
    method.SetNumberOfThreads(1)
    transform = type(start)(start)
    method.SetInitialTransform(transform, inPlace=True)
    with foreign_lines():  # an alignment without overlap is judged by its result
        method.Execute(pair.target, pair.source)
    return transform


def _thinned(image: SimpleITK.Image, mm: float, nearest: bool = False) -> SimpleITK.Image:
    """Thin the image to about ``mm`` between samples, smoothed first."""
    import SimpleITK as sitk

    spacing = np.array(image.GetSpacing())
    fields = spacing * image.GetSize()
    step = np.maximum(spacing, np.minimum(mm, fields / 16))
    size = np.maximum(np.floor(fields / step), 4)
    step = fields / size
    if not nearest:
        image = sitk.SmoothingRecursiveGaussian(image, [float(each) for each in np.maximum(step / 2, 1e-3)])
    start = image.TransformContinuousIndexToPhysicalPoint([float(each) for each in (step / spacing - 1) / 2])
    return sitk.Resample(
        image,
        [int(each) for each in size],
        sitk.Transform(),
        sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear,
        start,
        [float(each) for each in step],
        image.GetDirection(),
        0.0,
        image.GetPixelID(),
    )


def _similarity(pair: _Pair, transform: Any) -> float:
    import SimpleITK as sitk

    laid = sitk.Resample(pair.source, pair.target, transform, sitk.sitkLinear, float("nan"))
    fixed_values, moving_values = (sitk.GetArrayFromImage(each) for each in (pair.target, laid))
    both = np.isfinite(moving_values) & (sitk.GetArrayFromImage(pair.mask) > 0)
    if np.count_nonzero(both) < 50 or min(fixed_values[both].std(), moving_values[both].std()) == 0:
        return 0.0
    return float(np.corrcoef(fixed_values[both], moving_values[both])[0, 1])
