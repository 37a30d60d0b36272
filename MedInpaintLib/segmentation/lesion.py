"""The lesion on the segmentation's grid: what it covers, and the labels that it gets."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from ..errors import DoubtError, ParameterError
from ..mask import Hole
from ..mask_values import counts_of
from ..report import LesionFacts
from ..volume import Volume
from .label_map import FORCE
from .numberings import Numbering
from .regions import millilitres
from .sides import LEFT, RIGHT, sides_of_voxels

#: Stands for the lesion's two labels, one on each side.
SIDES = "sides"
#: A lesion of which less than this share lies on labels is probably misplaced.
LABELLED = 0.5
#: Less of it than this share is not worth a warning where it lies on no label.
TOLD = 0.01


@dataclasses.dataclass(frozen=True)
class Lesion:
    """The lesion's voxels on the segmentation's grid.

    Attributes:
        hole: the lesion.
        labels: that its voxels have in the segmentation, in the order of numpy.
        covered: voxels by label, without 0.
        on_left: of each voxel; None where sides are not known.
        voxel_ml: volume of a voxel.
    """

    hole: Hole
    labels: np.ndarray
    covered: Mapping[int, int]
    on_left: np.ndarray | None
    voxel_ml: float

    @classmethod
    def of(cls, hole: Hole, whole: np.ndarray, volume: Volume, meaning: Numbering) -> Lesion:
        labels = whole[hole.box][hole.voxels]
        voxels = np.array(np.nonzero(hole.voxels)) + [[part.start] for part in hole.box]
        on_left = sides_of_voxels(whole, volume.spacing, voxels, meaning.names)
        covered = counts_of(labels[np.newaxis]) if labels.any() else {}
        return cls(hole, labels, covered, on_left, math.prod(volume.spacing) / 1000)

    def facts(self, used: Mapping[int, int]) -> LesionFacts:
        """Return what the report says of it."""
        left = None if self.on_left is None else int(np.count_nonzero(self.on_left))
        return LesionFacts(
            labels=sorted(used),
            voxels=self.labels.size,
            volume_ml=self._ml(self.labels.size),
            left_ml=None if left is None else self._ml(left),
            right_ml=None if left is None else self._ml(self.labels.size - left),
            background_ml=self._ml(self.unlabelled()),
        )

    def unlabelled(self) -> int:
        """Return how many voxels have no label in the segmentation."""
        return self.labels.size - sum(self.covered.values())

    def _ml(self, voxels: int) -> float:
        return millilitres(voxels, self.voxel_ml)


def check_number(number: int | str | None, cut: bool) -> None:
    """Check what a lesion is to become.

    Raises:
        ParameterError: neither a label nor :data:`SIDES`, or a label for a lesion that is cut out.
    """
    if cut and number is not None:
        raise ParameterError("Give the lesion a number or cut it out, not both.")
    text = str(number).strip()
    if number in (None, SIDES):
        return
    if isinstance(number, bool) or not text.isdecimal() or len(text) > 10 or not 0 < int(text) < 2**31:
        raise ParameterError(f"The lesion's label must be a whole number above 0, or '{SIDES}'; found {number!r}.")


def numbers_of(
    lesion: Lesion, number: int | str | None, cut: bool, before: Mapping[int, int], meaning: Numbering
) -> tuple[np.ndarray, list[str]]:
    """Return the label that each voxel of the lesion gets, and warnings.

    Raises:
        ParameterError: the number is that of a region, or sides are not known.
    """
    if cut:
        return np.zeros(lesion.labels.size, np.int64), []
    if number == SIDES:
        sides = meaning.lesion_labels_of_sides()
        if not sides or lesion.on_left is None:
            raise ParameterError(
                "The names of the labels do not tell left from right lesions, so these get no numbers of their own; "
                "give a number, or say what the labels mean with --numbering freesurfer or --names."
            )
        numbers = np.where(lesion.on_left, sides[LEFT], sides[RIGHT])
    else:
        numbers = np.full(lesion.labels.size, _number(number, before, meaning))
    warnings = []
    for label in np.unique(numbers).tolist():
        if label in before and not meaning.is_lesion(label):
            free = _number(None, before, meaning)
            name = f" '{meaning.names[label]}'" if meaning.names.get(label) else ""
            raise ParameterError(
                f"The segmentation has label {label}{name} already, in {before[label]} voxels; give the lesion a "
                f"number that is free, such as {free}."
            )
        if label in before:
            warnings.append(
                f"The segmentation has label {label} '{meaning.names[label]}' already, in {before[label]} voxels; the "
                "lesion joins them."
            )
    return numbers, warnings


def _number(number: int | str | None, before: Mapping[int, int], meaning: Numbering) -> int:
    """Return the lesion's label: the user's, the one with that name, or the first one behind all others."""
    if number is None:
        named = meaning.lesion_label()
        return named if named is not None else max(0, *before, *meaning.names) + 1
    return int(number)


def doubts_about(lesion: Lesion, force: bool) -> list[str]:
    """Return warnings about a lesion that lies where nothing was segmented.

    Raises:
        DoubtError: all of it does.
    """
    outside = lesion.unlabelled()
    share = outside / max(lesion.labels.size, 1)
    if share < TOLD:
        return []
    check = "Check that mask and segmentation were saved in the same space."
    if not lesion.covered and not force:
        raise DoubtError(f"The lesion covers no label: it lies where the segmentation is 0. {check} {FORCE}")
    told = f"{lesion.voxel_ml * outside:.3g} ml of the lesion ({share:.0%}) lie where the segmentation has no label"
    return [f"{told}: the two hardly overlap. {check}" if share > 1 - LABELLED else f"{told}."]
