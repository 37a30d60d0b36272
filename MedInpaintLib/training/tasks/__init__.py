"""Tasks: what a network learns, one file each. The loop around them is the same for all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import ParameterError

if TYPE_CHECKING:
    import torch


class Task(Protocol):
    """What a network learns.

    Attributes:
        network: whose average is released.
        helpers: what learns beside the network and is not released; kept in checkpoints.
        optimizers: name -> the optimizer of some of their weights.
    """

    network: torch.nn.Module
    helpers: torch.nn.ModuleDict
    optimizers: dict[str, torch.optim.Optimizer]

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        """One step: for each optimizer in turn its name, the loss that it is to lower, and numbers for the log.

        The loop takes the optimizer's step before it asks for the next one.

        Args:
            batch: what the samples gave, in the network's scale.
            step: from 0.
            noise: of this step and process: all chance comes from here, so that a resumed run takes the same steps.
        """
        ...

    def fill(self, network: torch.nn.Module, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Validation: what ``network`` makes of damaged images.

        Args:
            network: of the kind of :attr:`network`, in eval mode.
            images: ``(B, C, H, W)``, something smooth under the holes.
            known: bool, as the network takes it.

        Returns:
            ``(B, 1, H, W)``, the middle slice.
        """
        ...


def task_of(architecture: str, network: torch.nn.Module, options: dict[str, Any]) -> Task:
    """The task by which an architecture learns: to fill holes, unless it makes images or estimates contrasts.

    Raises:
        ParameterError: an option is unknown, or of the wrong kind.
    """
    from .collagan import CollaGanTask
    from .cyclegan import CycleGanTask
    from .gan import GanTask
    from .inpainting import InpaintingTask
    from .pix2pix import Pix2PixTask
    from .stargan import StarGanTask
    from .vae import VaeTask

    kinds: dict[str, Any] = {
        "collagan": CollaGanTask,
        "cyclegan": CycleGanTask,
        "dcgan": GanTask,
        "pix2pix": Pix2PixTask,
        "stargan": StarGanTask,
        "vae": VaeTask,
    }
    kind = kinds.get(architecture, InpaintingTask)
    known = {field.name: field.default for field in dataclasses.fields(kind) if field.name != "network"}
    for name, value in options.items():
        if name not in known:
            raise ParameterError(f"The recipe's [task] knows no '{name}'; its entries are: {', '.join(known)}.")
        wanted = (int, float) if isinstance(known[name], float) else type(known[name])
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise ParameterError(f"The recipe's [task] has {name} = {value!r}; its default is {known[name]!r}.")
    return kind(network, **options)
