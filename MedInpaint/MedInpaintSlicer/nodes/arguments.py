"""What scripts hand over, looked at before anything is done with it.

Each check raises an error of one line: which argument was wrong, what it must be, and what was found. What may be left
out is None.
"""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from slicer.i18n import tr as _


def checkVolume(name: str, node: Any) -> None:
    """A scalar volume, or None.

    Raises:
        MedInpaintLib.errors.InputError: it is something else.
    """
    from MedInpaintLib.errors import InputError

    if not _isNodeOrNone(node, "vtkMRMLScalarVolumeNode"):
        raise _refusal(InputError, name, _("a scalar volume node, such as getNode('T1')"), node)


def checkSegmentation(name: str, node: Any) -> None:
    """A segmentation, or None.

    Raises:
        MedInpaintLib.errors.MaskError: it is something else.
    """
    from MedInpaintLib.errors import MaskError

    if not _isNodeOrNone(node, "vtkMRMLSegmentationNode"):
        wanted = _("a segmentation node (import a label map into one in the module Segmentations)")
        raise _refusal(MaskError, name, wanted, node)


def checkNode(name: str, node: Any) -> None:
    """Any node, or None.

    Raises:
        MedInpaintLib.errors.InputError: it is something else.
    """
    from MedInpaintLib.errors import InputError

    if not _isNodeOrNone(node, "vtkMRMLNode"):
        raise _refusal(InputError, name, _("a node of the scene, such as getNode('T1')"), node)


def checkText(name: str, value: Any) -> None:
    """A text.

    Raises:
        MedInpaintLib.errors.ParameterError: it is something else.
    """
    from MedInpaintLib.errors import ParameterError

    if not isinstance(value, str):
        raise _refusal(ParameterError, name, _("a text"), value)


def checkPath(name: str, value: Any) -> None:
    """A file or folder, or None.

    Raises:
        MedInpaintLib.errors.ParameterError: it is something else.
    """
    from MedInpaintLib.errors import ParameterError

    if value is not None and not isinstance(value, (str, os.PathLike)):
        raise _refusal(ParameterError, name, _("a path"), value)


def checkValues(name: str, values: Any) -> None:
    """Names -> plain numbers and texts, or None.

    Raises:
        MedInpaintLib.errors.ParameterError: it is something else.
    """
    from MedInpaintLib.errors import ParameterError

    wanted = _("a dict of names and plain numbers or texts")
    if values is None:
        return
    if not isinstance(values, Mapping):
        raise _refusal(ParameterError, name, wanted, values)
    try:
        json.dumps(dict(values))  # as the engine gets it
    except (TypeError, ValueError):
        raise _refusal(ParameterError, name, wanted, values) from None


def checkMapping(name: str, value: Any) -> None:
    """Names or nodes -> something.

    Raises:
        MedInpaintLib.errors.InputError: it is something else.
    """
    from MedInpaintLib.errors import InputError

    if not isinstance(value, Mapping):
        raise _refusal(InputError, name, _("a dict"), value)


def volumes(name: str, given: Any) -> tuple[Any, ...]:
    """One volume or several; there are none in None.

    Raises:
        MedInpaintLib.errors.InputError: one of them is no scalar volume.
    """
    from MedInpaintLib.errors import InputError

    several = _several(given)
    for node in several:
        if node is None or not _isNodeOrNone(node, "vtkMRMLScalarVolumeNode"):
            raise _refusal(InputError, name, _("scalar volume nodes, such as [getNode('T1')]"), node)
    return several


def texts(name: str, given: Any) -> tuple[str, ...]:
    """One text or several, each once.

    Raises:
        MedInpaintLib.errors.ParameterError: one of them is no text.
    """
    from MedInpaintLib.errors import ParameterError

    several = _several(given)
    for each in several:
        if not isinstance(each, str):
            raise _refusal(ParameterError, name, _("texts"), each)
    return tuple(dict.fromkeys(several))


def wholeNumber(name: str, value: Any) -> int:
    """A whole number, perhaps as a text.

    Raises:
        MedInpaintLib.errors.ParameterError: it is something else.
    """
    from MedInpaintLib.errors import ParameterError

    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise _refusal(ParameterError, name, _("a whole number"), value) from None


def number(name: str, value: Any) -> float:
    """A number, perhaps as a text.

    Raises:
        MedInpaintLib.errors.ParameterError: it is something else.
    """
    from MedInpaintLib.errors import ParameterError

    try:
        return float(value)
    except (TypeError, ValueError):
        raise _refusal(ParameterError, name, _("a number"), value) from None


def _isNodeOrNone(node: Any, className: str) -> bool:
    return node is None or (_isNode(node) and bool(node.IsA(className)))


def _isNode(value: Any) -> bool:
    return hasattr(value, "IsA") and hasattr(value, "GetName")


def _several(given: Any) -> tuple[Any, ...]:
    """What is inside a list and the like; another thing is one by itself."""
    if given is None:
        return ()
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def _refusal(kind: type[Exception], name: str, wanted: str, given: Any) -> Exception:
    message = _("The argument {name} must be {wanted}; found {found}.")
    return kind(message.format(name=name, wanted=wanted, found=_described(given)))


def _described(value: Any) -> str:
    """In a few words: "the vtkMRMLLabelMapVolumeNode 'lesion'", "'T1'"."""
    if _isNode(value):
        return _("the {kind} '{name}'").format(kind=value.GetClassName(), name=value.GetName())
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
