"""The base of networks that fill a hole in one pass: what they see, and what they return."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import nn

from ..errors import ParameterError
from .lines import LINES, along_lines
from .mixture import CLUES, clues, mixed, shares
from .surroundings import surroundings

#: What a network is given under the hole: nothing, so that it predicts the image, or a fill, so that it corrects one.
GIVEN = ("nothing", "fill")


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a network that fills a hole in one pass sees.

    Attributes:
        pixels: side of the frames that it learns from.
        slices: neighbouring slices that it sees as channels, odd; the middle one is filled (2.5-D when above 1).
        given: one of :data:`GIVEN`.
        hint: whether there is one more channel: what another method fills into the middle slice. Then this is what the
            network corrects. Not without a fill.
        other_side: whether there is one more channel, the other side of the body, mirrored (:mod:`..other_side`), and
            beside the known pixels of the slices those of that. Not without a fill.
        relative: whether it sees all intensities relative to the hole's surroundings (:mod:`.surroundings`), and adds
            at their scale. Not without a fill.
        lines: whether it sees, and mixes, two more fills of the middle slice, along rows and along columns
            (:mod:`.lines`). Not without a fill.

    Raises:
        ParameterError: these do not go together.
    """

    pixels: int
    slices: int = 1
    given: str = "nothing"
    hint: bool = False
    other_side: bool = False
    relative: bool = False
    lines: bool = False

    def __post_init__(self) -> None:
        if self.pixels < 1:
            raise ParameterError(f"The side of a frame must be 1 pixel or more; found {self.pixels}.")
        if self.slices < 1 or self.slices % 2 == 0:
            raise ParameterError(f"The number of slices that a network sees must be odd; found {self.slices}.")
        if self.given not in GIVEN:
            raise ParameterError(f"A network is given one of {', '.join(GIVEN)} under the hole; found '{self.given}'.")
        if self.given == "nothing" and (self.hint or self.other_side or self.relative or self.lines):
            raise ParameterError(
                "A network with a hint, the other side, relative intensities or fills along lines corrects a fill; "
                "give it one, or none of them."
            )


class FeedForward(nn.Module):
    """Base class: predict the repaired middle slice from a stack of damaged slices.

    A subclass has :meth:`predict`; here it is decided what it sees. Given nothing, what lies under the hole is set to 0
    before the network can see it. Given a fill (of a PDE, say), the network sees that under the hole and predicts how
    much of it, and of the other fills that it is shown, to take at each pixel (:func:`.mixture.mixed`), and what is to
    be added: it starts at the quality of the fill that it corrects.

    Args:
        inputs: what it sees.
    """

    #: What the last channel of the output shows as logits, for networks that have one: ``"edges"``, ``"boundary"``.
    EXTRA: ClassVar[str | None] = None

    def __init__(self, inputs: Inputs) -> None:
        super().__init__()
        self.inputs = inputs

    @property
    def beside(self) -> int:
        """How many channels :meth:`predict` gets beside the slices and their masks."""
        return self.inputs.hint + (2 + CLUES) * self.inputs.other_side + LINES * self.inputs.lines

    @property
    def shares(self) -> int:
        """How many channels of :meth:`predict` say how much of each fill to take."""
        return (
            0
            if self.inputs.given == "nothing"
            else shares(1 + self.inputs.hint + self.inputs.other_side + LINES * self.inputs.lines)
        )

    @property
    def outputs(self) -> int:
        """How many channels :meth:`predict` returns."""
        return 1 + self.shares + bool(self.EXTRA)

    def forward(self, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the middle slice, known pixels included: ``(B, 1, H, W)``, or ``(B, 2, H, W)`` with :attr:`EXTRA`.

        Args:
            images: ``(B, slices + hint + other_side, H, W)``, -1..1: slices with what is given under the hole, the one
                to fill in their middle; then the hint; then the other side, of any finite value where there is none.
            known: bool, ``(B, slices + other_side, H, W)``; for the other side, where there is one.
        """
        mask, there = known.to(images.dtype).split([self.inputs.slices, self.inputs.other_side], dim=1)
        images, fills = images.tensor_split([self.inputs.slices], dim=1)
        if self.inputs.given == "nothing":
            return self.predict(images * mask, mask, fills)
        middle = self._middle(images)
        base = fills[:, :1] if self.inputs.hint else middle
        if not self.inputs.relative:
            correction, extra = self._correct(images, fills, mask, there)
            return torch.cat([base + correction, extra], dim=1)
        level, scale = surroundings(middle, self._middle(mask))
        correction, extra = self._correct((images - level) / scale, (fills - level) / scale, mask, there)
        return torch.cat([base + scale * correction, extra], dim=1)

    def _correct(
        self, images: torch.Tensor, fills: torch.Tensor, mask: torch.Tensor, there: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what to add to the fill that is corrected, and the logits of :attr:`EXTRA`."""
        middle, beside = self._middle(images), fills
        if self.inputs.other_side:
            other = torch.where(there > 0, fills[:, -1:], middle)
            fills = torch.cat([fills[:, :-1], other], dim=1)
            beside = torch.cat([fills, there, clues(middle, self._middle(mask), other, there)], dim=1)
        if self.inputs.lines:
            lines = along_lines(middle, self._middle(mask))
            fills, beside = torch.cat([fills, lines], dim=1), torch.cat([beside, lines], dim=1)
        added, how_much, extra = self.predict(images, mask, beside).tensor_split([1, 1 + self.shares], dim=1)
        return mixed(torch.cat([middle, fills], dim=1), how_much) + added, extra

    def _middle(self, slices: torch.Tensor) -> torch.Tensor:
        return slices[:, self.inputs.slices // 2, None]

    def predict(self, images: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        """Return ``(B, self.outputs, H, W)``: the image, or what to add; shares; then the logits of :attr:`EXTRA`.

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
    if network.inputs.given == "nothing":
        return
    correcting = slice(0, 1 + network.shares)
    with torch.no_grad():
        (head.weight[correcting] if isinstance(head, nn.Conv2d) else head.weight[:, correcting]).zero_()
        if head.bias is not None:
            head.bias[correcting] = 0.0


def check_halvings(pixels: int, halvings: int) -> None:
    """Check that a frame can be halved so often.

    Raises:
        ParameterError: its side is no multiple of ``2 ** halvings``.
    """
    if pixels % 2**halvings:
        raise ParameterError(f"The side of a frame must be a multiple of {2**halvings} pixels; found {pixels}.")
