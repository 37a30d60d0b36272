"""The module file and its helpers import nothing but Slicer when Slicer starts."""

import ast
import sys
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[3] / "MedInpaint"
FILES = [MODULE / "MedInpaint.py", *sorted((MODULE / "MedInpaintSlicer").rglob("*.py"))]

#: What Slicer's Python always has.
SLICER = {"slicer", "vtk", "qt", "ctk", "numpy", "MedInpaintSlicer"}


def _importedAtFileScope(path: Path) -> set[str]:
    """Top-level packages that are imported outside any function; what only mypy reads is not."""
    names = set()
    pending = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            pending += ast.iter_child_nodes(node)
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_outside_slicer_is_imported_at_file_scope(path):
    assert _importedAtFileScope(path) - SLICER - set(sys.stdlib_module_names) == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_only_the_code_of_nodes_knows_mrml_classes(path):
    """Check all but three files.

    The parameter node names the classes of the nodes that it keeps, the panel asks the scene for default inputs, and
    the self-test looks at the scene from outside.
    """
    text = path.read_text(encoding="utf-8")
    if path.parent.name != "nodes" and path.name not in ("parameters.py", "panel.py", "selftest.py"):
        assert "vtkMRML" not in text


def test_the_module_file_is_thin():
    lines = (MODULE / "MedInpaint.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 100
