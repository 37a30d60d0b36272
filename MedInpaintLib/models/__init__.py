"""Trained models: :mod:`.bundle` is the format, :mod:`.store` knows where they lie.

Calling the package, as in ``MedInpaintLib.models()``, is the name that version 0.1 had for
:func:`MedInpaintLib.list_models`. It works in 0.2 with a warning.
"""

from __future__ import annotations

import sys
import types
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bundle import Bundle


class _CallablePackage(types.ModuleType):
    def __call__(self) -> dict[str, Bundle]:
        from .store import models

        message = "MedInpaintLib.models() is deprecated and goes with 0.3; call MedInpaintLib.list_models()."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return models()


sys.modules[__name__].__class__ = _CallablePackage
