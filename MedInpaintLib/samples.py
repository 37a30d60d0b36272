"""The sample images that come with MedInpaint."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from .errors import ImageReadError

#: In a wheel the samples are inside the package; in a checkout and in the Slicer extension they are in Resources beside it.
_PLACES = (Path(__file__).parent / "SampleData", Path(__file__).parents[1] / "Resources" / "SampleData")
