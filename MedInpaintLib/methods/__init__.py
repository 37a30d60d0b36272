"""Inpainting methods, one file each; :mod:`.registry` finds them.

Calling the package, as in ``MedInpaintLib.methods()``, is the name that version 0.1 had for
:func:`MedInpaintLib.list_methods`. It works in 0.2 with a warning.
"""

from __future__ import annotations

import sys
import types
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .registry import MethodInfo


class _CallablePackage(types.ModuleType):
    def __call__(self) -> dict[str, MethodInfo]:
        from .registry import methods

        message = "MedInpaintLib.methods() is deprecated and goes with 0.3; call MedInpaintLib.list_methods()."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return methods()


sys.modules[__name__].__class__ = _CallablePackage
