"""Recipes for models of an architecture, to name them in messages when there is no such model."""

from __future__ import annotations

import functools
import re
from pathlib import Path

#: MedInpaint's own recipes; ``medinpaint train NAME`` finds them here.
FOLDER = Path(__file__).parents[1] / "training" / "recipes"
#: The end of the name of a recipe whose model fills no holes: losses of other recipes compare its features.
_FEATURES = "-features"


def recipes(architecture: str) -> dict[str, str]:
    """Return the recipes for models of an architecture that fill holes: name -> modality, in alphabetical order.

    >>> recipes("context-encoder")
    {'brain-mr-context-encoder': 'MR', 'chest-film-context-encoder': 'film'}
    >>> sorted({*recipes("vae").values()})  # those for films and CT are made for their features
    ['MR']
    """
    return {name: modality for name, kind, modality in _all() if kind == architecture and not name.endswith(_FEATURES)}


def has_recipe(name: str) -> bool:
    """Return whether a recipe makes the model of this name.

    >>> has_recipe("brain-mr-vae-7"), has_recipe("of-my-own")
    (True, False)
    """
    return any(recipe == name for recipe, _, _ in _all())


def how_to_make(architecture: str) -> str:
    """Return advice for a message on how to get a model of an architecture: the recipes with their modality.

    >>> how_to_make("of-my-own")
    "add one ('medinpaint models add')"
    >>> how_to_make("dcgan").partition(",")[0]
    "train one ('medinpaint train' with the recipe brain-mr-gan-3 for MR"
    """
    named = ", ".join(f"{name} for {modality}" for name, modality in recipes(architecture).items())
    trained = f"train one ('medinpaint train' with the recipe {named}) or " if named else ""
    return f"{trained}add one ('medinpaint models add')"


@functools.cache
def _all() -> tuple[tuple[str, str, str], ...]:
    """Return name, architecture and modality of all recipes, read once: the panel asks at every change."""
    # Without a TOML parser, which Python 3.10 does not have.
    texts = ((path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml")))
    return tuple((name, _value(text, "architecture"), _value(text, "modality")) for name, text in texts)


def _value(text: str, key: str) -> str:
    line = re.search(rf'^{key} = "(.*)"', text, flags=re.MULTILINE)
    return line[1] if line else ""
