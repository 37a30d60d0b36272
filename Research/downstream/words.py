"""What the page of the study says beside its tables."""

from __future__ import annotations

from .arms import BASE, NOT_IN_STROKES
from .registration import BEND, CONTROL, DEGREES, GRID, NEAR, POINTS, SCALE, SHIFT
from .segmenters import BLOCK

QUESTION = (
    "# Does it matter downstream?\n\n"
    "Lesions are filled so that programs that look at the rest of the head are not misled. How wrong are tissue\n"
    "volumes, a registration and a brain extraction with lesions left in, masked out, and filled?"
)
CASES = (
    "Lesions of real shapes in healthy heads: MS in white matter as on the page of\n"
    "[tissue-volumes](../tissue-volumes/README.md), MS at ventricles and at the cortex, too (about half of these\n"
    "lesions is white matter), and strokes as on that of [real lesions](../real-lesions/README.md).\n"
    "MS lesions are darker than white matter by 0.8 to 1.4 times its contrast to grey matter, old strokes lie\n"
    "between grey matter and CSF; noise stays. Tissues are told apart by the k-means of\n"
    "tissue-volumes, by HMRF of dipy, and by Atropos of ANTs.\n"
    f"{', '.join(f'`{each}`' for each in NOT_IN_STROKES)} is left out of strokes: it learns nothing so far from the\n"
    "rim. Other methods, and other sizes of strokes, that a table lacks were not measured yet; the command adds them."
)
FIGURE_SAYS = (
    "*Errors over what was done: a dot a person, a diamond their mean. Volumes are the mean of the three programs.*"
)
VOLUMES = (
    "The volume of a tissue in the whole brain, less that which the same program finds in the healthy head, in\n"
    "percent of the latter, without its sign; the mean over people ± its standard error. MS lesions that are masked\n"
    "out count as white matter, masked strokes as no tissue. *Compared* is by how much the error is smaller than\n"
    f"after `{BASE}`, in percentage points: the mean of the three programs, averaged over people, with its 95 %\n"
    "t-interval. Networks are judged as released. *s* is the processor time of a fill on a busy machine, a rough\n"
    "guide."
)
OUTSIDE = (
    "What a lesion does to the measurement of the tissue that is left: volumes outside the lesions, in percent of\n"
    "the true ones there; the mean of the three programs."
)
REGISTRATION = (
    "The healthy head, deformed, with other noise and another contrast curve, is registered onto the head with\n"
    f"lesions, as an earlier scan of the same person would be: by SimpleITK, affine, then B-splines {CONTROL:g} mm\n"
    f"apart, by correlation, on {GRID:g} mm. The deformation is known: up to {DEGREES:g} degrees about each axis,\n"
    f"{SHIFT:g} mm, {100 * SCALE:g} % of size, and a smooth part of up to {BEND:g} mm. The error in mm is the mean\n"
    f"over {POINTS} points of healthy tissue, up to {NEAR:g} mm from the lesions (*near*) and beyond (*far*). Masked\n"
    "out: the registration is given a mask without the lesion. It was measured for strokes alone, which are large\n"
    "enough to mislead it."
)
EXTRACTION = (
    "`deepbet` finds the brain in heads with skull: Dice with the brain that it finds in the healthy head, and the\n"
    f"error of the volume. *Compared* is by how much Dice is larger than after `{BASE}`. It cannot be told to leave\n"
    "lesions out."
)
LIMITS = (
    "## Limits\n\n"
    "The lesions' intensities are simulated, and nothing around them swells or shrinks. HMRF and Atropos run on\n"
    f"means of {BLOCK} x {BLOCK} x {BLOCK} voxels, to be quick; neither they nor the registration correct a bias\n"
    "field. A registration between people has larger errors of its own, which hide those of lesions."
)


def made_by(volumes: int, skulls: int, split: str, made: str) -> str:
    """Return whose heads were measured, and how it is done again.

    Args:
        volumes, skulls: people without skull, and with skull.
        split: of the data.
        made: when and on what it was measured.
    """
    return (
        f"T1 of {volumes} healthy people without skull (`ds002748`) and of {skulls} with skull (brain extraction),\n"
        f"split **{split}**; settings were chosen on one head of val. Made by\n\n"
        f"    python -m Research downstream --data DATA --split {split}\n\n"
        f"on {made}. It resumes where it was stopped, and its seeds are made of the names of people and lesions.\n"
        'dipy, ANTsPy and deepbet, which comes with its weights, are installed by `pip install ".[cli,downstream]"`.'
    )
