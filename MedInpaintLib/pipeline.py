"""The road from an image and a mask to a filled image. Every method travels it.

read, check, region, method, blend, restore, result: each step is a line of :func:`inpaint`. Three promises hold for
every method, because they are kept here and not in the methods: known voxels are bit-identical, hidden voxels never
matter, and the same seed gives the same output on the same number of threads.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, intensity
from .clock import Clock
from .devices import check_device, use
from .errors import GeometryError, ImageReadError, IntensityError, ParameterError
from .filling import Plan, fill, spread_among
from .formats import READABLE
from .mask import Hole, find_hole
from .methods import auto, registry
from .parameters import parse
from .progress import Progress
from .result import Patch, Result
from .scan import Scan
from .selfcheck import SelfCheck
from .selfcheck import self_check as run_self_check
from .volume import Volume

BLENDS = ("auto", "paste", "feather", "poisson")
#: Deeper holes are warned of in the report: beyond this, smooth fills have nothing left to continue.
DEEP_MM = 12.0


def inpaint(
    image: Any,
    mask: Any,
    *,
    method: str = "auto",
    parameters: dict[str, Any] | None = None,
    blend: str = "auto",
    labels: Sequence[int] | None = None,
    dilate_mm: float = 0.0,
    spacing: Sequence[float] | float | None = None,
    modality: str | None = None,
    guides: Sequence[Any] = (),
    exemplars: Any = None,
    self_check: bool = False,
    uncertainty: bool = False,
    device: str = "auto",
    seed: int = 0,
    progress: Progress | None = None,
) -> Result:
    """Fill the hole that ``mask`` marks in ``image``.

    Args:
        image: a path, a SimpleITK image, a :class:`Volume`, or an array ``(k, j, i)`` or ``(j, i)``; any real dtype.
        mask: the same kinds; 0 = known, anything else = fill. An array is taken to be on the image's grid.
        method: a name of :func:`MedInpaintLib.list_methods`, or ``"auto"``: chosen by the geometry of the hole, with
            the reason in the report.
        parameters: the method's parameters by name; the others keep their defaults.
        blend: ``"paste"``, ``"feather"``, ``"poisson"``, or ``"auto"``: what suits the method.
        labels: use only these values of the mask.
        dilate_mm: grow the hole first (lesion masks tend to miss the rim).
        spacing: voxel size in mm in the order of the axes, for arrays.
        modality: ``"MR"``, ``"CT"`` or ``"film"``; guessed from the known voxels when None.
        guides: other contrasts of the same subject, undamaged where the hole is, for the methods that can use them.
            The same kinds as ``image``; those on another grid are resampled.
        exemplars: other scans of the same contrast, for the methods that take tissue from them: a folder, or a list of
            what ``image`` can be.
        self_check: fill holes like this one in healthy tissue of the same image first, and say in
            ``report["self_check"]`` what came out: the scores to expect. With ``method="auto"`` several methods are
            tried, and the best one is taken.
        uncertainty: make sure that the result has one: methods that give no spread of their own get the spread among
            several methods.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``; auto is a GPU where there is one and the
            method wants it. Where the one that is asked for is not there, or its memory is too small, the CPU steps
            in, and the report's warnings say so.
        seed: for methods with chance in them.
        progress: reports and cancels.

    Returns:
        Result: with ``volume``, ``uncertainty``, ``report`` and ``save``.

    Raises:
        InputError: something that was given cannot be used; the message says what to do.
        ConvergenceError: a solver did not reach its accuracy.
        Cancelled: ``progress`` asked for it.

    >>> ramp = np.add.outer(np.arange(9), np.arange(9))
    >>> hole = np.zeros((9, 9), bool)
    >>> hole[3:6, 3:6] = True
    >>> filled = inpaint(np.where(hole, 99, ramp), hole, method="harmonic").volume.array
    >>> bool((filled == ramp).all())
    True
    """
    progress = progress or Progress()
    clock = Clock()
    _check_options(blend, modality, device, seed)

    progress.update(0.0, "Reading")
    volume = _image_volume(image, spacing)
    mask_volume = _mask_volume(mask, volume)
    clock.lap("read")

    progress.update(0.1, "Checking")
    hole, warnings = find_hole(mask_volume, volume, labels=labels, dilate_mm=dilate_mm)
    _check_finite(volume, hole)
    modality, scaling = _intensities(volume, hole, modality)
    guide_volumes, more = _guides(guides, volume, hole)
    scan = Scan(volume, hole, scaling, modality, guide_volumes, _exemplars(exemplars))
    chosen, reason = (method, "") if method != "auto" else auto.choose(scan)
    plan, notes = _plan(chosen, parameters or {}, blend, device, int(seed))
    clock.lap("check")

    checked = None
    if self_check:
        names = auto.candidates(scan) if method == "auto" else []
        plans = [plan, *(Plan.of(name, blend, seed=plan.seed) for name in names if name != chosen)]
        checked = run_self_check(scan, plans, seed=plan.seed, progress=progress.part(0.15, 0.7))
        plan, reason, more_notes = _after_check(checked, plans, reason)
        notes += more_notes
        clock.lap("self-check")
    notes += _unused(plan.method, scan)
    filling = fill(scan, plan, progress.part(0.7 if self_check else 0.15, 0.85), clock)
    spread_of = "the method" if filling.has_spread else None
    if uncertainty and not filling.has_spread:
        own = filling.instead or plan.method.name
        peers = [name for name in auto.PEERS if name not in (own, plan.method.name)]
        filling, others = spread_among(scan, filling, peers, plan.seed, progress.part(0.85, 0.95))
        spread_of = "among " + ", ".join([own, *others])
        clock.lap("uncertainty")
    if checked and checked.scores and filling.instead:
        name = plan.method.name
        notes.append(f"The self-check's scores are those of '{name}', but the hole was filled by {filling.instead}.")
    progress.update(1.0, "Done")
    report = {
        "software": f"MedInpaintLib {__version__}",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "method": plan.method.name,
        "reason": reason,
        "parameters": dataclasses.asdict(plan.settings),
        "blend": plan.blend,
        "seed": plan.seed,
        "device": filling.device or plan.device,
        "modality": modality,
        "image": {**_description(image, volume), "dtype": str(volume.array.dtype)},
        "mask": {
            **_description(mask, mask_volume),
            "labels": None if labels is None else [int(label) for label in labels],
            "dilate_mm": float(dilate_mm),
        },
        "hole": {
            "voxels": hole.count(),
            "volume_ml": hole.count() * math.prod(volume.spacing) / 1000 if volume.array.ndim == 3 else None,
            "components": _components(filling.patches),
            "regions": len(filling.patches),
        },
        "self_check": checked.report() if checked and checked.scores else None,
        "uncertainty": spread_of,
        "notes": filling.notes,
        "warnings": [*warnings, *more, *notes, *filling.warnings],
        "seconds": clock.seconds(),
        "trust": _trust(plan.method, filling.patches, volume),
    }
    return Result(volume, hole, filling.patches, report)


def _plan(method: str, parameters: dict[str, Any], blend: str, device: str, seed: int) -> tuple[Plan, list[str]]:
    """What was asked for, checked, and warnings."""
    info = registry.get(method)
    settings = parse(info.parameters, parameters, method=method)
    used_device, warnings = _device(device, info)
    return Plan(info, settings, info.blend if blend == "auto" else blend, used_device, seed), warnings


def _after_check(checked: SelfCheck | None, plans: Sequence[Plan], reason: str) -> tuple[Plan, str, list[str]]:
    """The winner, why it was taken, and warnings."""
    if checked is None:
        return plans[0], reason, ["The self-check found no place for trial holes; nothing was checked."]
    if not checked.scores:
        return plans[0], reason, [f"Not self-checked: '{name}': {why}" for name, why in checked.left_out.items()]
    best = next(plan for plan in plans if plan.method.name == checked.best)
    return best, checked.reason() if len(checked.scores) > 1 else reason, []


def _unused(info: registry.MethodInfo, scan: Scan) -> list[str]:
    """Warnings for what was given and the method does not use."""
    words = []
    if scan.guides and not info.uses_guides:
        words.append(f"Method '{info.name}' does not use guides; the fill was made without them.")
    if scan.exemplars and not info.needs_exemplars:
        words.append(f"Method '{info.name}' does not use exemplars; the fill was made without them.")
    return words


def _trust(info: registry.MethodInfo, patches: Sequence[Patch], volume: Volume) -> str:
    """How far to trust the fill: the method's own word, a word on the hole's depth, and what always holds."""
    words = [info.trust]
    depth = _depth(max((patch.hole for patch in patches), key=np.count_nonzero), volume.spacing)
    if depth > DEEP_MM:
        words.append(f"The middle of the hole is {depth:.0f} mm from what is known: do not expect anatomy there.")
    return " ".join([*words, "Synthetic voxels: not for clinical use."])


def _depth(hole: np.ndarray, spacing: Sequence[float]) -> float:
    """mm from the innermost voxel of a hole to the nearest known one; axes that are one voxel long do not count."""
    from scipy import ndimage

    if np.count_nonzero(hole) * math.prod(spacing) < 4 / 3 * math.pi * DEEP_MM**3 and hole.ndim == 3:
        return 0.0  # too small to be deep, and there may be thousands
    flat = [axis for axis, size in enumerate(hole.shape) if size > 1]
    kept = hole.reshape([hole.shape[axis] for axis in flat])
    return float(ndimage.distance_transform_edt(kept, sampling=[spacing[axis] for axis in flat]).max())


def _intensities(volume: Volume, hole: Hole, modality: str | None) -> tuple[str, intensity.Scaling]:
    dimensions = sum(size > 1 for size in volume.array.shape)
    if dimensions < 2:
        raise GeometryError(f"The image must extend along at least 2 axes; found shape {volume.array.shape}.")
    known = intensity.sample_known(volume.array, hole.voxels, hole.box)
    modality = modality or intensity.guess_modality(known, dimensions)
    return modality, intensity.fit_scaling(known, modality)


def _description(source: Any, volume: Volume) -> dict[str, Any]:
    """What the report says of an input."""
    name = os.path.basename(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else type(source).__name__
    return {"name": name, "shape": list(volume.array.shape), "spacing": list(volume.spacing)}


def _check_options(blend: str, modality: str | None, device: str, seed: int) -> None:
    if seed < 0:
        raise ParameterError(f"The seed must be 0 or more; found {seed}.")
    if blend not in BLENDS:
        raise ParameterError(f"There is no blending '{blend}'; choose one of {', '.join(BLENDS)}.")
    if modality is not None and modality not in intensity.MODALITIES:
        raise ParameterError(f"There is no modality '{modality}'; choose one of {', '.join(intensity.MODALITIES)}.")
    check_device(device)


def _image_volume(image: Any, spacing: Sequence[float] | float | None) -> Volume:
    if spacing is not None and _has_place(image):
        raise ParameterError("Spacing can only be given for arrays; this image brings its own.")
    return Volume.of(image, spacing)


def _mask_volume(mask: Any, image: Volume) -> Volume:
    """The mask as a volume; a bare array has no place of its own, so it gets the image's."""
    if _has_place(mask):
        return Volume.of(mask)
    array = np.asarray(mask)
    if array.shape != image.array.shape:
        raise GeometryError(f"The mask array must have the image's shape {image.array.shape}; found {array.shape}.")
    return image.with_array(array)


def _has_place(source: Any) -> bool:
    """Whether a source knows where its voxels lie, as everything but an array does."""
    return isinstance(source, (str, os.PathLike, Volume)) or type(source).__module__.startswith("SimpleITK")


def _is_one(source: Any) -> bool:
    """Whether this is one image and not a list of them."""
    return _has_place(source) or isinstance(source, np.ndarray)


def _guides(sources: Any, image: Volume, hole: Hole) -> tuple[tuple[Volume, ...], list[str]]:
    """The guides on the image's grid, and warnings."""
    if _is_one(sources):
        sources = [sources]
    guides, warnings = [], []
    for number, source in enumerate(sources, start=1):
        name = f"'{os.path.basename(source)}'" if isinstance(source, (str, os.PathLike)) else f"{number}"
        guide = Volume.of(source) if _has_place(source) else image.with_array(np.asarray(source))
        if guide.array.ndim != image.array.ndim:
            raise GeometryError(f"Guide {name} is {guide.array.ndim}-D and the image is {image.array.ndim}-D.")
        if guide.array.dtype.kind == "f" and not _all_finite(guide.array):
            raise IntensityError(
                f"Guide {name} holds NaN or infinity; replace them, for example with numpy.nan_to_num."
            )
        difference = image.grid_difference(guide)
        if difference:
            covered = guide.with_array(np.ones(guide.array.shape, dtype=np.uint8)).resampled_onto(image).array
            if not covered[hole.box][hole.voxels].all():
                raise GeometryError(f"Guide {name} does not cover the hole ({difference}); it cannot guide the fill.")
            guide = guide.resampled_onto(image, linear=True)
            warnings.append(
                f"Guide {name} is on another grid than the image ({difference}); it was resampled (linear)."
            )
        guides.append(guide)
    return tuple(guides), warnings


def _exemplars(source: Any) -> tuple[Any, ...]:
    """What the exemplars are to be read from: the files of a folder, or the list that was given."""
    if source is None:
        return ()
    if not isinstance(source, (str, os.PathLike)):
        return (source,) if _is_one(source) else tuple(source)
    folder = Path(source)
    if not folder.is_dir():
        raise ImageReadError(f"There is no folder '{folder}' with exemplars.")
    # Every folder within may be a DICOM series; notes and tables that lie among scans are none.
    found = sorted(each for each in folder.iterdir() if each.is_dir() or each.name.lower().endswith(READABLE))
    if not found:
        raise ImageReadError(f"The folder '{folder}' holds no images to take exemplars from.")
    return tuple(found)


def _check_finite(image: Volume, hole: Hole) -> None:
    """Refuse NaN and infinity outside the hole."""
    if image.array.dtype.kind != "f" or _all_finite(image.array):
        return
    finite = np.isfinite(image.array)
    finite[hole.box] |= hole.voxels
    count = int(finite.size - np.count_nonzero(finite))
    if count:
        first = tuple(int(index) for index in np.unravel_index(int(np.argmin(finite)), finite.shape))
        raise IntensityError(
            f"{count} known voxels are NaN or infinite, the first at [k, j, i] = {first}. "
            "Replace them (for example with numpy.nan_to_num) or mark them as part of the hole."
        )


def _all_finite(array: np.ndarray) -> bool:
    """Plane by plane, without an array of the volume's size: a sum is finite only if all of its terms are."""
    with np.errstate(over="ignore", invalid="ignore"):
        # Large but finite values can overflow the sum, so a sum that is not finite is looked at more closely.
        return all(np.isfinite(plane.sum()) or np.isfinite(plane).all() for plane in array)


def _device(asked: str, info: registry.MethodInfo) -> tuple[str, list[str]]:
    """The device that is used, and a warning when it is not the one that was asked for."""
    if asked == "cpu" or (asked == "auto" and not info.wants_gpu):
        return "cpu", []
    if not info.wants_gpu:
        return "cpu", [f"Method '{info.name}' runs on the CPU; the device '{asked}' was not used."]
    return use(asked)


def _components(patches: Sequence[Patch]) -> int:
    from scipy import ndimage

    return sum(int(ndimage.label(patch.hole, structure=np.ones((3,) * patch.hole.ndim))[1]) for patch in patches)
