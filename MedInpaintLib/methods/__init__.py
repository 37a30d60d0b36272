"""Inpainting methods, one file each; :mod:`.registry` finds them."""

from ..deprecated import make_callable

make_callable(__name__, "list_methods")
