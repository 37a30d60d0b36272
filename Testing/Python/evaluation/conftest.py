from __future__ import annotations

from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[3] / "Resources" / "SampleData"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample images."""
    return SAMPLES
