"""Inpainting methods, one file each; :mod:`.registry` finds them.

The package is also the function ``MedInpaintLib.methods()``: importing a submodule binds its name in the parent
package, so a plain function of that name would vanish the first time a method is used.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .registry import MethodInfo


class _CallablePackage(types.ModuleType):
    def __call__(self) -> dict[str, MethodInfo]:
        """All methods by name, in alphabetical order."""
        from .registry import methods

        return methods()


sys.modules[__name__].__class__ = _CallablePackage
