"""Limits of networks, so that a recipe or bundle with absurd arguments is refused before its memory is taken."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from ..errors import ParameterError

#: Largest number among a network's arguments, most weights, and most modules. The largest published network that can be
#: built here has 70 million weights and 200 modules.
MOST_ARGUMENT, MOST_WEIGHTS, MOST_MODULES = 4096, 500_000_000, 10_000


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Stop the building of a network in this block, in this thread, once it has more weights or modules than any.

    Weights are counted before they get numbers, so on a real device their memory is only reserved.
    """
    from torch.nn.modules import module as hooks

    thread, weights, modules = threading.get_ident(), 0, 0

    def count(owner: Any, name: str, added: Any) -> None:
        nonlocal weights, modules
        if added is None or threading.get_ident() != thread:
            return
        weights += added.numel() if hasattr(added, "numel") else 0
        modules += not hasattr(added, "numel")
        if weights > MOST_WEIGHTS or modules > MOST_MODULES:
            raise ParameterError(
                f"The network would have more than {MOST_WEIGHTS // 10**6} million weights or {MOST_MODULES} layers; "
                "lower its width or levels."
            )

    handles = [
        hooks.register_module_parameter_registration_hook(count),
        hooks.register_module_module_registration_hook(count),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
