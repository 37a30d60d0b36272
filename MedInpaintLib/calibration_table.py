"""The shipped constants of the uncertainty, by kind of image and method, as ``uncertainty-constants`` printed them.

They are learned in people of the splits train and val (``python -m Research uncertainty-constants``) and tested in
people of the split test (``docs/uncertainty``).
"""

from __future__ import annotations

from .calibration import Calibration

#: Modality and number of axes -> method -> its constants.
TABLE: dict[tuple[str, int], dict[str, Calibration]] = {
    ("MR", 3): {
        "biharmonic": Calibration((0.193, 0.432, 0.626, 0.668, 0.876)),
        "harmonic": Calibration((0.27, 0.647, 0.769, 0.769, 0.769)),
        "nearest": Calibration((0.325, 0.671, 1.014, 1.014, 1.014)),
        "shell-mean": Calibration((0.665, 0.783, 0.783, 0.783, 0.783)),
        "patch": Calibration((1.015, 2.073, 3.154, 3.154, 3.683), own=1),
        "patch-regression": Calibration((0.954, 1.011, 1.043, 1.043, 1.043), own=1),
        "mirror": Calibration((0.151, 0.352, 0.535, 0.637, 0.737)),
        "unet": Calibration((0.16, 0.427, 0.784, 0.784, 0.797)),
        "atlas": Calibration((0.179, 0.386, 0.535, 0.562, 0.583)),
        "consensus": Calibration((0.148, 0.329, 0.481, 0.539, 0.588)),
    },
    ("MR", 2): {
        "biharmonic": Calibration((0.247, 0.518, 0.844, 1.092, 1.092)),
        "harmonic": Calibration((0.323, 0.602, 0.855, 0.855, 1.005)),
        "nearest": Calibration((0.339, 0.69, 1.032, 1.032, 1.11)),
        "shell-mean": Calibration((0.869, 0.869, 0.958, 0.958, 1.144)),
        "patch": Calibration((0.954, 1.657, 2.999, 2.999, 4.05), own=1),
        "patch-regression": Calibration((0.497, 0.746, 1.106, 1.144, 1.264), own=0.9),
    },
    ("CT", 2): {
        "biharmonic": Calibration((0.159, 0.31, 0.442, 0.586, 1.364)),
        "harmonic": Calibration((0.217, 0.377, 0.455, 0.487, 1.081)),
        "nearest": Calibration((0.216, 0.377, 0.511, 0.511, 1.312)),
        "shell-mean": Calibration((0.544, 0.544, 0.544, 0.544, 1.071)),
        "patch": Calibration((1.257, 1.972, 2.397, 4.172, 11.41), own=1),
        "patch-regression": Calibration((0.146, 0.309, 0.439, 0.583, 1.433)),
        "hybrid": Calibration((0.425, 0.704, 0.963, 1.37, 3.914), own=0.9),
        "unet": Calibration((0.163, 0.29, 0.352, 0.467, 1.437)),
    },
    ("film", 2): {
        "biharmonic": Calibration((0.09, 0.127, 0.295, 0.537, 0.537)),
        "harmonic": Calibration((0.121, 0.156, 0.318, 0.54, 0.54)),
        "patch": Calibration((1.433, 1.967, 1.967, 2.877, 3.694), own=1),
        "unet": Calibration((0.109, 0.116, 0.217, 0.43, 0.43)),
    },
}
#: Where only trial holes of the image itself say how large the errors of a method are: how those of the smooth fills,
#: mirror, atlas and consensus in heads grow with depth on average, for the trial holes to scale.
UNSCALED = Calibration((0.2, 0.5, 0.75, 0.76, 0.84))
#: So many trial holes count as much as the other people. In the images that the constants are of, holes of one image
#: differ by a factor of 1.6 and images by 1.1, which makes 26; images unlike them will differ more, and 8 trial holes
#: count half where images differ by a factor of 1.2.
HOLES = 8.0


def calibration_of(method: str, modality: str, axes: int) -> Calibration | None:
    """Return the constants of a method; None where nothing was measured.

    Args:
        method: its name.
        modality: name of the image's.
        axes: along which the image has several voxels.
    """
    return TABLE.get((modality, axes), {}).get(method)
