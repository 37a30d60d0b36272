"""The edges of the atlas come into the scene as a label map on the volume's grid, and go again."""

import numpy as np
import pytest
import slicer
from panelhost.phantom import addSegmentation, addTransform, addVolume, box, obliqueMatrix, ramp, rotation, sceneContent
from panelhost.workers import PretendingRunner

from MedInpaintLib import Volume
from MedInpaintLib import job as engine
from MedInpaintLib.errors import InputError, MaskError
from MedInpaintLib.jobs.atlas_edges import AtlasEdgesJob as EngineJob
from MedInpaintLib.options import FillOptions
from MedInpaintSlicer.jobs import atlasedges, fill, process
from MedInpaintSlicer.nodes import views

OPTIONS = FillOptions(method="harmonic", dilate_mm=2.0, modality="MR", force=True)


def _request(**fields):
    volume = addVolume()
    return fill.Request(volume, addSegmentation(volume, lesion=box()), ("lesion",), OPTIONS, **fields)


def _started(request, runner=None):
    job = atlasedges.AtlasEdgesJob(request, runner or PretendingRunner())
    job.start()
    return job


def _edges():
    labels = np.zeros(ramp().shape, np.uint8)
    labels[2, 3:8, 4], labels[4, 5, 2:9] = 1, 2
    return labels


def _finish(runner, labels):
    """Play a worker that writes these labels."""
    Volume(labels, (1.0,) * 3).write(runner.job["output"])
    report = {"warnings": [], "edges": {}}
    runner.say({"event": "result", "output": runner.job["output"], "report": report})
    runner.exit(0)


def test_the_engine_gets_what_the_fill_got():
    request = _request(guides=(addVolume(name="T2"),), uncertainty=True, outputVolume=addVolume(name="Mine"))
    runner = PretendingRunner()
    _started(request, runner)
    fields = runner.job
    asked = EngineJob(**fields)
    assert (asked.job, asked.dilate_mm, asked.modality, asked.force) == ("atlas-edges", 2.0, "MR", True)
    assert np.array_equal(Volume.read(asked.mask).array > 0, box())
    assert np.array_equal(Volume.read(asked.image).array, ramp())
    assert [Volume.read(each).array.shape for each in asked.guides] == [ramp().shape]
    assert engine.JOBS["atlas-edges"] is EngineJob


def test_the_result_is_a_label_map_on_the_grid_of_the_volume():
    request, runner = _request(outputVolume=addVolume(name="Mine")), PretendingRunner()
    transform = addTransform(rotation(20, "Y"))
    for node in (request.volumeNode, request.segmentationNode):
        node.SetAndObserveTransformNodeID(transform.GetID())
    before = set(sceneContent())
    job = _started(request, runner)
    _finish(runner, _edges())
    assert job.state == "done", job.error
    node = job.outputVolume
    assert node.GetClassName() == "vtkMRMLLabelMapVolumeNode"
    assert node.GetName() == "T1 atlas edges"
    assert np.array_equal(slicer.util.arrayFromVolume(node), _edges())
    assert node.GetParentTransformNode() is transform
    ijkToRAS = slicer.util.vtkMatrixFromArray(np.eye(4))
    node.GetIJKToRASMatrix(ijkToRAS)
    assert slicer.util.arrayFromVTKMatrix(ijkToRAS) == pytest.approx(obliqueMatrix())
    assert np.array_equal(slicer.util.arrayFromVolume(slicer.mrmlScene.GetFirstNodeByName("Mine")), ramp())
    colors = node.GetDisplayNode().GetColorNode()
    assert [colors.GetColorName(label) for label in (1, 2)] == ["Outline of the brain", "Border of white matter"]
    job.undo()
    left = {slicer.mrmlScene.GetNodeByID(each).GetName() for each in set(sceneContent()) - before}
    assert left <= {"MedInpaint atlas edges"}  # the color table may stay; it belongs to no result


def test_a_second_label_map_shares_the_colors():
    nodes = []
    for _ in range(2):
        runner = PretendingRunner()
        job = _started(_request(), runner)
        _finish(runner, _edges())
        nodes.append(job.outputVolume)
    assert nodes[0].GetDisplayNode().GetColorNode() is nodes[1].GetDisplayNode().GetColorNode()


def test_segments_that_were_removed_are_one_clear_line():
    request = _request()
    request.segmentationNode.GetSegmentation().RemoveSegment("lesion")
    with pytest.raises(MaskError):
        _started(request)


def test_the_engine_says_why_the_atlas_does_not_fit():
    job = _started(_request(), process.ForegroundRunner())
    assert job.state == "failed"
    assert isinstance(job.error, InputError)
    assert str(job.error) == "The atlas does not fit this image: the image cannot show a head."
    assert not slicer.util.getNodesByClass("vtkMRMLLabelMapVolumeNode")


@pytest.fixture
def labelMaps():
    """Two label maps, and two views of which the first one shows the first."""
    nodes = [
        slicer.util.addVolumeFromArray(_edges(), None, name, "vtkMRMLLabelMapVolumeNode") for name in ("Mine", "Edges")
    ]
    shown = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode") for _ in range(2)]
    shown[0].SetLabelVolumeID(nodes[0].GetID())
    shown[0].SetLabelOpacity(0.4)
    return nodes, shown


def _labels(shown):
    return [(each.GetLabelVolumeID(), each.GetLabelOpacity()) for each in shown]


def test_the_label_layer_is_as_before_afterwards(labelMaps):
    (_mine, edges), shown = labelMaps
    before, layer = _labels(shown), views.Layer("Label")
    for _ in range(2):  # shown twice, it still knows what was there
        layer.show(edges)
        assert _labels(shown) == [(edges.GetID(), 1.0)] * 2
    layer.restore()
    assert _labels(shown) == before
    shown[1].SetLabelVolumeID(edges.GetID())
    layer.restore()
    assert _labels(shown)[1][0] == edges.GetID()


def test_a_label_map_that_the_user_chose_since_stays(labelMaps):
    (mine, edges), shown = labelMaps
    layer = views.Layer("Label")
    layer.show(edges)
    shown[1].SetLabelVolumeID(mine.GetID())
    layer.restore()
    assert [each.GetLabelVolumeID() for each in shown] == [mine.GetID()] * 2


def test_a_label_map_that_was_removed_is_not_shown_again(labelMaps):
    (mine, edges), shown = labelMaps
    layer = views.Layer("Label")
    layer.show(edges)
    slicer.mrmlScene.RemoveNode(mine)
    layer.restore()
    assert shown[0].GetLabelVolumeID() is None
