"""One region: crop, predict, blend, restore; the same steps for every method."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from .background import zero_voxels
from .blending.by_name import BLENDS
from .clock import Clock
from .errors import ConvergenceError, InputError, MaskError, MethodError
from .filled import Filled
from .grain import add_grain
from .guard import doubt_of
from .mask import relative
from .parts import Part
from .prediction import Prediction, Run
from .progress import Progress
from .region import Region, crop, restore
from .result import Patch
from .subject import Subject
from .tasks import FAR_MM, LAST, Plan, Task, box_of, stages_of


def fill_region(subject: Subject, task: Task, progress: Progress) -> Filled:
    """Fill one region, in the subject and its companions."""
    clock = Clock()
    for_method, *for_rest = progress.remaining(*stages_of(subject, task))
    region = crop(subject, box_of(subject, task), task.group.hole)
    for each in region.images:
        if each.hole.all():
            raise MaskError(_nothing_known(each))
    predictions, shared = _predict_all(region, task.plan, for_method)
    clock.lap("method")
    count = len(predictions)
    filled = []
    for number, (each, prediction) in enumerate(zip(region.images, predictions, strict=True)):
        shares = [stage.part(number / count, (number + 1) / count) for stage in for_rest]
        filled.append(dataclasses.replace(_put_in(each, task, prediction, shares, clock), shared=shared))
    return dataclasses.replace(filled[0], seconds=clock.stages(), companions=tuple(filled[1:]))


def _predict_all(region: Region, plan: Plan, progress: Progress) -> tuple[list[Prediction], bool]:
    """Return the predictions for a region and its companions, and whether they have the same sources.

    Where the method does not share sources, or found none that all images have, each image is filled on its own.
    """
    count = len(region.images)
    shares = [progress.part(number / count, (number + 1) / count) for number in range(count)]
    first = _predict(region, plan, progress if plan.method.shares_sources else shares[0])
    if first.companions:
        for each, companion in zip(first.companions, region.companions, strict=True):
            _check_prediction(each, companion, plan.method.name)
        return [first, *first.companions], True
    others = [_predict(each, plan, share) for each, share in zip(region.companions, shares[1:], strict=True)]
    return [first, *others], False


def _predict(region: Region, plan: Plan, progress: Progress) -> Prediction:
    """Run the method and check its prediction: a clear error is better than black voxels."""
    assert plan.method.fill is not None  # the registry fills it in
    name = plan.method.name
    run = Run(seed=plan.seed, device=plan.device, progress=progress)
    try:
        prediction = plan.method.fill(region, plan.settings, run)
    except ConvergenceError:
        if not plan.automatic or name == LAST:
            raise
        prediction = _by_last(region, name, run)
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"Method '{name}' has too few known voxels around the hole to solve its equations ({error}); take another "
            f"one, such as '{LAST}'."
        ) from None
    _check_prediction(prediction, region, name)
    return prediction


def _check_prediction(prediction: Prediction, region: Region, name: str) -> None:
    """Check a method's prediction.

    Raises:
        MethodError: it is of another shape, or not finite.
    """
    for what, array in (("shape", prediction.mean), ("a spread of shape", prediction.spread)):
        if array is not None and array.shape != region.values.shape:
            raise MethodError(f"Method '{name}' returned {what} {array.shape} for a region of {region.values.shape}.")
        if array is not None and not np.isfinite(array[region.fill]).all():
            raise MethodError(f"Method '{name}' returned NaN or infinity inside the hole; try another method.")


def _by_last(region: Region, method: str, run: Run) -> Prediction:
    """Fill by :data:`LAST` instead of a method whose equations cannot be solved here."""
    last = Plan.of(LAST)
    assert last.method.fill is not None
    mean = last.method.fill(region, last.settings, run).mean
    warning = f"The equations of {method} could not be solved here: it was filled by {LAST}."
    return Prediction(mean, warnings=(warning,), instead=LAST)


def _put_in(region: Region, task: Task, prediction: Prediction, shares: Sequence[Progress], clock: Clock) -> Filled:
    """Blend a prediction, and return the filled voxels in the image's own intensities."""
    plan, subject = task.plan, region.subject
    for_blend, for_background, for_doubts = shares
    blended = BLENDS[plan.blend](prediction.mean, region, for_blend)
    clock.lap("blend")
    spread = None if prediction.spread is None else prediction.spread[region.fill] * region.scaling.width
    noise = 0.0
    if plan.grain:
        grainy = add_grain(region, blended, plan.seed)
        noise = float((grainy - blended)[region.fill].std()) * region.scaling.width
        blended = grainy
    own = task.group.hole.crop(region.box)
    intensities = restore(region, blended, subject.image.array.dtype)
    outside = zero_voxels(subject, region.box, own, for_background)
    if outside is not None:
        intensities[outside[own]] = 0
    patch = Patch(region.box, own, intensities, spread)
    for_doubts.update(0.0, "Looking at the result")
    doubts = _doubts(subject, task.group.parts, patch, outside)
    for_doubts.update(1.0, "Looking at the result")
    clock.lap("restore")
    return Filled(
        task,
        patch,
        prediction.notes,
        prediction.warnings,
        doubts,
        prediction.instead,
        prediction.device,
        calibration=prediction.calibration,
        noise=noise,
        background=None if outside is None else outside[own],
    )


def _doubts(subject: Subject, parts: Sequence[Part], patch: Patch, outside: np.ndarray | None) -> dict[int, str]:
    """Return a sentence for each part whose fill does not fit the tissue around it, by number.

    Args:
        subject: the image with its hole.
        parts: those of the patch.
        patch: what was filled in.
        outside: bool of the patch's box, voxels in an exact-zero background; None when there are none.
    """
    filled = np.zeros(patch.hole.shape, dtype=patch.intensities.dtype)
    filled[patch.hole] = patch.intensities
    tissue = patch.hole if outside is None else patch.hole & ~outside
    doubts = {}
    for part in parts:
        inside = part.voxels & tissue[relative(part.box, patch.box)]
        doubt = doubt_of(subject, part.box, inside, filled[relative(part.box, patch.box)][inside])
        if doubt:
            doubts[part.number] = doubt
    return doubts


def _nothing_known(region: Region) -> str:
    """Say why a region cannot be filled."""
    if region.subject.no_data is None:
        return "The hole leaves no known voxel around it: nothing is there to fill it from."
    first = [int(at) + side.start for at, side in zip(np.argwhere(region.fill)[0], region.place, strict=True)]
    return (
        f"A part of the hole ({np.count_nonzero(region.fill)} voxels, the first at {first}) is surrounded by voxels "
        f"without data (NaN or padding), up to {FAR_MM:g} mm away: nothing is there to fill it from. Leave it out of "
        "the mask."
    )
