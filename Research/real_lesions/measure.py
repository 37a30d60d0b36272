"""Fill the holes of each head by each method, and score part by part; what was measured before is read again."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.manifest import Entry
from MedInpaintLib.mask import grow
from MedInpaintLib.metrics import score
from MedInpaintLib.pipeline import inpaint
from MedInpaintLib.volume import Volume

from ..shared.cases import in_parallel
from . import plain_flip
from .heads import Head, list_heads, read_head
from .holes import BALL, MS, cut
from .parts import describe

FLIP = "plain flip"
#: In the order of their cost: the choice among equals goes to the first.
METHODS = (
    "shell-mean",
    "harmonic",
    "biharmonic",
    FLIP,
    "patch-regression",
    "patch",
    "mirror",
    "unet",
    "pconv",
    "rfr",
    "consensus",
    "auto",
)
#: PSNR of a part is at most this many dB: over flat background it is unbounded.
MOST = 50.0
#: Methods that are left out where a hole has more ml: they take minutes, or have nothing to learn there.
TOO_SLOW = {"patch": 20.0, "patch-regression": 20.0, "pconv": 20.0, "rfr": 20.0}
#: Parts of an image on train and val, where rules are chosen: fewer, so that more people can be measured.
FEWER = {MS: 14, BALL: 3}
#: Voxels around a part that the window of SSIM reaches.
AROUND = 6


@dataclasses.dataclass(frozen=True)
class Job:
    """The holes of one kind in one head, and the methods that shall fill them."""

    data: Path
    runs: Path
    split: str
    entry: Entry
    about: dict[str, str]
    kind: str
    methods: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Folder of what was measured."""
        return self.runs / "real-lesions" / self.entry.name.replace("/", "-")

    def file(self, method: str) -> Path:
        """Return the file of a method's scores, or of the parts' facts."""
        return self.folder / f"{self.kind}--{method.replace(' ', '-')}.json"


def list_jobs(
    data: Path, runs: Path, splits: Sequence[str], kinds: Sequence[str], methods: Sequence[str], match: str = ""
) -> list[Job]:
    """Return all holes of all heads of some splits."""
    return [
        Job(data, runs, split, entry, about, kind, tuple(methods))
        for split in splits
        for entry, about in list_heads(data, split)
        if match in entry.name
        for kind in kinds
    ]


def run(jobs: Sequence[Job], again: Sequence[str] = (), workers: int = 1) -> None:
    """Measure what is missing.

    Args:
        jobs: what :func:`list_jobs` returned.
        again: methods that are measured again, because they have changed.
        workers: heads at a time, each on a core of its own.
    """
    for job in jobs:
        for method in again:
            job.file(method).unlink(missing_ok=True)
    by_image: dict[str, list[Job]] = {}
    for job in jobs:
        if not all(job.file(method).exists() for method in ("parts", *job.methods)):
            by_image.setdefault(job.entry.name, []).append(job)
    for done in in_parallel(_measure, [(own,) for own in by_image.values()], workers=workers):
        print(done, flush=True)


def rows_of(job: Job) -> list[dict[str, Any]]:
    """Return what was measured of a job, a row for each part and method."""
    if not job.file("parts").exists():
        return []
    facts = json.loads(job.file("parts").read_text(encoding="utf-8"))
    rows = []
    for method in job.methods:
        measured = json.loads(job.file(method).read_text(encoding="utf-8")) if job.file(method).exists() else None
        if not measured:
            continue
        for part, scores in zip(facts["parts"], measured["parts"], strict=True):
            rows.append({**facts["case"], **part, "method": method, "seconds": measured["seconds"], **scores})
    return rows


def _measure(jobs: Sequence[Job]) -> str:
    """Measure the holes of one head, and write a file for each method."""
    head = read_head(jobs[0].data, jobs[0].entry, jobs[0].about)
    for job in jobs:
        make_folder(job.folder)
        labels = _labels(job, head)
        if labels is None:
            for method in ("parts", *job.methods):
                write_text(job.file(method), '{"case": {}, "parts": []}' if method == "parts" else "null")
            continue
        millilitres = float((labels > 0).sum() * np.prod(head.image.spacing)) / 1000
        for method in job.methods:
            if job.file(method).exists():
                continue
            started = time.perf_counter()
            slow = millilitres > TOO_SLOW.get(method, math.inf)
            measured = None if slow else _score(head, labels, method)
            write_text(job.file(method), json.dumps(measured))
            print(f"{head.entry.name} {job.kind} {method} {time.perf_counter() - started:.1f} s", flush=True)
    return jobs[0].entry.name


def _labels(job: Job, head: Head) -> np.ndarray | None:
    """Return the labels of a job's holes, made once, and write the facts of the parts."""
    path = job.folder / f"{job.kind}--holes.npz"
    if path.exists():
        with np.load(path) as file:
            labels = np.zeros(head.brain.shape, dtype=np.int32)
            labels.ravel()[file["at"]] = file["labels"]
    else:
        cutting = cut(head, job.kind, job.data)
        if cutting is None:
            return None
        most = math.inf if job.split == "test" else FEWER.get(job.kind, math.inf)
        labels = np.where(cutting <= most, cutting, 0).astype(np.int32)
        at = np.flatnonzero(labels)
        np.savez_compressed(path, at=at.astype(np.int32), labels=labels.ravel()[at].astype(np.int16))
    if not job.file("parts").exists():
        plane = plain_flip.fit(head.image.array, labels > 0, head.image.spacing)
        case = {
            "split": job.split,
            "image": job.entry.name,
            "subject": job.entry.subject,
            "contrast": job.entry.contrast,
            "thickness": round(head.thickness, 2),
            "kind": job.kind,
        }
        write_text(job.file("parts"), json.dumps({"case": case, "parts": describe(head, labels, plane)}))
    return labels


def _score(head: Head, labels: np.ndarray, method: str) -> dict[str, Any]:
    """Fill all holes by a method, and return the seconds of one core and each part's scores."""
    hole, image = labels > 0, head.image
    voided = image.with_array(np.where(hole, image.array.dtype.type(0), image.array))
    width = float(np.percentile(image.array[head.brain & ~hole], 99.5))
    # Of this process, not of the wall: the machine may be busy.
    started, took = time.process_time(), {}
    if method == FLIP:
        filled = plain_flip.fill(voided.array, hole, image.spacing)
    else:
        result = inpaint(voided, hole, method=method, modality="MR", workers=1)
        filled = result.volume.array
        took = {int(labels[tuple(part["middle"])]): part["method"] for part in result.report["parts"]}
    seconds = time.process_time() - started
    parts = _scores(image, filled, labels, width)
    for number, part in enumerate(parts, start=1):
        part["took"] = took.get(number, method)
    return {"seconds": round(seconds, 2), "parts": parts}


def _scores(image: Volume, filled: np.ndarray, labels: np.ndarray, width: float) -> list[dict[str, Any]]:
    """Return the scores of each part, in the order of its label."""
    from scipy import ndimage

    rows = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        wide = grow(box, [AROUND] * labels.ndim, labels.shape)
        own = labels[wide] == number
        truth, fill = image.array[wide], filled[wide]
        scores = score(fill, truth, own, data_range=width, spacing=image.spacing)
        rows.append(
            {
                "psnr": round(min(scores["psnr"], MOST), 3),
                "ssim": round(_finite(scores["ssim"]), 4),
                "mae": round(scores["mae"] / width, 5),
                "brightness": round(float(fill[own].mean() / max(truth[own].mean(), 1e-6)), 3),
            }
        )
    return rows


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else 1.0
