"""Warnings for images that differ from those that a model has learned from."""

from __future__ import annotations

from collections.abc import Iterator

from .bundle import Bundle

#: Share of a frame that must be known; with less, little supports the fill.
LITTLE = 0.25


def beyond_training(bundle: Bundle, modality: str, plane: str, known: float) -> Iterator[str]:
    """Yield one line for the user for each way in which an image lies beyond what a model has learned.

    Args:
        bundle: the model.
        modality: of the image.
        plane: in which it is filled.
        known: share of the frame of which least is known, 0..1.
    """
    if bundle.modality != modality:
        yield (
            f"The model '{bundle.name}' has learned from {bundle.modality} images, and this one is taken for "
            f"{modality}: do not trust the fill."
        )
    learned = [bundle.input["plane"], *bundle.input.get("also", [])]
    if plane not in learned:
        yield (
            f"The model '{bundle.name}' has learned from {' and '.join(learned)} slices, and {plane} ones are filled: "
            "do not trust the fill."
        )
    if known < LITTLE:
        yield (
            f"In some slices only {100 * known:.0f} % of what the model '{bundle.name}' sees is known: little supports "
            "the fill there."
        )
