"""Where nodes lie in the subject hierarchy."""

import slicer


def placeBeside(inputNode, outputNode) -> None:
    """Put a node into the subject-hierarchy folder, study or patient of another one."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    inputItem = hierarchy.GetItemByDataNode(inputNode)
    if inputItem == hierarchy.GetInvalidItemID():
        return
    parent = hierarchy.GetItemParent(inputItem)
    outputItem = hierarchy.GetItemByDataNode(outputNode)
    if outputItem == hierarchy.GetInvalidItemID():
        # The application makes an item for every new node; a scene without the application's plugins does not.
        hierarchy.CreateItem(parent, outputNode)
    else:
        hierarchy.SetItemParent(outputItem, parent)
