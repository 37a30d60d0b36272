"""Guides: other contrasts of the same subject, resampled onto the grid of the volume to fill.

Parent transforms of both volumes are applied, as for the hole.
"""

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from .images import imageOf

#: Grids whose corners are closer together than this many voxels are the same: nothing is resampled.
SAME_PLACE = 1e-3


def complaint(guideNodes, inputVolume, outputVolume) -> str:
    """Say in a line why these volumes cannot be guides of the input; empty when they can."""
    if any(each is inputVolume for each in guideNodes):
        return _("The volume to fill cannot guide itself: choose other contrasts of the same subject.")
    if outputVolume is not None and any(each is outputVolume for each in guideNodes):
        return _("The output volume cannot be a guide: choose another output or other contrasts.")
    return ""


def onGridOf(volumeNode, guideNode, mask: np.ndarray) -> np.ndarray:
    """Return a guide's values at the voxels of a volume: its own if the grids agree, else linear, in float32.

    Args:
        volumeNode: a scalar volume with voxels.
        guideNode: anywhere in the scene; only read.
        mask: the hole, bool, of the volume's shape.

    Raises:
        MedInpaintLib.errors.ImageReadError: the guide is no scalar volume with voxels.
        MedInpaintLib.errors.GeometryError: it does not cover the hole.
    """
    from MedInpaintLib.errors import GeometryError

    values, outside = _onGridOf(volumeNode, guideNode, mask.shape)
    if (outside & mask).any():
        raise GeometryError(
            _(
                "Guide '{guide}' does not cover the hole in volume '{volume}'; "
                "choose another one, or check the transforms of the two."
            ).format(guide=guideNode.GetName(), volume=volumeNode.GetName())
        )
    return values


def allOnGridOf(volumeNode, otherNode) -> np.ndarray:
    """Return another contrast's values at the voxels of a volume, as :func:`onGridOf`; 0 where it has none.

    Raises:
        MedInpaintLib.errors.ImageReadError: it is no scalar volume with voxels.
        MedInpaintLib.errors.GeometryError: the volumes do not overlap.
    """
    from MedInpaintLib.errors import GeometryError

    values, outside = _onGridOf(volumeNode, otherNode, slicer.util.arrayFromVolume(volumeNode).shape)
    if outside.all():
        raise GeometryError(
            _("Volumes '{volume}' and '{other}' do not overlap; check the transforms of the two.").format(
                volume=volumeNode.GetName(), other=otherNode.GetName()
            )
        )
    return values


def _onGridOf(volumeNode, otherNode, shape) -> tuple[np.ndarray, np.ndarray]:
    """Return the other volume's values, 0 where it has none, and the mask of those voxels (bool).

    The values are a view of its voxels if the grids agree, else linear, in float32.
    """
    own = imageOf(otherNode).array
    between = _transform(volumeNode, otherNode)
    if own.shape == shape and _movesNothing(between, own.shape):
        return own, np.zeros(shape, dtype=bool)
    values = _resampled(otherNode, between, shape)
    outside = np.isnan(values)
    values[outside] = 0
    return values, outside


def _transform(volumeNode, guideNode):
    """Return the transform from the volume's voxel indices (i, j, k) to the guide's, linear if possible: faster."""
    ijkToRAS, rasToIJK, between = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(ijkToRAS)
    guideNode.GetRASToIJKMatrix(rasToIJK)
    nodes = volumeNode.GetParentTransformNode(), guideNode.GetParentTransformNode()
    linear = slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(*nodes, between)
    transform = vtk.vtkTransform() if linear else vtk.vtkGeneralTransform()
    transform.PostMultiply()
    transform.Concatenate(ijkToRAS)
    if not linear:
        between = vtk.vtkGeneralTransform()
        slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(*nodes, between)
    transform.Concatenate(between)
    transform.Concatenate(rasToIJK)
    return transform


def _movesNothing(transform, shape) -> bool:
    """Return whether a transform is linear and moves no corner of a grid of this shape, and so no voxel."""
    if not isinstance(transform, vtk.vtkLinearTransform):
        return False
    corners = np.stack(np.meshgrid(*([0, size - 1] for size in reversed(shape))), axis=-1).reshape(-1, 3)
    return all(np.abs(np.subtract(transform.TransformPoint(*corner), corner)).max() < SAME_PLACE for corner in corners)


def _resampled(guideNode, transform, shape) -> np.ndarray:
    """Return the guide's values on a grid, float32, NaN where the guide has no voxels."""
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(guideNode.GetImageData())
    reslice.SetResliceTransform(transform)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputExtent(0, shape[2] - 1, 0, shape[1] - 1, 0, shape[0] - 1)
    reslice.SetOutputScalarType(vtk.VTK_FLOAT)
    reslice.SetInterpolationModeToLinear()
    reslice.SetBackgroundLevel(np.nan)
    reslice.Update()
    return vtk.util.numpy_support.vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars()).reshape(shape).copy()
