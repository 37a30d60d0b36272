"""``slicer.parameterNodeWrapper``: typed attributes kept on a real MRML node, bound to widgets both ways."""

import dataclasses
import json
import typing

import slicer
import vtk
from PySide6 import QtWidgets

from . import pythonqt, widgets


@dataclasses.dataclass(frozen=True)
class WithinRange:
    """Annotation: a number's inclusive limits."""

    minimum: float
    maximum: float


class ObservedList(list):
    """A list whose ``append`` is kept."""

    def __init__(self, values, write) -> None:
        super().__init__(values)
        self._write = write

    def append(self, value) -> None:
        super().append(value)
        self._write(self)


class ObservedDict(dict):
    """A dict whose item assignment is kept."""

    def __init__(self, values, write) -> None:
        super().__init__(values)
        self._write = write

    def __setitem__(self, key, value) -> None:
        super().__setitem__(key, value)
        self._write(self)


def parameterNodeWrapper(cls):
    """Class decorator: every annotated attribute becomes a parameter."""
    fields = {}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        kind, *annotations = typing.get_args(hint) if typing.get_origin(hint) is typing.Annotated else (hint,)
        fields[name] = _Field(name, kind, cls.__dict__.get(name), annotations)
        setattr(cls, name, property(fields[name].read, fields[name].write))
    cls.allParameters = fields
    for name, member in vars(_Wrapper).items():
        if callable(member):
            setattr(cls, name, member)
    return cls


class _Field:
    def __init__(self, name: str, kind, default, annotations) -> None:
        self.name = name
        self.kind = typing.get_origin(kind) or kind
        self.isNodeList = self.kind is list and issubclass(typing.get_args(kind)[0], slicer.vtkMRMLNode)
        self.limits = next((each for each in annotations if isinstance(each, WithinRange)), None)
        self.isNode = isinstance(self.kind, type) and issubclass(self.kind, slicer.vtkMRMLNode)
        self.default = default if default is not None or self.isNode else self.kind()

    def read(self, wrapper):
        node = wrapper.parameterNode
        if self.isNode:
            return node.GetNodeReference(self.name)
        if self.isNodeList:
            nodes = [node.GetNodeReference(f"{self.name}.{each}") for each in range(self._length(node))]
            return ObservedList(nodes, lambda changed: self.write(wrapper, changed))
        text = node.GetParameter(self.name)
        value = json.loads(text) if text else self.default
        if self.kind is list:
            return ObservedList(value, lambda changed: self.write(wrapper, changed))
        if self.kind is dict:
            return ObservedDict(value, lambda changed: self.write(wrapper, changed))
        return self.kind(value)

    def write(self, wrapper, value) -> None:
        node = wrapper.parameterNode
        if self.isNode:
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            return
        if self.isNodeList:
            self._writeNodes(node, value)
            return
        if not isinstance(value, self.kind) and not (self.kind is float and isinstance(value, int)):
            raise TypeError(f"{self.name} must be {self.kind}, not {value!r}")
        if self.limits is not None and not self.limits.minimum <= value <= self.limits.maximum:
            raise ValueError(f"{self.name} must be within {self.limits}, not {value!r}")
        node.SetParameter(self.name, json.dumps(value))

    def _length(self, node) -> int:
        return int(node.GetParameter(f"{self.name}.len") or 0)

    def _writeNodes(self, node, values) -> None:
        with slicer.util.NodeModify(node):
            for index in range(max(len(values), self._length(node))):
                identifier = values[index].GetID() if index < len(values) else None
                node.SetNodeReferenceID(f"{self.name}.{index}", identifier)
            node.SetParameter(f"{self.name}.len", str(len(values)))


class _Wrapper:
    """What every wrapped class can do."""

    def __init__(self, parameterNode) -> None:
        self.parameterNode = parameterNode
        self._connections = {}

    def connectGui(self, parent) -> int:
        """Bind the widgets inside one that have the property SlicerParameterName."""
        bound = {}
        for widget in parent.findChildren(QtWidgets.QWidget):
            name = widget.property("SlicerParameterName")
            if name:
                bound[name] = _BINDINGS[type(widget)](widget, self.allParameters[name])
        tag = len(self._connections) + 1
        updating = []  # while the widgets follow the node, they must not write back

        def update(caller=None, event=None):
            if not updating:
                updating.append(True)
                for name, binding in bound.items():
                    binding.write(getattr(self, name))
                updating.clear()

        update()
        for name, binding in bound.items():
            binding.onChanged(lambda name=name, binding=binding: updating or setattr(self, name, binding.read()))
            if binding.read() != getattr(self, name):
                setattr(self, name, binding.read())
        self._connections[tag] = (bound, self.AddObserver(vtk.vtkCommand.ModifiedEvent, update))
        return tag

    def disconnectGui(self, tag) -> None:
        """Undo :meth:`connectGui`."""
        bound, observer = self._connections.pop(tag)
        for binding in bound.values():
            binding.onChanged(None)
        self.RemoveObserver(observer)

    def AddObserver(self, event, callback, priority=0.0):
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag) -> None:
        self.parameterNode.RemoveObserver(tag)


class _Binding:
    signal = ""

    def __init__(self, widget, field) -> None:
        self.widget = widget
        self._slot = None

    def onChanged(self, callback) -> None:
        signal = getattr(self.widget, self.signal)
        if self._slot is not None:
            signal.disconnect(self._slot)
        self._slot = None if callback is None else lambda *arguments: callback()
        if self._slot is not None:
            signal.connect(self._slot)


class _NodeBinding(_Binding):
    signal = "currentNodeChanged"

    def read(self):
        return self.widget.currentNode()

    def write(self, node) -> None:
        self.widget.setCurrentNode(node)


class _SliderBinding(_Binding):
    signal = "valueChanged"

    def __init__(self, widget, field) -> None:
        super().__init__(widget, field)
        widget.minimum, widget.maximum = field.limits.minimum, field.limits.maximum
        self._kind = field.kind

    def read(self) -> float:
        return self._kind(self.widget.value)

    def write(self, value: float) -> None:
        self.widget.value = value


class _CheckBoxBinding(_Binding):
    signal = "toggled"

    def read(self) -> bool:
        return self.widget.checked

    def write(self, value: bool) -> None:
        self.widget.checked = value


_BINDINGS = {
    pythonqt.QCheckBox: _CheckBoxBinding,
    widgets.qMRMLNodeComboBox: _NodeBinding,
    widgets.ctkSliderWidget: _SliderBinding,
    pythonqt.QSpinBox: _SliderBinding,
}
