"""What Slicer's export to DICOM needs, so that a result of a DICOM series becomes a derived series of its study.

The export reads tags from the attributes of the volume's subject-hierarchy item; what is missing there gets a default
(modality CT, series number 1, "No series description").
"""

import dataclasses
import re

import slicer
import vtk

#: The attribute of a volume with the instance UIDs of the files that it was loaded from.
INSTANCES = "DICOM.instanceUIDs"

_PREFIX = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMAttributePrefix()
_UID = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMInstanceUIDName()

#: Tags of the input's item that hold for the result, too.
_KEPT = ("Modality", "FrameOfReferenceUID")


@dataclasses.dataclass(frozen=True)
class Identity:
    """What says which DICOM series a volume's item is.

    Attributes:
        tags: the item's DICOM attributes, without their prefix.
        uids: the instance UIDs of the item.
    """

    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    uids: str = ""


def identityOf(volumeNode) -> Identity:
    """Return the identity of a volume's item, which is empty without an item."""
    hierarchy, item = _item(volumeNode)
    if not item:
        return Identity()
    names = [name for name in hierarchy.GetItemAttributeNames(item) if name.startswith(_PREFIX)]
    tags = {name.removeprefix(_PREFIX): hierarchy.GetItemAttribute(item, name) for name in names}
    return Identity(tags, hierarchy.GetItemUID(item, _UID))


def setIdentity(volumeNode, identity: Identity) -> None:
    """Give a volume's item, if it has one, an identity in place of its own."""
    hierarchy, item = _item(volumeNode)
    if not item:
        return
    for name in identityOf(volumeNode).tags:
        hierarchy.RemoveItemAttribute(item, _PREFIX + name)
    for name, value in identity.tags.items():
        hierarchy.SetItemAttribute(item, _PREFIX + name, value)
    hierarchy.RemoveItemUID(item, _UID)
    if identity.uids:
        hierarchy.SetItemUID(item, _UID, identity.uids)


def describeSeries(inputNode, outputNode) -> None:
    """Describe a result as a series derived from its input, if that is a DICOM series.

    The result's item gets the input's modality and frame of reference, a description that says that voxels are
    synthetic, a series number of its own in the study, and references to the input's instances; its own UIDs are made
    by the export. Of any other input, the result is no DICOM series.
    """
    outputNode.RemoveAttribute(INSTANCES)
    setIdentity(outputNode, Identity())
    tags = _tagsOf(inputNode)
    hierarchy, item = _item(outputNode)
    if tags is None or not item:
        return
    siblings = _children(hierarchy, hierarchy.GetItemParent(item))
    taken = {hierarchy.GetItemAttribute(each, _PREFIX + "SeriesNumber") for each in siblings}
    derived = _derived(tags, taken, inputNode.GetName())
    setIdentity(outputNode, Identity({name: value for name, value in derived.items() if value}))


def _tagsOf(volumeNode) -> dict[str, str] | None:
    """Return the DICOM tags of a volume's item, and the instances of its files; None if it is no DICOM series."""
    identity = identityOf(volumeNode)
    instances = volumeNode.GetAttribute(INSTANCES) or identity.uids
    # A result refers to the instances of its own source.
    tags = {**identity.tags, **({"ReferencedInstanceUIDs": instances} if instances else {})}
    return tags if tags.keys() & {"ReferencedInstanceUIDs", "Modality", "SeriesNumber"} else None


def _derived(tags: dict[str, str], taken: set[str], inputName: str) -> dict[str, str]:
    """Return the tags of a series that is derived from another one."""
    from MedInpaintLib import __version__
    from MedInpaintLib.io.dicom import derived

    # A loaded series is called "5: T1 axial".
    description = tags.get("SeriesDescription") or re.sub(r"^\d+: ", "", inputName)
    number = derived.series_number(tags.get("SeriesNumber", ""))
    while str(number) in taken:
        number += 1
    return {
        **{name: tags.get(name, "") for name in _KEPT},
        "SeriesDescription": derived.description(description),
        "SeriesNumber": str(number),
        "ReferencedInstanceUIDs": tags.get("ReferencedInstanceUIDs", ""),
        "Manufacturer": "MedInpaint",
        "Model": f"MedInpaintLib {__version__}",
    }


def _item(volumeNode):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    return hierarchy, hierarchy.GetItemByDataNode(volumeNode)


def _children(hierarchy, item: int) -> list[int]:
    children = vtk.vtkIdList()
    hierarchy.GetItemChildren(item, children)
    return [children.GetId(index) for index in range(children.GetNumberOfIds())]
