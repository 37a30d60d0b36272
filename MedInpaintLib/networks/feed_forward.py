"""What networks that fill a hole in one pass have in common: what they are given, and what they give back."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from ..errors import ParameterError

#: What a network is given under the hole: nothing, so that it predicts the image, or a fill, so that it corrects one.
GIVEN = ("nothing", "fill")


class FeedForward(nn.Module):
    """Damaged slices to the middle one of them, whole.

    A subclass has :meth:`predict`; here it is decided what it sees. Given nothing, what lies under the hole is set to 0
    before the network can see it. Given a fill (of a PDE, say), the network sees that under the hole and predicts what
    is to be added to it: it starts at that fill's quality.

    Args:
        pixels: side of the frames that it learns from.
        slices: neighbouring slices that it sees as channels, odd; the middle one is filled (2.5-D when above 1).
        given: one of :data:`GIVEN`.
        hint: whether there is one more channel: what another method fills into the middle slice. Then this is what the
            network corrects. Not without a fill.
    """

    #: What the second channel of the output shows as logits, for networks that have one: ``"edges"``, ``"boundary"``.
    EXTRA: ClassVar[str | None] = None

    def __init__(self, *, pixels: int, slices: int, given: str, hint: bool) -> None:
        super().__init__()
        if pixels < 1:
            raise ParameterError(f"The side of a frame must be 1 pixel or more; found {pixels}.")
        if slices < 1 or slices % 2 == 0:
            raise ParameterError(f"The number of slices that a network sees must be odd; found {slices}.")
        if given not in GIVEN:
            raise ParameterError(f"A network is given one of {', '.join(GIVEN)} under the hole; found '{given}'.")
        if hint and given == "nothing":
            raise ParameterError("A network with a hint corrects it; give it a fill, too, or no hint.")
        self.pixels, self.slices, self.given, self.hint = pixels, slices, given, bool(hint)

    def forward(self, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """``(B, 1, H, W)``, or ``(B, 2, H, W)`` with :attr:`EXTRA`: the middle slice, known pixels included.

        Args:
            images: ``(B, slices + hint, H, W)``, -1..1: slices with what is given under the hole, the one to fill in
                their middle; then the hint.
            known: bool, ``(B, slices, H, W)``.
        """
        mask = known.to(images.dtype)
        images, hint = images[:, : self.slices], images[:, self.slices :]
        if self.given == "nothing":
            return self.predict(images * mask, mask, hint)
        base = hint if self.hint else images[:, self.slices // 2, None]
        predicted = self.predict(images, mask, hint)
        return torch.cat([base + predicted[:, :1], predicted[:, 1:]], dim=1)

    def predict(self, images: torch.Tensor, mask: torch.Tensor, hint: torch.Tensor) -> torch.Tensor:
        """The image, or what is to be added to what is corrected; then the logits of :attr:`EXTRA`.

        Args:
            images: ``(B, slices, H, W)``; given nothing, 0 under the hole.
            mask: of that shape, 1 = known, 0 = hole.
            hint: ``(B, 1, H, W)``, or of no channel; known everywhere.
        """
        raise NotImplementedError


def check_halvings(pixels: int, halvings: int) -> None:
    """Whether a frame can be halved so often.

    Raises:
        ParameterError: its side is no multiple of ``2 ** halvings``.
    """
    if pixels % 2**halvings:
        raise ParameterError(f"The side of a frame must be a multiple of {2**halvings} pixels; found {pixels}.")
