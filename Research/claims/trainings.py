"""What the study of the cost of trainings says of a claim; its table has a row for each check, not for each hole."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable
from pathlib import Path

from ..shared.facts import read_facts
from .claim import Answer

FOLDER = "latent-training"
_KERNELS = (3, 7)
_ONE = "One training each, so the chance of a training is not known"


def cost(docs: Path) -> tuple[str, Answer]:
    """Return the cost of the VAE over that of the GAN to the best quality that both reach, and the verdict."""
    folder = docs / FOLDER
    study = _study(folder)
    if study is None:
        return "", Answer.NOT_MEASURED
    curves, facts = study.read_curves(folder), read_facts(folder)
    parts, ratios = [], []
    for kernel in _KERNELS:
        vae, gan = curves[f"VAE-{kernel}"], curves[f"GAN-{kernel}"]
        seconds = study.seconds_per_epoch(vae, facts) / study.seconds_per_epoch(gan, facts)
        for name, (words, less) in study.QUALITIES.items():
            quality = study.common_quality(vae[name], gan[name], less=less)
            epochs = [study.reached(each["step"], each[name], quality, less=less) for each in (vae, gan)]
            ratios.append(epochs[0] / epochs[1] * seconds)
            parts.append(f"kernel {kernel}, {words}: {epochs[0] / epochs[1]:.2f} x {seconds:.2f} = {ratios[-1]:.2f}")
    return f"{_ONE}. Epochs times time of an epoch, VAE over GAN: {'; '.join(parts)}", _of(
        ratio < 1 for ratio in ratios
    )


def clusters(docs: Path) -> tuple[str, Answer]:
    """Return the epochs after which each kind of network forms the clusters of tissue, and the verdict."""
    folder = docs / FOLDER
    study = _study(folder)
    if study is None:
        return "", Answer.NOT_MEASURED
    curves, facts = study.read_curves(folder), read_facts(folder)
    epochs = {}
    for network, curve in curves.items():
        step = study.reached(curve["step"], curve["clusters"], study.FORMED * facts["real_clusters"])
        epochs[network] = step * facts["batch"] / facts["epoch"]
    parts = [f"{name} {each:.1f}" if math.isfinite(each) else f"{name} never" for name, each in epochs.items()]
    sooner = [epochs[f"VAE-{kernel}"] < epochs[f"GAN-{kernel}"] for kernel in _KERNELS]
    return f"{_ONE}. Epochs until they are formed: {', '.join(parts)}", _of(sooner)


FINDINGS: dict[str, Callable[[Path], tuple[str, Answer]]] = {"cost": cost, "clusters": clusters}


def _of(held: Iterable[bool]) -> Answer:
    outcomes = set(held)
    return {frozenset((True,)): Answer.HOLDS, frozenset((False,)): Answer.NOT}.get(frozenset(outcomes), Answer.IN_PART)


def _study(folder: Path):  # type: ignore[no-untyped-def]
    """Return the module of the study's page, or None where the study has not been run."""
    if not (folder / "checks.csv.gz").is_file():
        return None
    return importlib.import_module("Research.latent_training.page")
