"""How much sooner a study is filled with two cases at once, and what a second run costs.

    python Testing/Benchmarks/cohort.py [SUBJECTS]
    python Testing/Benchmarks/cohort.py --plan 10000

The second plans so many cases, with a hundred kilobytes of files each, fills them by the mean of their rim, and runs
them again: what a large study costs besides its fills.

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
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage

import MedInpaintLib as mi
from MedInpaintLib.cohort.case import Case, Outcome
from MedInpaintLib.cohort.fill import Fill
from MedInpaintLib.cohort.plan import Plan
from MedInpaintLib.cohort.summary import write_tables
from MedInpaintLib.cohort.table import plan_of_table
from MedInpaintLib.cohort.work import work_on
from MedInpaintLib.jobs.fill import FillJob

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


def make_large_study(folder: Path, cases: int) -> Path:
    """Write a table of cases with files of their own, all with the same head; return it."""
    image, mask = make_head(0, LESIONS)
    image.write(folder / "t1.nii.gz")
    mask.write(folder / "lesion.nii.gz")
    contents = {name: (folder / name).read_bytes() for name in ("t1.nii.gz", "lesion.nii.gz")}
    table = folder / "study.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "mask", "output"])
        for number in range(cases):
            subject = f"sub-{number:05}"
            (folder / subject).mkdir()
            for name, content in contents.items():
                (folder / subject / name).write_bytes(content)
            writer.writerow([f"{subject}/t1.nii.gz", f"{subject}/lesion.nii.gz", f"filled/{subject}.nii.gz"])
    return table


def time_plan(cases: int) -> None:
    """Print what planning so many cases takes, and a first and a second run in this process."""
    with tempfile.TemporaryDirectory() as name:
        table = make_large_study(Path(name), cases)
        Fill().check(
            FillJob.of({"job": "fill", "image": "a.nii", "mask": "b.nii", "output": "c.nii"}, Path())
        )  # imports
        before, started = _peak(), time.perf_counter()
        plan = plan_of_table(table, Fill(), options={"method": "shell-mean", "workers": 1})
        seconds = time.perf_counter() - started
        print(f"plan of {cases} cases: {seconds:.1f} s, {_peak() - before:.0f} MB more at the peak", flush=True)
        for title in ("first run", "second run"):
            started = time.perf_counter()
            outcomes = {case.id: outcome for case, outcome in _done_here(plan)}
            seconds = time.perf_counter() - started
            print(f"{title}: {seconds:.1f} s, {seconds / cases * 1e3:.2f} ms a case", flush=True)
        started = time.perf_counter()
        write_tables(plan, outcomes)
        print(f"tables: {time.perf_counter() - started:.1f} s; {_peak() - before:.0f} MB more than before the plan")


def _done_here(plan: Plan) -> Iterator[tuple[Case, Outcome]]:
    plan.records.mkdir(parents=True, exist_ok=True)
    for case in plan.cases:
        yield case, work_on(case, plan.records, lambda fraction, stage: None)


def _peak() -> float:
    """Return the most memory that this process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the times of one case at once, of two, and of a second run."""
    if sys.argv[1:2] == ["--plan"]:
        time_plan(int(sys.argv[2]))
        return
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
