"""The models that a study measures, of which some may not be there: not every measured model is released."""

from __future__ import annotations

from collections.abc import Iterable

from MedInpaintLib.errors import ModelError
from MedInpaintLib.models import store


def require_models(names: Iterable[str]) -> None:
    """Check that models are there, before a study works for hours and fails on the last of them.

    Args:
        names: of the models; that of a model is also that of its recipe.

    Raises:
        ModelError: a model is missing; the message says how to train and add it.
    """
    there = {*store.models(), *(folder.name for folder in store.broken())}  # using a broken one says what is wrong
    missing = [name for name in dict.fromkeys(names) if name not in there]
    if missing:
        raise ModelError(
            f"This study needs models that are not here: {', '.join(missing)}; train each by the recipe of its name, "
            f"for example 'medinpaint train {missing[0]} --data DATA --out runs/{missing[0]}', and add it, "
            f"'medinpaint models add runs/{missing[0]}/{missing[0]}'."
        )
