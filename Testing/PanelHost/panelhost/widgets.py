"""The widgets of CTK and Slicer that the panel uses; only what it uses of each."""

import types

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from .pythonqt import QWidget

HEADER_HEIGHT = 24


def stored(kind, name: str, default):
    """A Qt property that only remembers its value."""
    attribute = f"_{name}"
    return QtCore.Property(
        kind,
        lambda self: self.__dict__.get(attribute, default),
        lambda self, value: self.__dict__.__setitem__(attribute, value),
    )


class ctkCollapsibleButton(QWidget):
    """A titled group that opens and closes."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.setContentsMargins(0, HEADER_HEIGHT, 0, 0)

    text = stored(str, "text", "")

    def _isCollapsed(self):
        return self.__dict__.get("_collapsed", False)

    def _setCollapsed(self, collapsed):
        self._collapsed = collapsed
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindDirectChildrenOnly):
            child.setVisible(not collapsed)
        self.setMaximumHeight(HEADER_HEIGHT if collapsed else 16777215)

    collapsed = QtCore.Property(bool, _isCollapsed, _setCollapsed)

    def mousePressEvent(self, event) -> None:
        if event.position().y() < HEADER_HEIGHT:
            self.collapsed = not self.collapsed

    def paintEvent(self, event) -> None:
        painter = QtGui.QPainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width, HEADER_HEIGHT - 2)
        style = QtWidgets.QApplication.style()
        style.drawControl(QtWidgets.QStyle.CE_PushButtonBevel, option, painter)
        arrow = QtWidgets.QStyle.PE_IndicatorArrowRight if self.collapsed else QtWidgets.QStyle.PE_IndicatorArrowDown
        option.rect = QtCore.QRect(6, 6, 10, 10)
        style.drawPrimitive(arrow, option, painter)
        area = QtCore.QRect(22, 0, self.width - 22, HEADER_HEIGHT - 2)
        painter.drawText(area, QtCore.Qt.AlignVCenter | QtCore.Qt.AlignLeft, self.text)


class ctkSliderWidget(QWidget):
    """A slider and a spin box that show one number."""

    valueChanged = QtCore.Signal(float)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
        self._slider.setRange(0, 1000)
        self._box = QtWidgets.QDoubleSpinBox()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._slider.sliderMoved.connect(self._onSlider)
        self._box.valueChanged.connect(self._onBox)

    def _onSlider(self, position: int) -> None:
        self._box.setValue(self._box.minimum() + position / 1000 * (self._box.maximum() - self._box.minimum()))

    def _onBox(self, value: float) -> None:
        span = self._box.maximum() - self._box.minimum()
        self._slider.setValue(round(1000 * (value - self._box.minimum()) / span) if span else 0)
        self.valueChanged.emit(value)

    value = QtCore.Property(float, lambda self: self._box.value(), lambda self, value: self._box.setValue(value))
    minimum = QtCore.Property(float, lambda self: self._box.minimum(), lambda self, value: self._box.setMinimum(value))
    maximum = QtCore.Property(float, lambda self: self._box.maximum(), lambda self, value: self._box.setMaximum(value))
    singleStep = QtCore.Property(
        float, lambda self: self._box.singleStep(), lambda self, value: self._box.setSingleStep(value)
    )
    decimals = QtCore.Property(int, lambda self: self._box.decimals(), lambda self, value: self._box.setDecimals(value))
    suffix = QtCore.Property(str, lambda self: self._box.suffix(), lambda self, value: self._box.setSuffix(value))


class qMRMLWidget(QWidget):
    """Hands its scene on to the widgets inside."""

    mrmlSceneChanged = QtCore.Signal(object)
    isEntered = stored(bool, "isEntered", False)

    def setMRMLScene(self, scene) -> None:
        self.mrmlSceneChanged.emit(scene)


class qMRMLNodeComboBox(QWidget):
    """Chooses a node of some classes out of the scene, and follows the scene."""

    currentNodeChanged = QtCore.Signal(object)
    nodeTypes = stored(list, "nodeTypes", [])
    showChildNodeTypes = stored(bool, "showChildNodeTypes", True)
    addEnabled = stored(bool, "addEnabled", True)
    removeEnabled = stored(bool, "removeEnabled", True)
    noneEnabled = stored(bool, "noneEnabled", False)
    noneDisplay = stored(str, "noneDisplay", "None")

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene = None
        self._observerTags = []
        self._shown = None
        self._attributes = {}
        self._box = QtWidgets.QComboBox()
        self._box.setSizeAdjustPolicy(QtWidgets.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.activated.connect(lambda index: self.setCurrentNodeID(self._box.itemData(index)))

    def setMRMLScene(self, scene) -> None:
        for tag in self._observerTags:
            self._scene.RemoveObserver(tag)
        self._scene = scene
        self._observerTags = []
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent):
                self._observerTags.append(scene.AddObserver(event, lambda caller, event: self._update()))
            self._update()

    def addAttribute(self, nodeType: str, name: str, value: str) -> None:
        self._attributes[name] = value
        if self._scene is not None:
            self._update()

    def currentNode(self):
        identifier = self._box.currentData()
        return self._scene.GetNodeByID(identifier) if self._scene is not None and identifier else None

    def setCurrentNode(self, node) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, identifier) -> None:
        self._update(identifier or "")

    def nodeCount(self) -> int:
        return len(self._nodes())

    def _nodes(self) -> list:
        found = slicer.util.getNodesByClass(self.nodeTypes[0], scene=self._scene)
        if not self.showChildNodeTypes:
            found = [node for node in found if node.GetClassName() == self.nodeTypes[0]]
        wanted = self._attributes.items()
        found = [node for node in found if all(node.GetAttribute(name) == value for name, value in wanted)]
        return [node for node in found if not node.GetHideFromEditors()]

    def _update(self, wanted=None) -> None:
        wanted = self._box.currentData() if wanted is None else wanted
        self._box.clear()
        if self.noneEnabled:
            self._box.addItem(self.noneDisplay, "")
        for node in self._nodes():
            self._box.addItem(node.GetName(), node.GetID())
        index = self._box.findData(wanted)
        # Where there must be a node, Slicer's widget chooses the first one by itself.
        self._box.setCurrentIndex(index if index >= 0 else min(0, self._box.count() - 1))
        shown = self._box.currentData() or ""
        if shown != self._shown:
            self._shown = shown
            self.currentNodeChanged.emit(self.currentNode())


class qMRMLCheckableNodeComboBox(QWidget):
    """Chooses any number of nodes of a class out of the scene, and follows the scene."""

    checkedNodesChanged = QtCore.Signal()
    nodeTypes = stored(list, "nodeTypes", [])
    showChildNodeTypes = stored(bool, "showChildNodeTypes", True)
    noneEnabled = stored(bool, "noneEnabled", False)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene = None
        self._observerTags = []
        self._box = QtWidgets.QComboBox()
        self._box.setSizeAdjustPolicy(QtWidgets.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.model().itemChanged.connect(lambda item: self.checkedNodesChanged.emit())

    def setMRMLScene(self, scene) -> None:
        for tag in self._observerTags:
            self._scene.RemoveObserver(tag)
        self._scene = scene
        self._observerTags = []
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent):
                self._observerTags.append(scene.AddObserver(event, lambda caller, event: self._update()))
            self._update()

    def checkedNodes(self) -> tuple:
        checked = (item.data(QtCore.Qt.UserRole) for item in self._items() if item.checkState() == QtCore.Qt.Checked)
        return tuple(node for node in map(self._scene.GetNodeByID, checked) if node is not None)

    def check(self, node) -> None:
        self._setCheckState(node, QtCore.Qt.Checked)

    def uncheck(self, node) -> None:
        self._setCheckState(node, QtCore.Qt.Unchecked)

    def _setCheckState(self, node, state) -> None:
        for item in self._items():
            if item.data(QtCore.Qt.UserRole) == node.GetID():
                item.setCheckState(state)

    def _items(self) -> list:
        return [self._box.model().item(row) for row in range(self._box.count())]

    def _update(self) -> None:
        checked = [node.GetID() for node in self.checkedNodes()]
        self._box.model().blockSignals(True)
        self._box.clear()
        for node in slicer.util.getNodesByClass(self.nodeTypes[0], scene=self._scene):
            if node.GetHideFromEditors() or (not self.showChildNodeTypes and node.GetClassName() != self.nodeTypes[0]):
                continue
            item = QtGui.QStandardItem(node.GetName())
            item.setData(node.GetID(), QtCore.Qt.UserRole)
            item.setCheckable(True)
            item.setCheckState(QtCore.Qt.Checked if node.GetID() in checked else QtCore.Qt.Unchecked)
            self._box.model().appendRow(item)
        self._box.model().blockSignals(False)


class ctkPathLineEdit(QWidget):
    """A path, typed or browsed for."""

    currentPathChanged = QtCore.Signal(str)
    validInputChanged = QtCore.Signal(bool)
    filters = stored(list, "filters", [])
    showHistoryButton = stored(bool, "showHistoryButton", True)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._edit = QtWidgets.QLineEdit()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        layout.addWidget(QtWidgets.QToolButton(text="..."))
        self._valid = False
        self._edit.textChanged.connect(self._onText)

    def _onText(self, text: str) -> None:
        # As Slicer's widget: a path that was emptied is no valid input, and only valid ones are told.
        before, self._valid = self._valid, bool(text)
        if self._valid:
            self.currentPathChanged.emit(text)
        if self._valid != before:
            self.validInputChanged.emit(self._valid)

    currentPath = QtCore.Property(str, lambda self: self._edit.text(), lambda self, text: self._edit.setText(text))


class qMRMLSegmentsTableView(QWidget):
    """Shows a segmentation's segments; several can be chosen."""

    selectionChanged = QtCore.Signal(object, object)
    selectionMode = stored(int, "selectionMode", 1)
    headerVisible = stored(bool, "headerVisible", True)
    visibilityColumnVisible = stored(bool, "visibilityColumnVisible", True)
    opacityColumnVisible = stored(bool, "opacityColumnVisible", True)
    statusColumnVisible = stored(bool, "statusColumnVisible", True)
    readOnly = stored(bool, "readOnly", False)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._node = None
        self._observerTags = []
        self._list = QtWidgets.QListWidget()
        self._list.setSelectionMode(QtWidgets.QAbstractItemView.ExtendedSelection)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._list)
        self._list.itemSelectionChanged.connect(lambda: self.selectionChanged.emit(None, None))

    def setMRMLScene(self, scene) -> None:
        pass

    def tableWidget(self):
        """The table itself, which in Slicer has rows that the tab key goes through."""
        return types.SimpleNamespace(setTabKeyNavigation=lambda on: None)

    def setSegmentationNode(self, node) -> None:
        if self._node is not None:
            for tag in self._observerTags:
                self._node.GetSegmentation().RemoveObserver(tag)
        self._node = node
        self._observerTags = []
        if node is not None:
            segmentation = node.GetSegmentation()
            for event in (segmentation.SegmentAdded, segmentation.SegmentRemoved):
                self._observerTags.append(segmentation.AddObserver(event, lambda caller, event: self._update()))
        self._update()

    def _update(self) -> None:
        chosen = self.selectedSegmentIDs()
        self._list.blockSignals(True)
        self._list.clear()
        segmentation = self._node.GetSegmentation() if self._node is not None else None
        for identifier in segmentation.GetSegmentIDs() if segmentation is not None else ():
            segment = segmentation.GetSegment(identifier)
            swatch = QtGui.QPixmap(14, 14)
            swatch.fill(QtGui.QColor.fromRgbF(*segment.GetColor()))
            item = QtWidgets.QListWidgetItem(QtGui.QIcon(swatch), segment.GetName(), self._list)
            item.setData(QtCore.Qt.UserRole, identifier)
            item.setSelected(identifier in chosen)
        self._list.blockSignals(False)
        self.selectionChanged.emit(None, None)

    def selectedSegmentIDs(self) -> tuple[str, ...]:
        return tuple(item.data(QtCore.Qt.UserRole) for item in self._list.selectedItems())

    def setSelectedSegmentIDs(self, identifiers) -> None:
        for row in range(self._list.count()):
            item = self._list.item(row)
            item.setSelected(item.data(QtCore.Qt.UserRole) in identifiers)
