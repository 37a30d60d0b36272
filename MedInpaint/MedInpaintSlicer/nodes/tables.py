"""Tables in the scene."""

import dataclasses
from collections.abc import Sequence

import slicer
import vtk


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its name in code and in the first line of the file.
        title: its displayed heading.
        values: texts, whole numbers or numbers, all of one type; NaN for missing numbers.
        description: its tool tip.
    """

    name: str
    title: str
    values: Sequence[str] | Sequence[int] | Sequence[float]
    description: str = ""

    def array(self):
        """Return the values as a VTK array; the first value determines its type."""
        first = self.values[0]
        kind = {str: vtk.vtkStringArray, int: vtk.vtkIntArray}.get(type(first), vtk.vtkDoubleArray)
        array = kind()
        array.SetName(self.name)
        for each in self.values:
            array.InsertNextValue(each)
        return array


def addTable(name: str, columns: Sequence[Column]):
    """Add a table node, locked against editing by accident.

    Args:
        name: the table's name; a number is added if it exists.
        columns: all of the same length, one value or more.
    """
    # Before adding the node, so that an error leaves none.
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
    """Show a table in a layout that has a table view; without a main window, only select it."""
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if layout is not None:
        withTable = slicer.modules.tables.logic().GetLayoutWithTable(layout.GetViewArrangement())
        layout.SetViewArrangement(withTable)
    application = slicer.app.applicationLogic()
    application.GetSelectionNode().SetActiveTableID(tableNode.GetID())
    application.PropagateTableSelection()
