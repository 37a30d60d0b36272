"""The folders of nodes in the subject hierarchy."""

import slicer


def placeBeside(inputNode, outputNode) -> None:
    """Put a node into the subject-hierarchy folder, study or patient of another one."""
    hierarchy = _hierarchy()
    inputItem = hierarchy.GetItemByDataNode(inputNode)
    if inputItem != hierarchy.GetInvalidItemID():
        _place(outputNode, hierarchy.GetItemParent(inputItem))


def addFolderBeside(inputNode, name: str, nodes) -> None:
    """Put nodes into a new folder in the subject-hierarchy folder, study or patient of another one."""
    hierarchy = _hierarchy()
    inputItem = hierarchy.GetItemByDataNode(inputNode)
    isThere = inputItem != hierarchy.GetInvalidItemID()
    parent = hierarchy.GetItemParent(inputItem) if isThere else hierarchy.GetSceneItemID()
    folder = hierarchy.CreateFolderItem(parent, name)
    for node in nodes:
        _place(node, folder)


def removeWithFolders(nodes) -> None:
    """Remove nodes that are still in the scene, and their folders if these become empty."""
    present = [node for node in nodes if slicer.mrmlScene.IsNodePresent(node)]
    if not present:
        return  # getting the hierarchy would create one
    hierarchy, folders = _hierarchy(), set()
    for node in present:
        item = hierarchy.GetItemByDataNode(node)
        if item != hierarchy.GetInvalidItemID():
            folders.add(hierarchy.GetItemParent(item))
            # Remove both: a scene without the application's plugins would keep the item of a removed node.
            hierarchy.RemoveItem(item, False)
        slicer.mrmlScene.RemoveNode(node)
    level = slicer.vtkMRMLSubjectHierarchyConstants.GetSubjectHierarchyLevelFolder()
    for folder in folders - {hierarchy.GetSceneItemID()}:
        if hierarchy.GetNumberOfItemChildren(folder) == 0 and hierarchy.IsItemLevel(folder, level):
            hierarchy.RemoveItem(folder)


def _hierarchy():
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def _place(node, parent: int) -> None:
    hierarchy = _hierarchy()
    item = hierarchy.GetItemByDataNode(node)
    if item == hierarchy.GetInvalidItemID():
        # The application makes an item for every new node; a scene without the application's plugins does not.
        hierarchy.CreateItem(parent, node)
    else:
        hierarchy.SetItemParent(item, parent)
