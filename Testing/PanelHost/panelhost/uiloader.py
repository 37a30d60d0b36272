"""Loads .ui files; Qt's own loader cannot make the stand-in's classes. What it does not know is an error."""

import xml.etree.ElementTree as ElementTree

from PySide6 import QtCore, QtWidgets

from . import pythonqt, widgets


def load(path: str):
    """The top-level widget of a .ui file, with everything inside and the file's connections made."""
    root = ElementTree.parse(path).getroot()
    top = _widget(root.find("widget"), None)
    for connection in root.iterfind("connections/connection"):
        sender, signal, receiver, slot = (connection.findtext(tag) for tag in ("sender", "signal", "receiver", "slot"))
        getattr(_named(top, sender), signal.partition("(")[0]).connect(
            getattr(_named(top, receiver), slot.partition("(")[0])
        )
    return top


def _named(top, name: str):
    return top if top.objectName == name else top.findChild(QtWidgets.QWidget, name)


def _class(name: str) -> type:
    return getattr(widgets, name, None) or getattr(pythonqt, name)


def _widget(element, parent):
    made = _class(element.get("class"))(parent)
    made.objectName = element.get("name")
    for description in element.iterfind("property"):
        _setProperty(made, description)
    for page in element.iterfind("widget"):  # outside a layout: of a QTabWidget
        titles = {each.get("name"): each.findtext("string") for each in page.iterfind("attribute")}
        made.setTabToolTip(made.addTab(_widget(page, made), titles["title"]), titles["toolTip"])
    layout = element.find("layout")
    if layout is not None:
        made.setLayout(_layout(layout, made))
    if made.property("collapsed"):  # Qt's children hide as they come; the stand-in's are hidden when all are there
        made.collapsed = True
    return made


def _layout(element, owner):
    made = _class(element.get("class"))()
    made.objectName = element.get("name")
    margins = {"leftMargin": None, "topMargin": None, "rightMargin": None, "bottomMargin": None}
    for description in element.iterfind("property"):
        if description.get("name") in margins:
            margins[description.get("name")] = int(description[0].text)
        else:
            _setProperty(made, description)
    if None not in margins.values():
        made.setContentsMargins(*margins.values())
    for item in element.iterfind("item"):
        _addItem(made, item, owner)
    return made


def _addItem(layout, item, owner) -> None:
    content = item[0]
    if content.tag == "spacer":
        layout.addStretch()
        return
    made = _widget(content, owner) if content.tag == "widget" else _layout(content, owner)
    isWidget = content.tag == "widget"
    if isinstance(layout, QtWidgets.QFormLayout):
        roles = QtWidgets.QFormLayout.ItemRole
        role = (
            roles.SpanningRole if item.get("colspan") else (roles.LabelRole, roles.FieldRole)[int(item.get("column"))]
        )
        (layout.setWidget if isWidget else layout.setLayout)(int(item.get("row")), role, made)
    else:
        (layout.addWidget if isWidget else layout.addLayout)(made)


def _setProperty(target, description) -> None:
    name, value = description.get("name"), description[0]
    if description.get("stdset") == "0":
        QtCore.QObject.setProperty(target, name, value.text)
    elif value.tag == "sizepolicy":
        policy = QtWidgets.QSizePolicy.Policy
        target.setSizePolicy(policy[value.get("hsizetype")], policy[value.get("vsizetype")])
    elif value.tag == "rect":
        target.resize(int(value.findtext("width")), int(value.findtext("height")))
    elif value.tag == "size":
        setattr(target, name, QtCore.QSize(int(value.findtext("width")), int(value.findtext("height"))))
    elif value.tag in ("enum", "set"):
        meta = target.metaObject()
        enumerator = meta.property(meta.indexOfProperty(name)).enumerator()
        keys = [key.rpartition("::")[2] for key in value.text.split("|")]
        # The stand-in's own properties have no enumeration to look the keys up in.
        setattr(target, name, enumerator.keysToValue("|".join(keys))[0] if enumerator.isValid() else keys)
    else:
        setattr(target, name, _CONVERTERS[value.tag](value))


_CONVERTERS = {
    "string": lambda value: value.text or "",
    "bool": lambda value: value.text == "true",
    "number": lambda value: int(value.text),
    "double": lambda value: float(value.text),
    "stringlist": lambda value: [line.text for line in value],
}
