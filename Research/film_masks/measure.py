"""Fill the marked films by several methods. No truth is known, so only the rim of the hole can be judged by numbers."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

from MedInpaintLib import inpaint
from MedInpaintLib.methods.registry import methods
from MedInpaintLib.metrics import boundary_jump
from MedInpaintLib.modality import FILM
from MedInpaintLib.models.store import is_released, models
from MedInpaintLib.volume import Volume

WITHOUT = ("biharmonic", "patch")
#: The automatic choice, which is one of the other methods.
AUTO = "auto"


@dataclasses.dataclass(frozen=True)
class Fill:
    """A filled film.

    Attributes:
        method: that was asked for.
        used: the method that filled, which differs for :data:`AUTO`.
        film: the filled film.
        seconds: of the whole call.
        jump: the step across the rim over that of the film, see :func:`.boundary_jump`; None where the film has none.
        warnings: of the report.
    """

    method: str
    used: str
    film: np.ndarray
    seconds: float
    jump: float | None
    warnings: tuple[str, ...]


def networks() -> dict[str, str]:
    """Return the methods with a released model for films, each with the name of its first model."""
    released = [each for each in models().values() if is_released(each) and each.modality == FILM.name]
    known = {info.architecture: name for name, info in methods().items() if info.architecture}
    first: dict[str, str] = {}
    for bundle in released:
        if bundle.architecture in known:
            first.setdefault(known[bundle.architecture], bundle.name)
    return dict(sorted(first.items()))


def fill_all(film: Volume, mask: np.ndarray, learned: Mapping[str, str]) -> list[Fill]:
    """Fill a film by all methods.

    Args:
        film: with what is marked in it.
        mask: bool, the film's shape, True = fill.
        learned: method -> model.
    """
    parameters: dict[str, dict[str, str]] = {name: {} for name in WITHOUT}
    parameters |= {name: {"model": model} for name, model in learned.items()}
    parameters[AUTO] = {}
    return [fill(film, mask, method, own) for method, own in parameters.items()]


def fill(film: Volume, mask: np.ndarray, method: str, parameters: dict[str, str]) -> Fill:
    """Fill a film by one method; arguments as for :func:`MedInpaintLib.inpaint`."""
    start = time.perf_counter()
    result = inpaint(film, mask, method=method, parameters=parameters, modality=FILM.name, device="cpu")
    filled = result.volume.array
    seconds = time.perf_counter() - start
    jump = boundary_jump(filled, film.array, mask)
    return Fill(
        method,
        result.report["method"],
        filled,
        seconds,
        jump if math.isfinite(jump) else None,
        tuple(result.report["warnings"]),
    )


def depth(mask: np.ndarray) -> float:
    """Return how many pixels the innermost pixel of a hole is from the nearest known one.

    >>> depth(np.pad(np.ones((3, 9), dtype=bool), 1))
    2.0
    """
    return float(ndimage.distance_transform_edt(mask).max())


def distinct(fills: Sequence[Fill]) -> list[Fill]:
    """Return the fills without that of :data:`AUTO` where the method that it chose is among them."""
    methods_asked = {each.method for each in fills}
    return [each for each in fills if each.method == each.used or each.used not in methods_asked]
