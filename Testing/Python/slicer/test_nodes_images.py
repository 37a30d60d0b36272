"""A volume node becomes an image, and a file that ITK reads with the same voxels at the same place."""

import numpy as np
import pytest
import slicer
from panelhost.phantom import addVolume, obliqueMatrix, ramp

from MedInpaintLib import Volume
from MedInpaintLib.errors import ImageReadError
from MedInpaintSlicer.nodes import images

FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def _ijkToRAS(volume: Volume) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(volume.direction, (3, 3)) * volume.spacing[::-1]
    matrix[:3, 3] = volume.origin
    return FROM_LPS @ matrix


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_the_engine_reads_the_file_with_equal_voxels_and_place(tmp_path, dtype):
    image = images.imageOf(addVolume(ramp(dtype)))
    images.fileVolume(image.array, image.geometry).write(tmp_path / "image.nrrd", compress=False)
    read = Volume.read(tmp_path / "image.nrrd")
    assert read.array.dtype == dtype
    assert np.array_equal(read.array, ramp(dtype))
    assert np.allclose(_ijkToRAS(read), obliqueMatrix(), atol=1e-9)


def test_a_left_handed_grid_keeps_its_place(tmp_path):
    matrix = obliqueMatrix() @ np.diag([-1.0, 1.0, 1.0, 1.0])
    image = images.imageOf(addVolume(ijkToRAS=matrix))
    images.fileVolume(image.array, image.geometry).write(tmp_path / "image.nrrd", compress=False)
    assert np.allclose(_ijkToRAS(Volume.read(tmp_path / "image.nrrd")), matrix, atol=1e-9)


def test_a_single_slice_is_handed_over(tmp_path):
    image = images.imageOf(addVolume(ramp()[:1]))
    images.fileVolume(image.array, image.geometry).write(tmp_path / "image.nrrd", compress=False)
    assert np.array_equal(Volume.read(tmp_path / "image.nrrd").array, ramp()[:1])


def test_a_sheared_grid_is_handed_over_by_its_voxel_size_with_a_warning():
    matrix = obliqueMatrix()
    matrix[:3, 2] += 0.5 * matrix[:3, 0]
    image = images.imageOf(addVolume(ijkToRAS=matrix))
    assert np.allclose(image.geometry, np.diag([*np.linalg.norm(matrix[:3, :3], axis=0), 1]))
    assert np.array_equal(image.ijkToRAS, matrix)
    assert "sheared" in image.warnings[0]


def test_no_volume_is_an_error():
    with pytest.raises(ImageReadError, match="choose the volume"):
        images.imageOf(None)


def test_a_volume_without_voxels_is_an_error():
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    with pytest.raises(ImageReadError, match="'Empty' has no voxels"):
        images.imageOf(node)


def test_a_color_volume_is_an_error_that_names_the_way_out():
    colors = np.zeros((3, 4, 5, 3), np.uint8)
    node = slicer.util.addVolumeFromArray(colors, name="Photo", nodeClassName="vtkMRMLVectorVolumeNode")
    with pytest.raises(ImageReadError, match=r"'Photo' has 3 values per voxel.*Vector to Scalar Volume"):
        images.imageOf(node)
