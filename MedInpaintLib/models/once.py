"""A model as methods use it: found and loaded once an image, not once a region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from ..memory import OnDevice
from ..modality import Modality
from ..subject import Subject
from .bundle import Bundle
from .store import choose

Network = TypeVar("Network")


class LoadedModel(Generic[Network]):
    """A bundle and its network on a device.

    Attributes:
        bundle: the model.
        on_device: what `load` made of it.
    """

    def __init__(self, bundle: Bundle, load: Callable[[Bundle, str], Network], device: str) -> None:
        """Load a bundle.

        Args:
            bundle: the model.
            load: ``load(bundle, device)`` returns what runs on a device of torch.
            device: the one that is asked for; the CPU steps in where its memory is too small.
        """
        self.bundle = bundle
        self.on_device = OnDevice(lambda device: load(bundle, device), device)


def load_once(
    subject: Subject,
    name: str,
    architecture: str,
    load: Callable[[Bundle, str], Network],
    device: str,
    modality: Modality | None = None,
) -> LoadedModel[Network]:
    """Return the model that a method's parameter names, loading it for the first region of an image.

    Args:
        subject: whose image is filled; it keeps the model for its other regions.
        name: of the model, or its folder; ``"auto"`` for the first of the architecture that fits the modality.
        architecture: that the method can use.
        load: as in :class:`LoadedModel`.
        device: of torch.
        modality: that of the image when None.

    Raises:
        ModelError: there is none, it is of another architecture, or it is damaged.
    """
    chosen = (modality or subject.modality).name
    return subject.cached(
        (load_once, name, architecture, device, chosen),
        lambda: LoadedModel(choose(name, architecture, chosen), load, device),
    )
