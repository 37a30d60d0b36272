"""What each method takes: the measurement behind ``MethodInfo.cost``, by which progress is divided up.

    python Testing/Benchmarks/costs.py IMAGE

``IMAGE`` is a head. Balls of several sizes are filled one by one, by one worker; a line ``region + thousand * voxels /
1000`` is fitted to the seconds so that the relative errors are small. Prints it for each method that can run.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys

import numpy as np
from scipy.optimize import nnls

import MedInpaintLib as mi
from MedInpaintLib.errors import MedInpaintError
from MedInpaintLib.holes import place

DIAMETERS = (4, 8, 14, 20, 30)


def main(path: str) -> None:
    image = mi.Volume.read(path)
    masks = []
    for diameter in DIAMETERS:
        labels = place(
            f"spheres:{diameter}mm:1", image.array.shape, spacing=image.spacing, foreground=image.array > 0, seed=2
        )
        masks.append(image.with_array((labels > 0).astype(np.uint8)))
    voxels = np.array([int(mask.array.sum()) for mask in masks])
    print(f"{'method':18} {'region':>8} {'thousand':>9}   seconds for {', '.join(map(str, voxels))} voxels")
    for name, info in mi.list_methods().items():
        if name in sys.argv[2:] or len(sys.argv) == 2:
            try:
                seconds = np.array([_seconds(image, mask, name) for mask in masks])
            except MedInpaintError as error:
                print(f"{name:18} {str(error)[:80]}")
                continue
            rows = np.stack([np.ones(len(voxels)), voxels / 1000], axis=1) / seconds[:, np.newaxis]
            (region, thousand), _ = nnls(rows, np.ones(len(voxels)))
            each = " ".join(f"{second:8.3f}" for second in seconds)
            print(f"{info.name:18} {region:8.4f} {thousand:9.4f}   {each}", flush=True)


def _seconds(image: mi.Volume, mask: mi.Volume, method: str) -> float:
    """Return the seconds of the second of two fills, without reading, checking and what is made once an image."""
    results = [mi.inpaint(image, mask, method=method, workers=1) for _ in range(2)]
    seconds = results[1].report["seconds"]
    return seconds["method"] + seconds["blend"] + seconds["restore"]


if __name__ == "__main__":
    main(sys.argv[1])
