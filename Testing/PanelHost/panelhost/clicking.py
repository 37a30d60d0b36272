"""Clicks at random through the panel, changes the scene meanwhile, and says what went wrong."""

import hashlib
import logging
import sys

import numpy as np
import slicer
from PySide6 import QtCore, QtWidgets

from . import host, mrml, widgets
from .phantom import addSegmentation, addTransform, addVolume, box, ramp, rotation

#: Methods that fill the volumes here in a moment.
QUICK = ("harmonic", "biharmonic", "nearest", "linear-z", "shell-mean")

#: What is typed into fields: sense and nonsense.
TEXTS = (
    "",
    "auto",
    "1e-4",
    "-5",
    "nan",
    "1" * 40,
    "nonsense",
    "brain-mr-unet",
    "../..",
    "äöü {x} %s <b>",
    "spheres:3px:2",
)


class Clicker:
    """Does one thing at a time to an open panel, all by chance from a seed.

    Attributes:
        events: what was done, in words, newest last.
        faults: what must not happen and did.
    """

    def __init__(self, panel, seed: int) -> None:
        self.panel = panel
        self.rng = np.random.default_rng(seed)
        self.events: list[str] = []
        self.faults: list[str] = []
        #: Node id -> digest, of the volumes that were never chosen as an output.
        self._inputs: dict[str, str] = {}
        self._listener = _Listener(self.faults)
        self._actions = [
            (self._click, 10),
            (self._chooseItem, 6),
            (self._chooseNode, 6),
            (self._checkNode, 2),
            (self._slide, 3),
            (self._type, 3),
            (self._openTab, 3),
            (self._chooseSegments, 4),
            (self._chooseInList, 2),
            (self._addVolume, 3),
            (self._addSegmentation, 3),
            (self._changeSegment, 3),
            (self._moveNode, 2),
            (self._removeNode, 2),
            (self._closeScene, 0.3),
            (self._leave, 1),
            (self._wait, 6),
            (self._doWhatItIsFor, 8),
        ]

    def __enter__(self):
        self._listener.start()
        return self

    def __exit__(self, *error) -> None:
        self._listener.stop()

    def act(self) -> None:
        """Do one thing, and look whether all is well."""
        weights = np.array([weight for _action, weight in self._actions])
        action = self._actions[self.rng.choice(len(weights), p=weights / weights.sum())][0]
        self.events.append(action.__name__)
        try:
            action()
        except Exception as error:
            self.faults.append(f"{self.events[-1]}: {error!r}")
        host.processEvents()
        self._look()

    def _look(self) -> None:
        """No volume is another one than it was, unless it takes results, and no tab is stuck."""
        node = self.panel.logic.getParameterNode()
        for field in ("outputVolume", "estimatedVolume"):
            output = getattr(node, field)
            if output is not None:
                self._inputs.pop(output.GetID(), None)
        for identifier, digest in list(self._inputs.items()):
            volume = slicer.mrmlScene.GetNodeByID(identifier)
            if volume is None:
                del self._inputs[identifier]
            elif _digest(volume) != digest:
                self.faults.append(f"after {self.events[-1]}: volume '{volume.GetName()}' has changed")
                del self._inputs[identifier]
        for page in self.panel.pages:
            run = getattr(page, "run", None)
            if run is not None and (run.job is None) == page.ui.cancelButton.enabled:
                self.faults.append(f"after {self.events[-1]}: '{page.title()}' is stuck")

    # What users do.

    def _one(self, things):
        things = list(things)
        return things[self.rng.integers(len(things))] if things else None

    def _usable(self, kind) -> list:
        found = self.panel.parent.findChildren(kind)
        # Those without a name are parts of other widgets.
        named = [each for each in found if _nameOf(each) and not _nameOf(each).startswith("qt_")]
        return [each for each in named if each.property("visible") and each.property("enabled")]

    def _click(self) -> None:
        button = self._one([*self._usable(QtWidgets.QPushButton), *self._usable(QtWidgets.QCheckBox)])
        if button is not None:
            self.events[-1] += f" {_nameOf(button)}"
            button.click()

    def _chooseItem(self) -> None:
        combo = self._one(self._usable(QtWidgets.QComboBox))
        if combo is not None and combo.count:
            index = int(self.rng.integers(combo.count))
            self.events[-1] += f" {_nameOf(combo)} {index}"
            combo.currentIndex = index

    def _chooseNode(self) -> None:
        selector = self._one(self._usable(widgets.qMRMLNodeComboBox))
        if selector is not None:
            choices = slicer.util.getNodesByClass(selector.nodeTypes[0])
            choices += [None] if selector.noneEnabled else []
            if choices:
                self.events[-1] += f" {_nameOf(selector)}"
                selector.setCurrentNode(self._one(choices))

    def _checkNode(self) -> None:
        selector = self._one(self._usable(widgets.qMRMLCheckableNodeComboBox))
        volume = self._one(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))
        if selector is not None and volume is not None:
            self.events[-1] += f" {_nameOf(selector)}"
            (selector.check if self.rng.random() < 0.6 else selector.uncheck)(volume)

    def _slide(self) -> None:
        slider = self._one([*self._usable(widgets.ctkSliderWidget), *self._usable(QtWidgets.QSlider)])
        if slider is not None:
            self.events[-1] += f" {_nameOf(slider)}"
            value = slider.minimum + self.rng.random() * (slider.maximum - slider.minimum)
            slider.value = value if isinstance(slider, widgets.ctkSliderWidget) else int(value)

    def _type(self) -> None:
        edit = self._one([*self._usable(widgets.ctkPathLineEdit), *self._usable(QtWidgets.QLineEdit)])
        if edit is not None:
            text = self._one(TEXTS)
            self.events[-1] += f" {_nameOf(edit)} '{text}'"
            if isinstance(edit, widgets.ctkPathLineEdit):
                edit.currentPath = text
            else:
                edit.setText(text)
                edit.editingFinished.emit()

    def _openTab(self) -> None:
        tabs = self.panel.ui.tabWidget
        tabs.currentIndex = int(self.rng.integers(tabs.count))

    def _chooseSegments(self) -> None:
        table = self._one(self._usable(widgets.qMRMLSegmentsTableView))
        segmentation = self._one(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"))
        if table is not None and segmentation is not None:
            known = segmentation.GetSegmentation().GetSegmentIDs()
            table.setSelectedSegmentIDs([each for each in known if self.rng.random() < 0.6])

    def _chooseInList(self) -> None:
        each = self._one(self._usable(QtWidgets.QListWidget))
        if each is not None and each.count:
            item = each.item(int(self.rng.integers(each.count)))
            self.events[-1] += f" {_nameOf(each)}"
            if item.flags() & QtCore.Qt.ItemIsUserCheckable:
                item.setCheckState(self._one((QtCore.Qt.Checked, QtCore.Qt.Unchecked)))
            else:
                each.setCurrentItem(item)

    def _doWhatItIsFor(self) -> None:
        """Choose sensibly and press Apply: by pure chance, that would hardly ever come together."""
        node = self.panel.logic.getParameterNode()
        volume = self._one(each for each in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if _isWhole(each))
        if volume is None:
            volume = addVolume(ramp(), name=f"scan {len(self.events)}")
            self._inputs[volume.GetID()] = _digest(volume)
        segmentation = addSegmentation(volume, lesion=box())
        segmentation.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
        node.inputVolume = node.evaluateVolume = node.t1Volume = volume
        node.segmentation = segmentation
        node.segmentIds = ["lesion"]
        node.evaluateMethods, node.evaluateSizeMm, node.evaluateCount = list(QUICK[:2]), 4.0, 2
        node.batchKind, node.batchHole, node.batchVolumes = "volumes", "fill", [volume]
        node.method = self._one(QUICK)
        node.outputVolume = self._one((None, None, node.outputVolume))
        node.selfCheck, node.guides, node.exemplars = False, [], ""
        page = self._one([self.panel.fillPage, *(each for each in self.panel.pages if hasattr(each, "run"))])
        self.panel.ui.tabWidget.setCurrentWidget(page.widget)
        self.events[-1] += f" {page.title()}"
        page.ui.applyButton.click()

    # What happens in the scene.

    def _addVolume(self) -> None:
        kind = self._one(("good", "good", "good", "float", "slice", "colors", "empty", "constant"))
        self.events[-1] += f" {kind}"
        name = f"{kind} {len(self.events)}"
        if kind == "empty":
            slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
            return
        if kind == "colors":
            slicer.util.addVolumeFromArray(
                np.zeros((3, 4, 5, 3), np.uint8), name=name, nodeClassName="vtkMRMLVectorVolumeNode"
            )
            return
        arrays = {
            "good": ramp(),
            "float": ramp(np.float32),
            "slice": ramp()[:1],
            "constant": np.full((6, 7, 8), 3, np.int16),
        }
        volume = addVolume(arrays[kind], name=name)
        self._inputs[volume.GetID()] = _digest(volume)

    def _addSegmentation(self) -> None:
        volume = self._one(each for each in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if _isWhole(each))
        masks = self._one(({"lesion": box()}, {"lesion": box(), "edema": box(k=(8, 10))}, {}, {"all": box() | True}))
        if volume is not None:
            addSegmentation(volume, **masks)

    def _changeSegment(self) -> None:
        segmentation = self._one(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"))
        if segmentation is None:
            return
        segments = segmentation.GetSegmentation()
        known = segments.GetSegmentIDs()
        kind = self._one(("add", "remove", "rename", "empty"))
        self.events[-1] += f" {kind}"
        if kind == "add":
            segments.AddEmptySegment()
        elif known and kind == "remove":
            segments.RemoveSegment(self._one(known))
        elif known and kind == "rename":
            segments.GetSegment(self._one(known)).SetName(self._one(TEXTS))
        elif kind == "empty":
            segments.RemoveAllSegments()

    def _moveNode(self) -> None:
        node = self._one(slicer.util.getNodesByClass("vtkMRMLTransformableNode"))
        if node is not None and not node.IsA("vtkMRMLTransformNode"):
            transform = addTransform(rotation(float(self.rng.uniform(0, 90)), "Z")) if self.rng.random() < 0.7 else None
            node.SetAndObserveTransformNodeID(transform.GetID() if transform is not None else None)

    def _removeNode(self) -> None:
        kinds = ("vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLTransformNode")
        node = self._one(slicer.util.getNodesByClass(self._one(kinds)))
        if node is not None:
            self.events[-1] += f" {node.GetName()}"
            slicer.mrmlScene.RemoveNode(node)

    def _closeScene(self) -> None:
        mrml.clearScene()

    def _leave(self) -> None:
        self.panel.exit()
        if self.rng.random() < 0.3:
            self._addVolume()
        self.panel.enter()

    def _wait(self) -> None:
        host.settle(float(self.rng.choice([0.01, 0.05, 0.3], p=[0.6, 0.35, 0.05])))


class _Listener(logging.Handler):
    """Hears of tracebacks: those that reach the event loop, and those that are only logged."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._faults = faults
        self._before = None

    def start(self) -> None:
        self._before, sys.excepthook = sys.excepthook, self._onException
        logging.getLogger().addHandler(self)

    def stop(self) -> None:
        sys.excepthook = self._before
        logging.getLogger().removeHandler(self)

    def emit(self, record) -> None:
        if record.exc_info:
            self._faults.append(f"logged: {record.exc_info[1]!r}")

    def _onException(self, kind, error, trace) -> None:
        place = trace
        while place.tb_next is not None:
            place = place.tb_next
        self._faults.append(f"{error!r} in {place.tb_frame.f_code.co_filename}:{place.tb_lineno}")


def _nameOf(widget) -> str:
    return QtCore.QObject.objectName(widget)


def _digest(volume) -> str:
    """Of what an input must keep: its voxels and its grid."""
    matrix = slicer.util.arrayFromVTKMatrix(_matrix(volume))
    return hashlib.sha256(slicer.util.arrayFromVolume(volume).tobytes() + matrix.tobytes()).hexdigest()


def _matrix(volume):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix


def _isWhole(volume) -> bool:
    return volume.GetImageData() is not None and volume.GetImageData().GetDimensions() == tuple(reversed(ramp().shape))
