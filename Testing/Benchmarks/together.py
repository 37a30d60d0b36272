"""Are contrasts with one hole filled better together or alone? The measurement behind ``inpaint_together``.

    python Testing/Benchmarks/together.py DATA train,val [METHOD...]

``DATA`` holds ``MANIFEST.csv`` as for ``guides.py``. In each person with T1, T2 and FLAIR, holes in healthy tissue are
filled in each image alone and in all three together. Prints, as means by person:

* PSNR in the hole, the range being the 0.5..99.5 percentiles of the known body;
* misfit: each contrast is predicted from the two others by the nearest neighbors among the known tissue of this head;
  the RMS error of that for the fills over the one for the truth: 1 is ideal, and what is too smooth falls below 1;
* bits: the mutual information of two contrasts in the holes, the mean of three pairs, over that of the truth;
* seconds of one core.

Seven people: together, PSNR differs by -0.45 to +0.31 dB and cannot be told apart in any contrast; misfit falls by 0.04
to 0.11, bits rise by 0.17 to 0.32, and seconds are 0.55 to 0.67 of those alone (``docs/how-to/images-together.md``).
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from pathlib import Path

import numpy as np
from guides import sessions
from scipy.spatial import cKDTree

import MedInpaintLib as mi
from MedInpaintLib.foreground import body
from MedInpaintLib.holes import place
from MedInpaintLib.modality import MR

CONTRASTS = ("T1", "T2", "FLAIR")
HOLES = ("spheres:10mm:6", "spheres:20mm:3", "lesions:12mm:6")
METHODS = ("patch", "mirror")
#: Known voxels that predictions are made from, how many neighbors vote, and bins of a histogram.
SAMPLE, NEIGHBORS, BINS = 40_000, 10, 12


def main(data: Path, splits: list[str], methods: list[str]) -> None:
    rows: dict[tuple[str, str, str], list[np.ndarray]] = {}
    seen = set()
    for visit, session in sessions(data, splits).items():
        person = visit.split()[0]
        if person in seen or not set(CONTRASTS) <= set(session):
            continue
        seen.add(person)
        images = [mi.Volume.read(session[name]) for name in CONTRASTS]
        lesions = [mi.Volume.read(path).array > 0 for name, path in session.items() if name.startswith("MASK")]
        for holes in HOLES:
            marked = marked_in(images, holes, lesions)
            if marked is None:
                print(f"{person}: {holes} do not fit", flush=True)
                continue
            for method in methods:
                for how, numbers in measured(images, marked, method).items():
                    rows.setdefault((holes, method, how), []).append(numbers)
                    print(f"{person:16} {line(holes, method, how, numbers)}", flush=True)
    print(f"\nmeans of {len(seen)} people; difference = together - alone, with its 95 % interval by person")
    for (holes, method, how), each in rows.items():
        print(line(holes, method, how, np.mean(each, axis=0)))
        if how == "together":
            gains = np.array(each) - np.array(rows[holes, method, "alone"])
            reach = interval(gains)
            print(f"{'':34} PSNR " + "  ".join(f"{g:+.2f} ±{r:.2f}" for g, r in zip(gains.mean(0), reach, strict=True)))


def line(holes: str, method: str, how: str, numbers: np.ndarray) -> str:
    psnr, (misfit, bits, seconds) = numbers[:3], numbers[3:]
    scores = "  ".join(f"{name} {value:5.2f}" for name, value in zip(CONTRASTS, psnr, strict=True))
    return f"{holes:16} {method:16} {how:8} {scores} dB  misfit {misfit:.2f}  bits {bits:.2f}  {seconds:5.1f} s"


def interval(gains: np.ndarray) -> np.ndarray:
    """Return half of the 95 % t-interval of the mean over people."""
    from scipy import stats

    count = len(gains)
    return stats.t.ppf(0.975, count - 1) * gains.std(axis=0, ddof=1) / math.sqrt(count)


def marked_in(images: list[mi.Volume], holes: str, lesions: list[np.ndarray]) -> np.ndarray | None:
    """Return holes in what is body in all images, away from lesions."""
    inside = np.logical_and.reduce([body(image.array, MR) for image in images])
    avoid = np.logical_or.reduce([np.zeros_like(inside), *lesions])
    try:
        return place(holes, inside.shape, spacing=images[0].spacing, foreground=inside, avoid=avoid, seed=7) > 0
    except mi.MedInpaintError:
        return None


def measured(images: list[mi.Volume], marked: np.ndarray, method: str) -> dict[str, np.ndarray]:
    """Return PSNR of each contrast, misfit, bits and seconds, alone and together."""
    options = {"method": method, "modality": "MR", "workers": 1, "force": True}
    judge = Judge(images, marked)
    start = time.process_time()
    alone = [mi.inpaint(image, marked, **options) for image in images]
    middle = time.process_time()
    together = mi.inpaint_together(images, marked, **options)
    seconds = {"alone": middle - start, "together": time.process_time() - middle}
    return {
        how: np.array([*judge.scores([result.volume.array for result in results]), seconds[how]])
        for how, results in (("alone", alone), ("together", together))
    }


class Judge:
    """Scores fills of some images against the truth, and against the tissue that is known."""

    def __init__(self, images: list[mi.Volume], marked: np.ndarray) -> None:
        self._marked = marked
        arrays = [image.array.astype(np.float64) for image in images]
        known = np.logical_and.reduce([body(image.array, MR) for image in images]) & ~marked
        self._widths = [np.subtract(*np.percentile(array[known], [99.5, 0.5])) for array in arrays]
        self._truth = self._scaled(arrays)
        tissue = np.stack([array[known] / width for array, width in zip(arrays, self._widths, strict=True)], axis=1)
        rng = np.random.default_rng(0)
        self._tissue = tissue[rng.choice(len(tissue), min(SAMPLE, len(tissue)), replace=False)]

    def _scaled(self, arrays: list[np.ndarray]) -> np.ndarray:
        return np.stack(
            [array[self._marked] / width for array, width in zip(arrays, self._widths, strict=True)], axis=1
        )

    def scores(self, filled: list[np.ndarray]) -> list[float]:
        fills = self._scaled([array.astype(np.float64) for array in filled])
        psnr = -10 * np.log10(((fills - self._truth) ** 2).mean(axis=0))
        misfit = self._misfit(fills) / self._misfit(self._truth)
        return [*psnr, misfit, information(fills) / information(self._truth)]

    def _misfit(self, values: np.ndarray) -> float:
        squares = []
        for target in range(values.shape[1]):
            others = [number for number in range(values.shape[1]) if number != target]
            _, nearest = cKDTree(self._tissue[:, others]).query(values[:, others], NEIGHBORS)
            squares.append((values[:, target] - self._tissue[nearest, target].mean(axis=1)) ** 2)
        return float(np.sqrt(np.mean(squares)))


def information(values: np.ndarray) -> float:
    """Return the mean mutual information of two columns, bits; bins hold equal shares of each column."""
    ranks = values.argsort(axis=0).argsort(axis=0) * BINS // len(values)
    bits = []
    for first, second in itertools.combinations(range(values.shape[1]), 2):
        joint = np.histogram2d(ranks[:, first], ranks[:, second], BINS)[0] / len(values)
        apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        bits.append(float((joint[joint > 0] * np.log2(joint[joint > 0] / apart[joint > 0])).sum()))
    return float(np.mean(bits))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:] or list(METHODS))
