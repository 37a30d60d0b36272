"""A guide comes onto the input's own grid, wherever the transforms have put the two."""

import numpy as np
import pytest
import slicer
import vtk
from panelhost.phantom import SHAPE, addTransform, addVolume, box, obliqueMatrix, ramp, rotation, sceneContent

from MedInpaintLib.errors import GeometryError, ImageReadError
from MedInpaintSlicer.nodes import guides

#: One voxel to the right, 0.8 mm along the oblique i axis: there the ramp is higher by 4.
ONE_VOXEL_ALONG_I = np.eye(4)
ONE_VOXEL_ALONG_I[:3, 3] = obliqueMatrix()[:3, 0]


def _inside(array):
    """Without the outermost voxels, which are outside a guide that has been moved by one."""
    return array[1:-1, 1:-1, 1:-1]


def _widerGuide(name="T2"):
    """The ramp in voxels of half the size, and further to all sides."""
    matrix = obliqueMatrix() @ np.diag([0.5, 0.5, 0.5, 1.0])
    matrix[:3, 3] = (obliqueMatrix() @ (-2, -2, -2, 1))[:3]
    k, j, i = np.indices(2 * np.add(SHAPE, 4)) / 2 - 2
    return addVolume((2 * k + 3 * j + 4 * i).astype(np.float32), matrix, name)


def _underTransform(node, matrix):
    node.SetAndObserveTransformNodeID(addTransform(matrix).GetID())
    return node


def test_a_guide_on_the_same_grid_is_handed_over_as_it_is():
    guide = addVolume(name="T2")
    values = guides.onGridOf(addVolume(), guide, box())
    assert values.dtype == np.int16
    assert np.shares_memory(values, slicer.util.arrayFromVolume(guide))


def test_a_guide_on_another_grid_is_interpolated():
    values = guides.onGridOf(addVolume(), _widerGuide(), box())
    assert values.dtype == np.float32
    assert np.allclose(values, ramp(), atol=1e-2)


def test_a_single_slice_is_guided_by_a_volume():
    values = guides.onGridOf(addVolume(ramp()[:1]), _widerGuide(), box()[:1])
    assert np.allclose(values, ramp()[:1], atol=1e-2)


def test_a_transform_on_the_guide_moves_its_values():
    guide = _underTransform(addVolume(name="T2"), ONE_VOXEL_ALONG_I)
    assert np.allclose(_inside(guides.onGridOf(addVolume(), guide, box())), _inside(ramp() - 4), atol=1e-2)


def test_a_transform_on_the_volume_moves_them_the_other_way():
    volume = _underTransform(addVolume(), ONE_VOXEL_ALONG_I)
    assert np.allclose(_inside(guides.onGridOf(volume, addVolume(), box())), _inside(ramp() + 4), atol=1e-2)


def test_the_same_transform_on_both_moves_nothing():
    turned = rotation(33, "Z")
    volume, guide = _underTransform(addVolume(), turned), _underTransform(addVolume(name="T2"), turned)
    assert np.shares_memory(guides.onGridOf(volume, guide, box()), slicer.util.arrayFromVolume(guide))


def test_different_transforms_on_both_are_both_heeded():
    turned = rotation(33, "Z")
    volume = _underTransform(addVolume(), turned)
    guide = _underTransform(_widerGuide(), turned @ ONE_VOXEL_ALONG_I)
    assert np.allclose(guides.onGridOf(volume, guide, box()), ramp() - 4, atol=1e-2)


def test_a_warp_is_heeded():
    """Every point moves by one voxel along i, but as a thin-plate spline, which is no linear transform to MRML."""
    corners = np.array(np.meshgrid([-60, 60], [-60, 60], [-60, 60])).reshape(3, -1).T
    before, after = vtk.vtkPoints(), vtk.vtkPoints()
    for corner in corners:
        before.InsertNextPoint(corner)
        after.InsertNextPoint(corner + ONE_VOXEL_ALONG_I[:3, 3])
    spline = vtk.vtkThinPlateSplineTransform()
    spline.SetSourceLandmarks(before)
    spline.SetTargetLandmarks(after)
    spline.SetBasisToR()
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", "Warp")
    warp.SetAndObserveTransformToParent(spline)
    guide = _widerGuide()
    guide.SetAndObserveTransformNodeID(warp.GetID())
    assert np.allclose(guides.onGridOf(addVolume(), guide, box()), ramp() - 4, atol=0.1)


def test_voxels_beside_the_guide_are_0_and_those_of_the_hole_must_not_be_among_them():
    far = np.eye(4)
    far[:3, 3] = 6 * obliqueMatrix()[:3, 0]
    volume, guide = addVolume(), _underTransform(addVolume(name="T2"), far)
    corner = np.zeros(SHAPE, dtype=bool)
    corner[5, 5, 8] = True
    values = guides.onGridOf(volume, guide, corner)
    assert (values[..., :5] == 0).all()
    assert values[5, 5, 8] == pytest.approx(ramp()[5, 5, 2], abs=1e-2)
    with pytest.raises(GeometryError, match="Guide 'T2' does not cover the hole in volume 'T1'"):
        guides.onGridOf(volume, guide, box())


def test_a_color_volume_is_no_guide():
    photo = slicer.util.addVolumeFromArray(
        np.zeros((3, 4, 5, 3), np.uint8), name="Photo", nodeClassName="vtkMRMLVectorVolumeNode"
    )
    with pytest.raises(ImageReadError, match="'Photo' has 3 values per voxel"):
        guides.onGridOf(addVolume(), photo, box())


def test_the_scene_stays_as_it_was():
    volume, guide = addVolume(), _underTransform(_widerGuide(), rotation(5, "X"))
    before = sceneContent()
    guides.onGridOf(volume, guide, box())
    assert sceneContent() == before


def test_neither_the_input_nor_the_output_can_be_a_guide():
    volume, output, other = addVolume(), addVolume(name="Output"), addVolume(name="T2")
    assert guides.complaint([other], volume, output) == ""
    assert guides.complaint([], volume, None) == ""
    assert "cannot guide itself" in guides.complaint([other, volume], volume, output)
    assert "output volume cannot be a guide" in guides.complaint([output], volume, output)
