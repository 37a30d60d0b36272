from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def ball() -> np.ndarray:
    """A ball of radius 7 in the middle of 24^3 voxels."""
    k, j, i = np.ogrid[:24, :24, :24]
    return (k - 12) ** 2 + (j - 12) ** 2 + (i - 11) ** 2 <= 49
