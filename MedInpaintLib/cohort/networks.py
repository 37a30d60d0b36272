"""What results of networks depend on besides files that are named: the user's own models, and PyTorch."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..jobs.outputs import model_folder


def files_of_model(parameters: Mapping[str, Any]) -> list[Path]:
    """Return the files of the model that a method's parameters name by its folder; none for models by name."""
    folder = model_folder(parameters)
    return [] if folder is None else sorted(Path(folder).iterdir())


@functools.lru_cache(1024)
def networks(method: str, self_check: bool, model: str) -> dict[str, Any]:
    """Return what the networks of a method depend on beyond the version of MedInpaint.

    Args:
        method: a method's name, or ``"auto"``.
        self_check: whether other methods are tried, too.
        model: a model by name or folder, or ``"auto"``.
    """
    from ..methods import registry
    from ..models.store import is_released, models

    architecture = None if method == "auto" else registry.get(method).architecture
    if method != "auto" and not self_check and architecture is None:
        return {}
    own = {
        bundle.name: bundle.weights_file["sha256"]
        for bundle in models().values()
        if not is_released(bundle)
        and (model == bundle.name if model != "auto" else self_check or architecture in (None, bundle.architecture))
    }
    return {"models": own, "torch": importlib.util.find_spec("torch") is not None}
