"""Segments on the grid of a volume, read as quickly as a live preview needs them."""

import numpy as np
import slicer
import vtk

from .holes import Labelmaps
from .images import matrixOf

#: Grids whose matrices differ by no more than this, in voxels, are one: 0.03 voxels over 256 of them.
TOLERANCE = 1e-4


def marksOf(segmentationNode, segmentIds, volumeNode) -> np.ndarray:
    """Return the union of segments on the grid of a volume; unlike :func:`.holes.holeOf`, it may have no voxel.

    Segments that were painted on the volume are not resampled: 4 instead of 65 ms in a volume of 256^3 voxels.

    Args:
        segmentIds: those that do not exist are left out.
    """
    mask = np.zeros(slicer.util.arrayFromVolume(volumeNode).shape, dtype=bool)
    known = segmentationNode.GetSegmentation().GetSegmentIDs()
    onOtherGrids = []
    for segmentId in [each for each in segmentIds if each in known]:
        offset = _offsetOnGrid(segmentationNode, segmentId, volumeNode)
        if offset is None:
            onOtherGrids.append(segmentId)
        else:
            _add(mask, segmentationNode.GetSegmentation().GetSegment(segmentId), offset)
    if onOtherGrids:
        with Labelmaps(segmentationNode, onOtherGrids, volumeNode) as labelmaps:
            for segmentId in onOtherGrids:
                mask |= labelmaps.array(segmentId) > 0
    return mask


def _offsetOnGrid(segmentationNode, segmentId: str, volumeNode) -> np.ndarray | None:
    """Return how many voxels (i, j, k) a segment's labelmap is shifted on a volume's grid; None if it has another."""
    labelmap = _labelmapOf(segmentationNode.GetSegmentation().GetSegment(segmentId))
    if labelmap is None or segmentationNode.GetParentTransformNode() is not volumeNode.GetParentTransformNode():
        return None
    matrix = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    onGrid = np.linalg.solve(matrixOf(volumeNode), slicer.util.arrayFromVTKMatrix(matrix))
    shifted = np.eye(4)
    shifted[:3, 3] = np.rint(onGrid[:3, 3])
    return shifted[:3, 3].astype(int) if np.allclose(onGrid, shifted, rtol=0, atol=TOLERANCE) else None


def _add(mask: np.ndarray, segment, offset: np.ndarray) -> None:
    """Add a segment whose labelmap lies on the mask's grid, as far as it is inside."""
    labelmap = _labelmapOf(segment)
    scalars = labelmap.GetPointData().GetScalars()
    if scalars is None or scalars.GetNumberOfTuples() == 0:
        return
    shape = tuple(reversed(labelmap.GetDimensions()))
    labels = vtk.util.numpy_support.vtk_to_numpy(scalars).reshape(shape)
    inMask, inLabels = [], []
    for axis, (size, whole) in enumerate(zip(shape, mask.shape, strict=True)):
        first = int(labelmap.GetExtent()[2 * (2 - axis)] + offset[2 - axis])
        start, stop = max(first, 0), min(first + size, whole)
        inMask.append(slice(start, max(start, stop)))
        inLabels.append(slice(start - first, max(start, stop) - first))
    # Segments that do not overlap share a labelmap, each with a value of its own.
    mask[tuple(inMask)] |= labels[tuple(inLabels)] == segment.GetLabelValue()


def _labelmapOf(segment):
    """Return a segment's labelmap; None if it has another representation only."""
    return segment.GetRepresentation(slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName())
