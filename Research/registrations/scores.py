"""What a registration is judged by: folding, agreement, the fill of hidden balls, and the overlap of label maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from MedInpaintLib.atlas.deformable import Field, jacobian
from MedInpaintLib.atlas.fitted import continue_inwards, fit
from MedInpaintLib.atlas.registration import Registration
from MedInpaintLib.data_range import data_range_of
from MedInpaintLib.mask import Hole, grow
from MedInpaintLib.metrics import psnr
from MedInpaintLib.modality import MR
from MedInpaintLib.region import crop

from ..atlas_regions import nearest_labels, tissue_dice
from .heads import Damaged
from .start import Level

#: mm around a ball that its fill sees, as those of the method `atlas`.
CONTEXT = 25.0
#: Voxels along each axis of which one is compared in label maps.
EVERY = 3
#: Rounds of the inversion of a field: less smooth ones take more than the engine's 8.
ROUNDS = 12


def folded(level: Level, field: Field | None) -> float:
    """Return the share of blocks around the brain whose volume a field turns inside out: the Jacobian is 0 or less."""
    if field is None:
        return 0.0
    volumes = jacobian(level.start + field.added) / np.linalg.det(level.steps)
    return float(np.mean(volumes <= 0))


def fills(head: Damaged, registration: Registration) -> dict[str, float]:
    """Return kind of ball -> mean PSNR of the `atlas` fill by a registration."""
    width = data_range_of(head.truth.array[head.balls == 0], MR, head.truth.array.dtype).width
    scores: dict[str, list[float]] = {}
    for label, kind in head.kinds.items():
        filled, truth, ball = _filled(head, registration, label)
        scores.setdefault(kind, []).append(psnr(filled, truth, ball, data_range=width))
    return {kind: float(np.mean(values)) for kind, values in scores.items()}


def _filled(head: Damaged, registration: Registration, label: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the fill of one ball, the truth, and the ball, in the box around it."""
    from scipy import ndimage

    ball = head.balls == label
    tight = ndimage.find_objects(ball.astype(np.int8))[0]
    reach = [int(np.ceil(CONTEXT / mm)) for mm in head.truth.spacing]
    box = grow(tight, reach, ball.shape)
    region = crop(head.subject, box, Hole(ball[tight], tight, ball.shape))
    values = continue_inwards(region, fit(region, registration).values)
    return region.scaling.inverse(values), head.truth.array[box], ball[box]


def overlaps(labels: Sequence[np.ndarray], registrations: Sequence[Registration]) -> list[dict[str, float]]:
    """Return the Dice of grey and white matter of two label maps: the second brought onto the first, and the first
    onto the second, by way of the atlas. Every third voxel along each axis is compared.
    """
    return [_overlap(labels[onto], registrations[onto], labels[1 - onto], registrations[1 - onto]) for onto in range(2)]


def _overlap(
    labels: np.ndarray, registration: Registration, theirs: np.ndarray, their_registration: Registration
) -> dict[str, float]:
    some = (slice(None, None, EVERY),) * 3
    places = registration.places(tuple(slice(0, size) for size in labels.shape))[(slice(None), *some)]
    brought = nearest_labels(theirs, their_registration.index(places, ROUNDS))
    return dict(tissue_dice(labels[some], brought))
