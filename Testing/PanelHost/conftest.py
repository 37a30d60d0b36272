"""Opens the panel for the tests: PySide6 in place of PythonQt, real MRML, no window system."""

import functools
import sys
from pathlib import Path

import pytest

# The stand-in is a tool of the tests; looking for tests in it would import it twice.
collect_ignore = ["panelhost"]

pytest.importorskip("slicer.util", reason="the panel's tests need the package slicer-core")
pytest.importorskip("PySide6.QtWidgets", reason="the panel's tests need the package PySide6-Essentials")

sys.path.append(str(Path(__file__).resolve().parent))

from panelhost import host  # noqa: E402

host.install()

from panelhost import workers  # noqa: E402


@pytest.fixture
def panel():
    """The module's widget, open on an empty scene."""
    with host.openedPanel() as widget:
        yield widget


@pytest.fixture
def endlessWorker(monkeypatch, tmp_path):
    """A worker that starts a child, says one word and then never ends; gives the file with both process ids."""
    return workers.endless(monkeypatch, tmp_path)


@pytest.fixture
def wordyWorker(monkeypatch, tmp_path):
    """Function that makes a worker which prints lines and ends with an exit code."""
    return functools.partial(workers.wordy, monkeypatch, tmp_path)
