"""Base class of networks that fill a hole in one pass: inputs and outputs."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import nn

from ..errors import ParameterError
from .lines import LINES, along_lines
from .mixture import CLUES, clues, mixed, shares
from .surroundings import surroundings

#: What a network sees under the hole: nothing, and it predicts the image, or a fill, and it corrects that.
GIVEN = ("nothing", "fill")


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Inputs of a network that fills a hole in one pass; the last four need a fill.

    Attributes:
        pixels: side of the training frames.
        slices: neighbouring slices as channels, odd; the middle one is filled (2.5-D when above 1).
        given: one of :data:`GIVEN`.
        hint: whether another method's fill of the middle slice is a further channel, which the network then corrects.
        other_side: whether the mirrored other side (:mod:`..other_side`) is a further channel, with its known pixels.
        relative: whether all intensities are relative to the hole's surroundings (:mod:`.surroundings`), and the
            correction has their scale.
        lines: whether it sees and mixes two more fills of the middle slice, along rows and columns (:mod:`.lines`).

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

    Subclasses define :meth:`predict`. Given nothing, pixels under the hole are set to 0. Given a fill (e.g. of a PDE),
    the network sees it under the hole and predicts how much of it and of the other fills to take at each pixel
    (:func:`.mixture.mixed`), and what to add: it starts at the quality of the fill that it corrects.
    """

    #: Content of an additional last output channel of logits: ``"edges"``, ``"boundary"`` or none.
    EXTRA: ClassVar[str | None] = None

    def __init__(self, inputs: Inputs) -> None:
        super().__init__()
        self.inputs = inputs

    @property
    def beside(self) -> int:
        """Number of input channels of :meth:`predict` beside the slices and their masks."""
        return self.inputs.hint + (2 + CLUES) * self.inputs.other_side + LINES * self.inputs.lines

    @property
    def shares(self) -> int:
        """Number of output channels of :meth:`predict` with shares of the fills."""
        return (
            0
            if self.inputs.given == "nothing"
            else shares(1 + self.inputs.hint + self.inputs.other_side + LINES * self.inputs.lines)
        )

    @property
    def outputs(self) -> int:
        """Number of output channels of :meth:`predict`."""
        return 1 + self.shares + bool(self.EXTRA)

    def forward(self, images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Return the middle slice, known pixels included: ``(B, 1, H, W)``, or ``(B, 2, H, W)`` with :attr:`EXTRA`.

        Args:
            images: ``(B, slices + hint + other_side, H, W)``, -1..1: the slices, the one to fill in their middle, with
                any fill under the hole; then the hint; then the other side, any finite value where there is none.
            known: bool, ``(B, slices + other_side, H, W)``; for the other side, where there is one.
        """
        mask, other_known = known.to(images.dtype).split([self.inputs.slices, self.inputs.other_side], dim=1)
        images, fills = images.tensor_split([self.inputs.slices], dim=1)
        if self.inputs.given == "nothing":
            return self.predict(images * mask, mask, fills)
        middle = self._middle(images)
        base = fills[:, :1] if self.inputs.hint else middle
        if not self.inputs.relative:
            correction, extra = self._correct(images, fills, mask, other_known)
            return torch.cat([base + correction, extra], dim=1)
        level, scale = surroundings(middle, self._middle(mask))
        correction, extra = self._correct((images - level) / scale, (fills - level) / scale, mask, other_known)
        return torch.cat([base + scale * correction, extra], dim=1)

    def _correct(
        self, images: torch.Tensor, fills: torch.Tensor, mask: torch.Tensor, other_known: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the correction to add to the fill, and the logits of :attr:`EXTRA`."""
        middle, beside = self._middle(images), fills
        if self.inputs.other_side:
            other = torch.where(other_known > 0, fills[:, -1:], middle)
            fills = torch.cat([fills[:, :-1], other], dim=1)
            beside = torch.cat([fills, other_known, clues(middle, self._middle(mask), other, other_known)], dim=1)
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
    """Initialise ``head``, the last layer of a network that corrects a fill, to no correction."""
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
