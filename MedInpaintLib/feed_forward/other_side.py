"""The other side of the body beside the frames: what a network may compare this side with, around the hole and in it.

A fill by the mirror shows only what it put into the hole. How well the two sides agree around it, and where they are
shifted against each other, a network can judge only when it sees all of the other side.
"""

from __future__ import annotations

import numpy as np

from ..frames import WHOLE, Frames
from ..mirroring import SYMMETRIC, Comparison, compare
from ..progress import Progress
from ..region import Region
from ..registration import find_symmetry


def other_side(region: Region, progress: Progress | None = None) -> Comparison | None:
    """A region beside what lies on the other side of the body; None where the image has no two sides."""
    scan, progress = region.scan, progress or Progress()
    symmetry = scan.remember("mirror", lambda: find_symmetry(scan, progress.part(0.0, 0.7)))
    if symmetry is None or symmetry.similarity < SYMMETRIC:
        return None
    return compare(region, symmetry, progress.part(0.7, 1.0))


def in_frames(compared: Comparison | None, frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """The other side in frames.

    Args:
        compared: of the region that the frames are of.
        frames: to lay it beside.

    Returns:
        its values, float32 of the frames' shape in the region's scale, and, bool, where there are any. Where there are
        none, the values are the frames' own.
    """
    if compared is None:
        return frames.values, np.zeros(frames.values.shape, dtype=bool)
    image, usable = compared.image(compared.box, match=True)
    seen = frames.show(usable.astype(np.float32), compared.box, outside=0.0) > WHOLE
    return np.where(seen, frames.show(image, compared.box), frames.values), seen
