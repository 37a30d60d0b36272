"""What the study of the cost of trainings says of a claim; its table has a row for each check, not for each hole.

Each network was trained once, so the chance of a training is not known, and no verdict follows.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..shared.facts import read_facts
from .claim import Answer

FOLDER = "latent-training"
_KERNELS = (3, 7)


def cost(docs: Path) -> tuple[str, Answer]:
    """Return the cost of the VAE over that of the GAN to the best quality that both reach."""
    folder = docs / FOLDER
    study = _study(folder)
    if study is None:
        return "", Answer.NOT_MEASURED
    curves, facts = study.read_curves(folder), read_facts(folder)
    parts = []
    for kernel in _KERNELS:
        vae, gan = curves[f"VAE-{kernel}"], curves[f"GAN-{kernel}"]
        seconds = study.seconds_per_epoch(vae, facts) / study.seconds_per_epoch(gan, facts)
        for name, (words, less) in study.QUALITIES.items():
            quality = study.common_quality(vae[name], gan[name], less=less)
            epochs = [study.reached(each["step"], each[name], quality, less=less) for each in (vae, gan)]
            ratio = epochs[0] / epochs[1]
            parts.append(f"kernel {kernel}, {words}: {ratio:.2f} x {seconds:.2f} = {ratio * seconds:.2f}")
    words = f"In {_length(facts)}, epochs times time of an epoch, VAE over GAN: {'; '.join(parts)}"
    return words, Answer.ONE_TRAINING


def clusters(docs: Path) -> tuple[str, Answer]:
    """Return the epochs after which networks form the clusters of tissue, and which fully trained models have them."""
    folder = docs / FOLDER
    study = _study(folder)
    if study is None:
        return "", Answer.NOT_MEASURED
    curves, facts = study.read_curves(folder), read_facts(folder)
    enough = study.FORMED * facts["real_clusters"]
    parts = []
    for network, curve in curves.items():
        epochs = study.reached(curve["step"], curve["clusters"], enough) * facts["batch"] / facts["epoch"]
        parts.append(f"{network} {f'{epochs:.1f}' if math.isfinite(epochs) else 'not formed'}")
    long = [name for name, each in facts["released"].items() if each["clusters"] >= enough]
    words = f"In {_length(facts)}, epochs until they are formed: {', '.join(parts)}"
    words += ". Of the models of [latent search](latent/README.md), which were trained for longer, these have them: "
    words += ", ".join(long) or "none"
    return words, Answer.ONE_TRAINING


FINDINGS: dict[str, Callable[[Path], tuple[str, Answer]]] = {"cost": cost, "clusters": clusters}


def _length(facts: Mapping[str, Any]) -> str:
    """Return how long the networks were trained, in words."""
    return f"{facts['steps']} steps ({facts['steps'] * facts['batch'] / facts['epoch']:.1f} epochs)"


def _study(folder: Path):  # type: ignore[no-untyped-def]
    """Return the module of the study's page, or None where the study has not been run."""
    if not (folder / "checks.csv.gz").is_file():
        return None
    return importlib.import_module("Research.latent_training.page")
