"""Small nodes for tests: a linear image on an oblique grid, segmentations on it, transforms."""

import numpy as np
import slicer
import vtk

SHAPE = (12, 16, 14)


def rotation(degrees: float, axis: str) -> np.ndarray:
    """4 x 4 matrix; ``axis`` is "X", "Y" or "Z"."""
    transform = vtk.vtkTransform()
    getattr(transform, f"Rotate{axis}")(degrees)
    return slicer.util.arrayFromVTKMatrix(transform.GetMatrix())


def obliqueMatrix() -> np.ndarray:
    """IJK to RAS of an oblique, anisotropic grid away from the origin."""
    matrix = rotation(20, "X") @ rotation(-15, "Z") @ np.diag([0.8, 0.9, 2.0, 1.0])
    matrix[:3, 3] = (-31.5, 12.25, 40.125)
    return matrix


def ramp(dtype=np.int16) -> np.ndarray:
    """A linear image, which the smooth methods restore exactly, with values that every dtype can hold."""
    k, j, i = np.indices(SHAPE)
    return (2 * k + 3 * j + 4 * i).astype(dtype)


def box(k=(4, 8), j=(5, 10), i=(4, 9)) -> np.ndarray:
    """A bool array that is True in a box."""
    mask = np.zeros(SHAPE, dtype=bool)
    mask[slice(*k), slice(*j), slice(*i)] = True
    return mask


def addVolume(array=None, ijkToRAS=None, name="T1"):
    """A volume node; the ramp on the oblique grid unless told otherwise."""
    array = ramp() if array is None else array
    matrix = obliqueMatrix() if ijkToRAS is None else ijkToRAS
    node = slicer.util.addVolumeFromArray(array, matrix, name=name)
    node.CreateDefaultDisplayNodes()
    return node


def addSegmentation(volumeNode, **masks):
    """A segmentation with one segment for each mask, on the grid of a volume; segment ids are the names."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    node.CreateDefaultDisplayNodes()
    for name, mask in masks.items():
        node.GetSegmentation().AddEmptySegment(name, name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, name, volumeNode)
    return node


def addTransform(matrix, name="Transform"):
    """A linear transform node from a 4 x 4 matrix."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return node


def sceneContent() -> dict[str, int]:
    """Node id -> the time at which the node was last changed, for all nodes."""
    return {node.GetID(): node.GetMTime() for node in slicer.util.getNodesByClass("vtkMRMLNode")}
