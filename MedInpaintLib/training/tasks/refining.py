"""Task of 3-D networks that correct a fill."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from ...errors import ParameterError

#: Squared error of the fill that is corrected, relative to which a part's error counts, at least; that of the median
#: part. Flat parts would outweigh all others.
LEAST = 1e-2


@dataclasses.dataclass
class RefiningTask:
    r"""Lessens the error of a fill, each part alike.

    .. math:: \frac{\|\hat y - y\|^2}{\max(\|b - y\|^2, \epsilon)}
        + \lambda_g \frac{\|\nabla \hat y - \nabla y\|^2}{\max(\|\nabla b - \nabla y\|^2, \epsilon)}
        + \lambda_l \, \mathrm{mean}\left(\tfrac12 s + \tfrac12 (\hat y - y)^2 e^{-s}\right)

    over the voxels to fill of a part; :math:`b` is the fill that is corrected, :math:`s` the log variance and
    :math:`\epsilon` :data:`LEAST` a voxel. The last
    term, the Gaussian likelihood (Kendall and Gal, NeurIPS 2017, eq. 8), teaches the variance alone: the error in it is
    held constant, because hard voxels would count less otherwise.

    Attributes:
        rate: Adam's largest step size; it falls to 0 along half a cosine from step ``warm_up`` to ``steps``.
        warm_up: steps in which the step size rises.
        steps: of the fall, those of the schedule.
        gradient, likelihood: weights.
    """

    network: nn.Module
    rate: float = 4e-3
    warm_up: int = 100
    steps: int = 3000
    gradient: float = 0.2
    likelihood: float = 0.1

    def __post_init__(self) -> None:
        for name in ("rate", "steps"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"The recipe's [task] has {name} = {getattr(self, name):g}; it must be above 0.")
        self.helpers = nn.ModuleDict()
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "network": torch.optim.AdamW(self.network.parameters(), lr=self.rate, weight_decay=1e-4)
        }

    def losses(
        self, batch: Sequence[torch.Tensor], step: int, noise: torch.Generator
    ) -> Iterator[tuple[str, torch.Tensor, dict[str, torch.Tensor]]]:
        images, maps, truth, wanted = batch
        for group in self.optimizers["network"].param_groups:
            group["lr"] = self._rate(step)
        mean, variance = self.network(images, maps).split(1, dim=1)
        base, where = images[:, :1], wanted.to(images.dtype)
        parts = {
            "value": _relative([mean - truth], [base - truth], [where]).mean(),
            "gradient": _relative(*_gradients(mean - truth, base - truth, where)).mean(),
            "likelihood": _mean(0.5 * variance + 0.5 * (mean.detach() - truth).square() * (-variance).exp(), where),
        }
        total = parts["value"] + self.gradient * parts["gradient"] + self.likelihood * parts["likelihood"]
        yield "network", total, {f"part/{name}": loss.detach() for name, loss in parts.items()}

    def fill(self, network: nn.Module, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            pairs = zip(images.split(1), known.split(1), strict=True)
            return torch.cat([network(*pair)[:, :1] for pair in pairs])

    def _rate(self, step: int) -> float:
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        done = min((step - self.warm_up) / max(self.steps - self.warm_up, 1), 1.0)
        return self.rate * 0.5 * (1.0 + float(torch.cos(torch.tensor(torch.pi * done))))


def _relative(
    errors: Sequence[torch.Tensor], before: Sequence[torch.Tensor], where: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Return the squared error of each part over that of the fill that is corrected, ``(B,)``."""
    over = (1, 2, 3, 4)
    pairs = list(zip(errors, before, where, strict=True))
    count = torch.stack([own.sum(dim=over) for own in where]).sum(dim=0).clamp(min=1)
    now = torch.stack([(error.square() * own).sum(dim=over) for error, _, own in pairs]).sum(dim=0) / count
    then = torch.stack([(base.square() * own).sum(dim=over) for _, base, own in pairs]).sum(dim=0) / count
    return now / then.clamp(min=LEAST)


def _gradients(
    error: torch.Tensor, before: torch.Tensor, where: torch.Tensor
) -> tuple[list[torch.Tensor], list[torch.Tensor], list[torch.Tensor]]:
    """Return differences of neighbours of both errors along each axis, and where one of the two is to be filled."""
    axes = (2, 3, 4)
    touching = [
        torch.maximum(where.narrow(a, 1, where.shape[a] - 1), where.narrow(a, 0, where.shape[a] - 1)) for a in axes
    ]
    return [error.diff(dim=a) for a in axes], [before.diff(dim=a) for a in axes], touching


def _mean(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    return (values * where).sum() / where.sum().clamp(min=1)
