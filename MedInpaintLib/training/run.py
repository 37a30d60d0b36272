"""Training from recipe and data to a model bundle."""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError, MedInpaintError, MissingDependencyError, ParameterError, is_out_of_memory
from ..files import make_folder
from ..io.formats import READABLE
from ..manifest import Entry, read_manifest
from ..models.bundle import Bundle, write_bundle
from ..networks import ESTIMATES, GENERATES, REFINES, has_purpose
from ..progress import Progress
from ..volume_inputs import INTENSITIES, MAPS
from .recipe import Recipe, least_batch

#: Every fifth subject of a plain folder is for validation.
HELD_OUT = 5
NOT_STATED = "not stated"
#: A DICOM file of any name has this word after 128 bytes; DICOMDIR is the index of a disc, not an image.
_DICOM, _DICOM_AT, _DICOM_INDEX = b"DICM", 128, "DICOMDIR"
#: The method that fills with models of an architecture, for the card.
METHODS = {"vae": "vae-latent", "dcgan": "gan-latent"}  # the others have the architecture's name


def run(
    recipe: Recipe,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    accelerator: str = "auto",
    devices: int = 1,
    precision: str = "32",
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Bundle | None:
    """Train by a recipe and write ``out/NAME``, the model's bundle, beside checkpoints and logs.

    A stopped training resumes where it was; a finished one only writes its bundle again.

    Args:
        recipe: settings.
        data: a ``MANIFEST.csv`` or its folder, with splits train and val; or a plain folder of images, one file or
            folder per subject, every fifth for validation. A folder with DICOM files is one image.
        out: the folder to write to, created if missing.
        accelerator, devices, precision: see :class:`.loop.Hardware`.
        cache: a folder for damaged images, shared by trainings; ``out/cases`` by default.
        progress: reports and cancels.

    Returns:
        the bundle; None in worker processes.

    Raises:
        InputError: the recipe, the data or the hardware cannot be used.
        MissingDependencyError: the packages for training are not installed.
    """
    progress = progress or Progress()
    try:
        from .loop import Hardware, train
    except ImportError as error:
        raise MissingDependencyError(
            f"Training needs more packages ({error.name}): "
            "pip install torch safetensors lightning-fabric scikit-image tensorboard"
        ) from None
    from .data import prepare

    check(recipe, devices)
    learning, validation = _entries(Path(data), recipe)
    if has_purpose(recipe.architecture, ESTIMATES):
        from .contrasts import with_others

        learning = with_others(learning, recipe.data.contrasts, recipe.data.inside)
    make_folder(out)

    samples, trial = prepare(recipe, learning, validation, Path(cache or Path(out) / "cases"), progress.part(0.0, 0.02))
    try:
        trained = train(
            recipe,
            samples,
            trial,
            out,
            hardware=Hardware(accelerator, devices, precision),
            progress=progress.part(0.02, 1.0),
        )
    except RuntimeError as error:
        # No fallback to a smaller batch, which is another training, or to the CPU, which takes days.
        if not is_out_of_memory(error):
            raise
        raise ParameterError(
            f"The memory is too small for a batch of {recipe.schedule.batch} ({_first_line(error)}); lower 'batch' in "
            "the recipe, or train on a device with more."
        ) from None
    if not trained.leader:
        return None
    return write_bundle(
        Path(out) / recipe.name,
        name=recipe.name,
        title=recipe.title,
        architecture=recipe.architecture,
        arguments=recipe.arguments,
        modality=recipe.data.modality,
        contrasts=recipe.data.contrasts or tuple(sorted({entry.contrast or NOT_STATED for entry in learning})),
        normalisation={"centre": recipe.data.centre, "half_width": recipe.data.half_width},
        input={"pixels": recipe.pixels, **recipe.data.input, "hint": recipe.data.hint if recipe.hint else ""},
        training={
            "recipe": recipe.name,
            "steps": recipe.schedule.steps,
            "best_step": trained.step,
            "seed": recipe.schedule.seed,
            "batch": recipe.schedule.batch,
            "minutes": round(trained.seconds / 60, 1),
            "machine": f"{devices} x {accelerator}, {os.cpu_count()} cores, {platform.machine()}",
            "data": _sources(learning),
        },
        scores=[
            {
                "protocol": f"validation during training: {trial.words} of held-out subjects, "
                f"seed {recipe.schedule.seed}, no blending, range 1 on the scale that methods see",
                "split": "val",
                "psnr": round(trained.psnr, 2),
            }
        ],
        tensors=trained.network.state_dict(),
        method=METHODS.get(recipe.architecture, recipe.architecture),
    )


def check(recipe: Recipe, devices: int) -> None:
    """Refuse a recipe that cannot be trained, before data are read."""
    import torch

    from ..networks import build
    from .tasks import task_of

    batch, least = recipe.schedule.batch, least_batch(recipe.architecture)
    if batch < least * devices:
        raise ParameterError(
            f"A batch of {batch} leaves fewer than {least} crops for each of {devices} devices; raise 'batch' in the "
            f"recipe to {least * devices} or more, or use fewer devices."
        )
    try:
        # The meta device needs no memory or arithmetic; torch warns of layers without channels, which then fail.
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network: Any = build(recipe.architecture, recipe.arguments)
            slices, other_side = recipe.slices, recipe.other_side
            frames = torch.empty(2, slices + recipe.hint + other_side, recipe.pixels, recipe.pixels)
            if has_purpose(recipe.architecture, ESTIMATES):
                count = _contrasts(recipe)
                images = torch.empty(2, count, recipe.pixels, recipe.pixels)
                network(images, torch.ones(2, count) > 0, torch.ones(2).long())
            elif has_purpose(recipe.architecture, REFINES):
                sides = (recipe.pixels,) * 3
                network(torch.empty(2, len(INTENSITIES), *sides), torch.empty(2, len(MAPS), *sides))
            elif has_purpose(recipe.architecture, GENERATES):
                network.decode(network.encode(frames))
            else:
                network(frames, frames[:, : slices + other_side] > 0)
    except MedInpaintError:
        raise
    except (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError) as error:
        arguments = ", ".join(f"{name} = {value!r}" for name, value in recipe.arguments.items())
        raise ParameterError(
            f"No network '{recipe.architecture}' can be built with {arguments} ({_first_line(error)}); correct "
            "[arguments] in the recipe."
        ) from None
    task_of(recipe.architecture, network, recipe.task)


def _contrasts(recipe: Recipe) -> int:
    """Return the number of contrasts of a network.

    Raises:
        ParameterError: the recipe names more or fewer contrasts, or its contrasts cannot be used.
    """
    count, names = recipe.arguments.get("contrasts"), recipe.data.contrasts
    if count != len(names):
        raise ParameterError(
            f"The recipe has contrasts = {count!r} in [arguments] and names {len(names)} in [data]; name each of them."
        )
    if recipe.data.centre != 0:
        raise ParameterError(
            f"The recipe has centre = {recipe.data.centre:g}; networks that estimate contrasts take 0 for no signal, "
            "so it must be 0."
        )
    unknown = [each for each in recipe.data.wanted if each not in names]
    if unknown:
        raise ParameterError(f"The recipe wants the contrast '{unknown[0]}'; its contrasts are: {', '.join(names)}.")
    return len(names)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _entries(data: Path, recipe: Recipe) -> tuple[list[Entry], list[Entry]]:
    """Return the images to learn from, and those to validate with."""
    folder = data.parent if data.name == "MANIFEST.csv" else data
    if data.name == "MANIFEST.csv" or (folder / "MANIFEST.csv").is_file():
        images = [entry for entry in read_manifest(folder) if _wanted(entry, recipe)]
        splits = [[entry for entry in images if entry.split == split] for split in ("train", "val")]
        _check_apart(splits[0], splits[1], folder)
    else:
        images = _plain(folder, recipe.data.modality)
        subjects = sorted({entry.subject for entry in images})
        held_out = set(subjects[HELD_OUT - 1 :: HELD_OUT] or subjects[-1:])
        splits = [[entry for entry in images if (entry.subject in held_out) == is_held] for is_held in (False, True)]
    for split, entries in zip(("to learn from", "for validation"), splits, strict=True):
        if not entries:
            contrasts = ", ".join(recipe.data.contrasts) or "any contrast"
            raise InputError(
                f"The data in '{folder}' hold no image {split} ({recipe.data.modality}, {contrasts}); there must be at "
                "least one of another subject for each."
            )
    return splits[0], splits[1]


def _check_apart(learning: Sequence[Entry], validation: Sequence[Entry], folder: Path) -> None:
    """Refuse a subject in both splits; the same name in another dataset is another subject."""
    both = {(each.dataset, each.subject) for each in learning} & {(each.dataset, each.subject) for each in validation}
    if both:
        raise InputError(
            f"The manifest '{folder / 'MANIFEST.csv'}' has the subject '{min(both)[1]}' in train and in val; give all "
            "images of a subject the same split."
        )


def _wanted(entry: Entry, recipe: Recipe) -> bool:
    contrasts = recipe.data.contrasts
    if recipe.data.inside and entry.contrast == recipe.data.inside and has_purpose(recipe.architecture, ESTIMATES):
        return True
    is_mask = entry.contrast.upper().startswith("MASK")
    return entry.modality == recipe.data.modality and not is_mask and (not contrasts or entry.contrast in contrasts)


def _plain(folder: Path, modality: str) -> list[Entry]:
    """Return the images of a folder without a manifest; each subfolder is one subject."""
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}' with data to learn from.")
    files = [path for path in folder.rglob("*") if path.is_file()]
    series = {path.parent for path in files if _is_dicom(path)}
    if folder in series:
        raise InputError(f"The folder '{folder}' itself holds DICOM files; put each series into a folder of its own.")
    single_files = {path for path in files if path.name.lower().endswith(READABLE) and not _is_dicom(path)}
    return [
        Entry(path, str(path.relative_to(folder)), modality, "", path.relative_to(folder).parts[0], "")
        for path in sorted(series | single_files)
    ]


def _is_dicom(path: Path) -> bool:
    """Return whether a file is DICOM, by its ending or, if unknown, its content."""
    name = path.name.lower()
    if name.endswith(READABLE) or path.name == _DICOM_INDEX:
        return name.endswith(".dcm")
    try:
        with path.open("rb") as file:
            return file.read(_DICOM_AT + len(_DICOM))[_DICOM_AT:] == _DICOM
    except OSError:
        return False


def _sources(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Describe the data with licence and citation, one row per dataset."""
    rows: dict[str, dict[str, Any]] = {}
    subjects: dict[str, set[str]] = {}
    for entry in entries:
        name = entry.dataset or "own data"
        rows.setdefault(
            name, {"dataset": name, "licence": entry.licence or NOT_STATED, "citation": entry.citation or NOT_STATED}
        )
        subjects.setdefault(name, set()).add(entry.subject)
    return [{**row, "subjects": len(subjects[name])} for name, row in rows.items()]
