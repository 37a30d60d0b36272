"""Fill the holes of images by each method, and keep the errors in some voxels of each hole; resumable."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.errors import MedInpaintError
from MedInpaintLib.filled import Filling
from MedInpaintLib.filling import fill
from MedInpaintLib.manifest import Entry
from MedInpaintLib.methods import registry
from MedInpaintLib.modality import Modality
from MedInpaintLib.parts import find_parts
from MedInpaintLib.progress import Progress
from MedInpaintLib.subject import Subject
from MedInpaintLib.tasks import Plan, plan_tasks
from MedInpaintLib.uncertainty import LEAST, evidence_of
from MedInpaintLib.volume import Volume

from ..shared.cases import in_parallel
from ..shared.subjects import damaged_subject
from .holes import Kind, cut, list_images, read_image
from .samples import Samples, read_samples, write_samples

#: Voxels of a hole that are kept, at most.
MOST = 400


@dataclasses.dataclass(frozen=True)
class Job:
    """One image whose holes are filled."""

    kind: Kind
    entry: Entry
    data: Path
    runs: Path

    @property
    def file(self) -> Path:
        """File of the samples."""
        name = self.entry.name.replace("/", "-")
        return self.runs / "uncertainty-constants" / self.kind.name / self.entry.split / f"{name}.npz"


def list_jobs(kinds: Sequence[Kind], data: Path, runs: Path, splits: Sequence[str], match: str = "") -> list[Job]:
    """Return the images of some splits in which errors are measured."""
    return [
        Job(kind, entry, data, runs)
        for kind in kinds
        for entry in list_images(data, kind, splits)
        if match in entry.name
    ]


def measure(jobs: Sequence[Job], workers: int) -> None:
    """Measure what is missing, several images at a time."""
    todo = [(job,) for job in jobs if _missing(job)]
    for number, done in enumerate(in_parallel(_keep, todo, workers=workers), start=1):
        print(f"{number}/{len(todo)} {done}", flush=True)


def samples_of(jobs: Sequence[Job]) -> Iterator[tuple[Job, Samples]]:
    """Yield what was measured."""
    for job in jobs:
        if job.file.exists():
            yield job, read_samples(job.file)


def _missing(job: Job) -> list[str]:
    """Return the methods that were not measured in an image."""
    measured = read_samples(job.file).errors if job.file.exists() else {}
    return [name for name in methods_of(job.kind) if name not in measured]


def _keep(job: Job) -> str:
    image, inside, avoid = read_image(job.data, job.kind, job.entry)
    labels = cut(job.kind, image, inside, avoid, job.entry.name)
    samples = sample(job.entry, image, labels, Modality.of(job.kind.modality), _missing(job))
    if job.file.exists():  # the voxels are the same
        known = read_samples(job.file)
        errors, spreads = {**known.errors, **samples.errors}, {**known.spreads, **samples.spreads}
        samples = dataclasses.replace(known, errors=errors, spreads=spreads)
    write_samples(samples, job.file)
    return f"{job.kind.name} {job.file.stem}: {labels.max()} holes"


def methods_of(kind: Kind) -> list[str]:
    """Return the methods of a kind that can run here: networks need torch."""
    torch = importlib.util.find_spec("torch") is not None
    return [name for name in kind.methods if torch or registry.get(name).architecture is None]


def sample(entry: Entry, image: Volume, labels: np.ndarray, modality: Modality, methods: Sequence[str]) -> Samples:
    """Fill the holes of an image by each method, and return errors and evidence in some voxels of each hole."""
    subject = damaged_subject(image, labels > 0, modality)
    groups = find_parts(subject.whole, image.spacing)
    at, hole = _chosen(labels)
    truth = image.array.astype(np.float64).ravel()[at]
    errors: dict[str, np.ndarray] = {}
    spreads: dict[str, np.ndarray] = {}
    known = {name: np.full(len(at), np.nan) for name in ("depth", "contrast")}
    for method in methods:
        try:
            filling = fill(subject, plan_tasks(subject, [(Plan.of(method), groups)]), Progress())
        except MedInpaintError as error:
            print(f"{entry.name}: {method}: {error}", flush=True)
            errors[method] = np.full(len(at), np.nan)  # so that it is not tried again
            continue
        values = _at(subject, filling, method, at)
        known = {name: values[name] for name in ("depth", "contrast")}
        errors[method] = values["fill"] - truth
        if np.isfinite(values["spread"]).any():
            spreads[method] = values["spread"]
    return Samples(
        entry.subject,
        entry.name,
        LEAST * subject.scaling.width,
        hole,
        **known,
        sizes=sizes_of(labels, image.spacing),
        errors=errors,
        spreads=spreads,
    )


def _chosen(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return flat indices of some voxels of each hole, and the number of the hole of each, from 0."""
    rng = np.random.default_rng(0)
    own = [np.flatnonzero(labels == label) for label in range(1, int(labels.max()) + 1)]
    chosen = [rng.choice(each, min(MOST, len(each)), replace=False) for each in own]
    return np.concatenate(chosen), np.repeat(np.arange(len(chosen)), [len(each) for each in chosen])


def _at(subject: Subject, filling: Filling, method: str, at: np.ndarray) -> dict[str, np.ndarray]:
    """Return fill, spread, depth and contrast at some voxels; NaN for a fill by another method."""
    shape = subject.whole.shape
    arrays = {name: np.full(math.prod(shape), np.nan) for name in ("fill", "spread", "depth", "contrast")}
    for region in filling.regions:
        corner = [side.start for side in region.patch.box]
        where = np.ravel_multi_index(tuple((np.argwhere(region.patch.hole) + corner).T), shape)
        evidence = evidence_of(subject, region)
        arrays["depth"][where], arrays["contrast"][where] = evidence.depth, evidence.contrast
        if region.method == method:
            arrays["fill"][where] = region.patch.intensities
            if evidence.spread is not None:
                arrays["spread"][where] = evidence.spread
    return {name: array[at] for name, array in arrays.items()}


def sizes_of(labels: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the mm across a ball, or a disc in 2-D, as large as each hole."""
    volumes = np.bincount(labels.ravel())[1:] * math.prod(spacing)
    return 2 * (3 * volumes / 4 / math.pi) ** (1 / 3) if labels.ndim == 3 else 2 * np.sqrt(volumes / math.pi)
