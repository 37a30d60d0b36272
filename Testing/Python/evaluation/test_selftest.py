"""The self-tests that Slicer runs: they pass, they are quick, and they can fail."""

from __future__ import annotations

import time

import pytest

from MedInpaintLib import blending, metrics, selftest


def test_all_self_tests_pass_within_two_seconds():
    start = time.perf_counter()
    outcomes = selftest.run()
    assert time.perf_counter() - start < 2
    assert len(outcomes) >= 12
    assert [outcome for outcome in outcomes if not outcome[1]] == []


@pytest.mark.parametrize("name", ["paste", "feather", "poisson"])
def test_a_blending_that_does_nothing_is_noticed(monkeypatch, name):
    monkeypatch.setattr(blending, name, lambda prediction, image, hole, **options: image)
    assert not all(passed for _, passed, _ in selftest.run())


@pytest.mark.parametrize("name", ["rmse", "ssim", "gradient_energy", "boundary_jump"])
def test_a_metric_that_is_a_little_off_is_noticed(monkeypatch, name):
    right = getattr(metrics, name)
    monkeypatch.setattr(metrics, name, lambda *images, **options: 1.01 * right(*images, **options))
    assert not all(passed for _, passed, _ in selftest.run())


def test_a_check_that_crashes_has_failed_and_says_why(monkeypatch):
    def crash(*images, **options):
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr(metrics, "rmse", crash)
    failed = [detail for _, passed, detail in selftest.run() if not passed]
    assert failed == ["ZeroDivisionError: by chance"]
