"""The self-tests that Slicer runs: they pass, they are quick, they see everything, and each can fail."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from MedInpaintLib import blending, losses, metrics, selftest
from MedInpaintLib.blending.by_name import BLENDS

_LOSSES = [importlib.import_module(f"{losses.__name__}.{each.name}") for each in pkgutil.iter_modules(losses.__path__)]


def _off(value: Any) -> Any:
    """Return a result that is a little wrong."""
    if isinstance(value, tuple | list):
        return type(value)(map(_off, value))
    if getattr(value, "dtype", None) is not None and "bool" in str(value.dtype):
        return ~value
    return 1.01 * value + 0.01


def _wrong(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments, **options: _off(function(*arguments, **options))


def _own(holder: Any) -> dict[str, Callable[..., Any]]:
    """Return the public functions, or the methods and the call, that a module or a class defines itself."""
    functions = {name: each for name, each in vars(holder).items() if inspect.isfunction(each)}
    module = getattr(holder, "__module__", holder.__name__)
    return {
        name: each
        for name, each in functions.items()
        if each.__module__ == module and (name == "__call__" or not name.startswith("_"))
    }


def _classes(module: Any) -> list[type]:
    found = [each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == module.__name__]
    return [each for each in found if not each.__name__.startswith("_")]


def _scores() -> dict[str, list[str]]:
    """Return the metrics of each convention."""
    truth = np.random.default_rng(0).random((4, 9, 9))
    hole = np.zeros(truth.shape, dtype=bool)
    hole[1:3, 3:6, 3:6] = True
    return {
        name: list(metrics.score(truth + 0.1 * hole, truth, hole, convention=name, data_range=1.0))
        for name in metrics.CONVENTIONS
    }


def _break_score(patch: pytest.MonkeyPatch, convention: str, metric: str) -> None:
    right = metrics.CONVENTIONS[convention]

    def compute(*arguments: Any, **options: Any) -> dict[str, float]:
        scores = right.compute(*arguments, **options)
        return {name: _off(value) if name == metric else value for name, value in scores.items()}

    patch.setitem(metrics.CONVENTIONS, convention, dataclasses.replace(right, compute=compute))


def _break_everywhere(patch: pytest.MonkeyPatch, name: str, function: Callable[..., Any]) -> None:
    """Break a function of the losses in all modules that have imported it."""
    for module in _LOSSES:
        if getattr(module, name, None) is function:
            patch.setattr(module, name, _wrong(function))


def _mutants() -> dict[str, Callable[[pytest.MonkeyPatch], None]]:
    """Return all that self-tests must see, with what breaks it: a new loss, blend, metric or convention is among it."""
    made: dict[str, Callable[[pytest.MonkeyPatch], None]] = {}
    for module in _LOSSES:
        for name, function in _own(module).items():
            made[f"{module.__name__}.{name}"] = lambda patch, n=name, f=function: _break_everywhere(patch, n, f)
        for each in _classes(module):
            for name, method in _own(each).items():
                made[f"{module.__name__}.{each.__name__}.{name}"] = lambda patch, c=each, n=name, m=method: (
                    patch.setattr(c, n, _wrong(m))
                )
    for name in blending.__all__:
        made[f"blending.{name}"] = lambda patch, n=name: patch.setattr(blending, n, _wrong(getattr(blending, n)))
    for name in BLENDS:
        made[f"blend {name}"] = lambda patch, n=name: patch.setitem(BLENDS, n, _wrong(BLENDS[n]))
    for name in metrics.__all__:
        if inspect.isfunction(getattr(metrics, name)) and name != "score":
            made[f"metrics.{name}"] = lambda patch, n=name: patch.setattr(metrics, n, _wrong(getattr(metrics, n)))
    for convention, names in _scores().items():
        for name in names:
            made[f"{convention}: {name}"] = lambda patch, c=convention, n=name: _break_score(patch, c, n)
    return made


_MUTANTS = _mutants()


def _failed() -> list[str]:
    return [name for name, passed, _ in selftest.run() if not passed]


@pytest.fixture(scope="module")
def noticed():
    """Return, for each thing that was broken, the self-tests that failed."""
    found = {}
    for name, damage in _MUTANTS.items():
        with pytest.MonkeyPatch.context() as patch:
            damage(patch)
            found[name] = _failed()
    return found


def test_all_self_tests_pass_within_two_seconds():
    selftest.run()  # imports PyTorch, which takes seconds
    start = time.perf_counter()
    outcomes = selftest.run()
    assert time.perf_counter() - start < 2
    assert [outcome for outcome in outcomes if not outcome[1]] == []


def test_what_is_released_is_among_what_is_broken():
    names = " ".join(_MUTANTS)
    for part in (
        "Elbo.__call__",
        "LogSsimLoss",
        "RootMeanSquareLoss",
        "blend poisson",
        "brats: ssim",
        "rfr-report: psnr",
    ):
        assert part in names


@pytest.mark.parametrize("name", _MUTANTS)
def test_a_result_that_is_a_little_off_is_noticed(noticed, name):
    assert noticed[name] != []


def test_each_self_test_notices_something(noticed):
    seen = {test for tests in noticed.values() for test in tests}
    assert [name for name, _, _ in selftest.run() if name not in seen] == []


@pytest.mark.parametrize("name", blending.__all__)
def test_a_blending_that_does_nothing_is_noticed(monkeypatch, name):
    monkeypatch.setattr(blending, name, lambda prediction, image, hole, **options: image)
    assert _failed() != []


def test_without_pytorch_the_losses_are_left_out_and_that_is_said(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    left_out = [name for name, passed, detail in selftest.run() if passed and "torch is not installed" in detail]
    assert left_out == [name for name, needs, _ in selftest.CHECKS if needs == "torch"] != []


def test_a_check_that_crashes_has_failed_and_says_why(monkeypatch):
    def crash(*images, **options):
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr(metrics, "gradient_energy", crash)
    failed = [detail for _, passed, detail in selftest.run() if not passed]
    assert failed == ["ZeroDivisionError: by chance"]
