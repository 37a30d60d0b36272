"""Validation of networks that estimate contrasts: whole slices of held-out subjects, one target contrast at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from ..errors import InputError
from ..imputation.regression import Regression, regress
from .contrasts import ContrastSlice
from .recipe import Recipe
from .validation import similarity_and_error

#: Images side by side in a picture.
COLUMNS = 6


@dataclasses.dataclass(frozen=True)
class ContrastTrial:
    """Slices with a target contrast to estimate, and its truth.

    Attributes:
        images: ``(B, contrasts, H, W)``.
        known: bool ``(B, 2 contrasts)``: which contrasts are present, and which one is the target.
        truth: ``(B, 1, H, W)``.
        inside: bool, of that shape: the body.
        start: ``(B, 1, H, W)``: linear regression on the present contrasts, fitted to the training subjects.
        words: description of the trial.
        rows: of the picture.
    """

    images: torch.Tensor
    known: torch.Tensor
    truth: torch.Tensor
    inside: torch.Tensor
    start: torch.Tensor
    words: str
    rows: str = "regression, estimated, truth"

    @property
    def corrected(self) -> torch.Tensor:
        """The same as :attr:`start`."""
        return self.start

    def to(self, device: torch.device) -> ContrastTrial:
        """Return the trial on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("images", "known", "truth", "inside", "start")}
        return dataclasses.replace(self, **moved)

    def psnr(self, filled: torch.Tensor) -> float:
        """Return the mean over the slices of the PSNR in the body, dB at a range of 1."""
        inside = self.inside.float()
        error = (inside * (filled - self.truth).square()).sum(dim=(1, 2, 3)) / inside.sum(dim=(1, 2, 3))
        return float(-10 * torch.log10(error.clamp(min=1e-8)).mean())

    def scores(self, filled: torch.Tensor) -> dict[str, float]:
        """Return SSIM and RMSE in the body, see :func:`.validation.similarity_and_error`."""
        return similarity_and_error(filled, self.truth, self.inside)

    def picture(self, filled: torch.Tensor) -> np.ndarray:
        """Return ``(1, 3 H, COLUMNS W)``, 0..1: regression, estimate and truth below each other."""
        # Spread over the whole trial: neighbouring slices look the same.
        some = np.linspace(0, len(filled) - 1, COLUMNS).round().astype(int)
        rows = [torch.cat([*images[some].squeeze(1)], dim=1) for images in (self.start, filled, self.truth)]
        return (2 * torch.cat(rows)[np.newaxis]).clamp(0, 1).cpu().numpy()


def contrast_trial(
    learning: Sequence[ContrastSlice], held_out: Sequence[ContrastSlice], recipe: Recipe
) -> ContrastTrial:
    """Take slices from all through the held-out volumes, as many for each target contrast, with all other contrasts.

    Raises:
        InputError: no held-out subject has a target contrast and another one.
    """
    data = recipe.data
    questions = _asked(held_out, recipe)
    if not questions:
        raise InputError(
            f"No held-out subject has one of the contrasts {', '.join(data.wanted or data.contrasts)} and another one "
            "beside it."
        )
    height, width = (max(one.inside.shape[axis] for one, _ in questions) for axis in (0, 1))
    fits: dict[tuple[bytes, int], Regression | None] = {}
    images, known, starts, bodies = [], [], [], []
    for one, target in questions:
        rows, columns = one.inside.shape
        values, inside = one.window((rows // 2, columns // 2), (height, width))
        is_target = np.arange(len(data.contrasts)) == target
        present = one.there & ~is_target
        key = (present.tobytes(), target)
        if key not in fits:
            fits[key] = fitted(learning, present, target)
        regression = fits[key]
        images.append(values)
        bodies.append(inside)
        known.append(np.concatenate([present, is_target]))
        starts.append(np.zeros_like(values[0]) if regression is None else regression(values[present]))
    stacked = data.normalise(torch.from_numpy(np.stack(images)))
    targets = [target for _, target in questions]
    return ContrastTrial(
        images=stacked,
        known=torch.from_numpy(np.stack(known)),
        truth=stacked[torch.arange(len(questions)), targets][:, None],
        inside=torch.from_numpy(np.stack(bodies))[:, None],
        start=data.normalise(torch.from_numpy(np.stack(starts)))[:, None],
        words=f"{len(questions)} slices, wanted {', '.join(data.contrasts[each] for each in sorted(set(targets)))}",
    )


def _asked(held_out: Sequence[ContrastSlice], recipe: Recipe) -> list[tuple[ContrastSlice, int]]:
    """Return slices, each with the number of its target contrast."""
    names = recipe.data.contrasts
    target_names = recipe.data.wanted or names
    most = max(1, recipe.schedule.crops // len(target_names))
    questions: list[tuple[ContrastSlice, int]] = []
    for target in map(names.index, target_names):
        candidates = [one for one in held_out if one.there[target] and one.there.sum() > 1]
        count = min(most, len(candidates))
        questions += [(candidates[round(place)], target) for place in np.linspace(0, len(candidates) - 1, count)]
    return questions


def fitted(slices: Sequence[ContrastSlice], there: np.ndarray, target: int) -> Regression | None:
    """Fit the regression of a contrast on others over all slices that have all of them; None if none has."""
    complete_slices = [one for one in slices if one.there[target] and one.there[there].all()]
    if not complete_slices:
        return None
    return regress([(one.values[there][:, one.inside], one.values[target][one.inside]) for one in complete_slices])
