"""Real MRML for the tests of the Slicer side: slicer-core's scene, nodes and logics, without Slicer and without Qt."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("slicer.util", reason="the tests on real MRML need the package slicer-core")

sys.path.append(str(Path(__file__).resolve().parents[2] / "PanelHost"))

from panelhost import mrml

mrml.install()


@pytest.fixture(autouse=True)
def emptyScene():
    """Every test starts with an empty scene."""
    mrml.clearScene()
    yield
    mrml.clearScene()
