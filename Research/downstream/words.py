"""Texts of the study's page, around its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .arms import BASE, NOT_IN_STROKES
from .lesions import BELOW_WHITE
from .registration import BEND, CONTROL, DEGREES, GRID, NEAR, POINTS, SCALE, SHIFT
from .segmenters import BLOCK

QUESTION = (
    "# Does it matter downstream?\n\n"
    "Lesions are filled so that programs that measure the rest of the head are not misled. How large are the errors\n"
    "of tissue volumes, a registration and a brain extraction with lesions left in, masked out, and filled?"
)
ANSWERS = (
    "*Left in*: nothing is done. *Masked out*: the program is told to ignore the lesions; masked strokes count as\n"
    "no tissue, so most of their error of volumes is the volume of the stroke. The best and the worst method are\n"
    "those with the smallest and the largest mean error in these people, of the methods that filled lesions in all of\n"
    "them; in other people the order may differ. *Compared* is by how much the best one's error is\n"
    f"smaller than after `{BASE}`, a smooth fill without learning, with its 95 % t-interval."
)
CASES = (
    "Lesions of real shapes are put into healthy heads, so that the truth is known: MS in white matter as on the page\n"
    "of [tissue-volumes](../tissue-volumes/README.md), MS at ventricles and at the cortex, too (about half of these\n"
    "lesions is white matter), and strokes as on that of [real lesions](../real-lesions/README.md). A stroke is named\n"
    "by the volume of its shape in an average head. The brains here are smaller, and what reaches beyond a brain is\n"
    "cut off: the headings give the volumes that were measured.\n"
    f"MS lesions are darker than white matter by {BELOW_WHITE[0]:g} to {BELOW_WHITE[1]:g} times its contrast to grey "
    "matter, old strokes lie\n"
    "between grey matter and CSF in intensity; noise stays. Three programs segment the tissues: the k-means of\n"
    "tissue-volumes, HMRF of dipy, and Atropos of ANTs.\n"
    f"{', '.join(f'`{each}`' for each in NOT_IN_STROKES)} is left out of strokes: it learns from tissue near the rim,\n"
    "and most of a stroke is too far from it."
)
FIGURE_SAYS = (
    "*Error (logarithmic) of each person (dots) and the mean over people (diamond). Errors of volumes are the mean of\n"
    "the three programs.*"
)
VOLUMES = (
    "The error is the volume of a tissue in the whole brain minus the volume that the same program finds in the\n"
    "healthy head, in percent of the latter, without its sign; the mean over people ± its standard error. MS lesions\n"
    "that are masked out count as white matter, masked strokes as no tissue. *Compared* is by how much the error is\n"
    f"smaller than after `{BASE}`, in percentage points: the mean of the three programs, averaged over people, with\n"
    "its 95 % t-interval. Brackets after a method name other methods that filled some or all parts in its place.\n"
    "Networks are tested as released. *s* is the processor time of a fill on a busy machine, a rough guide."
)
OUTSIDE = (
    "How lesions change the measurement of the healthy tissue: errors of the volumes outside the lesions, in percent\n"
    "of the true volumes there; the mean of the three programs."
)
REGISTRATION = (
    "The healthy head, deformed, with other noise and another contrast curve, is registered onto the head with\n"
    f"lesions, as an earlier scan of the same person would be: by SimpleITK, affine, then B-splines {CONTROL:g} mm\n"
    f"apart, by correlation, on {GRID:g} mm. The deformation is known: up to {DEGREES:g} degrees about each axis,\n"
    f"{SHIFT:g} mm, {100 * SCALE:g} % of size, and a smooth part of up to {BEND:g} mm. The error in mm is the mean\n"
    f"over {POINTS} points of healthy tissue, up to {NEAR:g} mm from the lesions (*near*) and beyond (*far*). Masked\n"
    "out: the registration is given a mask without the lesion. *Healthy*: the head without the lesion, which a\n"
    "perfect fill restores. Registration was measured for strokes only, the largest lesions here."
)
EXTRACTION = (
    "`deepbet` finds the brain in heads with skull. The table has its Dice with the brain that it finds in the\n"
    "healthy head, and the error of the brain's volume. *Compared* is by how much Dice is larger than after "
    f"`{BASE}`, in percentage\n"
    "points. `deepbet` cannot be told to ignore lesions, so none are masked out."
)
LIMITS = (
    "## Limits\n\n"
    "The lesions' intensities are simulated, and nothing around them swells or shrinks. HMRF and Atropos run on\n"
    f"means of {BLOCK} x {BLOCK} x {BLOCK} voxels, to be quick; neither they nor the registration correct a bias\n"
    "field. A registration between people has larger errors of its own, which hide those of lesions. The people are\n"
    "few, and the comparisons many: of those without a true difference, about one in twenty is called better or worse\n"
    "by chance."
)


def not_measured(gaps: Mapping[str, Sequence[str]]) -> str:
    """Return a sentence on what was not measured in all people; nothing where everything was.

    Args:
        gaps: title of a kind of lesions -> the methods that were not measured.

    >>> not_measured({"A stroke": ["`mirror`", "`unet`"]})
    'Not measured in all people yet (the command below adds it): A stroke: `mirror`, `unet`.'
    """
    if not gaps:
        return ""
    parts = "; ".join(f"{title}: {', '.join(methods)}" for title, methods in gaps.items())
    return f"Not measured in all people yet (the command below adds it): {parts}."


def made_by(volumes: int, skulls: int, split: str, made: str) -> str:
    """Return whose heads were measured, and how to measure them again.

    Args:
        volumes, skulls: number of people without skull, and with skull.
        split: of the data.
        made: when and on what it was measured.
    """
    return (
        f"T1 of {volumes} healthy people without skull (`ds002748`) and of {skulls} with skull (brain extraction),\n"
        f"split **{split}**; settings were chosen on one head of val. Made by\n\n"
        f"    python -m Research downstream --data DATA --split {split}\n\n"
        f"on {made}. The command resumes where it was stopped; its random numbers depend only on the\n"
        "names of people and lesions.\n"
        'dipy, ANTsPy and deepbet, which comes with its weights, are installed by `pip install ".[cli,downstream]"`;\n'
        "use an environment of its own, because ANTsPy needs older versions of numpy and scipy than the other studies."
    )
