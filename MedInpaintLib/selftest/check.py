"""The list of self-tests, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

#: Of deviations, in intensities of about 1; Poisson is solved to a relative residual of 1e-6.
TOLERANCE = 1e-4

Check = Callable[[], float]
#: Name, package that it needs or an empty string, and the function.
CHECKS: list[tuple[str, str, Check]] = []


def check(name: str, needs: str = "") -> Callable[[Check], Check]:
    """Register a function that returns by how much something deviates from the truth; it may need a package."""

    def register(function: Check) -> Check:
        CHECKS.append((name, needs, function))
        return function

    return register


def largest(difference: np.ndarray) -> float:
    """Return the largest absolute value of an array."""
    return float(np.abs(difference).max())


def deviation(values: Sequence[object], expected: Sequence[float]) -> float:
    """Return the largest difference between numbers (scalars of torch, too) and what they should be."""
    return largest(np.array([float(value) for value in values]) - expected)  # type: ignore[arg-type]


def field() -> tuple[np.ndarray, np.ndarray]:
    """Make a smooth volume with some texture, and an L-shaped hole that does not touch the border."""
    k, j, i = np.meshgrid(np.arange(10.0), np.arange(12.0), np.arange(14.0), indexing="ij")
    hole = np.zeros(k.shape, dtype=bool)
    hole[3:7, 3:9, 4:7] = hole[3:7, 6:9, 4:11] = True
    return np.sin(0.9 * k) + np.cos(0.7 * j) * np.sin(0.5 * i), hole


def luminance(first: float, second: float, data_range: float = 1.0) -> float:
    """Return the structural similarity of two constant images: the luminance term alone."""
    c1 = (0.01 * data_range) ** 2
    return (2 * first * second + c1) / (first**2 + second**2 + c1)


def lone(
    first: float, second: float, around: float, *, sigma: float, dimensions: int, data_range: float = 1.0
) -> float:
    """Return the structural similarity at a pixel that is ``first`` in one image and ``second`` in the other.

    All other pixels are ``around`` in both. Of the moments in the Gaussian window, only the weight w of its central
    pixel is needed: a mean is ``around + w d`` with d = the pixel less ``around``, a variance ``(w - w^2) d^2``.

    Args:
        first, second: the pixel's values.
        around: the value of all others.
        sigma: of the window, which reaches 3.5 sigma to each side.
        dimensions: of the window.
        data_range: of the intensities.
    """
    reach = np.arange(-int(3.5 * sigma + 0.5), int(3.5 * sigma + 0.5) + 1)
    weight = (1 / np.exp(-0.5 * (reach / sigma) ** 2).sum()) ** dimensions
    one, two = first - around, second - around
    spread, c2 = weight - weight**2, (0.03 * data_range) ** 2
    structure = (2 * spread * one * two + c2) / (spread * (one**2 + two**2) + c2)
    return luminance(around + weight * one, around + weight * two, data_range) * structure
