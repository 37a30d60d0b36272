"""Names of version 0.1 that work in 0.2 with a warning."""

from __future__ import annotations

import sys
import types
import warnings
from typing import Any


def make_callable(package: str, new: str) -> None:
    """Let a package be called, as ``MedInpaintLib.methods()`` was in 0.1.

    Args:
        package: its full name.
        new: the function of ``MedInpaintLib`` that took its place.
    """

    class CallablePackage(types.ModuleType):
        def __call__(self) -> dict[str, Any]:
            message = f"{package}() is deprecated and goes with 0.3; call MedInpaintLib.{new}()."
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            return getattr(sys.modules[package.partition(".")[0]], new)()

    sys.modules[package].__class__ = CallablePackage
