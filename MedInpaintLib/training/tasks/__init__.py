"""Tasks: what a network learns, one file each; the loop is the same for all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import ParameterError
from ...networks import load_class

if TYPE_CHECKING:
    import torch


class Task(Protocol):
    """The losses of a network and the optimizers of its weights.

    Attributes:
        network: whose averaged weights are released.
        helpers: modules that learn with it and are kept in checkpoints only.
        optimizers: name -> optimizer of some of their weights.
    """

    network: torch.nn.Module
    helpers: torch.nn.ModuleDict
    optimizers: dict[str, torch.optim.Optimizer]

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        """Yield for each optimizer its name, the loss that it minimises, and numbers for the log.

        The loop takes the optimizer's step before it asks for the next one.

        Args:
            batch: of the samples, in the network's scale.
            step: from 0.
            noise: the only source of random numbers, so that a resumed run repeats the steps.
        """
        ...

    def fill(self, network: torch.nn.Module, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Fill damaged images with ``network``, for validation.

        Args:
            network: of the kind of :attr:`network`, in eval mode.
            images: ``(B, C, H, W)``, a smooth fill under the holes.
            known: bool, as the network takes it.

        Returns:
            ``(B, 1, H, W)``, the middle slice.
        """
        ...


#: Architecture -> source of its task; the others learn to fill holes. :func:`register` adds to it.
TASKS: dict[str, str] = {}
_FILLING = f"{__name__}.inpainting:InpaintingTask"


def register(architecture: str, source: str) -> None:
    """Register the task of an architecture; see :func:`MedInpaintLib.networks.register`.

    Args:
        architecture: a registered name.
        source: ``"package.module:Class"`` of a dataclass that is a :class:`Task`; its first field is ``network``, the
            others are the options of a recipe's ``[task]``.

    Raises:
        ParameterError: the architecture has another task.
    """
    if TASKS.setdefault(architecture, source) != source:
        raise ParameterError(
            f"The architecture '{architecture}' learns by '{TASKS[architecture]}' and cannot learn by '{source}', too."
        )


for _architecture, _source in (
    ("collagan", "collagan:CollaGanTask"),
    ("dcgan", "gan:GanTask"),
    ("unet-3d", "refining:RefiningTask"),
    ("vae", "vae:VaeTask"),
):
    register(_architecture, f"{__name__}.{_source}")


def task_of(architecture: str, network: torch.nn.Module, options: dict[str, Any]) -> Task:
    """Return the task of an architecture: to fill holes, unless another one is registered.

    Raises:
        ParameterError: an option is unknown, or of the wrong kind.
    """
    kind = load_class(TASKS.get(architecture, _FILLING))
    known = {field.name: field.default for field in dataclasses.fields(kind) if field.name != "network"}
    for name, value in options.items():
        if name not in known:
            raise ParameterError(f"The recipe's [task] knows no '{name}'; its entries are: {', '.join(known)}.")
        types = (int, float) if isinstance(known[name], float) else type(known[name])
        if not isinstance(value, types) or isinstance(value, bool) is not isinstance(known[name], bool):
            raise ParameterError(f"The recipe's [task] has {name} = {value!r}; its default is {known[name]!r}.")
    return kind(network, **options)
