"""Trained models: :mod:`.bundle` is the format, :mod:`.store` knows where they lie.

The package is also the function ``MedInpaintLib.models()``, for the reason that :mod:`MedInpaintLib.methods` gives.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bundle import Bundle


class _CallablePackage(types.ModuleType):
    def __call__(self) -> dict[str, Bundle]:
        """All models that can be used, by name, in alphabetical order."""
        from .store import models

        return models()


sys.modules[__name__].__class__ = _CallablePackage
