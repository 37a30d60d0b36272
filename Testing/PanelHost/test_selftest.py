"""The module's own test, which also runs inside Slicer."""

import unittest

from panelhost import host


def test_the_modules_own_test_passes():
    module = host.install()
    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(module.MedInpaintTest).run(outcome)
    assert outcome.errors + outcome.failures == []
    assert outcome.testsRun == 2
