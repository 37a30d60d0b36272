"""The self-tests that Slicer runs: they pass, they are quick, and they can fail."""

from __future__ import annotations

import time

import pytest

from MedInpaintLib import blending, metrics, selftest


def test_all_self_tests_pass_within_two_seconds():
    selftest.run()  # imports PyTorch, which takes seconds
    start = time.perf_counter()
    outcomes = selftest.run()
    assert time.perf_counter() - start < 2
    assert len(outcomes) >= 17
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


@pytest.mark.parametrize(
    ("module", "name"), [("context", "ContextLoss"), ("prior", "GanPrior"), ("prior", "VaePrior"), ("elbo", "Elbo")]
)
def test_a_loss_that_does_nothing_is_noticed(monkeypatch, module, name):
    monkeypatch.setattr(f"MedInpaintLib.losses.{module}.{name}", lambda *arguments: lambda *tensors: 0.0)
    assert not all(passed for _, passed, _ in selftest.run())


def test_without_pytorch_the_losses_are_left_out_and_that_is_said(monkeypatch):
    monkeypatch.setattr(selftest.importlib.util, "find_spec", lambda name: None)
    left_out = [detail for _, passed, detail in selftest.run() if passed and "left out" in detail]
    assert left_out == ["left out: torch is not installed"] * 11


def test_a_check_that_crashes_has_failed_and_says_why(monkeypatch):
    def crash(*images, **options):
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr(metrics, "rmse", crash)
    failed = [detail for _, passed, detail in selftest.run() if not passed]
    assert failed == ["ZeroDivisionError: by chance"]
