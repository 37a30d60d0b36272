"""The cost of a fill follows the hole, not the volume; and how it grows with the hole.

The input arrays exist before the clock starts: reading and writing files is not what is measured.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
from measure import measure

from MedInpaintLib.pipeline import inpaint
from MedInpaintLib.volume import Volume

SMALL, LARGE = (128, 128, 128), (600, 512, 512)
METHODS = ("harmonic", "biharmonic")
_scene: dict[str, tuple[Volume, Volume]] = {}


def prepare(shape: tuple[int, ...], diameter: float) -> None:
    """A CT-like volume with a ball-shaped hole in its middle, every page of it really in memory."""
    rng = np.random.default_rng(0)
    tile = rng.normal(40, 20, (64, 64, 64)).astype(np.int16)
    image = np.tile(tile, [-(-size // 64) for size in shape])[tuple(slice(size) for size in shape)].copy()
    mask = np.full(shape, 1, dtype=np.uint8)
    mask[...] = 0
    center = [size // 2 for size in shape]
    half = int(diameter // 2) + 1
    box = tuple(slice(c - half, c + half + 1) for c in center)
    mask[box] = (np.indices((2 * half + 1,) * 3) - half).__pow__(2).sum(axis=0) <= (diameter / 2) ** 2
    _scene["now"] = Volume(image, (1.0,) * 3), Volume(mask, (1.0,) * 3)
    inpaint(np.zeros((9, 9, 9)), np.indices((9, 9, 9)).sum(axis=0) == 12)  # loads scipy


def prepare_small() -> None:
    prepare(SMALL, 20.0)


def prepare_large() -> None:
    prepare(LARGE, 20.0)


def prepare_40() -> None:
    prepare(SMALL, 40.0)


def prepare_80() -> None:
    prepare(SMALL, 80.0)


def fill(method: str) -> int:
    image, mask = _scene["now"]
    return inpaint(image, mask, method=method).report["hole"]["voxels"]


def fill_traced(method: str) -> float:
    """Peak megabytes that one fill allocates, by tracemalloc: the resident set is already full of the input."""
    tracemalloc.start()
    fill(method)
    return tracemalloc.get_traced_memory()[1] / 1e6


def main() -> None:
    print(
        "A 20 mm ball (1 mm voxels) in a small and in a large volume; the large mask has to be looked through: 157 MB"
    )
    print(f"{'method':12} {'volume':>16} {'ms':>8} {'peak MB':>9}")
    for method in METHODS:
        rows = [one(method, prepare_small, 9), one(method, prepare_large, 9)]
        for shape, (seconds, megabytes, _) in zip((SMALL, LARGE), rows, strict=True):
            print(f"{method:12} {' x '.join(map(str, shape)):>16} {1e3 * seconds:8.1f} {megabytes:9.1f}")
        print(f"{'':12} {'ratio':>16} {rows[1][0] / rows[0][0]:7.2f}x {rows[1][1] / rows[0][1]:8.2f}x")
    print("Balls of 20, 40 and 80 mm in 128 x 128 x 128")
    for prepare_one in (prepare_small, prepare_40, prepare_80):
        for method in METHODS:
            seconds, megabytes, voxels = one(method, prepare_one, 3)
            rate = voxels / seconds / 1e6
            print(f"{method:12} {voxels:8} voxels {1e3 * seconds:8.1f} ms {megabytes:7.1f} MB  {rate:5.2f} Mvoxel/s")


def one(method: str, prepare_one: Callable[[], None], repeats: int) -> tuple[float, float, int]:
    timed = measure(fill, method, repeats=repeats, warm_up=prepare_one)
    return timed.seconds, measure(fill_traced, method, repeats=1, warm_up=prepare_one).value, timed.value


if __name__ == "__main__":
    main()
