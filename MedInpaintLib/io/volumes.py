"""Which volume of a 4-D file is meant."""

from __future__ import annotations

from pathlib import Path

from ..errors import ImageReadError, ParameterError


def chosen(number: int | None, count: int, path: Path) -> int:
    """Return the number of the volume to read from a file with so many.

    >>> chosen(None, 1, Path("t1.nii.gz")), chosen(2, 3, Path("fmri.nii.gz"))
    (0, 2)

    Raises:
        ImageReadError: there are several, and none was chosen.
        ParameterError: there is no volume of this number.
    """
    if number is None:
        if count > 1:
            raise ImageReadError(
                f"'{path}' is 4-D with {count} volumes in it. 'medinpaint fill' fills all of them, or the one of 0 to "
                f"{count - 1} that --volume (volume=) names; for anything else, split it into 3-D volumes."
            )
        return 0
    if not 0 <= number < count:
        there = f"its volumes are 0 to {count - 1}" if count > 1 else "it is a single volume; leave --volume out"
        raise ParameterError(f"'{path}' has no volume {number}: {there}.")
    return number
