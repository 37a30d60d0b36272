"""Checks of the arguments of scripts, before a job starts.

The errors, of the engine's classes, say in one line which argument was wrong, what it must be, and what was found.
"""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from slicer.i18n import tr as _


def checkVolume(name: str, node: Any) -> None:
    """Check that an argument is a scalar volume or None; raise an InputError otherwise."""
    from MedInpaintLib.errors import InputError

    if not _isNodeOrNone(node, "vtkMRMLScalarVolumeNode"):
        raise _refusal(InputError, name, _("a scalar volume node, such as getNode('T1')"), node)


def checkSegmentation(name: str, node: Any) -> None:
    """Check that an argument is a segmentation or None; raise a MaskError otherwise."""
    from MedInpaintLib.errors import MaskError

    if not _isNodeOrNone(node, "vtkMRMLSegmentationNode"):
        expected = _("a segmentation node (import a label map into one in the module Segmentations)")
        raise _refusal(MaskError, name, expected, node)


def checkNode(name: str, node: Any) -> None:
    """Check that an argument is a node of any class or None; raise an InputError otherwise."""
    from MedInpaintLib.errors import InputError

    if not _isNodeOrNone(node, "vtkMRMLNode"):
        raise _refusal(InputError, name, _("a node of the scene, such as getNode('T1')"), node)


def text(name: str, value: Any) -> str:
    """Return an argument that is a text; raise a ParameterError for anything else."""
    from MedInpaintLib.errors import ParameterError

    if not isinstance(value, str):
        raise _refusal(ParameterError, name, _("a text"), value)
    return value


def checkPath(name: str, value: Any) -> None:
    """Check that an argument is the path of a file or folder, or None; raise a ParameterError otherwise."""
    from MedInpaintLib.errors import ParameterError

    if value is not None and not isinstance(value, (str, os.PathLike)):
        raise _refusal(ParameterError, name, _("a path"), value)


def values(name: str, value: Any) -> dict[str, Any]:
    """Return a dict of names and plain values, empty for None; raise a ParameterError for anything else."""
    from MedInpaintLib.errors import ParameterError

    if value is None:
        return {}
    try:
        json.dumps({**value})  # the engine gets the values as JSON; only mappings can be spread
    except (TypeError, ValueError):
        raise _refusal(ParameterError, name, _("a dict of names and plain numbers or texts"), value) from None
    return {**value}


def checkMapping(name: str, value: Any) -> None:
    """Check that an argument is a dict or another mapping; raise an InputError otherwise."""
    from MedInpaintLib.errors import InputError

    if not isinstance(value, Mapping):
        raise _refusal(InputError, name, _("a dict"), value)


def volumes(name: str, value: Any) -> tuple[Any, ...]:
    """Return one volume or several as a tuple, empty for None; raise an InputError for anything else."""
    from MedInpaintLib.errors import InputError

    several = _several(value)
    for node in several:
        if node is None or not _isNodeOrNone(node, "vtkMRMLScalarVolumeNode"):
            raise _refusal(InputError, name, _("scalar volume nodes, such as [getNode('T1')]"), node)
    return several


def texts(name: str, value: Any) -> tuple[str, ...]:
    """Return one text or several as a tuple without duplicates; raise a ParameterError for anything else."""
    from MedInpaintLib.errors import ParameterError

    several = _several(value)
    for each in several:
        if not isinstance(each, str):
            raise _refusal(ParameterError, name, _("texts"), each)
    return tuple(dict.fromkeys(several))


def wholeNumber(name: str, value: Any) -> int:
    """Return a whole number, which may be a text; raise a ParameterError for anything else."""
    from MedInpaintLib.errors import ParameterError

    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise _refusal(ParameterError, name, _("a whole number"), value) from None


def number(name: str, value: Any) -> float:
    """Return a number, which may be a text; raise a ParameterError for anything else."""
    from MedInpaintLib.errors import ParameterError

    try:
        return float(value)
    except (TypeError, ValueError):
        raise _refusal(ParameterError, name, _("a number"), value) from None


def _isNodeOrNone(node: Any, className: str) -> bool:
    return node is None or (_isNode(node) and bool(node.IsA(className)))


def _isNode(value: Any) -> bool:
    return hasattr(value, "IsA") and hasattr(value, "GetName")


def _several(value: Any) -> tuple[Any, ...]:
    """Return the items of a list or another iterable as a tuple; any other value becomes the only item."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


def _refusal(kind: type[Exception], name: str, expected: str, value: Any) -> Exception:
    message = _("The argument {name} must be {expected}; found {found}.")
    return kind(message.format(name=name, expected=expected, found=_described(value)))


def _described(value: Any) -> str:
    """Describe a value in a few words: "the vtkMRMLLabelMapVolumeNode 'lesion'", "'T1'"."""
    if _isNode(value):
        return _("the {kind} '{name}'").format(kind=value.GetClassName(), name=value.GetName())
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
