"""The command ``error-correlation``: how the errors of fills correlate with distance, for :mod:`MedInpaintLib.draws`.

It fills holes in images of val people and prints, by method, the correlation of errors over their standard deviation at
some distances, averaged over the holes of each image and then over people, beside that of samples.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from MedInpaintLib.draws import SHARES, SHARES_FILM, WIDTHS, WIDTHS_FILM
from MedInpaintLib.errors import InputError, MedInpaintError
from MedInpaintLib.holes import place
from MedInpaintLib.mask import bounding_box
from MedInpaintLib.methods import registry
from MedInpaintLib.modality import FILM, Modality
from MedInpaintLib.pipeline import inpaint
from MedInpaintLib.volume import Volume

from .uncertainty_constants.holes import KINDS, Kind, list_images, read_image

#: Distances along the axes, in mm; in films, whose pixel size is not known, in pixels.
DISTANCES = (1, 2, 3, 4, 5, 6)


def main(arguments: Sequence[str]) -> None:
    """Run the command; see :data:`Research.__main__.USAGE`."""
    kinds = {kind.name: kind for kind in KINDS}
    parser = argparse.ArgumentParser(prog="python -m Research error-correlation", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv")
    parser.add_argument("--split", default="val", help="train, val or test")
    parser.add_argument("--kind", default="heads", choices=kinds, help="kind of images")
    parser.add_argument("--holes", default="spheres:20mm:3", help="holes, as for medinpaint evaluate")
    parser.add_argument("--method", action="append", default=[], help="repeatable; biharmonic by default")
    parser.add_argument("--match", default="", help="only images with this in their name")
    options = parser.parse_args(arguments)
    kind = kinds[options.kind]
    methods = options.method or ["biharmonic"]
    for method in methods:
        if registry.get(method).architecture and importlib.util.find_spec("torch") is None:
            raise InputError(f"Method '{method}' needs PyTorch, which is not installed.")
    print("| method | people | holes | " + " | ".join(f"{distance} mm" for distance in DISTANCES) + " |")
    print("|---|---:|---:|" + "---:|" * len(DISTANCES))
    for method in methods:
        by_person: dict[str, list[list[float]]] = {}
        for entry in list_images(options.data, kind, (options.split,)):
            if options.match in entry.name:
                image, inside, avoid = read_image(options.data, kind, entry)
                by_person.setdefault(entry.subject, []).extend(
                    in_image(image, inside & ~avoid, kind, options.holes, method)
                )
        print(_row(method, by_person), flush=True)
    print(_row("samples, without noise", {"": [samples_correlate(DISTANCES, Modality.of(kind.modality))]}))


def in_image(image: Volume, inside: np.ndarray, kind: Kind, holes: str, method: str) -> list[list[float]]:
    """Return the correlations in each hole of an image at all distances; none where no hole fits, or no SD is known."""
    modality = Modality.of(kind.modality)
    try:
        labels = place(holes, inside.shape, spacing=image.spacing, foreground=inside, seed=0)
        voided = image.with_array(np.where(labels > 0, image.array.dtype.type(0), image.array))
        result = inpaint(voided, labels > 0, method=method, modality=modality.name, uncertainty=True)
    except MedInpaintError as error:
        print(error, file=sys.stderr)
        return []
    if result.uncertainty is None:
        return []
    off = result.volume.array.astype(float) - image.array
    return list(_of_holes(off / np.maximum(result.uncertainty.array, 1e-6), labels, image.spacing))


def _of_holes(values: np.ndarray, labels: np.ndarray, spacing: Sequence[float]) -> Iterator[list[float]]:
    for label in range(1, int(labels.max()) + 1):
        hole = labels == label
        box = bounding_box(hole)
        yield [correlation(values[box], hole[box], spacing, distance) for distance in DISTANCES]


def correlation(values: np.ndarray, hole: np.ndarray, spacing: Sequence[float], distance: float) -> float:
    """Return the mean product of values at a distance along the axes over their mean square, in a hole.

    Args:
        values: errors over their standard deviations.
        hole: bool of their shape.
        spacing: mm along each axis.
        distance: mm; axes of which it is no whole number of voxels are left out. NaN where all are.

    >>> waves = np.tile(np.sin(np.arange(80) * np.pi / 4), (4, 1))
    >>> [round(correlation(waves, np.ones(waves.shape, bool), (9.0, 1.0), mm), 1) + 0.0 for mm in (2, 4, 8)]
    [0.0, -1.0, 1.0]
    """
    products: list[np.ndarray] = []
    for axis, mm in enumerate(spacing):
        steps = round(distance / mm)
        if steps == 0 or not np.isclose(steps * mm, distance, rtol=0.1) or steps >= hole.shape[axis]:
            continue
        size = hole.shape[axis]
        first, second = np.arange(size - steps), np.arange(steps, size)
        both = hole.take(first, axis) & hole.take(second, axis)
        products.append((values.take(first, axis) * values.take(second, axis))[both])
    if not products:
        return float("nan")
    return float(np.concatenate(products).mean() / np.mean(values[hole] ** 2))


def samples_correlate(distances: Sequence[float], modality: Modality) -> list[float]:
    """Return the correlation of samples without noise at some distances, in deep holes."""
    shares, widths = (SHARES_FILM, WIDTHS_FILM) if modality is FILM else (SHARES, WIDTHS)
    pairs = list(zip(shares, widths, strict=True))
    return [sum(share * np.exp(-((distance / (2 * width)) ** 2)) for share, width in pairs) for distance in distances]


def _row(method: str, by_person: dict[str, list[list[float]]]) -> str:
    people = [np.nanmean(np.array(holes), axis=0) for holes in by_person.values() if holes]
    if not people:
        return f"| {method} | 0 | 0 |" + " |" * len(DISTANCES)
    cells = " | ".join(f"{value:.2f}" for value in np.nanmean(people, axis=0))
    return f"| {method} | {len(people)} | {sum(map(len, by_person.values()))} | {cells} |"
