"""Qt as PythonQt shows it, on PySide6.

Qt's properties are plain attributes, ``connect`` takes a signature as text, setting what does not exist is an error: so
the panel's own code runs here unchanged, and a misspelt property fails here as it does in Slicer.
"""

import functools

from PySide6 import QtCore, QtGui, QtWidgets

#: Properties that Qt computes by a virtual method: reading them through Python would ask Python again, for ever.
_VIRTUAL = {"sizeHint", "minimumSizeHint"}


@functools.cache
def _properties(kind: type) -> frozenset[str]:
    meta = kind.staticMetaObject
    names = {meta.property(index).name() for index in range(meta.propertyCount())}
    return frozenset(names - _VIRTUAL)


class PythonQtLike:
    """Mixed in before a Qt class."""

    def __getattribute__(self, name):
        kind = type(self)
        if name == "name":
            return QtCore.QObject.objectName(self)
        if name == "connect":  # PySide finds QObject's own before one of a Python class
            return functools.partial(_connect, self)
        if name in _properties(kind):
            return QtCore.QObject.property(self, name)
        return super().__getattribute__(name)

    def __setattr__(self, name, value):
        if name in _properties(type(self)):
            QtCore.QObject.setProperty(self, name, value)
        elif name.startswith("_"):  # the stand-in's own
            super().__setattr__(name, value)
        else:
            raise AttributeError(f"{type(self).__name__} has no property '{name}'")


def _connect(sender, *arguments):
    """``sender.connect("clicked(bool)", slot)``"""
    if len(arguments) != 2:  # PySide's signals come through here themselves: (sender, signal, slot)
        return QtCore.QObject.connect(*arguments)
    signature, slot = arguments
    return getattr(sender, signature.partition("(")[0]).connect(slot)


def like(kind: type) -> type:
    """A Qt class with PythonQt's manners."""
    return type(kind.__name__, (PythonQtLike, kind), {})


QWidget = like(QtWidgets.QWidget)
QLabel = like(QtWidgets.QLabel)
QPushButton = like(QtWidgets.QPushButton)
QCheckBox = like(QtWidgets.QCheckBox)
QComboBox = like(QtWidgets.QComboBox)
QLineEdit = like(QtWidgets.QLineEdit)
QListWidget = like(QtWidgets.QListWidget)
QListWidgetItem = QtWidgets.QListWidgetItem
QSpinBox = like(QtWidgets.QSpinBox)
QDoubleSpinBox = like(QtWidgets.QDoubleSpinBox)
QProgressBar = like(QtWidgets.QProgressBar)
QSlider = like(QtWidgets.QSlider)
QPlainTextEdit = like(QtWidgets.QPlainTextEdit)
QListWidget = like(QtWidgets.QListWidget)
QTextBrowser = like(QtWidgets.QTextBrowser)
QTableWidget = like(QtWidgets.QTableWidget)
QTableWidgetItem = QtWidgets.QTableWidgetItem
QHeaderView = QtWidgets.QHeaderView
QApplication = QtWidgets.QApplication
QTabWidget = like(QtWidgets.QTabWidget)
QFormLayout = like(QtWidgets.QFormLayout)
QVBoxLayout = like(QtWidgets.QVBoxLayout)
QHBoxLayout = like(QtWidgets.QHBoxLayout)
Qt = QtCore.Qt
QTimer = QtCore.QTimer
QUrl = QtCore.QUrl
QDesktopServices = QtGui.QDesktopServices
QObject = QtCore.QObject
QEvent = QtCore.QEvent
Qt = QtCore.Qt


class QFileDialog:
    """Nobody is there to choose a file, so each dialog is cancelled; a test puts an answer in place."""

    @staticmethod
    def getExistingDirectory(parent, title: str, folder: str = "") -> str:
        return ""

    @staticmethod
    def getOpenFileName(parent, title: str, folder: str = "", kinds: str = "") -> str:
        return ""
