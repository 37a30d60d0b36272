"""Mixtures of fills by shares of each fill at each pixel.

Neither a thin plate, a fill by patches nor the mirrored other side is best everywhere. A network that can only add to
one of them must recreate the others; one that predicts shares learns from few images. ``docs/feed-forward`` lists the
gain from each input.
"""

from __future__ import annotations

import torch

from .precision import full_precision

#: Sigma, in pixels, of the blur that removes detail that the fills do not share.
DETAIL = 1.5
#: Sigmas, in pixels, of the neighbourhoods of the clues.
NEAR, FAR = 3.0, 5.0
#: Channels of :func:`clues`.
CLUES = 4


def shares(fills: int) -> int:
    """Return the number of shares for this many fills: each fill and its blur has one, but the first is the rest."""
    return 2 * fills - 1


def mixed(fills: torch.Tensor, how_much: torch.Tensor) -> torch.Tensor:
    """Return the change of the first fill by the shares, ``sum over k of s_k (f_k - f_0)``: ``(B, 1, H, W)``.

    Args:
        fills: ``(B, n, H, W)``. The f_k are the fills from the second on, then all of them blurred.
        how_much: ``(B, shares(n), H, W)``: the s_k, of any sign and sum.
    """
    first = fills[:, :1]
    return (how_much * (torch.cat([fills[:, 1:], blurred(fills, DETAIL)], dim=1) - first)).sum(dim=1, keepdim=True)


def clues(image: torch.Tensor, known: torch.Tensor, other: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Return how deep a pixel lies in the hole, and how the other side differs around it: ``(B, CLUES, H, W)``.

    The channels are the known share of two neighbourhoods and, over pixels of the larger one with both sides known, the
    root mean square and the mean of their difference, which go to 0 with few pixels.

    Args:
        image: ``(B, 1, H, W)``; of any value under the hole.
        known: of that shape: 1 where the image is, 0 in the hole.
        other: of that shape: the other side.
        there: of that shape: 1 where there is another side, else 0.
    """
    both = known * there
    differs = both * (image - other)
    deep = blurred(known, NEAR)
    share, count, mean, square = blurred(torch.cat([known, both, differs, differs.square()], dim=1), FAR).split(1, 1)
    count = count + 0.01  # no difference where nothing can be compared
    return torch.cat([deep, share, (square.clamp(min=0) / count).sqrt(), mean / count], dim=1)


def blurred(images: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return Gaussian means ``(B, C, H, W)`` of the pixels within the image."""
    # Matrix products need no padding and are faster on a CPU than long convolutions.
    rows, columns = (_weights(side, sigma, images) for side in images.shape[-2:])
    with full_precision(images.device):
        return rows @ images @ columns.mT


def _weights(side: int, sigma: float, like: torch.Tensor) -> torch.Tensor:
    """Return ``(side, side)``, with the weights of the mean around i in row i."""
    at = torch.arange(side, dtype=like.dtype, device=like.device)
    weights = torch.exp(-((at[:, None] - at) ** 2) / (2 * sigma**2))
    return weights / weights.sum(dim=1, keepdim=True)
