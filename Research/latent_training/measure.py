"""Train VAE and GAN on equal crops, by turns, and measure at every check what they generate and how well they fill."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from scipy import stats
from torch.optim.swa_utils import AveragedModel

from MedInpaintLib.files import make_folder, write_text
from MedInpaintLib.latent.search import Settings, search
from MedInpaintLib.manifest import Entry, read_manifest
from MedInpaintLib.models.bundle import load_network
from MedInpaintLib.models.store import find
from MedInpaintLib.networks import build
from MedInpaintLib.progress import Progress
from MedInpaintLib.training.data import prepare
from MedInpaintLib.training.loop import HISTORY, LAST, Hardware, Samples, Trial, frozen, train
from MedInpaintLib.training.recipe import Recipe, read_recipe
from MedInpaintLib.training.slices import Crops
from MedInpaintLib.training.tasks.vae import VaeTask

from ..shared.cases import fingerprint
from ..shared.models import require_models
from .clusters import share_with_tissues

#: Label -> recipe, and model that the page on latent search measures; not all of these models are released.
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


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the trainings gave.

    Attributes:
        rows: one a network and check: network, step, median seconds of a step, and what :func:`measure` returns.
        facts: numbers of the page that are in no row.
        generated: network -> crops that it generates after the last check, scaled intensities ``(n, pixels, pixels)``.
        real: real crops, likewise.
    """

    rows: list[dict[str, Any]]
    facts: dict[str, Any]
    generated: dict[str, np.ndarray]
    real: np.ndarray


def run(data: Path, runs: Path, steps: int, accelerator: str = "cpu") -> Outcome:
    """Train all networks by turns, :data:`EVERY` steps each, measuring at the end of each; resumes what was stopped.

    By turns, so that whatever else the machine does slows all of them alike.

    Args:
        data: folder with MANIFEST.csv.
        runs: folder for the trainings.
        steps: of each training; a multiple of :data:`EVERY`, or what is beyond one is left out.
        accelerator: to train on.

    Raises:
        ModelError: a model that the new trainings are compared with is missing.
    """
    require_models(RECIPES.values())
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
    checks = range(EVERY, steps + 1, EVERY)
    for step in checks:
        for label, recipe in recipes.items():
            _advance(label, recipe, step, clock, trial, real, folders[label], accelerator)
    facts = {
        "steps": checks[-1],
        "batch": first.schedule.batch,
        "epoch": len(cast(Crops, samples).slices),
        "images": len(learning),
        "people": len({entry.subject for entry in learning}),
        "validation": f"{trial.words} of {len({entry.subject for entry in validation})} other people",
        "search_steps": PLAIN.steps,
        "generated": len(real),
        "real_clusters": share_with_tissues(real),
        "released": {label: _released(name, first, real) for label, name in RECIPES.items()},
        "warm_up": VaeTask.warm_up,
    }
    generated = {label: generate(_network(recipe, folders[label]), recipe, 16) for label, recipe in recipes.items()}
    rows = [row for folder in folders.values() for row in _rows(folder) if row["step"] in checks]
    return Outcome(rows, facts, generated, real)


def _released(name: str, recipe: Recipe, real: np.ndarray) -> dict[str, float]:
    """Return what a fully trained model generates, compared with real crops, and how many steps it was trained for."""
    bundle = find(name)
    return {**compare(load_network(bundle), recipe, real), "steps": bundle.training["steps"]}


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
    """Return how well a network fills by :data:`PLAIN`, in dB at a range of 1, and what it generates.

    Args:
        network: a Vae or Dcgan, frozen.
        recipe: of it.
        trial: holes to fill.
        real: real crops, scaled intensities.
    """
    filled = search(network.decode, trial.images, trial.known, network.encode(trial.images), PLAIN).images
    psnr = trial.psnr(filled) - 20 * math.log10(recipe.data.half_width)
    return {"plain_psnr": psnr, **compare(network, recipe, real)}


def compare(network: Any, recipe: Recipe, real: np.ndarray) -> dict[str, float]:
    """Compare what a network generates with as many real crops.

    Returns:
        ``distance``: the 1-Wasserstein distance between all intensities of both; ``clusters``: the share of generated
        crops with a mode for each tissue.
    """
    generated = generate(network, recipe, len(real))
    return {
        "distance": float(stats.wasserstein_distance(generated.ravel(), real.ravel())),
        "clusters": share_with_tissues(generated),
    }
