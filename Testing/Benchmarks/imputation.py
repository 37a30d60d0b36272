"""A missing contrast of a 1 mm head: time and memory, with and without the mean with the mirrored slices.

The sample head stands for both contrasts: what they show does not change how long it takes.
"""

from __future__ import annotations

from measure import measure

import MedInpaintLib as mi
from MedInpaintLib.samples import sample


def impute(mirrored: bool) -> tuple[int, ...]:
    """The head's shape."""
    head = mi.Volume.read(sample("brain-t1").image)
    return mi.impute({"T1": head, "T2": head}, "FLAIR", mirrored=mirrored).volume.array.shape


def main() -> None:
    seconds = {}
    for mirrored in (True, False):
        found = measure(impute, mirrored, repeats=1)
        seconds[mirrored] = found.seconds
        size = " x ".join(map(str, found.value))
        words = "with the mirrored slices" if mirrored else "without them"
        print(f"impute a head of {size}, {words:24} {found.seconds:6.1f} s, {found.megabytes:5.0f} MB")
    print(f"ratio {seconds[True] / seconds[False]:.2f}")


if __name__ == "__main__":
    main()
