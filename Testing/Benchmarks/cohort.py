"""How much sooner a study is filled with two cases at once, and what a second run costs.

    python Testing/Benchmarks/cohort.py [SUBJECTS]

Small synthetic heads with lesions, in a temporary folder; wall time of the whole command, so compare only on cores that
do nothing else. CPU seconds, which other processes disturb less, tell what the second process costs.
"""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

import MedInpaintLib as mi

#: Voxels of a small head, and their size in mm.
SHAPE, SPACING = (44, 56, 48), 2.0
#: Lesions in a head, and the radius of each in voxels.
LESIONS, RADIUS = 12, 1.5
#: What such lesions are filled by where PyTorch is not installed.
METHOD = "patch-regression"


def make_study(folder: Path, subjects: int) -> Path:
    """Write heads, masks and a table of them; return the table. Every tenth subject is a control without lesions."""
    table = folder / "study.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "mask", "output"])
        for number in range(subjects):
            subject = f"sub-{number:03}"
            (folder / subject).mkdir()
            image, mask = make_head(number, 0 if number % 10 == 9 else LESIONS)
            image.write(folder / subject / "t1.nii.gz")
            mask.write(folder / subject / "lesion.nii.gz")
            writer.writerow([subject, f"{subject}/t1.nii.gz", f"{subject}/lesion.nii.gz", f"filled/{subject}.nii.gz"])
    return table


def make_head(seed: int, lesions: int) -> tuple[mi.Volume, mi.Volume]:
    """Return a textured ellipsoid of int16 on a dark background, and the mask of small balls in it."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.indices(SHAPE), axis=-1)
    radius = np.linalg.norm((grid - np.array(SHAPE) / 2) / (np.array(SHAPE) * 0.45), axis=-1)
    texture = ndimage.gaussian_filter(rng.normal(size=SHAPE), 2)
    image = np.where(radius <= 1, 600 + 150 * texture / texture.std(), 0).astype(np.int16)
    mask = np.zeros(SHAPE, dtype=np.uint8)
    for middle in rng.permutation(np.argwhere(radius <= 0.7))[:lesions]:
        mask |= (np.linalg.norm(grid - middle, axis=-1) <= RADIUS).astype(np.uint8)
    return mi.Volume(image, (SPACING,) * 3), mi.Volume(mask, (SPACING,) * 3)


def run(table: Path, out: Path, jobs: int) -> tuple[float, float]:
    """Run the command; return its wall time and the CPU time of all its processes, s."""
    before, started = _cpu(), time.perf_counter()
    command = [sys.executable, "-m", "MedInpaintLib.cli", "cohort", str(table), "--out", str(out)]
    subprocess.run(
        [*command, "--jobs", str(jobs), "--workers", "1", "--method", METHOD, "--progress", "none"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started, _cpu() - before


def _cpu() -> float:
    """Return the CPU time of all child processes that have ended, and of theirs, s."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the times of one case at once, of two, and of a second run."""
    subjects = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = make_study(folder, subjects)
        rows: dict[str, tuple[float, float]] = {}
        for title, jobs, again in (("--jobs 1", 1, False), ("--jobs 2", 2, False), ("--jobs 2, again", 2, True)):
            if not again:  # else the outputs of the other run would be found and be done
                for file in (folder / "filled").glob("*"):
                    file.unlink()
            rows[title] = run(table, folder / f"out-{jobs}", jobs)
            wall, cpu = rows[title]
            print(
                f"{title:16} {wall:7.1f} s wall, {cpu:7.1f} s CPU, {subjects / wall:6.1f} subjects a second", flush=True
            )
        print(f"{rows['--jobs 1'][0] / rows['--jobs 2'][0]:.2f} times as fast with two cases at once")


if __name__ == "__main__":
    main()
