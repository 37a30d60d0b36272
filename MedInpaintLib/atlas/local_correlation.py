"""How far an image agrees with a mixture of the atlas' maps, whatever its contrast: correlation in windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .maps import Maps

#: The least weight of a voxel that counts in the mixture.
KNOWN = 0.5
#: Windows whose standard deviation is below this share of the range hold noise.
FLAT = 0.02
#: Windows with this share of brain lie within it.
INSIDE = 0.95


def mix(maps: Maps, places: np.ndarray, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the linear combination of the maps that is nearest to a scan, on the maps' grid; 0 outside the brain.

    Args:
        maps: of the atlas.
        places: MNI mm of the scan's voxels, ``(3, *shape)``.
        values, weight: of the scan.
    """
    chosen = weight > KNOWN
    at = places[:, chosen][:, ::4]  # a quarter of 200,000 voxels settles four coefficients as well
    tissues = np.array([maps.sample(each, at) for each in maps.channels])
    target = values[chosen][::4]
    gram = (tissues @ tissues.T).astype(float) + 1e-5 * max(tissues.shape[1], 1) * np.eye(len(tissues))
    shares = np.linalg.solve(gram, (tissues @ target).astype(float))
    return np.tensordot(shares.astype(np.float32), maps.channels, 1)


class LocalCorrelation:
    """The correlation of an image with others on its grid, in windows.

    Args:
        values: float32 ``(k, j, i)``.
        weight: float32, what counts.
        window: odd sizes, blocks.
    """

    def __init__(self, values: np.ndarray, weight: np.ndarray, window: Sequence[int]) -> None:
        self.values, self.weight, self.window = values, weight, window
        self.total = np.maximum(self._mean(weight), 1e-3)
        self.centred, self.variance = self._moments(values)

    def _mean(self, array: np.ndarray) -> np.ndarray:
        from scipy import ndimage

        return ndimage.uniform_filter(array, self.window, mode="constant")

    def _moments(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return values less their local mean, 0 where nothing counts, and their local variance."""
        centred = (values - self._mean(values * self.weight) / self.total) * self.weight
        return centred, np.maximum(self._mean(centred**2) / self.total, FLAT**2)

    def force(self, other: np.ndarray) -> np.ndarray:
        """Return the derivative of the squared local correlation with respect to another image's values."""
        centred, variance = self._moments(other)
        covariance = self._mean(centred * self.centred) / self.total
        return covariance / (self.variance * variance) * (self.centred - covariance / variance * centred)

    def within(self, other: np.ndarray, brain: np.ndarray) -> float:
        """Return the mean local correlation with another image in the windows within a brain, -1..1.

        Windows that hold the brain's edge are left out: any bright ball has such an edge.

        Args:
            other: on the same grid.
            brain: 0..1, the share of brain in each voxel.
        """
        from scipy import ndimage

        centred, variance = self._moments(other)
        local = self._mean(centred * self.centred) / self.total / np.sqrt(self.variance * variance)
        weight = self.weight * (ndimage.uniform_filter(brain, self.window) > INSIDE)
        return float(np.average(local, weights=weight)) if weight.any() else 0.0
