"""The arms of the study: what is done with the lesions before anything is measured."""

from __future__ import annotations

import numpy as np

from MedInpaintLib import inpaint
from MedInpaintLib.modality import MR

from ..real_lesions.holes import MS
from .lesions import MS_IN_WHITE, Patient, is_stroke

#: What is done with lesions besides filling them, and the head without lesions.
HEALTHY, LEFT_IN, MASKED_OUT = "healthy", "left in", "masked out"
#: In the order of their cost.
METHODS = (
    "shell-mean",
    "biharmonic",
    "white-matter",
    "patch-regression",
    "mirror",
    "unet",
    "auto",
)
#: Kinds of lesions, the most asked for first, with what they are called.
KINDS = {
    MS_IN_WHITE: "15 ml of MS in white matter",
    MS: "15 ml of MS, at the cortex too",
    "stroke-50-120": "A stroke of 50-120 ml",
    "stroke-20-50": "A stroke of 20-50 ml",
}
#: What the others are compared with.
BASE = "biharmonic"
#: Methods that are left out of strokes: they learn nothing that far from the rim, and take minutes.
NOT_IN_STROKES = ("patch-regression",)


def methods_for(kind: str, methods: tuple[str, ...] = METHODS) -> tuple[str, ...]:
    """Return the methods that fill lesions of a kind."""
    return tuple(each for each in methods if not is_stroke(kind) or each not in NOT_IN_STROKES)


def fill(patient: Patient, method: str) -> tuple[np.ndarray, list[str]]:
    """Return the filled head, and the methods that filled its parts."""
    result = inpaint(patient.damaged, patient.hole, spacing=patient.spacing, method=method, modality=MR.name, workers=1)
    return result.volume.array, sorted({part["method"] for part in result.report["parts"]})
