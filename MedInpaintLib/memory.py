"""The memory of devices: fewer slices at once where it is too small for many, the CPU where it is too small for one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .errors import is_out_of_memory

Network = TypeVar("Network")


class OnDevice(Generic[Network]):
    """A network on the device asked for; on the CPU from the moment on when that device's memory is too small.

    Regions are filled in several threads, which share it.

    Attributes:
        network: ready for use.
        device: of torch, on which it is now.
        warnings: for the user, about the device.
        notes: a fact for the report where there had to be fewer slices at once.
    """

    def __init__(self, load: Callable[[str], Network], device: str) -> None:
        """Load a network.

        Args:
            load: returns the network on a device of torch.
            device: the one asked for.

        Raises:
            MemoryError: there is too little even on the CPU.
        """
        self.device = device
        self.warnings: tuple[str, ...] = ()
        self.notes: dict[str, Any] = {}
        self._load = load
        self._at_once: int | None = None  # so many fit, as far as is known
        self._lock = threading.Lock()
        if not _fits(self._place):
            self._use_cpu("for the network")

    def portions(self, count: int, at_most: int, work: Callable[[Network, str, slice], None]) -> None:
        """Do the work for all slices, some at a time: half as many whenever the memory is too small.

        Args:
            count: of slices.
            at_most: at a time.
            work: ``work(network, device, rows)`` is one portion of it. A portion that ran out of memory is done again,
                in smaller ones or on the CPU, so it must leave nothing behind.

        Raises:
            MemoryError: there is too little for one slice even on the CPU.
        """
        first = 0
        while first < count:
            with self._lock:
                network, device, size = self.network, self.device, min(count - first, at_most, self._at_once or at_most)
            if _fits(work, network, device, slice(first, first + size)):
                first += size
                continue
            _empty_cache(device)
            with self._lock:
                if device == self.device:  # else another thread has moved the network to the CPU meanwhile
                    self._take_less(size)

    def _take_less(self, size: int) -> None:
        """Take fewer than so many slices at once from now on, or continue on the CPU."""
        if size > 1:
            self._at_once = min(size // 2, self._at_once or size)
            self.notes = {"memory": "Too small for as many slices at once as usual: fewer were taken."}
        else:
            self._use_cpu("even for one slice at a time")

    def _place(self) -> None:
        self.network = self._load(self.device)

    def _use_cpu(self, too_small: str) -> None:
        """Continue on the CPU, which has its own memory."""
        warning = f"The memory of the device '{self.device}' was too small {too_small}; the CPU was used."
        on_cpu = self.device == "cpu"
        self.device, self._at_once, self.notes = "cpu", None, {}
        if on_cpu or not _fits(self._place):
            raise MemoryError
        self.warnings = (warning,)


def _fits(work: Callable[..., None], *arguments: Any) -> bool:
    """Return whether the work had enough memory. When this returns, nothing of a failed try is held any more."""
    try:
        work(*arguments)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return False
    return True


def _empty_cache(device: str) -> None:
    """Free what PyTorch keeps for later: memory blocks of sizes that are not needed any more."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
