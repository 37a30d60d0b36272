"""Errors in the balls that ``consensus-weights`` has filled already: they need not be filled again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from MedInpaintLib.consensus import WEIGHTS
from MedInpaintLib.manifest import Entry
from MedInpaintLib.parts import Part
from MedInpaintLib.uncertainty import LEAST, contrast_around
from MedInpaintLib.volume import Volume

from ..consensus_weights.balls import place_balls
from ..consensus_weights.fit import predict
from ..consensus_weights.measure import Job as Filled
from ..consensus_weights.measure import list_jobs as list_filled
from ..consensus_weights.samples import Samples as InBalls
from ..consensus_weights.samples import read_samples as read_balls
from ..shared.subjects import damaged_subject
from .measure import MOST, sizes_of
from .samples import Samples, write_samples

#: Method -> its fill in the samples of ``consensus-weights``.
FILLS = {"biharmonic": "smooth", "mirror": "mirror", "atlas": "atlas", "patch": "patch"}


def file_of(filled: Filled, runs: Path) -> Path:
    """Return the file of the samples that are made of one of that command's."""
    return runs / "uncertainty-constants" / "balls" / "train" / filled.file.name


def list_balls(data: Path, runs: Path, match: str = "") -> Iterator[Filled]:
    """Yield what ``consensus-weights`` has measured into the same folder, at most."""
    yield from (each for each in list_filled(data, runs) if match in each.entry.name and each.file.exists())


def keep(filled: Filled, runs: Path) -> str:
    """Look at the tissue around the balls of one image, and write the samples."""
    balls = read_balls(filled.file)
    if balls is not None:
        image = Volume.read(filled.entry.path)
        write_samples(sample(filled.entry, image, balls), file_of(filled, runs))
    return f"balls {filled.file.stem}"


def sample(entry: Entry, image: Volume, balls: InBalls) -> Samples:
    """Return errors and evidence in some voxels of the balls of an image.

    Args:
        entry: of the manifest.
        image: with known tissue in the balls.
        balls: what was measured in them.
    """
    from scipy import ndimage

    labels = place_balls(image, large=balls.large)
    subject = damaged_subject(image, labels > 0)
    width = subject.scaling.width
    contrast = np.zeros(int(labels.max()))
    for number, box in enumerate(ndimage.find_objects(labels)):
        contrast[number] = contrast_around(subject, Part(number + 1, labels[box] == number + 1, box))
    rng = np.random.default_rng(0)
    own = [np.flatnonzero(each) for each in balls.balls()]
    at = np.concatenate([rng.choice(each, min(MOST, len(each)), replace=False) for each in own])
    fills = {method: getattr(balls, name) for method, name in FILLS.items()}
    fills["consensus"], _ = predict(balls, WEIGHTS)
    hole = balls.ball[at].astype(int)
    return Samples(
        entry.subject,
        entry.name,
        LEAST * width,
        hole,
        balls.depth[at],
        contrast[hole],
        sizes_of(labels, image.spacing),
        errors={method: (fill - balls.truth)[at] * width for method, fill in fills.items()},
        spreads={},
    )
