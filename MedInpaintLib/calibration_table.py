"""The shipped constants of the uncertainty, by kind of image and method, as ``uncertainty-constants`` printed them.

They are learned in people of the splits train and val (``python -m Research uncertainty-constants``) and tested in
people of the split test (``docs/uncertainty``).
"""

from __future__ import annotations

from .calibration import Calibration

#: Modality and number of axes -> method -> its constants.
TABLE: dict[tuple[str, int], dict[str, Calibration]] = {}
#: Where only trial holes of the image itself say how large the errors of a method are: about how those of all methods
#: above grow with depth, for the trial holes to scale.
UNSCALED = Calibration((0.2, 0.35, 0.45, 0.6, 0.7))
#: A scan's factor, from so many trial holes as these, counts half: holes of one scan differ as much as their mean does
#: between scans.
HOLES = 3.0


def calibration_of(method: str, modality: str, axes: int) -> Calibration | None:
    """Return the constants of a method; None where nothing was measured.

    Args:
        method: its name.
        modality: name of the image's.
        axes: along which the image has several voxels.
    """
    return TABLE.get((modality, axes), {}).get(method)
