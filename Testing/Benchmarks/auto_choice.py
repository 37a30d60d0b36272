"""Which method suits which hole? The measurement behind ``MedInpaintLib/methods/auto.py``.

    python Testing/Benchmarks/auto_choice.py MANIFEST.csv

``MANIFEST.csv`` has the columns path, modality, split and spacing_mm; paths are relative to its folder. Volumes of
the splits train and val are used, the test split is left alone. Prints the mean PSNR in the hole (dB) by method,
shape and slice thickness.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.errors import MedInpaintError

METHODS = ("linear-z", "harmonic", "biharmonic")
SHAPES = ("spheres:6mm:12", "spheres:10mm:8", "spheres:20mm:4", "spheres:40mm:1", "squares:20px:4", "strips:16px:1")
MISSING = (1, 2, 3)
BINS = (1.0, 1.5, 2.6, 4.5, 30.0)


def main(manifest: Path) -> None:
    table: dict[tuple[str, float, str], list[list[float]]] = defaultdict(list)
    for row in volumes(manifest):
        image = mi.Volume.read(manifest.parent / row["path"])
        thickness = max(image.spacing) / min(image.spacing)
        low = max(edge for edge in BINS[:-1] if edge <= thickness)
        for shape in SHAPES:
            try:
                scores = mi.evaluate(image, holes=shape, methods=METHODS, seed=1)
            except MedInpaintError:
                continue  # the holes do not fit into this volume
            table[row["modality"], low, shape].append([mean_psnr(scores, method) for method in METHODS])
        for count in MISSING:
            table[row["modality"], low, f"{count} slices missing"].append(missing_slices(image, count))
    print(f"{'modality':8} {'thickness':10} {'holes':18} {'n':>3}  " + "  ".join(f"{method:>10}" for method in METHODS))
    for (modality, low, shape), rows in sorted(table.items()):
        means = "  ".join(f"{value:10.2f}" for value in np.mean(rows, axis=0))
        print(f"{modality:8} {f'>= {low:g} x':10} {shape:18} {len(rows):3}  {means}")


def volumes(manifest: Path) -> list[dict[str, str]]:
    with open(manifest, newline="", encoding="utf-8") as file:
        return [
            row
            for row in csv.DictReader(file)
            if row["split"] in ("train", "val")
            and row["path"].endswith(".nii.gz")
            and "mask" not in row["path"]
            and not row["path"].startswith("ct_slices")
        ]


def mean_psnr(table: mi.Table, method: str) -> float:
    return float(np.mean([row.scores["psnr"] for row in table.rows if row.method == method]))


def missing_slices(image: mi.Volume, count: int) -> list[float]:
    axis = int(np.argmax(image.spacing))
    mask = np.zeros(image.array.shape, dtype=np.uint8)
    middle = image.array.shape[axis] // 2
    np.moveaxis(mask, axis, 0)[middle : middle + count] = 1
    peak = np.percentile(image.array[image.array > 0], 99.5)
    hidden = mask > 0
    psnr = []
    for method in METHODS:
        error = mi.inpaint(image, mask, method=method).volume.array[hidden].astype(float) - image.array[hidden]
        psnr.append(float(10 * np.log10(peak**2 / np.mean(error**2))))
    return psnr


if __name__ == "__main__":
    main(Path(sys.argv[1]))
