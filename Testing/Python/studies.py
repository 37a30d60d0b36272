"""A small study, a scheduler in this process, and work for worker processes."""

from __future__ import annotations

import csv
import multiprocessing
import os
import signal

import numpy as np

import MedInpaintLib as mi
from MedInpaintLib.cohort.case import Case
from MedInpaintLib.cohort.work import work_on


class Study:
    """A folder with subjects; the last one's mask is empty."""

    def __init__(self, folder, subjects):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.table = folder / "study.csv"
        self.subjects = [f"sub-{number}" for number in range(subjects)]
        rows = []
        for number, subject in enumerate(self.subjects):
            (folder / subject).mkdir()
            image = mi.Volume(np.random.default_rng(number).integers(0, 900, (12, 14, 16)).astype(np.int16), (2.0,) * 3)
            mask = np.zeros(image.array.shape, np.uint8)
            if number < subjects - 1:
                mask[4:7, 5:9, 6:9] = 1
            image.write(folder / subject / "t1.nii.gz")
            image.with_array(mask).write(folder / subject / "lesion.nii.gz")
            rows.append([f"{subject}/t1.nii.gz", f"{subject}/lesion.nii.gz", f"filled/{subject}.nii.gz"])
        self.write([["image", "mask", "output"], *rows])

    def write(self, rows, delimiter=","):
        with self.table.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)

    def output(self, subject):
        return self.folder / "filled" / f"{subject}.nii.gz"

    def image(self, subject):
        return self.folder / subject / "t1.nii.gz"

    def summary(self, name="summary.tsv", out="study-cohort"):
        with (self.folder / out / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))


class Here:
    """A scheduler that does one case after the other in this process."""

    def run(self, cases, records, heard):
        for case in cases:
            yield case, work_on(case, records, lambda fraction, stage, case=case: heard(case, fraction, stage))


def echo(value, tell):
    """Tell a value and return it; None ends the process."""
    if value is None:
        os._exit(7)
    tell(("told", value))
    return value


class Deadly(Case):
    """A case that kills each worker process that begins it."""

    def __getattribute__(self, name):
        if name == "job" and multiprocessing.parent_process() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getattribute__(name)


class Greedy(Case):
    """A case for which the memory does not suffice in the process that begins it first."""

    def __getattribute__(self, name):
        # Its origin names the file that says that it was begun.
        if name == "job" and multiprocessing.parent_process() is not None and not os.path.exists(self.origin):
            with open(self.origin, "x"):
                raise MemoryError
        return super().__getattribute__(name)


def deadly(case):
    return Deadly(case.id, case.job, case.origin)


def greedy(case, file):
    return Greedy(case.id, case.job, str(file))
