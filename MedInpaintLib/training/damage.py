"""Training samples of feed-forward networks: damaged frames and their truth."""

from __future__ import annotations

import dataclasses

import numpy as np

from .cases import Cases


@dataclasses.dataclass(frozen=True)
class Damages:
    """Endless damaged frames; frame n depends only on the cases and n.

    Each is a random frame of a random case, sometimes mirrored, with slightly changed intensities.

    Attributes:
        cases: to draw from.
        hint, other_side: whether to add these channels, which the cases must have.
        flip: whether half of the frames are mirrored along their rows, where these run from left to right.
        gain, offset: intensities are multiplied by 1 ± gain and shifted by ± offset, uniformly.
    """

    cases: Cases
    hint: bool = False
    other_side: bool = False
    flip: bool = True
    gain: float = 0.1
    offset: float = 0.03

    def batch(self, numbers: range) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return images and known, as :meth:`.FeedForward.forward` takes them, and the truth of the middle slice."""
        images, known, truth = zip(*(self[number] for number in numbers), strict=True)
        return np.stack(images), np.stack(known), np.stack(truth)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return images, known and truth of one sample of :meth:`batch`."""
        rng = np.random.default_rng([self.cases.seed, 2, number])
        case = self.cases[int(rng.integers(self.cases.count))]
        stack = case.stacks[rng.integers(len(case.stacks))]
        middle = stack[len(stack) // 2, np.newaxis]
        images, known, truth = case.images[stack], case.known[stack], case.truth[middle]
        if self.hint:
            images = np.concatenate([images, case.hints[middle]])
        if self.other_side:
            images, known = np.concatenate([images, case.others[middle]]), np.concatenate([known, case.there[middle]])
        if rng.random() < 0.5 and self.flip and case.symmetric:
            images, known, truth = (each[..., ::-1] for each in (images, known, truth))
        gain, offset = 1 + self.gain * rng.uniform(-1, 1), self.offset * rng.uniform(-1, 1)
        # The smooth fill is linear in the known values, so it needs no new computation.
        images, truth = (each.astype(np.float32) * np.float32(gain) + np.float32(offset) for each in (images, truth))
        return images, known, truth
