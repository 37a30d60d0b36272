"""The module's own test, which also runs inside Slicer."""

import unittest

import pytest
import slicer
from panelhost import host


@pytest.fixture
def selfTest(panel, monkeypatch):
    """The test's class, on a panel and slice views that are here already."""
    selfTest = host.install().MedInpaintTest
    monkeypatch.setattr(selfTest, "openPanel", lambda self: panel)
    clear = slicer.mrmlScene.Clear

    def clearAndAddViews(*arguments):
        clear(*arguments)
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")

    monkeypatch.setattr(slicer.mrmlScene, "Clear", clearAndAddViews)
    return selfTest


@pytest.mark.slow
def test_the_modules_own_test_passes(selfTest):
    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(selfTest).run(outcome)
    assert outcome.errors + outcome.failures == []
    assert outcome.testsRun == 14
