"""Biharmonic fill in 3-D against ``skimage.restoration.inpaint_biharmonic`` on the sample brain."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from measure import measure

from MedInpaintLib.samples import sample
from MedInpaintLib.solvers import solve_biharmonic
from MedInpaintLib.volume import Volume

#: Diameters in voxels of the 1 mm sample; the last one has the 49,000 voxels of a 40 mm sphere at 0.88 mm.
DIAMETERS = (20.0, 40.0, 45.4)


@functools.cache
def scene(diameter: float) -> tuple[np.ndarray, np.ndarray]:
    """A crop of the sample brain, scaled to 0..1, and a ball in its middle."""
    brain = Volume.read(sample("brain-t1").image).array.astype(np.float64)
    center = np.array(brain.shape) // 2
    half = int(diameter / 2) + 6
    crop = brain[tuple(slice(c - half, c + half + 1) for c in center)]
    crop = np.clip(crop / np.percentile(brain[brain > 0], 99.5), 0, 1)
    grid = np.indices(crop.shape) - half
    return crop, (grid**2).sum(axis=0) <= (diameter / 2) ** 2


def ours(diameter: float) -> float:
    image, hole = scene(diameter)
    return psnr(np.clip(solve_biharmonic(np.where(hole, 0, image), hole, (1, 1, 1)).values, 0, 1), image, hole)


def theirs(diameter: float) -> float:
    from skimage.restoration import inpaint_biharmonic

    image, hole = scene(diameter)
    return psnr(inpaint_biharmonic(np.where(hole, 0, image), hole), image, hole)


def psnr(filled: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((filled[hole] - truth[hole]) ** 2)))


def warm_up(method: Callable[[float], float], diameter: float) -> None:
    """Read the image and load the libraries before the clock starts."""
    scene(diameter)
    method(8.0)


def main() -> None:
    print("Biharmonic fill, 3-D ball in the sample brain (1 mm); PSNR in the hole, R = 1")
    print(f"{'voxels':>8}  {'':12} {'seconds':>9} {'extra MB':>9} {'PSNR dB':>8}")
    for diameter in DIAMETERS:
        voxels = int(scene(diameter)[1].sum())
        mine = measure(ours, diameter, warm_up=functools.partial(warm_up, ours, diameter))
        peer = measure(theirs, diameter, repeats=1, warm_up=functools.partial(warm_up, theirs, diameter))
        print(f"{voxels:8}  {'MedInpaint':12} {mine.seconds:9.3f} {mine.megabytes:9.0f} {mine.value:8.2f}")
        print(f"{'':8}  {'scikit-image':12} {peer.seconds:9.3f} {peer.megabytes:9.0f} {peer.value:8.2f}")
        print(f"{'':8}  {'ratio':12} {peer.seconds / mine.seconds:8.0f}x")


if __name__ == "__main__":
    main()
