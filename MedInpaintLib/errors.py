"""The error tree: everything a user can cause derives from :class:`MedInpaintError`.

Each message is one line: what was wrong, what was found and what to do about it. No traceback is shown with it.
"""

from __future__ import annotations

import traceback


class MedInpaintError(Exception):
    """Base of every error that MedInpaint raises on purpose."""


class InputError(MedInpaintError, ValueError):
    """What was given cannot be used; nothing was computed (the command line exits with 2)."""


class ImageReadError(InputError):
    """A file or folder is missing, is not an image, or holds a kind of image that is not supported."""


class GeometryError(InputError):
    """Grids, spacings or orientations do not fit each other."""


class MaskError(InputError):
    """The hole is empty, covers everything, or names labels that do not exist."""


class DoubtError(InputError):
    """The inputs look wrong, though they can be used: ``force`` goes on with them."""


class IntensityError(InputError):
    """Known voxels hold NaN or infinity."""


class ParameterError(InputError):
    """A method, option or parameter is unknown or out of range."""


class ModelError(InputError):
    """A model bundle is missing, damaged, or of another kind."""


class OutputError(MedInpaintError, OSError):
    """A result could not be written; files that were there before are as they were."""


class OutputPathError(OutputError, InputError):
    """The folder for a result does not exist, or its format is unknown; found before any work was done."""


class ConvergenceError(MedInpaintError):
    """An iterative solver stopped before it reached the asked accuracy."""


class MethodError(MedInpaintError):
    """A method returned something that is no fill; a fault of the method, not of the input."""


class MissingDependencyError(MedInpaintError, ImportError):
    """An optional package is needed and not installed; the message gives the command that installs it."""


class Cancelled(MedInpaintError):
    """The user asked to stop. Nothing was written."""


def in_one_line(error: Exception) -> str:
    """Describe any error to the user in one line; a fault of the program is named as one."""
    if isinstance(error, MedInpaintError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"The package '{error.name}' is needed and not installed; install it with: pip install {error.name}"
    if isinstance(error, MemoryError):
        return "There is not enough memory for this volume; crop it around the hole and try again."
    what = " ".join("".join(traceback.format_exception_only(type(error), error)).split())
    return f"An unexpected error, please report it with the traceback: {what}"


def is_fault(error: Exception) -> bool:
    """Return whether an error is a fault of the program, whose traceback its developers need."""
    return not isinstance(error, (MedInpaintError, ModuleNotFoundError, MemoryError))
