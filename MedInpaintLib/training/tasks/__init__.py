"""Tasks: what a network learns, one file each. The loop around them is the same for all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import ParameterError

if TYPE_CHECKING:
    import torch


class Task(Protocol):
    """What a network learns.

    Attributes:
        network: whose average is released.
        optimizers: name -> the optimizer of some of its weights.
    """

    network: torch.nn.Module
    optimizers: dict[str, torch.optim.Optimizer]

    def losses(
        self, images: torch.Tensor, step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        """One step: for each optimizer in turn its name, the loss that it is to lower, and numbers for the log.

        The loop takes the optimizer's step before it asks for the next one.

        Args:
            images: ``(B, 1, H, W)``, -1..1.
            step: from 0.
            noise: of this step and process: all chance comes from here, so that a resumed run takes the same steps.
        """
        ...

    def fill(self, network: torch.nn.Module, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Validation: what ``network`` makes of damaged images.

        Args:
            network: of the kind of :attr:`network`, in eval mode.
            images: ``(B, 1, H, W)``, something smooth under the holes.
            known: bool, of that shape.
        """
        ...


def task_of(architecture: str, network: torch.nn.Module, options: dict[str, Any]) -> Task:
    """The task by which an architecture learns.

    Raises:
        ParameterError: there is none, or an option is unknown.
    """
    from .gan import GanTask
    from .vae import VaeTask

    kinds = {"vae": VaeTask, "dcgan": GanTask}
    if architecture not in kinds:
        raise ParameterError(f"There is no training for the architecture '{architecture}'.")
    kind = kinds[architecture]
    known = [field.name for field in dataclasses.fields(kind) if field.init and field.name != "network"]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ParameterError(f"The recipe's [task] knows no '{unknown[0]}'; its entries are: {', '.join(known)}.")
    return kind(network, **options)
