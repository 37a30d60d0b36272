"""The error tree: everything a user can cause derives from :class:`MedInpaintError`.

Each message is one line: what was wrong, what was found and what to do about it. No traceback is shown with it.
"""

from __future__ import annotations

import errno
import traceback

from . import texts


class MedInpaintError(Exception):
    """Base of every error that MedInpaint raises on purpose; as a text it is one line without control characters.

    >>> import MedInpaintLib as mi
    >>> try:
    ...     mi.inpaint([[1, 2], [3, 4]], [[0, 0], [0, 1]], method="magic")
    ... except MedInpaintError as error:
    ...     print(str(error).partition(";")[0])
    There is no method 'magic'
    """

    def __str__(self) -> str:
        return texts.in_one_line(super().__str__())


class InputError(MedInpaintError, ValueError):
    """What was given cannot be used; nothing was computed (the command line exits with 2)."""


class ImageReadError(InputError):
    """A file or folder is missing, is not an image, or holds a kind of image that is not supported."""


class GeometryError(InputError):
    """Grids, spacings or orientations do not fit each other."""


class MaskError(InputError):
    """The hole is empty, covers everything, or names labels that do not exist."""


class EmptyMaskError(MaskError):
    """The mask marks no voxel: an error of a single fill, and a control of a study."""


class DoubtError(InputError):
    """The inputs look wrong, though they can be used: ``force`` goes on with them."""


class IntensityError(InputError):
    """An image holds no data, or a single value."""


class ParameterError(InputError):
    """A method, option or parameter is unknown or out of range."""


class ModelError(InputError):
    """A model bundle is missing, damaged, or of another kind."""


class OutputError(MedInpaintError, OSError):
    """A result could not be written; files that were there before are as they were."""


class OutputPathError(OutputError, InputError):
    """The folder for a result does not exist, or its format is unknown; found before any work was done."""


class MachineError(MedInpaintError):
    """The machine lacks memory, disk space or the like; the same inputs may do elsewhere (exit code 1)."""


class ConvergenceError(MedInpaintError):
    """An iterative solver stopped before it reached the asked accuracy."""


class MethodError(MedInpaintError):
    """A method returned something that is no fill; a fault of the method, not of the input."""


class MissingDependencyError(MedInpaintError, ImportError):
    """An optional package is needed and not installed; the message gives the command that installs it."""


class Cancelled(MedInpaintError):
    """The user asked to stop. Nothing was written."""


#: Numbers of system errors that a user's path or its permissions cause, rather than the machine.
_INPUT_ERRNOS = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EACCES,
        errno.EPERM,
        errno.EEXIST,
        errno.ENOTEMPTY,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EINVAL,
        errno.ENXIO,
    }
)
#: Texts of memory errors without a class of their own, by the class that they have: of MPS, CUDA's driver and
#: libraries, torch on the CPU (Linux and Windows), C++'s allocator and ITK's; and numpy's for sizes beyond any memory.
_MEMORY_WORDS: dict[type[Exception], tuple[str, ...]] = {
    RuntimeError: (
        "out of memory",
        "ALLOC_FAILED",
        "can't allocate memory",
        "not enough memory",
        "bad_alloc",
        "Failed to allocate memory",
    ),
    ValueError: ("array is too big", "Maximum allowed dimension exceeded"),
}
#: Texts of Python's ValueErrors about a path or a number -> what to tell the user.
_VALUE_WORDS = {
    "embedded null": "A path or name holds a NUL character, which no file can have; correct it.",
    "for integer string conversion": "A number among the inputs or options has thousands of digits; correct it.",
}
#: Packages that parse texts, where too deep a recursion comes from the text.
_PARSERS = ("json", "tomllib", "tomli")


def as_ours(error: BaseException) -> MedInpaintError | None:
    """Translate an error into one of MedInpaint's by its kind; return None for a fault of the program.

    Everything that users and machines cause passes here on its way out, so that code need not guard against full disks,
    missing memory, permissions or characters by itself.
    """
    if isinstance(error, MedInpaintError):
        return error
    if isinstance(error, ModuleNotFoundError):
        return MissingDependencyError(
            f"The package '{error.name}' is needed and not installed; install it with: pip install {error.name}"
        )
    if is_out_of_memory(error):
        return MachineError("There is not enough memory for this volume; crop it around the hole and try again.")
    if isinstance(error, OSError) and error.errno is not None:
        return _of_the_system(error)
    if isinstance(error, UnicodeError):
        return InputError(f"A path or text holds characters that cannot be read or written here ({error}); rename it.")
    if isinstance(error, OverflowError):
        return InputError(f"A number among the inputs or options is too large to compute with ({error}); correct it.")
    if isinstance(error, RecursionError) and _was_parsing(error):
        return InputError("A text is nested too deeply to be read; is it the right file?")
    if isinstance(error, ValueError):
        return next((InputError(told) for words, told in _VALUE_WORDS.items() if words in str(error)), None)
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether this error means that the machine or a device has too little memory left."""
    # By name: before PyTorch 2.5 the class is elsewhere, and PyTorch may not be installed at all.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return any(
        isinstance(error, kind) and any(words in str(error) for words in known) for kind, known in _MEMORY_WORDS.items()
    )


def in_one_line(error: BaseException) -> str:
    """Describe any error to the user in one line; a fault of the program is named as one."""
    ours = as_ours(error)
    if ours is not None:
        return str(ours)
    what = texts.in_one_line(" ".join("".join(traceback.format_exception_only(type(error), error)).split()))
    return f"An unexpected error, please report it with the traceback: {what}"


def is_fault(error: BaseException) -> bool:
    """Return whether an error is a fault of the program, whose traceback its developers need."""
    return as_ours(error) is None


def _of_the_system(error: OSError) -> MedInpaintError:
    what = f"'{error.filename}'" if error.filename else "A file or the output stream"
    kind = InputError if error.errno in _INPUT_ERRNOS else MachineError
    return kind(f"{what} cannot be used ({error.strerror or error}).")


def _was_parsing(error: BaseException) -> bool:
    """Return whether an error was raised inside a parser."""
    step = error.__traceback__
    while step is not None:
        if str(step.tb_frame.f_globals.get("__name__", "")).partition(".")[0] in _PARSERS:
            return True
        step = step.tb_next
    return False
