"""Estimate the missing contrast of a head from the others: read, check, estimate, restore, result."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..appearance import Appearance
from ..clock import Clock
from ..devices import use
from ..dtypes import to_dtype
from ..errors import InputError, ParameterError
from ..inputs import facts_of, name_of, read_image
from ..intensity import Scaling
from ..memory import OnDevice
from ..modality import MR, Modality
from ..models.store import choose
from ..no_data import find
from ..progress import Progress
from ..report import ImputeReport, now, software
from ..saving import save_together
from ..volume import Volume
from .core import MEDIAN, core, fit_core_scaling, with_no_signal
from .estimate import ARCHITECTURE, contrast_of, estimate, load_network
from .grids import on_one_grid, read

#: Median of the head's core in the result, unless an image sets the units.
UNITS = 1000.0
LIKE = "like"
TRUST = (
    "An estimate of what the wanted contrast would look like; its anatomy is that of the other contrasts. What they do "
    "not show cannot be in it: lesions are mostly missing or far too faint. Not for reading lesions. Synthetic voxels: "
    "not for clinical use."
)


@dataclasses.dataclass(frozen=True)
class Imputed:
    """An estimated contrast.

    Attributes:
        volume: on the grid of the reference.
        report: provenance and facts, ready for JSON; ``report["trust"]`` says how far to trust it.
    """

    volume: Volume
    report: ImputeReport

    def save(
        self, path: str | os.PathLike[str], report: str | os.PathLike[str] | None = None, *, compress: bool = True
    ) -> None:
        """Write the volume and, if it has a path, the report as JSON; both old files are replaced, or none.

        Raises:
            OutputError: the file system refuses; older files are kept.
        """
        save_together([(path, self.volume, compress)], self.report, report)


def impute(
    images: Mapping[str, Any],
    target: str,
    *,
    model: str = "auto",
    reference: str | None = None,
    register: bool = False,
    like: Any = None,
    mirrored: bool = False,
    force: bool = False,
    allow_outside_data: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> Imputed:
    """Estimate a contrast that was not acquired, or is ruined, from others of the same subject.

    To repair a part of an image, fill the hole with ``inpaint(..., method="collagan", guides=...)`` instead, which
    keeps known voxels bit-identical.

    Args:
        images: contrast -> a path, a SimpleITK image or a :class:`Volume`; MR of one subject and one part of the body,
            in at least one of the model's contrasts.
        target: the contrast to estimate; an image of it is ignored.
        model: a model by name or folder; auto takes the first that estimates contrasts.
        reference: the contrast whose grid the result has; the first one when None.
        register: first register the others rigidly to the reference; otherwise trust their headers.
        like: an image of the target contrast, of another session or subject, that sets intensities and dtype of the
            result. When None, the median of the core of the head (deeper than 15 mm) is 1000, int16.
        mirrored: average with the estimate from the mirrored slices: twice the time, for 0.04 dB on validation.
        force: use images that do not fit each other, or are no MR, all the same.
        allow_outside_data, device: as in :func:`MedInpaintLib.inpaint`.
        progress: reports and cancels.

    Raises:
        InputError: an input or option cannot be used.
    """
    progress, clock = progress or Progress(), Clock()
    bundle = choose(model, ARCHITECTURE, MR.name)
    target = contrast_of(bundle, target)
    sources: dict[str, Any] = {}
    for name, source in images.items():
        contrast = contrast_of(bundle, name)
        if contrast in sources:
            raise ParameterError(f"The contrast {contrast} was given twice; give each once.")
        sources[contrast] = source
    sources.pop(target, None)
    if not sources:
        choices = ", ".join(each for each in bundle.contrasts if each != target)
        raise ParameterError(f"To estimate {target}, give one or more of the other contrasts: {choices}.")
    reference = next(iter(sources)) if reference is None else contrast_of(bundle, reference)
    if reference not in sources:
        raise ParameterError(f"The reference must be one of {', '.join(sources)}; found '{reference}'.")
    used, slower = use(device)
    on_device = OnDevice(lambda device: load_network(bundle, device), used)
    progress.update(0.0, "Reading")
    volumes = {
        name: read_image(source, None, allow_outside_data=allow_outside_data) for name, source in sources.items()
    }
    for name, volume in volumes.items():
        _check_modality(name, volume, bundle.modality, force)
    volumes = read(volumes)
    remarks = [warning for volume in volumes.values() for warning in volume.warnings]
    scaling, dtype = _units(like, allow_outside_data)
    clock.lap("read")
    progress.update(0.05, "Checking")
    volumes, warnings = on_one_grid(
        volumes, reference, register=register, force=force, progress=progress.part(0.05, 0.2)
    )
    clock.lap("check")
    values = estimate(volumes, target, bundle, on_device, mirrored=mirrored, progress=progress.part(0.2, 1.0))
    clock.lap("method")
    grid = volumes[reference]
    progress.update(1.0, "Done")
    report = ImputeReport(
        software=software(),
        date=now(),
        target=target,
        model=bundle.name,
        images={name: facts_of(source, volumes[name]) for name, source in sources.items()},
        reference=reference,
        registered=bool(register and len(sources) > 1),
        units=f"those of {name_of(like)}" if like is not None else f"{UNITS:g} is the median of the core of the head",
        mirrored=mirrored,
        device=on_device.device,
        notes=on_device.notes,
        warnings=[*slower, *on_device.warnings, *remarks, *warnings, *_missing(sources, bundle.contrasts, target)],
        seconds=clock.seconds(),
        trust=TRUST,
    )
    return Imputed(grid.of_another_quantity(to_dtype(scaling.inverse(values), dtype)), report)


def _check_modality(name: str, image: Volume, modality: str, force: bool) -> None:
    """Check that an image can be one of those from which the model has learned.

    Raises:
        InputError: it is surely of another modality.
    """
    guess = Modality.guess(Appearance.of(image))
    if guess.modality.name != modality and not guess.warnings and not force:
        raise InputError(
            f"The {name} image is treated as {guess.modality.name} because {guess.reason}, and the model has learned "
            f"from {modality} images; use it all the same with --force (force=True)."
        )


def _units(like: Any, outside: bool) -> tuple[Scaling, np.dtype]:
    """Return the scaling from :mod:`.core` to the result's intensities, and its dtype.

    Args:
        like: the image that sets them, or None.
        outside: whether its header may take voxels from outside its folder.
    """
    if like is None:
        return Scaling(0.0, UNITS / MEDIAN), np.dtype(np.int16)
    volume = read_image(like, None, allow_outside_data=outside)
    read({LIKE: volume})  # raises for images that cannot be used
    no_data, _ = find(volume)
    volume = volume if no_data is None else with_no_signal(volume, no_data)
    scaling = fit_core_scaling(volume.array, volume.spacing)
    if volume.array.dtype.kind == "b" or np.median(core(volume.array, volume.spacing)) <= scaling.offset:
        raise InputError(f"The image '{name_of(like)}' that the result is to be like shows no head; give another one.")
    return scaling, volume.array.dtype


def _missing(sources: Mapping[str, Any], contrasts: tuple[str, ...], target: str) -> list[str]:
    """Warn of an estimate from one contrast alone."""
    missing = [each for each in contrasts if each != target and each not in sources]
    if len(sources) > 1 or not missing:
        return []
    return [
        f"{target} was estimated from {next(iter(sources))} alone; from more contrasts ({', '.join(missing)}) the "
        "estimate is better."
    ]
