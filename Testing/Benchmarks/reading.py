"""Reading a NIfTI file of 512 x 512 x 300 voxels, int16, against SimpleITK: seconds, and memory at most."""

from __future__ import annotations

import math
import statistics
import tempfile
from pathlib import Path

import numpy as np
from measure import Measured, measure

import MedInpaintLib as mi

SHAPE = (512, 512, 300)
RUNS = 3


def main() -> None:
    """Print both readers' figures and their ratio, for .nii and .nii.gz."""
    image = 2 * math.prod(SHAPE) / 1e6
    print(f"{' x '.join(map(str, SHAPE))} int16, {image:.0f} MB; medians of {RUNS} processes each")
    with tempfile.TemporaryDirectory() as place:
        for ending in (".nii", ".nii.gz"):
            # In a folder of its own: for a.nii.gz, ITK reads a.nii when that lies beside it.
            path = Path(place, f"as{ending}", f"image{ending}")
            path.parent.mkdir()
            measure(write, path, repeats=1)  # elsewhere: a process begins with the peak of the one that started it
            ours, theirs = [], []
            for _ in range(RUNS):  # by turns, so that a busy machine slows both down
                ours.append(measure(read, path, repeats=1, warm_up=_warm_up))
                theirs.append(measure(read_by_sitk, path, repeats=1, warm_up=_warm_up))
            _print(ending, ours, theirs, image)


def write(path: Path) -> None:
    """Write the image by nibabel."""
    import nibabel

    nibabel.save(nibabel.Nifti1Image(_like_ct(), np.eye(4)), path)


def read(path: Path) -> int:
    """Read by MedInpaint, with all its checks; return one voxel, so that nothing is left for later."""
    return int(mi.Volume.read(path).array[-1, -1, -1])


def read_by_sitk(path: Path) -> int:
    """Read by SimpleITK into an array, as MedInpaint did before it had readers of its own."""
    import SimpleITK as sitk

    return int(sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[-1, -1, -1])


def _warm_up() -> None:
    import nibabel  # noqa: F401
    import SimpleITK as sitk

    sitk.GetArrayFromImage(sitk.Image(8, 8, sitk.sitkInt16))
    mi.Volume(np.zeros((2, 2, 2), np.int16), 1.0)


def _like_ct() -> np.ndarray:
    """Return noise of 20 HU in a body of 0 HU, in air: compressed, it takes about half of its bytes, as a CT does."""
    i, j = np.ogrid[: SHAPE[0], : SHAPE[1]]
    body = (i - 256) ** 2 + (j - 256) ** 2 < 200**2
    noise = np.random.default_rng(0).normal(scale=20, size=SHAPE)
    return np.where(body[..., np.newaxis], noise, -1000).astype(np.int16)


def _print(ending: str, ours: list[Measured], theirs: list[Measured], image: float) -> None:
    seconds = [statistics.median(each.seconds for each in runs) for runs in (ours, theirs)]
    megabytes = [statistics.median(each.megabytes for each in runs) for runs in (ours, theirs)]
    for name, time, memory in zip(("MedInpaint", "SimpleITK"), seconds, megabytes, strict=True):
        print(f"{ending:8} {name:11} {time:7.3f} s  {memory:6.0f} MB, {memory / image:.2f} times the voxels")
    print(f"{'':8} {'ratio':11} {seconds[0] / seconds[1]:7.2f}    {megabytes[0] / megabytes[1]:6.2f}")


if __name__ == "__main__":
    main()
