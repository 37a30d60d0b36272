"""Makes the lesion shapes that the holes ``lesions`` are drawn from: ``python Testing/lesion_shapes.py FOLDER``.

From a folder of data with a ``MANIFEST.csv``, of the training split alone, and only where the licence asks for
attribution at most. Of a subject with several masks only the one with the thinnest slices is used: they show the same
lesions. Prints how many shapes each subject gave; ``lesion_shapes.md`` beside the file says where they are from.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

from MedInpaintLib.errors import MaskError
from MedInpaintLib.holes.lesion_shapes import shapes_of
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.volume import Volume

TARGET = Path(__file__).resolve().parents[1] / "MedInpaintLib" / "holes" / "lesion_shapes.npz"
CONTRASTS = ("MASK-lesion", "MASK-lesion_change_mask")
LICENCE = re.compile(r"CC0|PDDL|CC BY(?![ -]*(NC|ND|SA))|MIT|BSD|Apache")


def masks(folder: Path) -> dict[str, Volume]:
    """Subject -> its mask."""
    found: dict[str, Volume] = {}
    for entry in filter(usable, read_manifest(folder, "train")):
        mask = Volume.read(entry.path)
        if entry.subject not in found or max(mask.spacing) < max(found[entry.subject].spacing) - 1e-3:
            found[entry.subject] = mask
    return found


def usable(entry: Entry) -> bool:
    """Whether it is a mask of lesions that may be given away."""
    return entry.contrast in CONTRASTS and LICENCE.match(entry.licence) is not None


def make(folder: Path, target: Path = TARGET) -> dict[str, int]:
    """Write the file; returns the number of shapes a subject."""
    shapes: list[np.ndarray] = []
    counts: dict[str, int] = {}
    for subject, mask in sorted(masks(folder).items()):
        try:
            own = shapes_of(mask)
        except MaskError:  # none of its lesions is large enough
            continue
        counts[subject] = len(own)
        shapes += own
    np.savez_compressed(
        target,
        bits=np.packbits(np.concatenate([shape.ravel() for shape in shapes])),
        sizes=np.array([shape.shape for shape in shapes], dtype=np.int16),
        subjects=np.repeat(list(counts), list(counts.values())),
    )
    return counts


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with MANIFEST.csv")
    counts = make(parser.parse_args().data)
    for subject, count in counts.items():
        print(f"{subject}: {count}")
    print(f"{sum(counts.values())} shapes, {TARGET.stat().st_size} bytes in {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
