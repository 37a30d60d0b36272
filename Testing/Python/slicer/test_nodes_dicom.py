"""A result of a DICOM series is a derived series of its study, as Slicer's export to DICOM reads it."""

import numpy as np
import pytest
import slicer
from panelhost.phantom import addVolume, obliqueMatrix, ramp

from MedInpaintSlicer.nodes import dicom, estimates, results
from MedInpaintSlicer.nodes.snapshot import Snapshot

#: The tags with which the export begins, and what it takes where an item has no attribute for them.
EXPORTED = {"SeriesDescription": "No series description", "Modality": "CT", "SeriesNumber": "1"}
INSTANCES = "1.2.3.1 1.2.3.2"


def _hierarchy():
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def _study():
    patient = _hierarchy().CreateSubjectItem(_hierarchy().GetSceneItemID(), "Patient")
    return _hierarchy().CreateStudyItem(patient, "Study")


def _load(study, name="5: T1 axial", number="5"):
    """A volume as Slicer's DICOM module loads it."""
    volume = addVolume(name=name)
    volume.SetAttribute("DICOM.instanceUIDs", INSTANCES)
    item = _hierarchy().CreateItem(study, volume)
    _hierarchy().SetItemUID(item, "DICOM", INSTANCES)
    _hierarchy().SetItemUID(item, "DICOMInstanceUID", INSTANCES)
    _hierarchy().SetItemAttribute(item, "DICOM.Modality", "MR")
    _hierarchy().SetItemAttribute(item, "DICOM.SeriesNumber", number)
    _hierarchy().SetItemAttribute(item, "DICOM.FrameOfReferenceUID", "1.2.9")
    return volume


def _fill(volume, output=None):
    return results.addResult(ramp() + 1, obliqueMatrix(), volume, "harmonic", output)


def _exported(volume, tag):
    """What the export writes for a tag, by the rule of Slicer's tag editor."""
    item = _hierarchy().GetItemByDataNode(volume)
    name = f"DICOM.{tag}"
    return _hierarchy().GetItemAttribute(item, name) if _hierarchy().HasItemAttribute(item, name) else EXPORTED.get(tag)


def test_the_result_lies_directly_in_the_study_so_that_the_export_finds_patient_and_study():
    study = _study()
    result = _fill(_load(study))
    item = _hierarchy().GetItemByDataNode(result)
    assert _hierarchy().GetItemParent(item) == study
    assert _hierarchy().GetItemLevel(_hierarchy().GetItemParent(study)) == "Patient"


def test_the_result_is_exported_as_a_derived_series():
    result = _fill(_load(_study()))
    assert _exported(result, "Modality") == "MR"
    assert _exported(result, "SeriesNumber") == "1005"
    assert _exported(result, "SeriesDescription") == "T1 axial (synthetic, not for diagnostic use)"
    assert _exported(result, "FrameOfReferenceUID") == "1.2.9"
    assert _exported(result, "ReferencedInstanceUIDs") == INSTANCES
    assert _exported(result, "Manufacturer") == "MedInpaint"


def test_the_result_has_no_uid_of_the_source():
    source = _load(_study())
    result = _fill(source)
    item = _hierarchy().GetItemByDataNode(result)
    assert _hierarchy().GetItemUID(item, "DICOMInstanceUID") == ""
    assert result.GetAttribute("DICOM.instanceUIDs") is None
    assert _exported(result, "SeriesInstanceUID") is None
    assert source.GetAttribute("DICOM.instanceUIDs") == INSTANCES
    assert _exported(source, "SeriesNumber") == "5"


def test_descriptions_are_no_longer_than_dicom_allows():
    result = _fill(_load(_study(), name="5: " + "long " * 30))
    assert len(_exported(result, "SeriesDescription")) <= 64
    assert _exported(result, "SeriesDescription").endswith("(synthetic, not for diagnostic use)")


def test_each_result_of_a_study_has_a_number_of_its_own():
    volume = _load(_study())
    assert [_exported(_fill(volume), "SeriesNumber") for _ in range(3)] == ["1005", "1006", "1007"]


def test_a_result_of_a_result_is_derived_from_the_same_files():
    again = _fill(_fill(_load(_study())))
    assert _exported(again, "SeriesDescription") == "T1 axial (synthetic, not for diagnostic use)"
    assert _exported(again, "ReferencedInstanceUIDs") == INSTANCES
    assert _exported(again, "Modality") == "MR"


def test_an_estimate_is_a_derived_series_too():
    estimate = estimates.addEstimate(ramp(np.float32), obliqueMatrix(), _load(_study()), "FLAIR")
    assert _exported(estimate, "Modality") == "MR"
    assert "synthetic" in _exported(estimate, "SeriesDescription")


@pytest.mark.parametrize("hasItem", [True, False])
def test_a_result_of_another_volume_is_no_dicom_series(hasItem):
    volume = addVolume()
    if hasItem:
        _hierarchy().CreateItem(_hierarchy().GetSceneItemID(), volume)
    assert dicom.identityOf(_fill(volume)) == dicom.Identity()


def test_an_output_that_was_a_series_is_that_no_longer_until_the_fill_is_undone():
    study = _study()
    output, source = _load(study, "7: T2", "7"), _load(study)
    before, snapshot = dicom.identityOf(output), Snapshot(output)
    _fill(source, output)
    assert output.GetAttribute("DICOM.instanceUIDs") is None
    assert _exported(output, "SeriesNumber") == "1005"
    assert dicom.identityOf(output).uids == ""
    snapshot.restore()
    assert output.GetAttribute("DICOM.instanceUIDs") == INSTANCES
    assert dicom.identityOf(output) == before
    assert before.tags["SeriesNumber"] == "7"
