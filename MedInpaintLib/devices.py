"""Devices: where networks run."""

from __future__ import annotations

import re

from .errors import ParameterError

DEVICES = ("auto", "cpu", "cuda", "mps")


def check_device(asked: str) -> None:
    """Raises ParameterError: this is no name of a device."""
    if not re.fullmatch("|".join(DEVICES) + "|cuda:[0-9]+", asked):
        known = ", ".join(DEVICES)
        raise ParameterError(f"There is no device '{asked}'; choose one of {known}, or cuda:0, cuda:1, ...")


def use(asked: str) -> str:
    """The device that is asked for; the quickest one for ``"auto"``.

    Raises:
        ParameterError: there is no such device, or it is not available here.
    """
    check_device(asked)
    there = available()
    if asked == "auto":
        return there[0]
    if asked not in there:
        raise ParameterError(f"The device '{asked}' is not available; choose one of auto, {', '.join(there)}.")
    return asked


def available() -> list[str]:
    """The devices that torch can use on this machine, the quickest first."""
    try:
        import torch
    except ImportError:
        return ["cpu"]
    found = []
    if torch.cuda.is_available():
        found = ["cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]
