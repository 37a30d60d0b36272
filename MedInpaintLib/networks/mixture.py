"""Mixtures of fills: what says, pixel by pixel, how much of each to take, and the mixture itself.

Of a thin plate, a fill by patches and the mirrored other side, none is best everywhere. A network that can only add to
one of them has to paint the others anew; one that says how much of each to take learns that from few images.
``docs/feed-forward`` has what a network gains from each thing that it is shown.
"""

from __future__ import annotations

import torch

from .precision import full_precision

#: Sigma, in pixels, of the blur that leaves out detail that is not shared.
DETAIL = 1.5
#: Sigmas, in pixels, of the neighbourhoods in which is looked for clues.
NEAR, FAR = 3.0, 5.0
#: Channels of :func:`clues`.
CLUES = 4


def shares(fills: int) -> int:
    """How many shares a mixture of so many fills has: all of them count, and blurred, but the first one is the rest."""
    return 2 * fills - 1


def mixed(fills: torch.Tensor, how_much: torch.Tensor) -> torch.Tensor:
    """``(B, 1, H, W)``: what the shares make of the first fill, ``sum over k of s_k (f_k - f_0)``.

    Args:
        fills: ``(B, n, H, W)``. The f_k are these, from the second on; then all of them, blurred.
        how_much: ``(B, shares(n), H, W)``: the s_k, of any sign and sum.
    """
    first = fills[:, :1]
    return (how_much * (torch.cat([fills[:, 1:], blurred(fills, DETAIL)], dim=1) - first)).sum(dim=1, keepdim=True)


def clues(image: torch.Tensor, known: torch.Tensor, other: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """``(B, CLUES, H, W)``: how deep a pixel lies in the hole, and how far the other side differs around it.

    The known share of two neighbourhoods; and, over the pixels of the larger one at which both sides are known, the
    root mean square and the mean of their difference; these go to 0 where hardly a pixel is, which the shares tell.

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
    count = count + 0.01  # where nothing is compared, nothing differs
    return torch.cat([deep, share, (square.clamp(min=0) / count).sqrt(), mean / count], dim=1)


def blurred(images: torch.Tensor, sigma: float) -> torch.Tensor:
    """``(B, C, H, W)``: Gaussian means of the pixels that there are."""
    # As products with matrices: nothing is padded, and on a CPU they are quicker than long convolutions.
    rows, columns = (_weights(side, sigma, images) for side in images.shape[-2:])
    with full_precision(images.device):
        return rows @ images @ columns.mT


def _weights(side: int, sigma: float, like: torch.Tensor) -> torch.Tensor:
    """``(side, side)``: row i holds the weights of the mean around i."""
    at = torch.arange(side, dtype=like.dtype, device=like.device)
    weights = torch.exp(-((at[:, None] - at) ** 2) / (2 * sigma**2))
    return weights / weights.sum(dim=1, keepdim=True)
