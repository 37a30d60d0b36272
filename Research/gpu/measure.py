"""Fills of released models, and a short training, on two devices; on the sample images alone."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from MedInpaintLib import impute, inpaint
from MedInpaintLib.data_range import data_range_of
from MedInpaintLib.devices import available, why_not
from MedInpaintLib.errors import InputError
from MedInpaintLib.mask_values import ALL
from MedInpaintLib.modality import Modality
from MedInpaintLib.models.bundle import Bundle
from MedInpaintLib.models.store import is_released, models
from MedInpaintLib.networks import ESTIMATES, has_purpose
from MedInpaintLib.samples import sample
from MedInpaintLib.training.recipe import read_recipe
from MedInpaintLib.training.run import METHODS, run
from MedInpaintLib.volume import Volume

from ..shared.manifests import COLUMNS, write_rows
from ..shared.trainings import shortened

#: Modality -> the sample that its models fill.
SAMPLES = {"MR": "brain-t1", "CT": "ct-slab", "film": "chest-film"}
#: What is estimated of the sample by models that estimate a contrast, and from which one.
GIVEN, WANTED = "T1", "FLAIR"
#: Median of the core of the head in an estimate: what differences are relative to there.
CORE = 1000.0
#: The recipe that is trained. It needs no holes, so the time is the network's.
RECIPE, STEPS = "brain-mr-vae-3", 200


@dataclasses.dataclass(frozen=True)
class Filled:
    """What a model made on a device.

    Attributes:
        values: of the filled voxels, float64 ``(n,)``, in units of the image's range R.
        ran_on: the device on which the network ran in the end: the CPU where the memory of another was too small.
        seconds: of the whole call, files and other methods that it needs included.
        megabytes: the most that PyTorch had allocated on a GPU; None for a CPU.
    """

    values: np.ndarray
    ran_on: str
    seconds: float
    megabytes: float | None


@dataclasses.dataclass(frozen=True)
class Trained:
    """A short training on a device.

    Attributes:
        seconds: of all steps and of the validations between them.
        psnr: of the last validation, dB.
        megabytes: as in :class:`Filled`.
    """

    seconds: float
    psnr: float
    megabytes: float | None


def released() -> list[Bundle]:
    """Return the models that come with MedInpaint."""
    return [bundle for bundle in models().values() if is_released(bundle)]


def require(device: str) -> None:
    """Raise InputError where this machine has no such device."""
    if device not in available():
        raise InputError(
            f"The comparison needs the device '{device}', which is not available here: "
            f"{why_not(device.partition(':')[0])}. Run it on a machine that has one."
        )


def warm_up(device: str) -> None:
    """Load what PyTorch loads on the first convolution on a device, so that it counts for no model."""
    torch.nn.Conv2d(1, 8, 3).to(device)(torch.zeros(1, 1, 16, 16, device=device)).sum().item()


def fill(bundle: Bundle, device: str) -> Filled:
    """Fill the hole of a sample, or estimate a contrast of it, with a model on a device."""
    example = sample(SAMPLES[bundle.modality])
    image = Volume.read(example.image)
    # Fills of integers are rounded, which would hide small differences.
    precise = image.with_array(image.array.astype(np.float32))
    with _memory(device) as peak:
        start = time.perf_counter()
        if has_purpose(bundle.architecture, ESTIMATES):
            estimated = impute({GIVEN: precise}, WANTED, model=bundle.name, device=device)
            values, ran_on, width = estimated.volume.array.ravel(), estimated.report["device"], CORE
        else:
            result = inpaint(
                precise,
                example.mask,
                method=METHODS.get(bundle.architecture, bundle.architecture),
                parameters={"model": bundle.name},
                labels=[ALL],
                modality=bundle.modality,
                device=device,
            )
            hole = result.hole.full()
            values, ran_on = result.volume.array[hole], result.report["device"]
            width = data_range_of(image.array[~hole], Modality.of(bundle.modality), image.array.dtype).width
        seconds = time.perf_counter() - start
    return Filled(values.astype(np.float64) / width, ran_on, seconds, peak())


def train(device: str, folder: Path, steps: int = STEPS) -> Trained:
    """Train :data:`RECIPE` for some steps on the sample brain.

    The same head stands for the people to learn from and for those to validate with: the time is of interest, and
    whether two devices come to the same, not how good the network is.

    Args:
        device: to train on; of several GPUs, the first.
        folder: for the data and the training; made when missing.
        steps: updates.
    """
    data, recipe = folder / "data", shortened(read_recipe(RECIPE), steps)
    _write_data(data)
    with _memory(device) as peak:
        start = time.perf_counter()
        bundle = run(recipe, data, folder / device.replace(":", "-"), accelerator=device.partition(":")[0])
        seconds = time.perf_counter() - start
    if bundle is None:
        raise InputError("The training ran in a process that is not the first one; start it on one device.")
    return Trained(seconds, bundle.scores[0]["psnr"], peak())


def _write_data(folder: Path) -> None:
    """Write the sample brain twice, once for each split, with a manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    example = sample(SAMPLES["MR"])
    rows = []
    for split in ("train", "val"):
        name = f"{split}.nii.gz"
        shutil.copyfile(example.image, folder / name)
        rows.append([name, "MR", GIVEN, split, split, example.name, example.licence, example.citation])
    write_rows(folder / "MANIFEST.csv", [COLUMNS, *rows])


@contextlib.contextmanager
def _memory(device: str) -> Iterator:
    """Yield a function that returns the most MB that were allocated on a GPU inside the block, and None for a CPU."""
    if not device.startswith("cuda"):
        yield lambda: None
        return
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    yield lambda: torch.cuda.max_memory_allocated(device) / 1e6
