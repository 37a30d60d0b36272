"""The module's own test, which also runs inside Slicer."""

import unittest

import pytest
from panelhost import host


@pytest.mark.slow
def test_the_modules_own_test_passes():
    module = host.install()
    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(module.MedInpaintTest).run(outcome)
    assert outcome.errors + outcome.failures == []
    assert outcome.testsRun == 5


def test_all_of_it_runs_in_slicer(monkeypatch):
    """Slicer calls ``runTest`` alone."""
    module = host.install()
    done = []
    names = [name for name in dir(module.MedInpaintTest) if name.startswith("test_")]
    for name in names:
        monkeypatch.setattr(module.MedInpaintTest, name, lambda self, name=name: done.append(name))
    module.MedInpaintTest().runTest()
    assert done == names
