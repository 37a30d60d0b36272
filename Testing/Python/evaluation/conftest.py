from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

SAMPLES = Path(__file__).parents[3] / "Resources" / "SampleData"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample images."""
    return SAMPLES


@pytest.fixture(scope="session")
def head() -> np.ndarray:
    """A textured ellipsoid, int16, on a dark background; 32 x 56 x 48 voxels."""
    k, j, i = np.ogrid[:32, :56, :48]
    inside = ((k - 16) / 14) ** 2 + ((j - 28) / 25) ** 2 + ((i - 24) / 21) ** 2 <= 1
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=inside.shape), 3)
    return np.where(inside, 600 + 150 * texture / texture.std(), 0).astype(np.int16)
