"""A page for people: fills of several methods in random order, and which of them looks best.

The page holds pictures and random identifiers alone; which picture is by which method stands in a key beside it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedInpaintLib.errors import InputError
from MedInpaintLib.files import write_text

from ..shared.manifests import write_rows
from .measure import FLAT, METHODS, Pictures

#: How the truth is shown -> the question, and a note on the pictures.
QUESTIONS = {
    "absent": ("Which picture is the most believable?", "by a program"),
    "beside": ("Which picture is the most believable?", "by a program; the first picture shows the truth"),
    "hidden": ("Which picture is real?", "by a program, except in one: that one is real"),
}
#: The name of the true picture in the key.
TRUTH = "truth"
#: The columns of the key.
KEY = ("page", "truth", "hole", "panel", "method", "task", "image", "person")
#: The view that people are shown: the usual one.
ASKED = (FLAT, "axial")
TEMPLATE = Path(__file__).parent / "blinded.html"


def write_blinded(
    pictures: Sequence[Pictures], path: Path, *, truth: str = "absent", most: int = 20, seed: int = 0
) -> Path:
    """Write a page that works without a network, and its key.

    Args:
        pictures: of the holes; one hole of each is shown, so that each person counts once.
        path: of the page, ``.html``; the key is ``...-key.csv`` beside it.
        truth: a name of :data:`QUESTIONS`: the true picture is absent, or beside the fills, or hidden among them.
        most: holes at most.
        seed: of their choice, of all orders and identifiers.

    Returns:
        the path of the key.

    Raises:
        InputError: there are no pictures, or the path is not one of a page.
    """
    if path.suffix != ".html":
        raise InputError(f"The page must be a file .html; found '{path}'.")
    if not pictures:
        raise InputError("There are no pictures to choose from: no hole fits into these images.")
    rng = np.random.default_rng(seed)
    question, note = QUESTIONS[truth]
    order = rng.permutation(len(pictures))[:most]
    holes, keys = zip(*(_hole(pictures[number], truth, rng) for number in order), strict=True)
    content = {"question": question, "note": note, "holes": holes}
    # Pages of one seed may show other pictures or ask another question: their choices must not be mixed.
    page = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
    text = TEMPLATE.read_text(encoding="utf-8").replace("@CONTENT@", json.dumps({"page": page, **content}))
    write_text(path, text)
    key = path.with_name(f"{path.stem}-key.csv")
    write_rows(key, [KEY, *((page, truth, *row) for own in keys for row in own)])
    return key


def _hole(one: Pictures, truth: str, rng: np.random.Generator) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """Return a hole of an image for the page, and its rows of the key."""
    at = int(rng.choice([index for index, view in enumerate(one.views) if view in ASKED]))
    named = {method: one.fills[method][at] for method in METHODS[one.case["task"]]}
    if truth == "hidden":
        named[TRUTH] = one.truth[at]
    names = list(named)
    hole, about = _identifier(rng), (one.case["task"], one.case["image"], one.case["subject"])
    panels = []
    keys: list[tuple[str, ...]] = []
    for name in (names[index] for index in rng.permutation(len(names))):
        panel = _identifier(rng)
        panels.append({"panel": panel, "picture": _png(named[name])})
        keys.append((hole, panel, name, *about))
    shown: dict[str, Any] = {"hole": hole, "panels": panels}
    return shown | ({"truth": _png(one.truth[at])} if truth == "beside" else {}), keys


def _identifier(rng: np.random.Generator) -> str:
    return rng.bytes(6).hex()


def _png(picture: np.ndarray) -> str:
    """Return a uint8 picture as the address of an image that is its own content."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
