"""MedInpaint's engine: fill holes in medical images, without Slicer.

>>> import MedInpaintLib as mi
>>> result = mi.inpaint("t1.nii.gz", "lesion.nii.gz", method="auto")  # doctest: +SKIP
>>> result.save("filled.nii.gz")  # doctest: +SKIP

Names are loaded when they are first used, so the import itself takes milliseconds.
"""

from __future__ import annotations

import importlib

#: Type checkers take this name for true; importing typing takes 6 ms, three quarters of the whole import.
TYPE_CHECKING = False

__version__ = "0.1.0"

_WHERE = {
    "inpaint": ".pipeline",
    "inpaint_together": ".pipeline",
    "impute": ".imputation.impute",
    "lesion_back": ".segmentation.lesion_back",
    "atlas_edges": ".pipeline",
    "Result": ".result",
    "Volume": ".volume",
    "Progress": ".progress",
    "evaluate": ".evaluation.protocol",
    "MedInpaintError": ".errors",
}

__all__ = [  # noqa: RUF022 - in the order in which a reader wants them
    "inpaint",
    "inpaint_together",
    "impute",
    "lesion_back",
    "atlas_edges",
    "Result",
    "Volume",
    "evaluate",
    "list_methods",
    "list_models",
    "Progress",
    "MedInpaintError",
    "__version__",
]

if TYPE_CHECKING:
    from typing import Any

    from .errors import MedInpaintError
    from .evaluation.protocol import evaluate
    from .imputation.impute import impute
    from .methods.registry import MethodInfo
    from .models.bundle import Bundle
    from .pipeline import atlas_edges, inpaint, inpaint_together
    from .progress import Progress
    from .result import Result
    from .segmentation.lesion_back import lesion_back
    from .volume import Volume


def list_methods() -> dict[str, MethodInfo]:
    """List all methods by name, in alphabetical order.

    >>> list_methods()["harmonic"].family
    'PDE'
    """
    return _module(".methods.registry").methods()


def list_models() -> dict[str, Bundle]:
    """List all models that can be used by name, in alphabetical order.

    >>> list_models()["brain-mr-unet"].modality
    'MR'
    """
    return _module(".models.store").models()


def _module(name: str) -> Any:
    """Import a module by its name relative to this package, which thus depends on none of them."""
    return importlib.import_module(name, __name__)


def __getattr__(name: str) -> Any:
    if name in ("methods", "models"):
        return _module(f".{name}")
    if name in _WHERE:
        return getattr(_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
