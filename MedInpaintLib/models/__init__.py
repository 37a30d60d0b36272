"""Trained models: :mod:`.bundle` is the format, :mod:`.store` finds them."""

from ..deprecated import make_callable

make_callable(__name__, "list_models")
