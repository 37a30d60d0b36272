"""The arms: how each algorithm brings the atlas onto a scan after the affine map.

Those of other packages register the pair of images of a level, in blocks; what they find is put behind the field of
the levels before. The engine's own has its smoothing changed for a while. SimpleITK's correlation in neighbourhoods of
9 blocks is left out: one iteration takes 0.9 s at 4 mm, and all of the engine's own algorithm 4 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from MedInpaintLib.atlas import deformable
from MedInpaintLib.atlas.deformable import Field, deform, resample
from MedInpaintLib.progress import Progress

from .start import Level, Start

#: Moves in blocks ``(3, *shape)``: with them added to its indices, the second image looks like the first one.
Flow = Callable[[np.ndarray, np.ndarray], np.ndarray]
#: Iterations of the demons and the standard deviation in blocks of the Gaussian that smooths their field; radius in
#: blocks and warps of the Lucas-Kanade flow; attachment to the data and warps of TV-L1. With these, all take about as
#: long as the engine's own, 4 s of one core, on a head of train; there, demons with 1.2 or 2.0 fill a ball of 40 mm
#: alike within 0.02 dB.
DEMONS, ILK, TV_L1 = (20, 1.5), (7, 6), (15.0, 3)


def own(start: Start) -> Field:
    """Return the field of the engine."""
    return deform([[scan] for scan in start.scans], start.matrix, start.offset, Progress())


def smoothed_by(blocks: float) -> Callable[[Start], Field]:
    """Return the engine's algorithm with the same Gaussian smoothing the field everywhere."""

    def evenly_smooth(start: Start) -> Field:
        with elastic(blocks):
            return own(start)

    return evenly_smooth


@contextmanager
def elastic(blocks: float) -> Iterator[None]:
    """Let the engine smooth its fields by one Gaussian, near the hole and elsewhere, inside the block."""
    before = deformable.ELASTIC, deformable.AT_HOLE
    deformable.ELASTIC = deformable.AT_HOLE = blocks
    try:
        yield
    finally:
        deformable.ELASTIC, deformable.AT_HOLE = before


def by_flow(flow: Flow) -> Callable[[Start], Field]:
    """Return an algorithm that registers the images of each level, coarse to fine, by a function of another package."""

    def algorithm(start: Start) -> Field:
        field: Field | None = None
        for level in start.levels():
            added = np.zeros_like(level.start)
            if field is not None:
                added = resample(field.added, field.strides, field.box, level.scan.strides, level.box)
            added = behind(level, added, flow(*level.pair(added)))
            field = Field(added, level.box, level.scan.strides, 0.0)
        assert field is not None
        return field

    return algorithm


def behind(level: Level, added: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Return the field that first moves by some blocks and then by a field that is there already."""
    from scipy import ndimage

    at = np.indices(added.shape[1:], dtype=np.float32) + moves
    before = np.array([ndimage.map_coordinates(each, at, order=1, mode="nearest") for each in added])
    return before + np.tensordot(level.steps.astype(np.float32), moves.astype(np.float32), 1)


def demons(scan: np.ndarray, atlas: np.ndarray) -> np.ndarray:
    """Return SimpleITK's diffeomorphic demons (Vercauteren et al., NeuroImage 45:S61, 2009)."""
    import SimpleITK

    registration = SimpleITK.DiffeomorphicDemonsRegistrationFilter()
    registration.SetNumberOfThreads(1)
    iterations, smoothing = DEMONS
    registration.SetNumberOfIterations(iterations)
    registration.SetSmoothDisplacementField(True)
    registration.SetStandardDeviations(smoothing)
    found = registration.Execute(*map(SimpleITK.GetImageFromArray, (scan, atlas)))
    return _in_blocks(SimpleITK.GetArrayFromImage(found))


def _in_blocks(displacements: np.ndarray) -> np.ndarray:
    """Return SimpleITK's displacements ``(*shape, 3)``, which begin with x, in the order of the arrays' axes."""
    return np.moveaxis(displacements[..., ::-1], -1, 0).astype(np.float32)


def ilk(scan: np.ndarray, atlas: np.ndarray) -> np.ndarray:
    """Return scikit-image's iterative Lucas-Kanade flow."""
    from skimage.registration import optical_flow_ilk

    radius, warps = ILK
    return optical_flow_ilk(scan, atlas, radius=radius, num_warp=warps, gaussian=True, dtype=np.float32)


def tv_l1(scan: np.ndarray, atlas: np.ndarray) -> np.ndarray:
    """Return scikit-image's TV-L1 flow."""
    from skimage.registration import optical_flow_tvl1

    attachment, warps = TV_L1
    return optical_flow_tvl1(scan, atlas, attachment=attachment, num_warp=warps, dtype=np.float32)


OWN, AFFINE = "own numpy", "affine alone"
#: Label -> algorithm; None adds nothing to the affine map.
ALGORITHMS: dict[str, Callable[[Start], Field] | None] = {
    OWN: own,
    "own numpy, 0.45 everywhere": smoothed_by(0.45),
    "own numpy, 0.6 everywhere": smoothed_by(0.6),
    "own numpy, 1.2 everywhere": smoothed_by(1.2),
    "SimpleITK demons": by_flow(demons),
    "scikit-image ILK": by_flow(ilk),
    "scikit-image TV-L1": by_flow(tv_l1),
    AFFINE: None,
}
