"""The voxels of a volume node and their grid, for the engine."""

import dataclasses

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

#: Direction vectors further from orthonormal than this are a sheared grid, which image files cannot represent.
SHEAR_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class Image:
    """The voxels of a volume node and their grid.

    Attributes:
        array: a view of the node's memory: read it, never write to it.
        ijkToRAS: the node's own matrix, without its parent transform.
        geometry: the matrix for files; without shear.
        warnings: messages for the user.
    """

    array: np.ndarray
    ijkToRAS: np.ndarray
    geometry: np.ndarray
    warnings: tuple[str, ...] = ()


def imageOf(volumeNode) -> Image:
    """Return the voxels of a scalar volume and their grid.

    Raises:
        MedInpaintLib.errors.ImageReadError: no node, no voxels, or several values per voxel.
    """
    from MedInpaintLib.errors import ImageReadError

    if volumeNode is None or not volumeNode.IsA("vtkMRMLScalarVolumeNode"):
        raise ImageReadError(_("The input must be a scalar volume; choose the volume to fill."))
    imageData = volumeNode.GetImageData()
    if imageData is None or imageData.GetNumberOfPoints() == 0 or imageData.GetPointData().GetScalars() is None:
        raise ImageReadError(
            _("Volume '{name}' has no voxels; load its image first.").format(name=volumeNode.GetName())
        )
    components = imageData.GetNumberOfScalarComponents()
    if components > 1:
        raise ImageReadError(colorComplaint(volumeNode))
    ijkToRAS = matrixOf(volumeNode)
    spacing = np.linalg.norm(ijkToRAS[:3, :3], axis=0)
    directions = ijkToRAS[:3, :3] / spacing
    if np.allclose(directions.T @ directions, np.eye(3), atol=SHEAR_TOLERANCE):
        return Image(slicer.util.arrayFromVolume(volumeNode), ijkToRAS, ijkToRAS)
    warning = _(
        "Volume '{name}' has a sheared grid; distances are computed from its voxel size alone, "
        "as if its axes were at right angles."
    ).format(name=volumeNode.GetName())
    return Image(slicer.util.arrayFromVolume(volumeNode), ijkToRAS, np.diag([*spacing, 1.0]), (warning,))


def possibleModalities(volumeNode) -> set[str]:
    """Return the modalities that the engine may guess for a volume of this shape, without reading a voxel.

    Empty without an image.
    """
    from MedInpaintLib.modality import Modality

    imageData = volumeNode.GetImageData() if volumeNode is not None else None
    if imageData is None:
        return set()
    dimensions = sum(size > 1 for size in imageData.GetDimensions())
    return Modality.possible(dimensions)


def firstColorVolume():
    """Return the first volume that has several values per voxel, or None."""
    nodes = slicer.util.getNodesByClass("vtkMRMLVectorVolumeNode")
    return next((node for node in nodes if node.GetImageData() is not None), None)


def colorComplaint(volumeNode) -> str:
    """Say why a volume with several values per voxel cannot be filled, and what to do."""
    return _(
        "Volume '{name}' has {components} values per voxel (color or vector volume). "
        "Convert it to a scalar volume first, for example with the module Vector to Scalar Volume."
    ).format(name=volumeNode.GetName(), components=volumeNode.GetImageData().GetNumberOfScalarComponents())


def fileVolume(array: np.ndarray, ijkToRAS: np.ndarray):
    """Return a ``MedInpaintLib.Volume``, in LPS, to write to a file.

    Args:
        array: ``(k, j, i)``, any real dtype or bool.
        ijkToRAS: 4 x 4 matrix without shear.
    """
    from MedInpaintLib import Volume

    ijkToLPS = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ijkToRAS
    spacing = np.linalg.norm(ijkToLPS[:3, :3], axis=0)
    direction = ijkToLPS[:3, :3] / spacing
    return Volume(array, tuple(spacing[::-1]), tuple(ijkToLPS[:3, 3]), tuple(direction.ravel()))


def firstNode(className: str):
    """Return the first visible node of exactly this class, or None; label maps are not scalar volumes here."""
    nodes = slicer.util.getNodesByClass(className)
    return next((node for node in nodes if node.GetClassName() == className and not node.GetHideFromEditors()), None)


def matrixOf(volumeNode) -> np.ndarray:
    """Return a volume's matrix from voxel indices to mm in RAS, without its parent transform."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)
