"""Compare scikit-image with the code around the methods that does the same: seconds of both, and how far they differ.

CONTRIBUTING.md ("scikit-image") draws the conclusions. Median of several calls in one process, each after one call that
is not counted; a machine without other work is assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from measure import timed
from scipy import ndimage
from skimage import draw, exposure, filters, measure, metrics, morphology

from MedInpaintLib.foreground import _threshold
from MedInpaintLib.holes.grid import Grid
from MedInpaintLib.holes.length import Length
from MedInpaintLib.holes.spheres import Spheres
from MedInpaintLib.holes.strokes import _paint
from MedInpaintLib.losses.edge import _thresholds, edge_map
from MedInpaintLib.mask import Hole, bounding_box, dilate
from MedInpaintLib.metrics.structural_similarity import ssim
from MedInpaintLib.samples import samples
from MedInpaintLib.shrink import reduced_to
from MedInpaintLib.volume import Volume

QUANTILES = np.linspace(0, 1, 101)
SSIM = {"gaussian_weights": True, "use_sample_covariance": False, "full": True}
START, STOP = np.array([40.3, 30.2]), np.array([180.6, 200.8])


def row(name: str, ours: Callable[..., Any], theirs: Callable[..., Any], *arguments: Any) -> None:
    """Print one comparison; masks differ by a number of voxels, numbers by their largest difference."""
    ours(*arguments), theirs(*arguments)
    (own, first), (other, second) = (timed(call, *arguments, repeats=7) for call in (ours, theirs))
    first, second = np.asarray(first), np.asarray(second)
    if first.dtype == bool:
        apart = f"{np.count_nonzero(first != second)} of {np.count_nonzero(first)} voxels"
    else:
        apart = f"{np.abs(first.astype(np.float64) - second.astype(np.float64)).max():.2g}"
    print(f"{name:62} {own * 1e3:9.2f} {other * 1e3:9.2f} {other / own:6.1f}  {apart}", flush=True)


def block_means(film: np.ndarray) -> np.ndarray:
    times = max(film.shape) // 512
    rows, columns = (size // times * times for size in film.shape)
    means = measure.block_reduce(film[:rows, :columns], times, np.mean)
    return (np.rint(means) if film.dtype.kind in "iu" else means).astype(film.dtype)


def our_match(image: np.ndarray, like: np.ndarray) -> np.ndarray:
    source, target = (np.quantile(each[each > 0].astype(np.float64), QUANTILES) for each in (image, like))
    return np.where(image > 0, np.interp(image, source, target), 0)


def their_match(image: np.ndarray, like: np.ndarray) -> np.ndarray:
    matched = np.zeros(image.shape)
    matched[image > 0] = exposure.match_histograms(image[image > 0], like[like > 0])
    return matched


def our_stroke(radius: float) -> np.ndarray:
    plane = np.zeros((256, 256), dtype=bool)
    _paint(plane, START, STOP, np.ones(2), radius)
    return plane


def their_stroke(radius: float) -> np.ndarray:
    plane = np.zeros((256, 256), dtype=bool)
    plane[draw.line(*np.rint(START).astype(int), *np.rint(STOP).astype(int))] = True
    return morphology.isotropic_dilation(plane, radius)


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'ours: that of scikit-image':62} {'ours ms':>9} {'skimage':>9} {'ratio':>6}  they differ by")
    sample = samples()["brain-t1-lesion"]
    image, lesion = Volume.read(sample.image), Volume.read(sample.mask).array > 0
    head, spacing, box = image.array.astype(np.float32), image.spacing, bounding_box(lesion)
    bright, cube = head > np.percentile(head, 60), np.ones((3, 3, 3))
    numbers, hole = ndimage.label(bright, cube)[0], Hole(lesion[box], box, lesion.shape)
    grid, ball, rng = Grid((96, 256, 256), (3.0, 1.0, 1.0)), Spheres(Length(20.0, "mm")), np.random.default_rng(0)
    dimmed, reach = np.where(lesion, head * 0.9, head), float(head.max())
    planes = np.stack([head[index, 40:200, 40:200] for index in np.linspace(60, 120, 16).astype(int)])
    frames = torch.from_numpy(planes[:, None] / np.percentile(head, 99.5)).float()

    for dtype in (np.uint8, np.uint16, np.float32):
        film = (rng.random((2048, 2500)) * 250).astype(dtype)
        ours = lambda film: reduced_to(Volume(film, (0.1, 0.1)), 512).array  # noqa: E731
        row(f"block means, film, {film.dtype}: block_reduce", ours, block_means, film)
    flair = np.sqrt(np.maximum(head, 0))
    row("histogram of one contrast, 101 quantiles: match_histograms", our_match, their_match, head, flair)
    for name in ("otsu", "li"):
        theirs = getattr(filters, f"threshold_{name}")
        row(
            f"foreground, share of percentiles: threshold_{name}",
            lambda _: head > _threshold(head),
            lambda threshold: head > threshold(head),
            theirs,
        )
    row(
        "labels, 26 neighbours: measure.label",
        lambda: ndimage.label(bright, cube)[0],
        lambda: measure.label(bright, connectivity=3),
    )
    row(
        "boxes of parts: regionprops",
        lambda: [[side.start for side in box] for box in ndimage.find_objects(numbers)],
        lambda: [part.bbox[:3] for part in measure.regionprops(numbers)],
    )
    row(
        "ball of 20 mm, 1 x 1 x 3 mm: draw.ellipsoid",
        lambda: ball.draw(grid, rng),
        # It leaves a margin of one voxel.
        lambda: draw.ellipsoid(10.0, 10.0, 10.0, spacing=grid.spacing)[1:-1, 1:-1, 1:-1],
    )
    row("stroke of 12 px: draw.line and isotropic_dilation", our_stroke, their_stroke, 6.0)
    row(
        "hole grown by 3 mm: isotropic_dilation",
        lambda: dilate(hole, spacing, 3.0).full(),
        lambda: morphology.isotropic_dilation(lesion, 3.0, spacing=spacing),
    )
    row(
        "mask dilated by a cube, twice: morphology.dilation",
        lambda: ndimage.binary_dilation(lesion, cube, 2),
        lambda: morphology.dilation(lesion, np.ones((5, 5, 5), dtype=bool)),
    )
    row(
        "SSIM over a hole: structural_similarity of the whole",
        lambda: ssim(dimmed, head, lesion, data_range=reach),
        lambda: metrics.structural_similarity(dimmed, head.astype(float), data_range=reach, **SSIM)[1][lesion].mean(),
    )
    row(
        "16 gradient maps inside the border: filters.sobel",
        lambda: edge_map(frames)[:, 0, 1:-1, 1:-1],
        lambda: np.stack([filters.sobel(each[0].numpy()) for each in frames])[:, 1:-1, 1:-1] * 2**-0.5,
    )
    row(
        "16 x two thresholds: threshold_multiotsu",
        lambda: torch.stack(_thresholds(frames.flatten(1)), 1),
        lambda: [filters.threshold_multiotsu(each.numpy(), nbins=64) for each in frames.flatten(1)],
    )


if __name__ == "__main__":
    main()
