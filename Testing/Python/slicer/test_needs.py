"""What methods and volumes lack, told before anything is run."""

import numpy as np
import pytest
import slicer
from panelhost.phantom import addVolume

import MedInpaintLib
from MedInpaintSlicer import needs

ALL = MedInpaintLib.list_methods()


def _complaint(method, values=None, guides=(), exemplars=""):
    return needs.complaint(ALL.get(method), values or {}, guides, exemplars)


def test_what_can_do_nothing_without_guides_asks_for_them():
    assert _complaint("collagan") == (
        f"'{ALL['collagan'].title}' needs guides, other contrasts of this subject: choose them in Additional inputs."
    )
    assert _complaint("collagan", exemplars="/some/folder") != ""
    assert _complaint("collagan", guides=[addVolume(name="T2")]) == ""


def test_what_copies_from_other_scans_asks_for_their_folder():
    assert _complaint("exemplar") == (
        f"'{ALL['exemplar'].title}' needs a folder with other scans of this contrast: choose it in Additional inputs."
    )
    assert _complaint("exemplar", guides=[addVolume(name="T2")]) != ""
    assert _complaint("exemplar", exemplars="/some/folder") == ""


@pytest.mark.parametrize("method", ["auto", *(name for name, each in ALL.items() if each.family == "smooth")])
def test_what_needs_nothing_asks_for_nothing(method):
    assert _complaint(method) == ""


def test_a_model_is_asked_for_first():
    assert "There is no model 'nowhere'" in _complaint("collagan", {"model": "nowhere"})


def test_volumes_and_guides_need_voxels():
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    words = "Volume 'Empty' has no voxels; load its image first."
    assert needs.volumeComplaint(empty) == words
    assert _complaint("harmonic", guides=[addVolume(), empty]) == words
    slicer.util.updateVolumeFromArray(empty, np.zeros((2, 3, 4)))
    assert needs.volumeComplaint(empty) == ""


def test_colors_are_no_image_that_can_be_filled():
    colors = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Colors")
    colored = slicer.util.addVolumeFromArray(np.zeros((2, 3, 4, 3)), nodeClassName="vtkMRMLVectorVolumeNode")
    colors.SetAndObserveImageData(colored.GetImageData())
    assert "'Colors' has 3 values per voxel" in needs.volumeComplaint(colors)
