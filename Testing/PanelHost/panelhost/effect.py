"""The part of the Segment Editor that an effect meets; behaves as Slicer's C++ does, on real parameter nodes.

    qSlicerSegmentEditorScriptedEffect      what Python effects know as ``scriptedEffect``
    qSlicerSegmentEditorEffectFactory       effects that were registered
    qMRMLSegmentEditorWidget                the editor, without segments table and effect buttons
    AbstractScriptedSegmentEditorEffect     base class of Python effects

Where Slicer complains in its log, for example about a parameter that is not there, this raises an error.
"""

import functools
import importlib.util
import sys
import types
from pathlib import Path
from unittest import mock

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from . import host, mrml, pythonqt, widgets

MODULE_FOLDER = mrml.REPOSITORY / "SegmentEditorMedInpaint"


class AbstractScriptedSegmentEditorEffect:
    """Only what the effect uses."""

    def __init__(self, scriptedEffect) -> None:
        self.scriptedEffect = scriptedEffect

    def register(self) -> None:
        slicer.qSlicerSegmentEditorEffectFactory.instance().registerEffect(self.scriptedEffect)


class qSlicerSegmentEditorScriptedEffect:
    """One effect of one editor; hands what the editor wants on to the Python effect ``self()``."""

    __slots__ = (
        "_active",
        "_frame",
        "_node",
        "_self",
        "name",
        "perSegment",
        "requireSegments",
        "showEffectCursorInSliceView",
        "showEffectCursorInThreeDView",
        "title",
    )

    def __init__(self, parent=None) -> None:
        self.name = ""
        self.title = ""
        self.perSegment = True
        self.requireSegments = True
        self.showEffectCursorInSliceView = True
        self.showEffectCursorInThreeDView = False
        self._active = False
        self._node = None
        self._self = None
        self._frame = pythonqt.QWidget()
        layout = pythonqt.QFormLayout(self._frame)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)

    def setPythonSource(self, path: str) -> bool:
        """As in Slicer: the class of the file's name, in what is imported under the name of the file's folder."""
        name, className = Path(path).parent.name, Path(path).stem
        if not hasattr(sys.modules.get(name), className):
            specification = importlib.util.spec_from_file_location(name, path)
            sys.modules[name] = importlib.util.module_from_spec(specification)
            specification.loader.exec_module(sys.modules[name])
        self._self = getattr(sys.modules[name], className)(self)
        return True

    def self(self):
        return self._self

    def clone(self):
        return self._self.clone()

    # Called by the editor.

    def activate(self) -> None:
        self._frame.setVisible(True)
        self._active = True
        self._self.updateGUIFromMRML()
        self._self.activate()

    def deactivate(self) -> None:
        self._frame.setVisible(False)
        self._active = False
        self._self.deactivate()

    def setParameterSetNode(self, node) -> None:
        self._node = node

    # Called by the effect.

    def active(self) -> bool:
        return self._active

    def parameterSetNode(self):
        return self._node

    def optionsFrame(self):
        return self._frame

    def addOptionsWidget(self, widgetOrLayout) -> None:
        self._fit(widgetOrLayout)
        self._frame.layout().addRow(widgetOrLayout)

    def addLabeledOptionsWidget(self, label: str, widgetOrLayout):
        self._fit(widgetOrLayout)
        made = pythonqt.QLabel(label)
        self._frame.layout().addRow(made, widgetOrLayout)
        return made

    def parameter(self, name: str) -> str:
        value = self._node.GetAttribute(f"{self.name}.{name}")
        if value is None:
            raise LookupError(f"Parameter named {name} cannot be found for effect {self.name}")
        return value

    def integerParameter(self, name: str) -> int:
        return int(self.parameter(name))

    def doubleParameter(self, name: str) -> float:
        return float(self.parameter(name))

    def setParameter(self, name: str, value: str | int | float) -> None:
        attribute, text = f"{self.name}.{name}", value if isinstance(value, str) else f"{value:g}"
        if text == (self._node.GetAttribute(attribute) or ""):
            return
        disabled = self._node.GetDisableModifiedEvent()
        self._node.SetDisableModifiedEvent(True)
        self._node.SetAttribute(attribute, text)
        self._node.SetDisableModifiedEvent(disabled)
        self._node.InvokeCustomModifiedEvent(slicer.vtkMRMLSegmentEditorNode.EffectParameterModified)

    def setParameterDefault(self, name: str, value: str | int | float) -> None:
        if not self._node.GetAttribute(f"{self.name}.{name}"):
            self.setParameter(name, value)

    def nodeReference(self, name: str):
        return self._node.GetNodeReference(f"{self.name}.{name}")

    def setNodeReference(self, name: str, node) -> None:
        # As in Slicer, the parameter node tells nobody.
        disabled = self._node.GetDisableModifiedEvent()
        self._node.SetDisableModifiedEvent(True)
        self._node.SetNodeReferenceID(f"{self.name}.{name}", node.GetID() if node is not None else None)
        self._node.SetDisableModifiedEvent(disabled)

    def _fit(self, widgetOrLayout) -> None:
        if isinstance(widgetOrLayout, QtWidgets.QWidget):
            policy = QtWidgets.QSizePolicy.Policy
            widgetOrLayout.setSizePolicy(policy.Preferred, policy.MinimumExpanding)


class OtherEffect:
    """An effect that comes with Slicer and does nothing here."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.perSegment = True

    def activate(self) -> None:
        pass

    def deactivate(self) -> None:
        pass


class qSlicerSegmentEditorEffectFactory:
    """Knows the registered effects; each editor gets clones of them."""

    _instance = None

    def __init__(self) -> None:
        self.registeredEffects = []

    @classmethod
    def instance(cls):
        cls._instance = cls._instance or cls()
        return cls._instance

    def registerEffect(self, effect) -> bool:
        if any(each.name == effect.name for each in self.registeredEffects):
            return False
        self.registeredEffects.append(effect)
        return True


class qMRMLSegmentEditorWidget:
    """Chooses segmentation, source volume, segment and effect; follows its parameter node."""

    def __init__(self) -> None:
        registered = qSlicerSegmentEditorEffectFactory.instance().registeredEffects
        self.scripted = [effect.clone() for effect in registered]
        self._effects = {effect.name: effect for effect in (*self.scripted, OtherEffect("Paint"))}
        self._active = None
        self._node = None
        self._observers = []
        self.window = QtWidgets.QScrollArea()
        self.window.setWidgetResizable(True)
        self.window.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)
        page = pythonqt.QWidget()
        page.setLayout(pythonqt.QVBoxLayout())
        for effect in self.scripted:
            effect.self().setupOptionsFrame()
            effect.optionsFrame().setVisible(False)
            page.layout().addWidget(effect.optionsFrame())
        page.layout().addStretch()
        self.window.setWidget(page)

    def setMRMLScene(self, scene) -> None:
        self._observe(scene, scene.StartCloseEvent, lambda: self.setSegmentationNode(None))
        self._observe(scene, scene.EndCloseEvent, self._onSceneEndClose)

    def setMRMLSegmentEditorNode(self, node) -> None:
        self._node = node
        for effect in self.scripted:
            effect.setParameterSetNode(node)
            self._observe(node, node.EffectParameterModified, effect.self().updateGUIFromMRML)
        self._setDefaults()
        self._observe(node, vtk.vtkCommand.ModifiedEvent, self._update)
        self._update()

    def mrmlSegmentEditorNode(self):
        return self._node

    def setSegmentationNode(self, node) -> None:
        self._node.SetAndObserveSegmentationNode(node)
        self.setActiveEffectByName("")

    def setSourceVolumeNode(self, node) -> None:
        self._node.SetAndObserveSourceVolumeNode(node)

    def setCurrentSegmentID(self, segmentId: str) -> None:
        self._node.SetSelectedSegmentID(segmentId)
        # Without a segment, effects that work on one cannot be used.
        if not segmentId and self._active is not None and self._active.perSegment:
            self.setActiveEffectByName("")

    def setActiveEffectByName(self, name: str) -> None:
        self._node.SetActiveEffectName(name)

    def activeEffect(self):
        return self._active

    def close(self) -> None:
        """As when Slicer destroys the editor: first the effects are told, then their widgets go."""
        for observed, tag in self._observers:
            observed.RemoveObserver(tag)
        self._observers = []
        for effect in self.scripted:
            effect.self().cleanup()
            for selector in effect.optionsFrame().findChildren(widgets.qMRMLNodeComboBox):
                selector.setMRMLScene(None)
        self.window.widget().deleteLater()
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.DeferredDelete)
        self.window.close()

    def _observe(self, observed, event, slot) -> None:
        self._observers.append((observed, observed.AddObserver(event, lambda caller, event: slot())))

    def _onSceneEndClose(self) -> None:
        # The parameter node is a singleton: it is still there, and empty.
        self._setDefaults()
        self._update()

    def _setDefaults(self) -> None:
        with slicer.util.NodeModify(self._node):
            for effect in self.scripted:
                effect.self().setMRMLDefaults()

    def _update(self) -> None:
        if slicer.mrmlScene.IsClosing():
            return
        chosen = self._effects.get(self._node.GetActiveEffectName())
        if chosen is self._active:
            return
        if self._active is not None:
            self._active.deactivate()
        if chosen is not None:
            chosen.activate()
        self._active = chosen


class _SortFilterProxyModel:
    """Only what the effect uses of ``qMRMLSortFilterProxyModel``."""

    def __init__(self, selector) -> None:
        self.__dict__["_selector"] = selector
        self.__dict__["hiddenNodeIDs"] = ()

    def __setattr__(self, name: str, value) -> None:
        if name != "hiddenNodeIDs":
            raise AttributeError(name)
        self.__dict__[name] = tuple(value)
        self._selector._update()


class qMRMLNodeComboBox(widgets.qMRMLNodeComboBox):
    """The selector, with nodes that can be hidden; as in Slicer, one whose node is hidden takes the next one."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._proxy = _SortFilterProxyModel(self)

    def sortFilterProxyModel(self):
        return self._proxy

    def _nodes(self) -> list:
        return [node for node in super()._nodes() if node.GetID() not in self._proxy.hiddenNodeIDs]

    def _update(self, wanted=None) -> None:
        before = self._box.currentData() if wanted is None else ""
        super()._update(wanted)
        if before and self._box.findData(before) < 0 and self._nodes():
            self.setCurrentNode(self._nodes()[0])


def install():
    """Make the effect's module importable, import it, and start the application with it.

    Returns:
        The module ``SegmentEditorMedInpaint``.
    """
    host.install()
    if "SegmentEditorMedInpaint" in sys.modules:
        return sys.modules["SegmentEditorMedInpaint"]
    sys.path.append(str(MODULE_FOLDER))
    _addDisconnect(pythonqt.PythonQtLike)
    for name, member in (
        ("Qt", QtCore.Qt),
        ("QIcon", QtGui.QIcon),
        ("QPalette", QtGui.QPalette),
        ("QSizePolicy", QtWidgets.QSizePolicy),
    ):
        setattr(sys.modules["qt"], name, member)
    mrml.module("SegmentEditorEffects", AbstractScriptedSegmentEditorEffect=AbstractScriptedSegmentEditorEffect)
    mrml.module(
        "qSlicerSegmentationsEditorEffectsPythonQt",
        qSlicerSegmentEditorScriptedEffect=qSlicerSegmentEditorScriptedEffect,
    )
    slicer.qMRMLNodeComboBox = qMRMLNodeComboBox
    slicer.qMRMLSegmentEditorWidget = qMRMLSegmentEditorWidget
    slicer.qSlicerSegmentEditorEffectFactory = qSlicerSegmentEditorEffectFactory
    slicer.app.palette = lambda: host.application().palette()
    slicer.app.processEvents = host.processEvents
    module = importlib.import_module("SegmentEditorMedInpaint")
    atStartup = []
    with mock.patch.object(slicer.app, "connect", lambda signal, slot: atStartup.append((signal, slot)), create=True):
        module.SegmentEditorMedInpaint(types.SimpleNamespace())
    for signal, slot in atStartup:
        assert signal == "startupCompleted()"
        slot()
    return module


def _addDisconnect(kind) -> None:
    """``widget.disconnect("clicked(bool)", slot)``, which only effects need."""
    read = kind.__getattribute__

    def __getattribute__(self, name):
        return functools.partial(_disconnect, self) if name == "disconnect" else read(self, name)

    kind.__getattribute__ = __getattribute__


def _disconnect(sender, *arguments):
    if len(arguments) != 2:  # PySide's signals come through here themselves: (sender, signal, slot)
        return QtCore.QObject.disconnect(*arguments)
    signature, slot = arguments
    return getattr(sender, signature.partition("(")[0]).disconnect(slot)
