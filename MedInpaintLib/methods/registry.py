"""The methods, found by looking into this folder: adding a method is adding one file."""

from __future__ import annotations

import importlib
import pkgutil

from ..errors import ParameterError
from ..prediction import METHODS, MethodInfo


def methods() -> dict[str, MethodInfo]:
    """Return all methods by name, in alphabetical order."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{__package__}.{module.name}")
    return dict(sorted(METHODS.items()))


def get(name: str) -> MethodInfo:
    """Return the method called ``name``.

    Raises:
        ParameterError: there is none; the message lists those there are.
    """
    known = methods()
    if name not in known:
        raise ParameterError(f"There is no method '{name}'; the methods are: auto, {', '.join(known)}.")
    return known[name]
