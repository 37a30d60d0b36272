"""Models for methods, found and loaded once per image, not once per region."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Generic, TypeVar

from ..memory import OnDevice
from ..subject import Subject
from .bundle import Bundle
from .store import choose

Network = TypeVar("Network")


@dataclasses.dataclass(frozen=True)
class LoadedModel(Generic[Network]):
    """A bundle, and its network once it is needed.

    Attributes:
        load: ``load(bundle, device)`` returns the network on a device of torch.
        device: the requested one; the CPU replaces it if its memory is too small.
    """

    bundle: Bundle
    load: Callable[[Bundle, str], Network]
    device: str

    @functools.cached_property
    def on_device(self) -> OnDevice[Network]:
        """The network, loaded on first use, after the image has been checked."""
        return OnDevice(lambda device: self.load(self.bundle, device), self.device)


def load_once(
    subject: Subject,
    name: str,
    architecture: str,
    load: Callable[[Bundle, str], Network],
    device: str,
    any_modality: bool = False,
) -> LoadedModel[Network]:
    """Return the model that a method's parameter names, the same for all regions of an image.

    Args:
        subject: keeps the model.
        name: of the model, or its folder; ``"auto"`` for the first of the architecture that fits the modality.
        architecture: of the method.
        load, device: as in :class:`LoadedModel`.
        any_modality: whether it may have learned from images of another modality.

    Raises:
        ModelError: there is none, or it is of another architecture or modality.
    """
    return subject.cached(
        (load_once, name, architecture, device, any_modality),
        lambda: LoadedModel(choose(name, architecture, subject.modality.name, any_modality=any_modality), load, device),
    )
