"""Trained models: :mod:`.bundle` is the format, :mod:`.store` knows where they lie."""

from ..deprecated import make_callable

make_callable(__name__, "list_models")
