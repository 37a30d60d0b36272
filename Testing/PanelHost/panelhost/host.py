"""Opens the module's panel in a window of its own, and helps tests to use it."""

import contextlib
import importlib
import importlib.util
import os
import sys
import time
import unittest
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_matplotlib = importlib.util.find_spec("matplotlib")
if _matplotlib is not None:
    # Qt brings no font, and a bare machine has none.
    os.environ.setdefault("QT_QPA_FONTDIR", str(Path(_matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf"))

import slicer  # noqa: E402
from PySide6 import QtCore, QtWidgets  # noqa: E402

from . import loading, mrml, pythonqt, uiloader, widgets  # noqa: E402

MODULE = mrml.REPOSITORY / "MedInpaint" / "MedInpaint.py"

#: What ``slicer.packaging.pip_ensure`` was asked for, newest last.
packagesAskedFor: list[list[str]] = []


class ScriptedLoadableModule:
    """Only what a module's subclass calls."""

    def __init__(self, parent) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    """Only what a module's widget calls."""

    def __init__(self, parent) -> None:
        self.parent = parent
        self.layout = parent.layout()

    def setup(self) -> None:
        pass

    def resourcePath(self, name: str) -> str:
        return str(MODULE.parent / "Resources" / name)


class ScriptedLoadableModuleLogic:
    """Only what a module's logic calls."""

    def getParameterNode(self):
        node = slicer.mrmlScene.GetSingletonNode("MedInpaint", "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag("MedInpaint")
            node.SetAttribute("ModuleName", "MedInpaint")
            node = slicer.mrmlScene.AddNode(node)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Only what a module's test calls."""

    def delayDisplay(self, message: str) -> None:
        print(message)


def application() -> QtWidgets.QApplication:
    """The one Qt application."""
    app = QtWidgets.QApplication.instance()
    if app is None:
        app = QtWidgets.QApplication([])
        app.setStyle("Fusion")
    return app


def install():
    """Make everything importable that the module imports, and import it.

    Returns:
        The module ``MedInpaint``.
    """
    mrml.install()
    application()
    if "qt" not in sys.modules:
        public = {name: value for name, value in vars(pythonqt).items() if name.startswith("Q")}
        mrml.module("qt", **public)
        mrml.module("ctk", ctkSliderWidget=widgets.ctkSliderWidget)
        from . import parameternode

        mrml.module(
            "slicer.parameterNodeWrapper",
            parameterNodeWrapper=parameternode.parameterNodeWrapper,
            WithinRange=parameternode.WithinRange,
        )
        mrml.module(
            "slicer.ScriptedLoadableModule",
            ScriptedLoadableModule=ScriptedLoadableModule,
            ScriptedLoadableModuleWidget=ScriptedLoadableModuleWidget,
            ScriptedLoadableModuleLogic=ScriptedLoadableModuleLogic,
            ScriptedLoadableModuleTest=ScriptedLoadableModuleTest,
        )
        mrml.module(
            "slicer.packaging",
            load_requirements=lambda path: [line for line in Path(path).read_text().splitlines() if line[0] != "#"],
            isPipInstallInProgress=lambda: False,
            pip_check=lambda requirement: True,
            pip_ensure=lambda requirements, requester: packagesAskedFor.append(requirements),
        )
        mrml.module("SampleData", SampleDataLogic=loading.SampleDataLogic)
        slicer.app.processEvents = processEvents
        slicer.util.loadUI = uiloader.load
        slicer.app.processEvents = processEvents
        slicer.util.loadVolume = loading.loadVolume
        slicer.util.loadSegmentation = loading.loadSegmentation
    return importlib.import_module("MedInpaint")


def openPanel(width: int = 360, height: int = 780):
    """Open the module, as when the user chooses it in Slicer's menu.

    Returns:
        The ``MedInpaintWidget``; ``widget.parent`` is the window.
    """
    module = install()
    window = widgets.qMRMLWidget()
    window.setLayout(pythonqt.QVBoxLayout())
    window.layout().setContentsMargins(4, 4, 4, 4)
    widget = module.MedInpaintWidget(window)
    widget.setup()
    window.isEntered = True
    widget.enter()
    window.resize(width, height)
    window.show()
    processEvents()
    return widget


@contextlib.contextmanager
def openedPanel():
    """The module's widget, open on an empty scene, for a ``with`` block."""
    mrml.clearScene()
    widget = openPanel()
    yield widget
    closePanel(widget)
    mrml.clearScene()


def closePanel(widget) -> None:
    """As when Slicer closes."""
    widget.parent.isEntered = False
    widget.cleanup()
    for kind in (widgets.qMRMLNodeComboBox, widgets.qMRMLCheckableNodeComboBox):
        for selector in widget.parent.findChildren(kind):
            selector.setMRMLScene(None)
    widget.parent.close()


def processEvents() -> None:
    """Let Qt do what is due."""
    QtCore.QCoreApplication.processEvents()


def settle(seconds: float = 0.3) -> None:
    """Run the event loop until labels have their heights."""
    end = time.monotonic() + seconds
    waitUntil(lambda: time.monotonic() > end)


def waitUntil(condition, seconds: float = 60.0) -> None:
    """Run the event loop until a condition holds.

    Raises:
        TimeoutError: it does not.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"still waiting after {seconds} s")
        processEvents()
        time.sleep(0.01)


def screenshot(widget, path) -> None:
    """Save what the panel looks like."""
    processEvents()
    widget.parent.grab().save(str(path))
