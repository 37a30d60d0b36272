"""Parts of a network that must not run in half precision."""

from __future__ import annotations

import contextlib

import torch

#: Devices with autocast: torch before 2.5 rejects mps, and every torch rejects meta.
_AUTOCAST = ("cpu", "cuda")


def full_precision(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return a context without autocast, on any device."""
    return torch.autocast(device.type, enabled=False) if device.type in _AUTOCAST else contextlib.nullcontext()
