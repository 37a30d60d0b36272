"""The live fill after a stroke in a head of 256^3 voxels, against the whole road with the same equation."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from measure import measure

import MedInpaintLib as mi
from MedInpaintLib.live_fill import LiveFill
from MedInpaintLib.modality import MR
from MedInpaintLib.samples import sample
from MedInpaintLib.volume import Volume

SIZE = 256
#: Strokes in mm: length and width; one without length is a ball.
STROKES = ((20, 10), (40, 10), (40, 20), (0, 40), (0, 70))


@functools.cache
def head() -> Volume:
    """The sample brain (1 mm) in a box of 256^3 voxels."""
    brain = Volume.read(sample("brain-t1").image).array
    array = np.zeros((SIZE,) * 3, dtype=brain.dtype)
    array[tuple(slice((SIZE - size) // 2, (SIZE + size) // 2) for size in brain.shape)] = brain
    return Volume(array, (1.0, 1.0, 1.0))


@functools.cache
def stroke(length: float, width: float) -> np.ndarray:
    """A brush of one width that was drawn along a row through the middle."""
    plane, row, column = (axis - SIZE // 2 for axis in np.indices((SIZE,) * 3, sparse=True))
    beyond = column - np.clip(column, -length / 2, length / 2)
    return plane**2 + row**2 + beyond**2 <= (width / 2) ** 2


@functools.cache
def live() -> LiveFill:
    """A live fill whose image has been copied, as when the first stroke is painted."""
    return LiveFill(head())


def step(length: float, width: float) -> float:
    live().follow(None)
    return float(live().follow(stroke(length, width)).left_out)


def road(length: float, width: float) -> float:
    mi.inpaint(head(), stroke(length, width), method="harmonic", blend="paste", modality=MR.name)
    return 0.0


def warm_up(function: Callable[..., float], length: float, width: float) -> None:
    """Read the image, make the mask and load the libraries before the clock starts."""
    stroke(length, width)
    function(4.0, 4.0)


def main() -> None:
    print(f"After a stroke in a head of {SIZE}^3 voxels (1 mm)")
    print(f"{'length':>7} {'width mm':>9} {'voxels':>8} {'live s':>8} {'inpaint s':>10} {'ratio':>7}")
    for length, width in STROKES:
        mine = measure(step, length, width, warm_up=functools.partial(warm_up, step, length, width))
        peer = measure(road, length, width, warm_up=functools.partial(warm_up, road, length, width))
        voxels = int(stroke(length, width).sum())
        print(
            f"{length:7} {width:9} {voxels:8} {mine.seconds:8.3f} {peer.seconds:10.3f} "
            f"{peer.seconds / mine.seconds:6.1f}x"
        )


if __name__ == "__main__":
    main()
