"""Devices: where networks run."""

from __future__ import annotations

import re

from .errors import ParameterError

DEVICES = ("auto", "cpu", "cuda", "mps")


def check_device(device: str) -> None:
    """Check that this is a name of a device; raises ParameterError."""
    if not re.fullmatch("|".join(DEVICES) + "|cuda:[0-9]+", device):
        known = ", ".join(DEVICES)
        raise ParameterError(f"There is no device '{device}'; choose one of {known}, or cuda:0, cuda:1, ...")


def use(device: str) -> tuple[str, list[str]]:
    """Return the device to use (the quickest one for ``"auto"``, the CPU where this machine has none of the kind), and
    a warning where it is not the one asked for.

    Raises:
        ParameterError: there is no such device, or there are others of its kind and not this one.
    """
    check_device(device)
    devices = available()
    if device == "auto":
        return devices[0], []
    if device in devices:
        return device, []
    kind = device.partition(":")[0]
    if kind in devices:
        raise ParameterError(f"The device '{device}' is not available; choose one of auto, {', '.join(devices)}.")
    return "cpu", [
        f"The device '{device}' was asked for and is not available here: {why_not(kind)}. The CPU was used, which is "
        "slower."
    ]


def available() -> list[str]:
    """Return the devices that torch can use on this machine, the quickest first."""
    try:
        import torch
    except ImportError:
        return ["cpu"]
    devices = []
    if torch.cuda.is_available():
        devices = ["cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def why_not(kind: str) -> str:
    """Explain why no device of a kind, ``"cuda"`` or ``"mps"``, can be used here."""
    try:
        import torch
    except ImportError:
        return "PyTorch is not installed"
    if kind == "mps":
        if torch.backends.mps.is_built():
            return "this machine has no GPU that PyTorch can use by MPS, or its macOS is too old"
        return "this PyTorch has no support for MPS, which only those for macOS have"
    if torch.backends.cuda.is_built():
        return "no CUDA device was found, or no driver for it"
    return "this PyTorch has no support for CUDA; it was installed for the CPU alone"
