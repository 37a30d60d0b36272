"""What networks that fill a hole in one pass have in common: what they are given, and what they give back."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from ..errors import ParameterError
from .lines import LINES, along_lines
from .mixture import CLUES, clues, mixed, shares
from .surroundings import surroundings

#: What a network is given under the hole: nothing, so that it predicts the image, or a fill, so that it corrects one.
GIVEN = ("nothing", "fill")


class FeedForward(nn.Module):
    """Damaged slices to the middle one of them, whole.

    A subclass has :meth:`predict`; here it is decided what it sees. Given nothing, what lies under the hole is set to 0
    before the network can see it. Given a fill (of a PDE, say), the network sees that under the hole and predicts how
    much of it, and of the other fills that it is shown, to take at each pixel (:func:`.mixture.mixed`), and what is to
    be added: it starts at the quality of the fill that it corrects.

    Args:
        pixels: side of the frames that it learns from.
        slices: neighbouring slices that it sees as channels, odd; the middle one is filled (2.5-D when above 1).
        given: one of :data:`GIVEN`.
        hint: whether there is one more channel: what another method fills into the middle slice. Then this is what the
            network corrects. Not without a fill.
        other_side: whether there is one more channel, the other side of the body, mirrored (:mod:`..mirroring`), and
            beside the known pixels of the slices those of that. Not without a fill.
        relative: whether it sees all intensities relative to the hole's surroundings (:mod:`.surroundings`), and adds
            at their scale. Not without a fill.
        lines: whether it sees, and mixes, two more fills of the middle slice, along rows and along columns
            (:mod:`.lines`). Not without a fill.
    """

    #: What the last channel of the output shows as logits, for networks that have one: ``"edges"``, ``"boundary"``.
    EXTRA: ClassVar[str | None] = None

    def __init__(
        self, *, pixels: int, slices: int, given: str, hint: bool, other_side: bool, relative: bool, lines: bool
    ) -> None:
        super().__init__()
        if pixels < 1:
            raise ParameterError(f"The side of a frame must be 1 pixel or more; found {pixels}.")
        if slices < 1 or slices % 2 == 0:
            raise ParameterError(f"The number of slices that a network sees must be odd; found {slices}.")
        if given not in GIVEN:
            raise ParameterError(f"A network is given one of {', '.join(GIVEN)} under the hole; found '{given}'.")
        if (hint or other_side or relative or lines) and given == "nothing":
            raise ParameterError(
                "A network with a hint, the other side, relative intensities or fills along lines corrects a fill; "
                "give it one, or none of them."
            )
        self.pixels, self.slices, self.given = pixels, slices, given
        self.hint, self.other_side = bool(hint), bool(other_side)
        self.relative, self.lines = bool(relative), bool(lines)

    @property
    def beside(self) -> int:
        """Channels that :meth:`predict` gets beside the slices and their masks."""
        return self.hint + (2 + CLUES) * self.other_side + LINES * self.lines

    @property
    def shares(self) -> int:
        """Channels of :meth:`predict` that say how much of each fill to take."""
        return 0 if self.given == "nothing" else shares(1 + self.hint + self.other_side + LINES * self.lines)

    @property
    def outputs(self) -> int:
        """All channels of :meth:`predict`."""
        return 1 + self.shares + bool(self.EXTRA)

    def forward(self, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """``(B, 1, H, W)``, or ``(B, 2, H, W)`` with :attr:`EXTRA`: the middle slice, known pixels included.

        Args:
            images: ``(B, slices + hint + other_side, H, W)``, -1..1: slices with what is given under the hole, the one
                to fill in their middle; then the hint; then the other side, of any finite value where there is none.
            known: bool, ``(B, slices + other_side, H, W)``; for the other side, where there is one.
        """
        mask, there = known.to(images.dtype).split([self.slices, self.other_side], dim=1)
        images, fills = images.tensor_split([self.slices], dim=1)
        if self.given == "nothing":
            return self.predict(images * mask, mask, fills)
        middle = self._middle(images)
        base = fills[:, :1] if self.hint else middle
        if not self.relative:
            correction, extra = self._correct(images, fills, mask, there)
            return torch.cat([base + correction, extra], dim=1)
        level, scale = surroundings(middle, self._middle(mask))
        correction, extra = self._correct((images - level) / scale, (fills - level) / scale, mask, there)
        return torch.cat([base + scale * correction, extra], dim=1)

    def _correct(
        self, images: torch.Tensor, fills: torch.Tensor, mask: torch.Tensor, there: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What is to be added to the fill that is corrected, and the logits of :attr:`EXTRA`."""
        middle, beside = self._middle(images), fills
        if self.other_side:
            other = torch.where(there > 0, fills[:, -1:], middle)
            fills = torch.cat([fills[:, :-1], other], dim=1)
            beside = torch.cat([fills, there, clues(middle, self._middle(mask), other, there)], dim=1)
        if self.lines:
            lines = along_lines(middle, self._middle(mask))
            fills, beside = torch.cat([fills, lines], dim=1), torch.cat([beside, lines], dim=1)
        added, how_much, extra = self.predict(images, mask, beside).tensor_split([1, 1 + self.shares], dim=1)
        return mixed(torch.cat([middle, fills], dim=1), how_much) + added, extra

    def _middle(self, slices: torch.Tensor) -> torch.Tensor:
        return slices[:, self.slices // 2, None]

    def predict(self, images: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        """``(B, self.outputs, H, W)``: the image, or what is to be added; shares; then the logits of :attr:`EXTRA`.

        Args:
            images: ``(B, slices, H, W)``; given nothing, 0 under the hole.
            mask: of that shape, 1 = known, 0 = hole.
            beside: ``(B, self.beside, H, W)``: the hint; the other side, where there is one, and
                :func:`.mixture.clues`; the fills along lines. Known everywhere.
        """
        raise NotImplementedError


def start_at_the_fill(head: nn.Conv2d | nn.ConvTranspose2d, network: FeedForward) -> None:
    """Let a network that corrects a fill begin with no correction.

    Args:
        head: its last layer.
        network: all of it.
    """
    if network.given == "nothing":
        return
    correcting = slice(0, 1 + network.shares)
    with torch.no_grad():
        (head.weight[correcting] if isinstance(head, nn.Conv2d) else head.weight[:, correcting]).zero_()
        if head.bias is not None:
            head.bias[correcting] = 0.0


def check_halvings(pixels: int, halvings: int) -> None:
    """Whether a frame can be halved so often.

    Raises:
        ParameterError: its side is no multiple of ``2 ** halvings``.
    """
    if pixels % 2**halvings:
        raise ParameterError(f"The side of a frame must be a multiple of {2**halvings} pixels; found {pixels}.")
