"""Classifiers of true against filled holes, asked as people are: which of these two pictures is the truth?

A classifier learns from pairs, a true and a filled picture of one hole. Its loss is that of a two-alternative forced
choice (Bradley & Terry, Biometrika 39:324, 1952): -log of the logistic function of score(truth) - score(fill). What
both pictures share, which is all but the hole, cancels.
"""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

#: Passes over the pairs, pairs a step and the rate of Adam. With 30 passes and 32 pairs a step, two trainings on the
#: 108 pairs of heads differed by 0.21 in how often `biharmonic` is told: 90 steps were too few.
EPOCHS, BATCH, RATE = 40, 8, 1e-3
#: Pixels along the side of what a classifier sees: the hole (32 in films, 20 in MR) and its rim.
SEEN = 48


@dataclasses.dataclass(frozen=True)
class Pairs:
    """True and filled pictures of the same holes.

    Attributes:
        truth, fill: uint8, (pairs, side, side), equal outside of the hole, which lies in the middle.
        inside: bool, of the same shape: the hole.
    """

    truth: np.ndarray
    fill: np.ndarray
    inside: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)


class Judge(nn.Module):
    """A small convolutional network that scores how true a picture looks: (B, 2, H, W) -> (B,)."""

    def __init__(self) -> None:
        """Make four convolutions, the first of full resolution: noise and sharpness are seen there."""
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs, stride in ((2, 12, 1), (12, 24, 2), (24, 48, 2), (48, 48, 2)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.1)]
        self.features = nn.Sequential(*layers)
        self.score = nn.Linear(48, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return a score for each picture; only the differences between scores mean something."""
        return self.score(self.features(pictures).mean((2, 3)))[:, 0]


def learn(train: Pairs, val: Pairs, seed: int, epochs: int = EPOCHS) -> Judge:
    """Train a classifier on pairs; the same arguments give the same weights.

    Args:
        train: to learn from.
        val: of other people; the weights with the least loss on them are kept.
        seed: of the first weights and of the order of the pairs.
        epochs: passes over the pairs.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        judge = Judge()
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(judge.parameters(), RATE)
    pictures, held_back = _seen(train), _seen(val)
    best, least = copy.deepcopy(judge.state_dict()), np.inf
    for _ in range(epochs):
        for chosen in np.array_split(rng.permutation(len(train)), max(1, len(train) // BATCH)):
            # Pictures are turned and mirrored, both of a pair alike: as if there were eight times as many.
            turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
            truth, fill = (torch.rot90(each[chosen], turns, (2, 3)) for each in pictures)
            loss = _loss(judge, *((each.flip(3) for each in (truth, fill)) if mirrored else (truth, fill)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            now = float(_loss(judge, *held_back))
        if now < least:
            best, least = copy.deepcopy(judge.state_dict()), now
    judge.load_state_dict(best)
    return judge


def told(judge: Judge, pairs: Pairs) -> np.ndarray:
    """Return for each pair whether the truth got the higher score: 1 or 0, and 0.5 where both got the same."""
    with torch.no_grad():
        truth, fill = (judge(each).numpy() for each in _seen(pairs))
    return np.where(truth == fill, 0.5, truth > fill)


def _loss(judge: Judge, truth: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
    return F.softplus(judge(fill) - judge(truth)).mean()


def _seen(pairs: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
    """Return true and filled pictures as a classifier sees them: (pairs, 2, side, side).

    The first channel is scaled by mean and standard deviation of what is around the hole, the second marks the hole.
    """
    margin = (pairs.truth.shape[1] - SEEN) // 2
    middle = (slice(None), slice(margin, margin + SEEN), slice(margin, margin + SEEN))
    truth, fill, inside = (each[middle] for each in (pairs.truth, pairs.fill, pairs.inside))
    around = np.ma.masked_array(truth.astype(np.float32), inside)
    mean, spread = (np.asarray(each)[:, None, None] for each in (around.mean((1, 2)), around.std((1, 2))))
    both = (np.stack([(each - mean) / (spread + 1.0), inside], axis=1) for each in (truth, fill))
    first, second = (torch.from_numpy(each.astype(np.float32)) for each in both)
    return first, second
