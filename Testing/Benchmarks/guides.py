"""How well are guides that lie told from good ones? The measurement behind ``MedInpaintLib/guides.py``.

    python Testing/Benchmarks/guides.py DATA train,val

``DATA`` holds ``MANIFEST.csv`` with the columns path, modality, contrast, subject_id and split, with several contrasts
and lesion masks in a folder of ``mr_multicontrast``. Prints how often flips are found, how often a good guide is taken
for a flipped or an unfitting one, and how many guides show the lesion, in true lesions and in healthy places.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from scipy import ndimage

from MedInpaintLib import Volume
from MedInpaintLib.foreground import body
from MedInpaintLib.guides import FEWEST, SHOWN, share_brighter
from MedInpaintLib.imputation.agreement import Anatomy, agreement, flips_that_fit
from MedInpaintLib.imputation.grids import LEAST_SHARPNESS
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.mask import Hole, bounding_box
from MedInpaintLib.modality import MR

FLIPS = ((2,), (1,), (0,), (1, 2))


def main(data: Path, splits: list[str]) -> None:
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    for session in sessions(data, splits).values():
        images = {name: Volume.read(path) for name, path in session.items()}
        masks = [images.pop(name) for name in list(images) if name.startswith("MASK")]
        views = {name: Anatomy.of(image) for name, image in images.items()}
        for first, second in itertools.combinations(images, 2):
            counts["good guide called flipped"][bool(flips_that_fit(views[first], views[second]))] += 1
            unfit = agreement(views[first], views[second]).sharpness < LEAST_SHARPNESS
            counts["good guide called unfitting"][unfit] += 1
            for flip in FLIPS:
                turned = images[second].with_array(np.flip(images[second].array, flip).copy())
                counts[f"guide flipped along {flip} noticed"][
                    flips_that_fit(views[first], Anatomy.of(turned)) == flip
                ] += 1
        for mask in masks[:1]:
            lesions(images, mask.array > 0, counts)
    for name, each in sorted(counts.items()):
        print(f"{name:44} {each[True]:4} of {each.total():4}")


def sessions(data: Path, splits: list[str]) -> dict[str, dict[str, Path]]:
    """Return contrast -> file of each visit of a subject; of masks, only those of lesions."""
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for entry in (entry for split in splits for entry in read_manifest(data, split)):
        if entry.path.parent.parent.name == "mr_multicontrast" and entry.contrast != "MASK-brainmask":
            found[_visit(entry)][entry.contrast] = entry.path
    return found


def _visit(entry: Entry) -> str:
    first = entry.path.name.split("_")[0]
    return f"{entry.subject} {first if first.startswith('ses') else ''}"


def lesions(images: dict[str, Volume], marked: np.ndarray, counts: dict[str, Counter[bool]]) -> None:
    """Count in which guides the four largest lesions are seen, and the same shapes in five healthy places each."""
    rng = np.random.default_rng(0)
    labels, _ = ndimage.label(marked, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    near = ndimage.binary_dilation(marked, iterations=3)
    inside = body(next(iter(images.values())).array, MR)
    for part in np.argsort(-sizes)[:4]:
        if sizes[part] < FEWEST:
            continue
        own = labels == part + 1
        shape = own[bounding_box(own)]
        holes = [("a lesion", own)]
        for _ in range(60):
            corner = [int(rng.integers(0, size - side + 1)) for size, side in zip(own.shape, shape.shape, strict=True)]
            place = np.zeros_like(own)
            place[tuple(slice(c, c + side) for c, side in zip(corner, shape.shape, strict=True))] = shape
            if len(holes) < 6 and inside[place].all() and not near[place].any():
                holes.append(("a healthy place", place))
        for kind, voxels in holes:
            box = bounding_box(voxels)
            hole = Hole(voxels[box], box, voxels.shape)
            for name, image in images.items():
                brighter = share_brighter(image, hole)
                counts[f"{name} shows {kind}"][max(brighter, 1 - brighter) >= SHOWN] += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split(","))
