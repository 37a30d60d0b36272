"""Segments become a hole on the volume's own grid, wherever the transforms have put the two."""

import numpy as np
import pytest
import slicer
import vtk
from panelhost.phantom import addSegmentation, addTransform, addVolume, box, obliqueMatrix, rotation, sceneContent

from MedInpaintLib.errors import MaskError
from MedInpaintSlicer.nodes import holes


def test_a_segment_on_an_oblique_volume_is_exact():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    hole = holes.holeOf(segmentation, ["lesion"], volume)
    assert np.array_equal(hole.mask, box())
    assert hole.names == ("lesion",)
    assert hole.warnings == ()


def test_two_overlapping_segments_are_united():
    volume = addVolume()
    other = box(k=(6, 10), j=(7, 12))
    segmentation = addSegmentation(volume, lesion=box(), edema=other)
    assert np.array_equal(holes.holeOf(segmentation, ["lesion", "edema"], volume).mask, box() | other)
    assert np.array_equal(holes.holeOf(segmentation, ["edema"], volume).mask, other)


def test_a_segmentation_on_a_finer_grid_is_sampled_at_the_volumes_voxels():
    volume = addVolume()
    fineMatrix = obliqueMatrix() @ np.diag([1 / 3, 1 / 3, 1 / 3, 1])
    # The voxel in the middle of three lies on the coarse one.
    fineMatrix[:3, 3] -= obliqueMatrix()[:3, :3].sum(axis=1) / 3
    fineMask = box().repeat(3, axis=0).repeat(3, axis=1).repeat(3, axis=2)
    fineVolume = addVolume(np.zeros(fineMask.shape, np.int16), fineMatrix, name="Fine")
    segmentation = addSegmentation(fineVolume, lesion=fineMask)
    assert np.array_equal(holes.holeOf(segmentation, ["lesion"], volume).mask, box())


def _addBall(volume, center, radius, segmentationName="Surfaces"):
    """A segmentation that holds a closed surface and nothing else."""
    sphere = vtk.vtkSphereSource()
    sphere.SetCenter(center)
    sphere.SetRadius(radius)
    sphere.SetThetaResolution(60)
    sphere.SetPhiResolution(60)
    sphere.Update()
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", segmentationName)
    surface = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    segmentation.GetSegmentation().SetSourceRepresentationName(surface)
    segment = slicer.vtkSegment()
    segment.SetName("ball")
    segment.AddRepresentation(surface, sphere.GetOutput())
    segmentation.GetSegmentation().AddSegment(segment, "ball")
    return segmentation


def _distances(ijkToRAS, shape, center):
    """Distance in mm of every voxel to a point."""
    k, j, i = np.indices(shape)
    ijk1 = np.stack([i, j, k, np.ones_like(i)], axis=-1)
    return np.linalg.norm((ijk1 @ ijkToRAS.T)[..., :3] - center, axis=-1)


@pytest.mark.parametrize("moved", [False, True], ids=["no transform", "under a transform"])
def test_a_closed_surface_alone_is_enough(moved):
    volume = addVolume()
    center = (obliqueMatrix() @ (6, 8, 6, 1))[:3]
    segmentation = _addBall(volume, center, radius=3.5)
    if moved:
        matrix = rotation(30, "Y")
        matrix[:3, 3] = (3, -4, 5)
        segmentation.SetAndObserveTransformNodeID(addTransform(matrix).GetID())
        volume.SetAndObserveTransformNodeID(addTransform(matrix).GetID())
    mask = holes.holeOf(segmentation, ["ball"], volume).mask
    distances = _distances(obliqueMatrix(), mask.shape, center)
    # The surface is a polyhedron and is cut by voxels: only voxels near it may fall on either side.
    assert mask[distances < 2.5].all()
    assert not mask[distances > 4.5].any()


def test_a_closed_surface_segmentation_is_not_changed():
    volume = addVolume()
    segmentation = _addBall(volume, (obliqueMatrix() @ (6, 8, 6, 1))[:3], radius=3.5)
    before = sceneContent()
    holes.holeOf(segmentation, ["ball"], volume)
    assert sceneContent() == before
    labelmap = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    assert not segmentation.GetSegmentation().ContainsRepresentation(labelmap)


def test_nothing_is_left_in_the_scene():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    before = sceneContent()
    holes.holeOf(segmentation, ["lesion"], volume)
    assert sceneContent() == before


# One voxel to the right, 0.8 mm along the oblique i axis.
ONE_VOXEL_ALONG_I = np.eye(4)
ONE_VOXEL_ALONG_I[:3, 3] = obliqueMatrix()[:3, 0]


def test_a_transform_on_the_segmentation_moves_the_hole():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    segmentation.SetAndObserveTransformNodeID(addTransform(ONE_VOXEL_ALONG_I).GetID())
    assert np.array_equal(holes.holeOf(segmentation, ["lesion"], volume).mask, box(i=(5, 10)))


def test_a_transform_on_the_volume_moves_the_hole_the_other_way():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    volume.SetAndObserveTransformNodeID(addTransform(ONE_VOXEL_ALONG_I).GetID())
    assert np.array_equal(holes.holeOf(segmentation, ["lesion"], volume).mask, box(i=(3, 8)))


def test_the_same_transform_on_both_moves_nothing():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    transform = addTransform(rotation(33, "Z")).GetID()
    volume.SetAndObserveTransformNodeID(transform)
    segmentation.SetAndObserveTransformNodeID(transform)
    assert np.array_equal(holes.holeOf(segmentation, ["lesion"], volume).mask, box())


def test_different_transforms_on_both_are_both_heeded():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    turned = rotation(33, "Z")
    volume.SetAndObserveTransformNodeID(addTransform(turned).GetID())
    segmentation.SetAndObserveTransformNodeID(addTransform(turned @ ONE_VOXEL_ALONG_I).GetID())
    assert np.array_equal(holes.holeOf(segmentation, ["lesion"], volume).mask, box(i=(5, 10)))


def test_no_segmentation_is_an_error():
    with pytest.raises(MaskError, match="no segmentation"):
        holes.holeOf(None, ["lesion"], None)


def test_a_segmentation_without_segments_is_an_error():
    volume = addVolume()
    with pytest.raises(MaskError, match="'Segmentation' has no segments"):
        holes.holeOf(addSegmentation(volume), ["lesion"], volume)


def test_no_chosen_segment_is_an_error():
    volume = addVolume()
    with pytest.raises(MaskError, match="No segment is chosen"):
        holes.holeOf(addSegmentation(volume, lesion=box()), [], volume)


def test_an_unknown_segment_id_is_an_error_that_lists_the_known_ones():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box(), edema=box())
    with pytest.raises(MaskError, match="no segment with the id 'Lesion'; its segments are: 'lesion', 'edema'"):
        holes.holeOf(segmentation, ["Lesion"], volume)


def test_an_empty_segment_is_an_error_that_names_it():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=np.zeros_like(box()))
    with pytest.raises(MaskError, match=r"No voxel of volume 'T1' is inside the segment\(s\) 'lesion'"):
        holes.holeOf(segmentation, ["lesion"], volume)


def test_a_segment_that_a_transform_has_put_outside_is_an_error():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box())
    far = np.eye(4)
    far[:3, 3] = 500
    segmentation.SetAndObserveTransformNodeID(addTransform(far).GetID())
    with pytest.raises(MaskError, match="check the transforms"):
        holes.holeOf(segmentation, ["lesion"], volume)


def test_an_empty_segment_beside_a_full_one_is_a_warning():
    volume = addVolume()
    segmentation = addSegmentation(volume, lesion=box(), nothing=np.zeros_like(box()))
    hole = holes.holeOf(segmentation, ["lesion", "nothing"], volume)
    assert np.array_equal(hole.mask, box())
    assert "'nothing'" in hole.warnings[0]
