"""Fill balls in train people, and keep some voxels of each ball; what was measured before is read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.atlas.fitted import fit
from MedInpaintLib.atlas.registration import register, why_none
from MedInpaintLib.independent_fills import depths, likeness
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.mask import grow
from MedInpaintLib.modality import MR
from MedInpaintLib.other_side import other_side
from MedInpaintLib.pipeline import inpaint
from MedInpaintLib.prediction import METHODS
from MedInpaintLib.region import crop
from MedInpaintLib.volume import Volume

from ..shared.cases import in_parallel
from ..shared.subjects import damaged_subject
from .balls import place_balls
from .samples import Samples, read_samples, write_none, write_samples

#: The fills, by their names in :class:`.samples.Samples`.
FILLS = {"smooth": "biharmonic", "mirror": "mirror", "atlas": "atlas", "patch": "patch"}
CONTRASTS = ("T1", "T2", "FLAIR")
#: Some of the people of large datasets, so that these do not outweigh the others.
FIRST_OF = {"OpenNeuro ds002748": 16, "OpenfMRI ds000011": 4}
#: A stroke of half a hemisphere: there is hardly a ball of healthy tissue in it.
WITHOUT = ("cstar-stroke",)
#: Voxels of a ball that are kept, at most.
MOST = 1500


@dataclasses.dataclass(frozen=True)
class Job:
    """One scan with its small balls or its large one."""

    entry: Entry
    large: bool
    runs: Path

    @property
    def file(self) -> Path:
        """File of the samples."""
        kind = "large" if self.large else "small"
        return self.runs / "consensus-weights" / f"{self.entry.name.replace('/', '-')}--{kind}.npz"


def list_jobs(data: Path, runs: Path) -> list[Job]:
    """Return the scans of the split train that weights are learned from, each with both kinds of balls."""
    left = dict(FIRST_OF)
    jobs = []
    for entry in read_manifest(data, "train"):
        if entry.modality != MR.name or entry.contrast not in CONTRASTS or entry.subject in WITHOUT:
            continue
        if entry.dataset in left:
            left[entry.dataset] -= 1
            if left[entry.dataset] < 0:
                continue
        jobs += [Job(entry, large, runs) for large in (False, True)]
    return jobs


def measure(jobs: Sequence[Job], workers: int) -> None:
    """Measure what is missing, several scans at a time."""
    todo = [(job,) for job in jobs if not job.file.exists()]
    for number, done in enumerate(in_parallel(_keep, todo, workers=workers), start=1):
        print(f"{number}/{len(todo)} {done}", flush=True)


def samples_of(jobs: Sequence[Job]) -> Iterator[Samples]:
    """Yield what was measured."""
    for job in jobs:
        samples = read_samples(job.file) if job.file.exists() else None
        if samples is not None:
            yield samples


def _keep(job: Job) -> str:
    samples = sample(job.entry, Volume.read(job.entry.path), large=job.large)
    if samples is None:
        write_none(job.file)
        return f"{job.file.stem}: no ball fits, or the atlas does not"
    write_samples(samples, job.file)
    return job.file.stem


def sample(entry: Entry, image: Volume, *, large: bool) -> Samples | None:
    """Fill the balls of a scan by each method, and return some voxels of each; None without balls or atlas."""
    from scipy import ndimage

    labels = place_balls(image, large=large)
    hole = labels > 0
    if not hole.any():
        return None
    subject = damaged_subject(image, hole)
    registration = register(subject)
    if registration is None or why_none(registration):
        return None
    fills = {
        name: subject.scaling.forward(
            inpaint(subject.image, hole, method=method, modality=MR.name, force=True, workers=1).volume.array
        )
        for name, method in FILLS.items()
    }
    truth = subject.scaling.forward(image.array)
    rng = np.random.default_rng(0)
    kept: dict[str, list[np.ndarray]] = {}
    context = [int(np.ceil((METHODS["consensus"].context_mm or 0.0) / mm)) for mm in image.spacing]
    for number, box in enumerate(ndimage.find_objects(labels)):
        region = crop(subject, grow(box, context, labels.shape))
        alike, depth = likeness(region, other_side(region)), depths(region)
        explained = fit(region, registration).explained
        own = np.argwhere(labels == number + 1)
        chosen = own[rng.choice(len(own), min(MOST, len(own)), replace=False)]
        at = tuple(chosen.T)
        within = tuple((chosen - [side.start for side in region.box]).T)
        values = {name: fill[at] for name, fill in fills.items()} | {
            "truth": truth[at],
            "depth": depth[within],
            "alike": alike[within],
            "explained": np.full(len(chosen), explained),
            "ball": np.full(len(chosen), number),
        }
        for name, each in values.items():
            kept.setdefault(name, []).append(each)
    arrays = {name: np.concatenate(each) for name, each in kept.items()}
    return Samples(entry.subject, entry.contrast, large, **arrays)
