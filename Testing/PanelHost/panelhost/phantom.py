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


#: IJK to RAS of the heads.
HEAD_MATRIX = np.diag([4.0, 4.0, 12.0, 1.0])


def head(contrast: str, subject: int = 0) -> np.ndarray:
    """A contrast ("T1", "T2", "FLAIR") of a head, float32, whose anatomy is the same in all of them."""
    shape = (10, 36, 32)
    rng = np.random.default_rng(subject)
    axes = (np.arange(size) * mm for size, mm in zip(shape, (12.0, 4.0, 4.0), strict=True))
    k, j, i = np.meshgrid(*axes, indexing="ij")
    texture = np.zeros(shape)
    for __ in range(40):
        wave = rng.normal(size=3)
        wave *= 2 * np.pi / rng.uniform(20, 45) / np.linalg.norm(wave)
        texture += np.cos(wave[0] * k + wave[1] * j + wave[2] * i + rng.uniform(0, 2 * np.pi)) / 4.5
    made = {
        "T1": 600 + 150 * texture,
        "T2": 250 + 200 * np.exp(-texture),
        "FLAIR": 500 + 120 * np.cos(2 * texture),
    }[contrast]
    depth = sum((axis / axis.max() * 2 - 1) ** 2 for axis in (k, j, i))
    return np.where(depth < 0.85, np.clip(made, 80, 1600), 0).astype(np.float32)


def addHead(contrast: str, subject: int = 0):
    """A volume node with a contrast of a head, called like it."""
    return addVolume(head(contrast, subject), HEAD_MATRIX, contrast)


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
