"""Tables in the scene."""

import dataclasses
from collections.abc import Sequence

import slicer
import vtk


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: by which code finds it; it becomes the first line of the file.
        title: what is shown.
        values: texts, whole numbers or numbers, all of one kind; NaN where there is none.
        description: what it is, for its tool tip.
    """

    name: str
    title: str
    values: Sequence[str] | Sequence[int] | Sequence[float]
    description: str = ""

    def array(self):
        """As VTK keeps it, by the kind of the first value."""
        first = self.values[0]
        kind = {str: vtk.vtkStringArray, int: vtk.vtkIntArray}.get(type(first), vtk.vtkDoubleArray)
        array = kind()
        array.SetName(self.name)
        for each in self.values:
            array.InsertNextValue(each)
        return array


def addTable(name: str, columns: Sequence[Column]):
    """Add a table node, which cannot be edited by a slip of the mouse.

    Args:
        name: if it is taken, a number is added.
        columns: all of the same length, one value or more.
    """
    # Before there is a node: what fails must leave none.
    arrays = [column.array() for column in columns]
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(name))
    with slicer.util.NodeModify(node):
        for column, array in zip(columns, arrays, strict=True):
            node.AddColumn(array)
            node.SetColumnTitle(column.name, column.title)
            if column.description:
                node.SetColumnDescription(column.name, column.description)
        node.SetUseColumnTitleAsColumnHeader(True)
        node.SetLocked(True)
    return node


def show(tableNode) -> None:
    """Show a table in a layout that has room for one; without a main window, only the choice is made."""
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if layout is not None:
        withTable = slicer.modules.tables.logic().GetLayoutWithTable(layout.GetViewArrangement())
        layout.SetViewArrangement(withTable)
    application = slicer.app.applicationLogic()
    application.GetSelectionNode().SetActiveTableID(tableNode.GetID())
    application.PropagateTableSelection()
