"""What a page states and no table of scores holds: the date, the machine, trainings, captions of pictures.

A page is made of the files in its folder alone: tables of scores, and ``facts.json``. So a page can be written again
without data and models, and a test can compare it with its tables.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from MedInpaintLib.files import make_folder, write_text

from .tables import machine

FACTS = "facts.json"


def write_facts(folder: Path, **facts: Any) -> None:
    """Write the facts of a page; the date and the machine of the measurement are added as ``made``."""
    make_folder(folder)
    made = f"{datetime.date.today().isoformat()}, {machine()}"
    write_text(folder / FACTS, json.dumps({"made": made, **facts}, indent=1, sort_keys=True) + "\n")


def read_facts(folder: Path) -> dict[str, Any]:
    """Return the facts of a page."""
    facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    return facts
