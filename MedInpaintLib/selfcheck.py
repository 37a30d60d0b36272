"""Self-check: which method does best on this very image, and how well.

Trial holes of the real one's shapes are cut out of healthy tissue of the same image that looks like the tissue around
the real hole. Every suitable method fills these trial holes, whose true content is known. The best one wins, and its
scores say what to expect of it in the real hole, in this patient, with this scanner.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from .data_range import DataRange, data_range_of
from .errors import Cancelled, MedInpaintError
from .filled import Filling
from .filling import fill
from .foreground import body
from .intensity import sample_known
from .mask import Box, Hole, bounding_box, grow, relative
from .metrics import score
from .parts import Group, find_parts
from .progress import Progress
from .subject import Subject
from .tasks import Plan, plan_tasks
from .together import time_together
from .uncertainty import Trials, trials_of

#: Trial holes at most, and what they may hold in voxels before there are fewer (but at least the fewest).
MOST, VOXELS, FEWEST = 10, 24_000, 4
#: PSNR is capped at this many dB; over empty background it is unbounded and uninformative.
PERFECT = 50.0
#: Voxels around the hole, along each axis, in which trial holes may lie: a whole head, but not a whole body.
REACH = 160
#: Places to compare with the real one for each trial hole.
PLACES = 600
#: Voxels kept free around every hole, so that no trial is filled from hidden voxels.
APART = 4
#: Voxels of a ring at most, when places are compared.
_RING = 400
METRICS = ("psnr", "ssim", "mae")


@dataclasses.dataclass(frozen=True)
class SelfCheck:
    """The outcome of a self-check.

    Attributes:
        best: the candidate to take; the first one where none could be tried.
        holes: how many trial holes there were.
        data_range: R of PSNR and SSIM, with its origin.
        scores: candidate -> metric -> one value a trial hole.
        seconds: candidate -> wall time of filling all of them.
        left_out: candidate -> why it could not be tried.
        trials: candidate -> what the trial holes say of its standard deviations.
    """

    best: str
    holes: int
    data_range: DataRange
    scores: dict[str, dict[str, list[float]]]
    seconds: dict[str, float]
    left_out: dict[str, str]
    trials: dict[str, Trials] = dataclasses.field(default_factory=dict)

    def expected(self) -> dict[str, dict[str, float | None]]:
        """Return for each metric the winner's mean and standard deviation over the trial holes."""
        return {metric: _spread(values) for metric, values in self.scores[self.best].items()}

    def reason(self) -> str:
        """Say why the best was taken, in words for the report."""
        means = {name: np.mean(values["psnr"]) for name, values in self.scores.items()}
        lead = f"of {len(means)} methods it was the best on"
        if means[self.best] < max(means.values()):
            lead = "no method was clearly better than it on"
        psnr = self.expected()["psnr"]
        known = psnr["mean"] is not None and psnr["sd"] is not None
        score = f": PSNR {psnr['mean']:.1f} ± {psnr['sd']:.1f} dB" if known else ""
        return f"{lead} {self.holes} such hole{'s' if self.holes > 1 else ''} in healthy parts of this image{score}"

    def report(self) -> dict[str, Any]:
        """Return the outcome, ready for JSON."""
        return {
            "best": self.best,
            "holes": self.holes,
            "range": str(self.data_range),
            "expected": self.expected(),
            "methods": {
                name: {
                    **{metric: _spread(values) for metric, values in scores.items()},
                    "seconds": round(self.seconds[name], 2),
                }
                for name, scores in self.scores.items()
            },
            "left_out": self.left_out,
        }


def self_check_seconds(candidates: Sequence[Plan], groups: Sequence[Group], workers: int) -> float:
    """Return about what :func:`self_check` takes, for dividing up the progress."""
    typical, count = _typical([int(np.count_nonzero(part.voxels)) for group in groups for part in group.parts])
    each = [plan.method.cost.seconds(round(typical)) for plan in candidates]
    return sum(time_together([seconds] * count, workers) for seconds in each)


def _typical(sizes: Sequence[int]) -> tuple[float, int]:
    """Return the size of the part in which a voxel lies on average, and how many such trial holes there are."""
    voxels = np.array(sizes, dtype=float)
    typical = float((voxels**2).sum() / voxels.sum())
    return typical, int(np.clip(VOXELS / typical, FEWEST, MOST))


def self_check(
    subject: Subject,
    candidates: Sequence[Plan],
    groups: Sequence[Group],
    *,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int = 1,
) -> SelfCheck | None:
    """Try the candidates on holes like some parts of the real one, in the same image.

    Args:
        subject: with the real hole, which no candidate sees into here either.
        candidates: what to try; the first is taken unless another one is clearly better.
        groups: the parts of the hole whose shapes the trial holes have.
        seed: for the places of the trial holes.
        progress: reports and cancels.
        workers: trial holes that are filled at a time.

    Returns:
        None when no trial hole fits. A candidate that fails, or falls back to another method on all trial holes, is
        left out: the fills are not its own. Where that leaves none, there are no scores.
    """
    progress = progress or Progress()
    progress.update(0.0, "Placing trial holes")
    window = _window(subject)
    corner = [mine.start - cut.start for mine, cut in zip(subject.whole.box, window.whole.box, strict=True)]
    labels = _trial_holes(window, groups, corner, np.random.default_rng(seed))
    count = int(labels.max())
    if count == 0:
        return None
    both = labels > 0
    trials = _hole(both)
    hidden = window.whole.full()
    both |= hidden
    # SSIM's window reaches into the real hole, whose voxels must stay hidden, and to voxels without data.
    zero = window.image.array.dtype.type(0)
    truth = np.where(hidden if window.no_data is None else hidden | window.no_data, zero, window.image.array)
    # What is cached (a registration) is computed with the trial holes hidden, so it cannot have seen into them.
    trial_subject = window.change_all(lambda image: dataclasses.replace(image, whole=_hole(both), cache={}))
    known = sample_known(window.image.array, trial_subject.whole.voxels, trial_subject.whole.box, window.no_data)
    trial_groups = find_parts(trials, window.image.spacing)
    scale = data_range_of(known, subject.modality, subject.image.array.dtype)
    scores: dict[str, dict[str, list[float]]] = {}
    seconds: dict[str, float] = {}
    left_out: dict[str, str] = {}
    tried: dict[str, Trials] = {}
    shares = progress.remaining(*(self_check_seconds([plan], groups, workers) for plan in candidates))
    for share, plan in zip(shares, candidates, strict=True):
        name, start = plan.method.name, time.perf_counter()
        share.update(0.0, f"Trying {name}")
        tasks = plan_tasks(trial_subject, [(dataclasses.replace(plan, grain=False), trial_groups)])
        try:
            filling = fill(trial_subject, tasks, share, workers=workers)
        except Cancelled:
            raise
        except MedInpaintError as error:
            left_out[name] = str(error)
            continue
        if filling.instead is not None:
            left_out[name] = f"it fell back to {filling.instead} on all trial holes."
            continue
        seconds[name] = time.perf_counter() - start
        trials_of_it = trials_of(trial_subject, filling, truth, labels)
        if trials_of_it is not None:
            tried[name] = trials_of_it
        scores[name] = _scores(_filled(filling, truth), truth, labels, scale, window.image.spacing)
    best = _best(scores) if scores else candidates[0].method.name
    return SelfCheck(best, count, scale, scores, seconds, left_out, tried)


def _best(scores: dict[str, dict[str, list[float]]]) -> str:
    """Return the candidate with the best mean PSNR; but the first, if it is within one standard error of that.

    A few trial holes tell candidates apart only so far, and the first is best on average over many scans (Breiman et
    al.: Classification and regression trees, 1984, 3.4.3: the one standard error rule).
    """
    psnr = {name: np.array(values["psnr"]) for name, values in scores.items()}
    best = max(psnr, key=lambda name: float(psnr[name].mean()))
    first = next(iter(psnr))
    lead = psnr[best] - psnr[first]
    error = lead.std(ddof=1) / math.sqrt(len(lead)) if len(lead) > 1 else math.inf
    return best if lead.mean() > error else first


def _filled(filling: Filling, truth: np.ndarray) -> np.ndarray:
    """Return the truth with the trial holes filled."""
    array = truth.copy()
    for patch in filling.patches:
        patch.write_into(array)
    return array


def _scores(
    filled: np.ndarray, truth: np.ndarray, labels: np.ndarray, scale: DataRange, spacing: tuple[float, ...]
) -> dict[str, list[float]]:
    from scipy import ndimage

    scores: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        around = grow(box, [8] * labels.ndim, labels.shape)  # SSIM's window and some room
        values = score(
            filled[around],
            truth[around],
            labels[around] == number,
            data_range=scale.width,
            black=scale.black,
            spacing=spacing,
        )
        for metric in METRICS:
            scores[metric].append(min(float(values[metric]), PERFECT) if metric == "psnr" else float(values[metric]))
    return scores


def _window(subject: Subject) -> Subject:
    """Crop the subject to what lies within reach of the hole; return the subject itself when that is all of it."""
    box = grow(subject.whole.box, [REACH] * len(subject.whole.shape), subject.whole.shape)
    if all(side == slice(0, size) for side, size in zip(box, subject.whole.shape, strict=True)):
        return subject
    return subject.change_all(lambda each: _cropped(each, box))


def _cropped(subject: Subject, box: Box) -> Subject:
    image = subject.image.crop(box)
    moved = relative(subject.whole.box, box)
    return dataclasses.replace(
        subject,
        image=image,
        whole=Hole(subject.whole.voxels, moved, image.array.shape),
        guides=tuple(guide.crop(box) for guide in subject.guides),
        no_data=None if subject.no_data is None else subject.no_data[box],
        cache={},
    )


def _hole(voxels: np.ndarray) -> Hole:
    box = bounding_box(voxels)
    assert box is not None  # there is at least one trial hole
    return Hole(np.ascontiguousarray(voxels[box]), box, voxels.shape)


@dataclasses.dataclass(frozen=True)
class _Part:
    """A connected part of the real hole: its voxels, those around it, and how these look.

    Attributes:
        voxels, ring: bool, of the shape of the box around both.
        appearance: mean and standard deviation of the ring's values.
        inside: share of the part that lies in the body.
    """

    voxels: np.ndarray
    ring: np.ndarray
    appearance: np.ndarray
    inside: float


def _trial_holes(
    subject: Subject, groups: Sequence[Group], corner: Sequence[int], rng: np.random.Generator
) -> np.ndarray:
    """Return the trial holes: int32 labels of the image's shape.

    Args:
        subject: cropped to what lies within reach.
        groups: whose parts are copied.
        corner: of the crop, in the image that the groups are of.
        rng: chance.
    """
    hole = subject.whole.full()
    no_data = subject.no_data
    with np.errstate(over="ignore", invalid="ignore"):  # what is not known may be any number
        values = np.where(~subject.known, np.float32(np.nan), subject.scaling.forward(subject.image.array))
    voided = np.where(hole, subject.image.array.dtype.type(0), subject.image.array)
    inside = body(voided, subject.modality, no_data)
    labels = np.zeros(hole.shape, dtype=np.int32)
    # Trial holes keep away from voxels without data, too: rings that touch these have no appearance.
    taken = _dilated(hole) if no_data is None else _dilated(hole) | no_data
    placed = 0
    for part in _drawn(_parts(groups, corner, values, inside), rng):
        at = _place(part, values, inside, taken, rng)
        if at is None:
            continue
        placed += 1
        box = tuple(slice(c, c + size) for c, size in zip(at, part.voxels.shape, strict=True))
        labels[box][part.voxels] = placed
        around = grow(box, [APART] * hole.ndim, hole.shape)
        taken[around] |= _dilated(labels[around] == placed)
    return labels


def _dilated(voxels: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return ndimage.binary_dilation(voxels, iterations=APART)


def _parts(groups: Sequence[Group], corner: Sequence[int], values: np.ndarray, inside: np.ndarray) -> list[_Part]:
    """Return the parts of the hole with what is around them, largest first."""
    from scipy import ndimage

    everywhere = np.ones((3,) * values.ndim)
    margin = [2 if size > 1 else 0 for size in values.shape]
    parts = []
    for part in (part for group in groups for part in group.parts):
        place = tuple(slice(s.start - c, s.stop - c) for s, c in zip(part.box, corner, strict=True))
        box = grow(place, margin, values.shape)
        own = np.zeros([side.stop - side.start for side in box], dtype=bool)
        own[relative(place, box)] = part.voxels
        ring = ndimage.binary_dilation(own, structure=everywhere, iterations=2) & ~own
        appearance = values[box][ring]
        appearance = appearance[np.isfinite(appearance)]
        if appearance.size:
            share = float(inside[box][own].mean())
            parts.append(_Part(own, ring, np.array([appearance.mean(), appearance.std()]), share))
    return sorted(parts, key=lambda part: -int(np.count_nonzero(part.voxels)))


def _drawn(parts: list[_Part], rng: np.random.Generator) -> list[_Part]:
    """Draw the part to copy for each trial: all alike when there are few, by size when there are many."""
    if not parts:
        return []
    sizes = [int(np.count_nonzero(part.voxels)) for part in parts]
    _, count = _typical(sizes)
    if len(parts) <= count:
        return [parts[number % len(parts)] for number in range(count)]
    return [
        parts[number] for number in sorted(rng.choice(len(parts), count, replace=False, p=np.array(sizes) / sum(sizes)))
    ]


def _place(
    part: _Part, values: np.ndarray, inside: np.ndarray, taken: np.ndarray, rng: np.random.Generator
) -> tuple[int, ...] | None:
    """Return the corner of the free place, among many at random, whose ring looks most like the part's own."""
    room = np.subtract(values.shape, part.voxels.shape)
    if (room < 0).any():
        return None
    corners = rng.integers(0, room + 1, size=(PLACES, values.ndim))
    steps = [int(math.prod(values.shape[axis + 1 :])) for axis in range(values.ndim)]
    starts = corners @ steps
    own = np.argwhere(part.voxels)
    own = own[:: max(1, len(own) // _RING)] @ steps
    ring = np.argwhere(part.ring)
    ring = ring[:: max(1, len(ring) // _RING)] @ steps
    seen = values.ravel()[starts[:, np.newaxis] + ring]
    appearance = np.stack([seen.mean(axis=1), seen.std(axis=1)], axis=1)
    share = inside.ravel()[starts[:, np.newaxis] + own].mean(axis=1)
    unlike = np.abs(appearance - part.appearance).sum(axis=1) + np.abs(share - part.inside)
    for index in np.argsort(unlike):
        if not np.isfinite(unlike[index]):
            break  # NaN sorts last: a ring that touches a hole
        corner = tuple(int(c) for c in corners[index])
        box = tuple(slice(c, c + size) for c, size in zip(corner, part.voxels.shape, strict=True))
        if not taken[box][part.voxels].any():
            return corner
    return None


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return mean and standard deviation; None where there is none, such as the deviation of one value."""
    spread = len(values) > 1 and np.isfinite(values).all()
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1)) if spread else math.nan
    return {"mean": _finite(mean), "sd": _finite(sd)}


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
