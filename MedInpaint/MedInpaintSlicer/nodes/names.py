"""The names of results."""

import re

from slicer.i18n import tr as _


def resultName(inputName: str, method: str) -> str:
    """Return the name of a new result, which has "filled" only once even if its input is a result."""
    return _("{input} filled ({method})").format(input=originalName(inputName), method=method)


def originalName(name: str) -> str:
    """Return a name without the additions of earlier fills."""
    return re.sub(r"( filled \([^()]*\)(_\d+)?)+$", "", name)
