"""Train VAE and GAN on equal crops, by turns, and measure at every check what they generate and how well they fill."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch.optim.swa_utils import AveragedModel

from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.latent.search import Settings, search
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.networks import build
from MedInpaintLib.progress import Progress
from MedInpaintLib.training.data import prepare
from MedInpaintLib.training.loop import HISTORY, LAST, Hardware, Samples, Trial, frozen, train
from MedInpaintLib.training.recipe import Recipe, read_recipe

from ..shared.cases import fingerprint
from .clusters import share_with_tissues

#: Label -> recipe of the released model.
RECIPES = {"VAE-3": "brain-mr-vae-3", "VAE-7": "brain-mr-vae-7", "GAN-3": "brain-mr-gan-3", "GAN-7": "brain-mr-gan-7"}
#: Name of a size -> steps of each training.
SIZES = {"small": 160, "full": 960}
#: Steps between two checks.
EVERY = 80
#: Validation crops: a check searches their latents twice, so 64 as in the recipes would cost as much as the training.
CROPS = 12
#: Crops that are generated at a check, and real ones that they are compared with.
GENERATED = 256
#: The same search for all networks: from the encoder's guess, without a prior.
PLAIN = Settings(steps=60)
CHECKS = "checks.json"


class Clock:
    """Training samples that note the processor time at which each step asks for its batch."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._asked: list[float] = []

    def batch(self, numbers: range) -> tuple[np.ndarray, ...]:
        """Return the samples of these numbers."""
        self._asked.append(time.process_time())
        return self._samples.batch(numbers)

    def seconds(self) -> float:
        """Return the median time of a step since the last call, and begin again; NaN for fewer than two steps."""
        steps, self._asked = np.diff(self._asked), []
        return float(np.median(steps)) if len(steps) else math.nan


def recipe_of(label: str) -> Recipe:
    """Return the recipe of a network, with fewer validation crops and a short average of weights."""
    recipe = read_recipe(RECIPES[label])
    # After few steps a long average would still hold much of the first weights.
    return dataclasses.replace(recipe, schedule=dataclasses.replace(recipe.schedule, crops=CROPS, ema=0.99))


def entries_of(recipe: Recipe, data: Path, split: str) -> list[Entry]:
    """Return the images of a split that a recipe learns from or validates with."""
    wanted = recipe.data
    return [
        entry
        for entry in read_manifest(data, split)
        if entry.modality == wanted.modality and entry.contrast in wanted.contrasts
    ]


def run(data: Path, runs: Path, steps: int, accelerator: str = "cpu") -> dict[str, Any]:
    """Train all networks by turns, :data:`EVERY` steps each, and return rows and facts; resumes what was stopped.

    By turns, so that whatever else the machine does slows all of them alike.

    Args:
        data: folder with MANIFEST.csv.
        runs: folder for the trainings.
        steps: of each training.
        accelerator: to train on.

    Returns:
        ``rows``: one dict a network and check; and facts about the training data.
    """
    recipes = {label: recipe_of(label) for label in RECIPES}
    first = next(iter(recipes.values()))
    learning, validation = (entries_of(first, data, split) for split in ("train", "val"))
    samples, trial = prepare(first, learning, validation, runs, Progress())
    real = _real(samples, first)
    clock = Clock(samples)
    source = fingerprint(data, first.data.modality)
    folders = {label: runs / f"latent-training-{label.lower()}-{source}" for label in RECIPES}
    for folder in folders.values():
        make_folder(folder)
    for step in range(EVERY, steps + 1, EVERY):
        for label, recipe in recipes.items():
            _advance(label, recipe, step, clock, trial, real, folders[label], accelerator)
    return {
        "rows": [row for folder in folders.values() for row in _rows(folder) if row["step"] <= steps],
        "networks": {label: _network(recipe, folders[label]) for label, recipe in recipes.items()},
        "real": real,
        "facts": {
            "steps": steps,
            "batch": first.schedule.batch,
            "epoch": len(samples.slices),  # type: ignore[attr-defined]  # of a generative network they are Crops
            "images": len(learning),
            "people": len({entry.subject for entry in learning}),
            "validation": f"{trial.words}, of {len({entry.subject for entry in validation})} other people",
            "search": dataclasses.asdict(PLAIN) | {"loss": "", "weights": ""},
            "real_clusters": share_with_tissues(real),
            "threads": torch.get_num_threads(),
        },
    }


def _real(samples: Samples, recipe: Recipe) -> np.ndarray:
    """Return real crops, scaled intensities ``(n, pixels, pixels)``, clipped as the networks see them."""
    (crops,) = samples.batch(range(GENERATED))
    return _scaled(recipe.data.normalise(torch.from_numpy(crops)), recipe)


def _scaled(images: torch.Tensor, recipe: Recipe) -> np.ndarray:
    """Convert images ``(n, 1, pixels, pixels)`` from the network's scale to scaled intensities."""
    return (images[:, 0] * recipe.data.half_width + recipe.data.centre).numpy()


def _rows(folder: Path) -> list[dict[str, Any]]:
    """Return what was measured at each check of a training."""
    path = folder / CHECKS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def _advance(
    label: str,
    recipe: Recipe,
    step: int,
    clock: Clock,
    trial: Trial,
    real: np.ndarray,
    folder: Path,
    accelerator: str,
) -> None:
    """Train a network up to a step and append to its file what is measured there; do nothing if it was done."""
    rows = _rows(folder)
    if any(row["step"] == step for row in rows):
        return
    schedule = dataclasses.replace(recipe.schedule, steps=step, check_every=EVERY)
    train(dataclasses.replace(recipe, schedule=schedule), clock, trial, folder, hardware=Hardware(accelerator))
    row = {"network": label, "step": step, "seconds": clock.seconds(), "psnr": _validation(folder, step)}
    row |= measure(_network(recipe, folder), recipe, trial, real)
    write_text(folder / CHECKS, json.dumps([*rows, row], indent=1) + "\n")
    print(row, flush=True)


def _validation(folder: Path, step: int) -> float:
    """Return the PSNR of the training's own validation at a step."""
    lines = map(json.loads, (folder / HISTORY).read_text(encoding="utf-8").splitlines())
    return float(next(line["psnr"] for line in lines if line["step"] == step and "psnr" in line))


def _network(recipe: Recipe, folder: Path) -> Any:
    """Return the network with the averaged weights of a training's last check."""
    average = AveragedModel(build(recipe.architecture, recipe.arguments), use_buffers=True)
    average.load_state_dict(torch.load(folder / LAST, map_location="cpu", weights_only=True)["average"])
    return frozen(average.module)


def generate(network: Any, recipe: Recipe, count: int) -> np.ndarray:
    """Return images of random latents, the same at every check: scaled intensities ``(count, pixels, pixels)``."""
    latents = torch.randn((count, network.latent), generator=torch.Generator().manual_seed(recipe.schedule.seed))
    with torch.no_grad():
        return _scaled(network.decode(latents), recipe)


def measure(network: Any, recipe: Recipe, trial: Trial, real: np.ndarray) -> dict[str, float]:
    """Return what a network can do.

    Args:
        network: a Vae or Dcgan, frozen.
        recipe: of it.
        trial: holes to fill.
        real: real crops, scaled intensities.

    Returns:
        ``plain_psnr``: of the fills by the same search for all networks, dB at a range of 1; ``distance``: the
        1-Wasserstein distance between the intensities of all generated and all real crops; ``clusters``: the share of
        generated crops with a mode for each tissue.
    """
    filled = search(network.decode, trial.images, trial.known, network.encode(trial.images), PLAIN).images
    generated = generate(network, recipe, len(real))
    return {
        "plain_psnr": trial.psnr(filled) - 20 * math.log10(recipe.data.half_width),
        "distance": float(stats.wasserstein_distance(generated.ravel(), real.ravel())),
        "clusters": share_with_tissues(generated),
    }
