"""Do what the arms do with the lesions of each head and measure it; what was measured before is read again."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from MedInpaintLib.files import make_folder, replacing, write_text
from MedInpaintLib.manifest import Entry

from ..real_lesions.heads import list_heads, read_head
from ..shared.cases import in_parallel
from ..tissue_volumes.segmentation import WHITE
from . import volumes
from .arms import HEALTHY, KINDS, LEFT_IN, MASKED_OUT, fill, methods_for
from .extraction import brain_of, compare
from .lesions import Patient, is_stroke, make_patient
from .registration import Exam
from .segmenters import SEGMENTERS

#: Healthy people without skull.
STRIPPED = "mr_t1/ds002748-"
#: Lesions of which a registration is measured: those that are large enough to mislead it.
REGISTERED = tuple(filter(is_stroke, KINDS))
#: mm around the brain that a registration looks at, so that it sees its edge.
EDGE = 3.0

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Job:
    """A head with lesions of one kind, and the methods that shall fill them."""

    data: Path
    runs: Path
    entry: Entry
    about: dict[str, str]
    kind: str
    methods: tuple[str, ...]

    @property
    def skull(self) -> bool:
        """Whether the head has its skull: then brain extraction is measured, else all the rest."""
        return "skull" in self.about

    @property
    def arms(self) -> tuple[str, ...]:
        """What is done with the lesions; deepbet cannot be told to leave them out."""
        return (HEALTHY, LEFT_IN, *(() if self.skull else (MASKED_OUT,)), *methods_for(self.kind, self.methods))

    def file(self, arm: str) -> Path:
        """Return the file of an arm's measurements."""
        folder = self.runs / "downstream" / self.entry.name.replace("/", "-")
        return folder / f"{self.kind}--{arm.replace(' ', '-')}.json"


def list_jobs(
    data: Path, runs: Path, split: str, kinds: Sequence[str], methods: Sequence[str], match: str = ""
) -> list[Job]:
    """Return the heads of a split with each kind of lesions, a kind after the other."""
    heads = [(entry, about) for entry, about in list_heads(data, split) if match in entry.name]
    return [
        Job(data, runs, entry, about, kind, tuple(methods))
        for kind in kinds
        for entry, about in heads
        if entry.contrast == "T1" and (entry.name.startswith(STRIPPED) or ("skull" in about and is_stroke(kind)))
    ]


def run(jobs: Sequence[Job], again: Sequence[str] = (), workers: int = 1) -> None:
    """Measure what is missing.

    Args:
        jobs: what :func:`list_jobs` returned.
        again: methods that are measured again, because they have changed.
        workers: heads at a time, each on a core of its own.
    """
    # ITK, which ANTs contains, would take all cores, and sum in another order from run to run.
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
    for job in jobs:
        for method in again:
            job.file(method).unlink(missing_ok=True)
    todo = [(job,) for job in jobs if not all(job.file(arm).exists() for arm in job.arms)]
    for done in in_parallel(measure, todo, workers=workers):
        print(done, flush=True)


def measure(job: Job) -> str:
    """Measure the arms of a head that were not measured yet, write a file for each, and return the job's name."""
    patient = make_patient(read_head(job.data, job.entry, job.about), job.kind, job.data)
    name = f"{job.entry.name} {job.kind}"
    if patient is None:
        return f"{name}: the lesions do not fit"
    make_folder(job.file(HEALTHY).parent)
    measuring = [_extraction(patient)] if job.skull else [_volumes(patient, job)]
    if not job.skull and job.kind in REGISTERED:
        measuring.append(_registration(patient, job))
    for arm in job.arms:
        if job.file(arm).exists():
            continue
        started = time.process_time()
        image, used = _image(patient, arm)
        facts: Row = {"used": used, "seconds": round(time.process_time() - started, 1)}
        for each in measuring:
            facts |= each(image, arm)
        ml = round(float(np.count_nonzero(patient.hole) * np.prod(patient.spacing) / 1000), 1)
        case = {"image": job.entry.name, "subject": job.entry.subject, "kind": job.kind, "ml": ml, "arm": arm}
        write_text(job.file(arm), json.dumps(case | facts) + "\n")
        print(f"{name}, {arm}: {time.process_time() - started:.0f} s", flush=True)
    return name


def rows_of(jobs: Sequence[Job]) -> Iterator[Row]:
    """Yield what was measured of each head and arm."""
    for job in jobs:
        for arm in job.arms:
            if job.file(arm).exists():
                yield json.loads(job.file(arm).read_text(encoding="utf-8"))


def _image(patient: Patient, arm: str) -> tuple[np.ndarray, list[str]]:
    """Return the head as an arm has it, and the methods that filled it."""
    if arm == HEALTHY:
        return patient.image, []
    return (patient.damaged, []) if arm in (LEFT_IN, MASKED_OUT) else fill(patient, arm)


def _volumes(patient: Patient, job: Job) -> Callable[[np.ndarray, str], Row]:
    """Return the measurement of volumes; the healthy head is segmented once."""
    truths = {name: _kept(job, name, patient) for name in SEGMENTERS}
    # Lesions of MS lie in white matter, and those who mask them out count them as such; nobody counts a stroke.
    masked_as = None if is_stroke(job.kind) else WHITE

    def measured(image: np.ndarray, arm: str) -> Row:
        if arm == HEALTHY:
            return {}
        where = patient.brain & ~patient.hole if arm == MASKED_OUT else patient.brain
        return {
            "volumes": {
                name: volumes.errors(
                    segment(image, where, patient.spacing), truths[name], patient.hole, masked_as=masked_as
                )
                for name, segment in SEGMENTERS.items()
            }
        }

    return measured


def _kept(job: Job, name: str, patient: Patient) -> np.ndarray:
    """Return a segmenter's tissues of the healthy head, from a file where they were told before."""
    path = job.file(HEALTHY).with_name(f"healthy--{name}.npz")
    if path.exists():
        with np.load(path) as file:
            return file["labels"]
    labels = SEGMENTERS[name](patient.image, patient.brain, patient.spacing)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, labels=labels)
    return labels


def _registration(patient: Patient, job: Job) -> Callable[[np.ndarray, str], Row]:
    exam = Exam(patient, f"{job.entry.subject} {job.kind}")
    seen = ndimage.distance_transform_edt(~patient.brain, patient.spacing) <= EDGE

    def measured(image: np.ndarray, arm: str) -> Row:
        return {"registration": exam.errors(image, seen & ~patient.hole if arm == MASKED_OUT else seen)}

    return measured


def _extraction(patient: Patient) -> Callable[[np.ndarray, str], Row]:
    truth = brain_of(patient.image)

    def measured(image: np.ndarray, arm: str) -> Row:
        return {"extraction": compare(brain_of(image), truth)}

    return measured
