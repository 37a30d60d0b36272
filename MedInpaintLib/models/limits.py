"""Warnings for images that differ from a model's training images."""

from __future__ import annotations

from collections.abc import Iterator

from .bundle import Bundle

#: Known share of a frame below which little supports the fill.
LITTLE = 0.25


def beyond_training(bundle: Bundle, modality: str, plane: str, known: float) -> Iterator[str]:
    """Yield a line for the user for each way in which an image differs from a model's training images.

    Args:
        bundle: the model.
        modality, plane: of the image, and of its filled slices.
        known: least known share of a frame, 0..1.
    """
    if bundle.modality != modality:
        yield (
            f"The model '{bundle.name}' has learned from {bundle.modality} images, and this one is treated as "
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
