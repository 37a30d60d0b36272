"""The shipped constants of the uncertainty, by kind of image and method, as ``uncertainty-constants`` printed them.

They are learned in people of the splits train and val (``python -m Research uncertainty-constants``) and tested in
people of the split test (``docs/uncertainty``).
"""

from __future__ import annotations

from .calibration import Calibration
from .modality import CT, FILM, MR

#: Modality and number of axes -> method -> its constants.
TABLE: dict[tuple[str, int], dict[str, Calibration]] = {
    (MR.name, 3): {
        "biharmonic": Calibration((0.174, 0.417, 0.588, 0.588, 0.588)),
        "harmonic": Calibration((0.253, 0.506, 0.609, 0.609, 0.609)),
        "nearest": Calibration((0.315, 0.565, 0.82, 0.82, 1.035)),
        "shell-mean": Calibration((0.644, 0.662, 0.662, 0.662, 0.662)),
        "patch": Calibration((0.954, 1.969, 2.975, 2.975, 2.975), own=1),
        "patch-regression": Calibration((0.922, 0.922, 0.922, 0.922, 0.922), own=1),
        "mirror": Calibration((0.965, 1.981, 2.84, 3.249, 3.249), own=1),
        "atlas": Calibration((0.256, 0.609, 0.717, 0.717, 0.717), own=0.9),
        "consensus": Calibration((0.312, 0.616, 0.664, 0.664, 0.664), own=0.9),
        "unet": Calibration((0.162, 0.335, 0.484, 0.484, 0.484)),
    },
    (MR.name, 2): {
        "biharmonic": Calibration((0.247, 0.518, 0.844, 1.092, 1.092)),
        "harmonic": Calibration((0.323, 0.602, 0.855, 0.855, 1.005)),
        "nearest": Calibration((0.339, 0.69, 1.032, 1.032, 1.11)),
        "shell-mean": Calibration((0.869, 0.869, 0.958, 0.958, 1.144)),
        "patch": Calibration((0.954, 1.657, 2.999, 2.999, 4.05), own=1),
        "patch-regression": Calibration((0.497, 0.746, 1.106, 1.144, 1.264), own=0.9),
    },
    (CT.name, 2): {
        "biharmonic": Calibration((0.159, 0.31, 0.442, 0.586, 1.364)),
        "harmonic": Calibration((0.217, 0.377, 0.455, 0.487, 1.081)),
        "nearest": Calibration((0.216, 0.377, 0.511, 0.511, 1.312)),
        "shell-mean": Calibration((0.544, 0.544, 0.544, 0.544, 1.071)),
        "patch": Calibration((1.257, 1.972, 2.397, 4.172, 11.41), own=1),
        "patch-regression": Calibration((0.146, 0.309, 0.439, 0.583, 1.433)),
        "hybrid": Calibration((0.425, 0.704, 0.963, 1.37, 3.914), own=0.9),
        "unet": Calibration((0.163, 0.29, 0.352, 0.467, 1.437)),
    },
    (FILM.name, 2): {
        "biharmonic": Calibration((0.09, 0.127, 0.295, 0.537, 0.537)),
        "harmonic": Calibration((0.121, 0.156, 0.318, 0.54, 0.54)),
        "patch": Calibration((1.433, 1.967, 1.967, 2.877, 3.694), own=1),
        "unet": Calibration((0.109, 0.116, 0.217, 0.43, 0.43)),
    },
}
#: Where only trial holes of the image itself say how large the errors of a method are: how those of the smooth fills,
#: mirror, atlas and consensus in heads grow with depth on average, for the trial holes to scale.
UNSCALED = Calibration((0.2, 0.5, 0.75, 0.76, 0.84))
#: So many trial holes count as much as the other people: 5.8 in the heads of the 12 people that the constants are of.
HOLES = 6.0


def calibration_of(method: str, modality: str, axes: int) -> Calibration | None:
    """Return the constants of a method; None where nothing was measured.

    Args:
        method: its name.
        modality: name of the image's.
        axes: along which the image has several voxels.
    """
    return TABLE.get((modality, axes), {}).get(method)
