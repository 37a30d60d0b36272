"""Compare scikit-image with the code around the methods that does the same: seconds of both, and how far they differ.

CONTRIBUTING.md ("scikit-image") draws the conclusions. Median of several calls in one process, each after one call that
is not counted; a machine without other work is assumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from skimage import draw, exposure, filters, measure, metrics, morphology

from MedInpaintLib.foreground import _threshold
from MedInpaintLib.holes.grid import Grid
from MedInpaintLib.holes.length import Length
from MedInpaintLib.holes.spheres import Spheres
from MedInpaintLib.holes.strokes import _paint
from MedInpaintLib.losses.edge import _thresholds, edge_map
from MedInpaintLib.mask import Hole, _dilate, bounding_box
from MedInpaintLib.metrics.structural_similarity import ssim
from MedInpaintLib.samples import samples
from MedInpaintLib.shrink import reduced_to
from MedInpaintLib.volume import Volume


def timed(call: Callable[[], Any], repeats: int = 7) -> tuple[float, Any]:
    """Return the median seconds of some calls, and what the last one returned."""
    seconds, value = [], call()
    for _ in range(repeats):
        start = time.perf_counter()
        value = call()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[repeats // 2], value


def row(name: str, ours: Callable[[], Any], theirs: Callable[[], Any], unit: str = "largest difference") -> None:
    """Print one comparison; masks differ by a number of voxels, numbers by their largest difference."""
    (own, first), (other, second) = timed(ours), timed(theirs)
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        apart = f"shapes {first.shape} and {second.shape}"
    elif first.dtype == bool:
        apart = f"{np.count_nonzero(first != second)} of {np.count_nonzero(first)} voxels"
    else:
        apart = f"{np.abs(first.astype(np.float64) - second.astype(np.float64)).max():.2g}"
    print(f"{name:62} {own * 1e3:9.2f} {other * 1e3:9.2f} {other / own:6.1f}  {apart}", flush=True)


def blocks() -> None:
    rng = np.random.default_rng(0)
    for dtype in (np.uint8, np.uint16, np.float32):
        film = Volume((rng.random((2048, 2500)) * 250).astype(dtype), (0.1, 0.1))

        def theirs(film: Volume = film) -> np.ndarray:
            times = 2500 // 512
            rows, columns = (size // times * times for size in film.array.shape)
            means = measure.block_reduce(film.array[:rows, :columns], times, np.mean)
            return (np.rint(means) if film.array.dtype.kind in "iu" else means).astype(film.array.dtype)

        row(f"block means, film, {np.dtype(dtype)}: block_reduce", lambda f=film: reduced_to(f, 512).array, theirs)


def histograms(t1: np.ndarray, flair: np.ndarray) -> None:
    def ours() -> np.ndarray:
        source, target = (
            np.quantile(each[each > 0].astype(np.float64), np.linspace(0, 1, 101)) for each in (t1, flair)
        )
        return np.where(t1 > 0, np.interp(t1, source, target), 0)

    def theirs() -> np.ndarray:
        matched = np.zeros(t1.shape)
        matched[t1 > 0] = exposure.match_histograms(t1[t1 > 0], flair[flair > 0])
        return matched

    row("histogram of one contrast, 101 quantiles: match_histograms", ours, theirs)


def thresholds(head: np.ndarray) -> None:
    for name in ("otsu", "li"):
        theirs = getattr(filters, f"threshold_{name}")
        row(
            f"foreground, share of percentiles: threshold_{name}",
            lambda: head > _threshold(head),
            lambda f=theirs: head > f(head),
        )


def labels(head: np.ndarray) -> None:
    bright, full = head > np.percentile(head, 60), np.ones((3, 3, 3))
    row(
        "labels, 26 neighbours: measure.label",
        lambda: ndimage.label(bright, full)[0],
        lambda: measure.label(bright, connectivity=3),
    )
    numbers = ndimage.label(bright, full)[0]

    def ours() -> np.ndarray:
        return np.array([[side.start for side in box] for box in ndimage.find_objects(numbers)])

    def theirs() -> np.ndarray:
        return np.array([part.bbox[:3] for part in measure.regionprops(numbers)])

    row("boxes of parts: regionprops", ours, theirs)


def shapes() -> None:
    grid = Grid((96, 256, 256), (3.0, 1.0, 1.0))
    ball = Spheres(Length(20.0, "mm"))

    def theirs() -> np.ndarray:
        made = draw.ellipsoid(10.0, 10.0, 10.0, spacing=grid.spacing)
        return made[tuple(slice(1, -1) for _ in made.shape)]  # it leaves a margin of one voxel

    row("ball of 20 mm, 1 x 1 x 3 mm: draw.ellipsoid", lambda: ball.draw(grid, np.random.default_rng(0)), theirs)
    start, stop = np.array([40.3, 30.2]), np.array([180.6, 200.8])

    def stroke() -> np.ndarray:
        plane = np.zeros((256, 256), dtype=bool)
        _paint(plane, start, stop, np.ones(2), 6.0)
        return plane

    def line() -> np.ndarray:
        plane = np.zeros((256, 256), dtype=bool)
        plane[draw.line(*np.rint(start).astype(int), *np.rint(stop).astype(int))] = True
        return morphology.isotropic_dilation(plane, 6.0)

    row("stroke of 12 px: draw.line and isotropic_dilation", stroke, line)


def growth(lesion: np.ndarray, spacing: tuple[float, ...]) -> None:
    box = bounding_box(lesion)
    hole = Hole(lesion[box], box, lesion.shape)
    row(
        "hole grown by 3 mm: isotropic_dilation",
        lambda: _dilate(hole, spacing, 3.0).full(),
        lambda: morphology.isotropic_dilation(lesion, 3.0, spacing=spacing),
    )
    cube = np.ones((3, 3, 3), dtype=bool)
    row(
        "mask dilated by a cube, twice: morphology.dilation",
        lambda: ndimage.binary_dilation(lesion, cube, 2),
        lambda: morphology.dilation(lesion, np.ones((5, 5, 5), dtype=bool)),
    )


def similarity(head: np.ndarray, lesion: np.ndarray) -> None:
    other = np.where(lesion, head * 0.9, head)
    reach = float(head.max())

    def theirs() -> float:
        _, everywhere = metrics.structural_similarity(
            other,
            head.astype(np.float64),
            data_range=reach,
            gaussian_weights=True,
            use_sample_covariance=False,
            full=True,
        )
        return float(everywhere[lesion].mean())

    row(
        "SSIM over a hole: structural_similarity of the whole",
        lambda: ssim(other, head, lesion, data_range=reach),
        theirs,
    )


def edges(head: np.ndarray) -> None:
    planes = [head[index, 40:200, 40:200] for index in np.linspace(60, 120, 16).astype(int)]
    frames = torch.from_numpy(np.stack(planes)[:, None] / np.percentile(head, 99.5)).float()
    row(
        "16 gradient maps inside the border: filters.sobel",
        lambda: edge_map(frames)[:, 0, 1:-1, 1:-1].numpy(),
        lambda: np.stack([filters.sobel(each[0].numpy()) for each in frames])[:, 1:-1, 1:-1] * 2**-0.5,
    )
    flat = frames.flatten(1)
    row(
        "16 x two thresholds: threshold_multiotsu",
        lambda: torch.stack(_thresholds(flat), 1).numpy(),
        lambda: np.stack([filters.threshold_multiotsu(each.numpy(), nbins=64) for each in flat]),
    )


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'ours: that of scikit-image':62} {'ours ms':>9} {'skimage':>9} {'ratio':>6}  they differ by")
    sample = samples()["brain-t1-lesion"]
    image = Volume.read(sample.image)
    head = image.array.astype(np.float32)
    lesion = Volume.read(sample.mask).array > 0
    blocks()
    histograms(head, np.sqrt(np.maximum(head, 0)))
    thresholds(head)
    labels(head)
    shapes()
    growth(lesion, image.spacing)
    similarity(head, lesion)
    edges(head)


if __name__ == "__main__":
    main()
