"""How results are called."""

import re

from slicer.i18n import tr as _


def resultName(inputName: str, method: str) -> str:
    """How a new result is called; the result of filling a result is not "filled" twice."""
    return _("{input} filled ({method})").format(input=originalName(inputName), method=method)


def originalName(name: str) -> str:
    """Of the volume that was filled first, when a result is filled again."""
    return re.sub(r"( filled \([^()]*\)(_\d+)?)+$", "", name)
