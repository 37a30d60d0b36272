"""Scores by a named convention: groups that write "PSNR" or "SSIM" differ in region, range, window and scaling."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import ParameterError
from ._hole import bounding_box, check
from .absolute_error import mae
from .seam import boundary_jump
from .signal_to_noise import check_data_range, decibel, psnr
from .squared_error import mse, nmse, rmse
from .structural_similarity import ssim, ssim_map, window_radius
from .texture import gradient_energy

REGIONS = ("hole", "image")
_RFR_SIGMA = 4.0


@dataclasses.dataclass(frozen=True)
class Convention:
    """One way to score a fill.

    Attributes:
        name: as users type it.
        summary: one line, printed under every table.
        context: voxels around the hole that can change a score; None when the whole image can.
        compute: ``compute(composite, truth, where, data_range=, black=, spacing=) -> {metric: value}``.
    """

    name: str
    summary: str
    context: int | None
    compute: Callable[..., dict[str, float]]


def score(
    filled: np.ndarray,
    truth: np.ndarray,
    hole: np.ndarray | None,
    *,
    convention: str = "masked",
    region: str = "hole",
    data_range: float | None = None,
    black: float = 0.0,
    spacing: Sequence[float] | None = None,
) -> dict[str, float]:
    """Return all metrics of a convention, by name.

    Args:
        filled: the inpainted image, any real dtype, 2-D or 3-D.
        truth: the image before the hole was made, same shape.
        hole: bool, same shape, True = filled.
        convention: a key of :data:`CONVENTIONS`: ``"masked"`` (this project's own), ``"brats"`` or ``"rfr-report"``.
        region: ``"hole"``, or ``"image"`` for full-image numbers, which mostly measure how small the hole is (a hole of
            1/64 of the image gives 18 dB for nothing).
        data_range: width R of the intensity range, for ``masked`` and ``rfr-report``; ``brats`` uses its data's own.
        black: where that range begins, e.g. -160 for the soft-tissue window of CT. Used by ``masked`` alone.
        spacing: mm an axis; 1 by default.

    Returns:
        All NaN when there is a NaN where it is scored; else, for ``masked``: mse, rmse, mae, nmse, psnr, ssim,
        ssim_inner, gradient_energy, boundary_jump (the last only for the hole); ``brats``: mse, rmse, psnr, psnr_01,
        ssim; ``rfr-report``: mae, rmse, psnr, ssim.

    >>> truth = np.arange(64.0).reshape(8, 8); hole = truth > 60
    >>> round(score(truth + 2 * hole, truth, hole, data_range=64)["psnr"], 2)
    30.1
    """
    if convention not in CONVENTIONS:
        raise ParameterError(f"There is no convention '{convention}'; the conventions are: {', '.join(CONVENTIONS)}.")
    if region not in REGIONS:
        raise ParameterError(f"The region must be one of {', '.join(REGIONS)}; found {region!r}.")
    if region == "image":
        where = np.ones(truth.shape, dtype=bool)
        within = where if hole is None else hole
    elif hole is None:
        raise ParameterError(
            "Scores are taken inside the hole, and no hole was given. Full-image numbers mostly measure how small the "
            "hole is; if they are wanted all the same, ask for region='image'."
        )
    else:
        where = within = hole
    where = check(filled, truth, where)
    entry = CONVENTIONS[convention]
    if entry.context is not None:
        box = bounding_box(where, entry.context)
        filled, truth, where, within = filled[box], truth[box], where[box], within[box]
    composite = np.where(within, filled, truth).astype(np.float64)
    scores = entry.compute(
        composite, truth.astype(np.float64), where, data_range=data_range, black=black, spacing=spacing
    )
    if np.isnan(composite[where]).any():
        # A metric that does not look at the very voxel (the seam sees the rim alone) must not make the fill look sound.
        return dict.fromkeys(scores, math.nan)
    return scores


def _masked(
    composite: np.ndarray,
    truth: np.ndarray,
    where: np.ndarray,
    *,
    data_range: float | None,
    black: float,
    spacing: Sequence[float] | None,
) -> dict[str, float]:
    width = check_data_range(data_range)
    # SSIM is defined for intensities in 0..R: it sees both images as a display with that window would show them.
    display, reference = np.clip(composite - black, 0, width), np.clip(truth - black, 0, width)
    scores = {
        "mse": mse(composite, truth, where),
        "rmse": rmse(composite, truth, where),
        "mae": mae(composite, truth, where),
        "nmse": nmse(composite - black, truth - black, where),
        "psnr": psnr(composite, truth, where, data_range=width),
        "ssim": ssim(display, reference, where, data_range=width),
        "ssim_inner": ssim(display, reference, where, data_range=width, erode=True),
        "gradient_energy": gradient_energy(composite, truth, where, spacing=spacing),
    }
    if not where.all():
        scores["boundary_jump"] = boundary_jump(composite, truth, where, spacing=spacing)
    return scores


def _brats(composite: np.ndarray, truth: np.ndarray, where: np.ndarray, **_: object) -> dict[str, float]:
    """Score as the BraTS local-synthesis challenge does; written from its description.

    Both images are clipped to the 0.5..99.5 percentiles of the voided image (background zeros included, lower end not
    below 0) and scaled to 0..1. SSIM: both zeroed outside the mask, 11-tap Gaussian of sigma 1.5 in the planes across x
    alone (a volume was passed as a batch of one with x as channels), range = the larger of both. PSNR: the
    prediction clamped to the target's range in the mask, which is the maximum; ``psnr_01``: 1 is the maximum.
    """
    low, high = np.percentile(np.where(where, 0.0, truth), [0.5, 99.5])
    low = max(float(low), 0.0)
    width = float(high) - low if high > low else 1.0
    output, target = (np.clip((image - low) / width, 0.0, 1.0) * where for image in (composite, truth))

    widest = max(np.ptp(output), np.ptp(target))
    # Two images of nothing but zeros are alike; a range of 0 cannot say so.
    axes = (0, 1)  # of [k, j, i]: the window lies in the planes across x
    similarity = ssim_map(output, target, data_range=widest if widest > 0 else 1.0, axes=axes, mode="mirror")[where]

    prediction, reference = output[where], target[where]
    error = float(np.mean((prediction - reference) ** 2))
    clamped = float(np.mean((np.clip(prediction, reference.min(), reference.max()) - reference) ** 2))
    return {
        "mse": error,
        "rmse": math.sqrt(error),
        "psnr": decibel(float(np.ptp(reference)), clamped),
        "psnr_01": decibel(1.0, error),
        "ssim": float(similarity.mean()),
    }


def _rfr_report(
    composite: np.ndarray, truth: np.ndarray, where: np.ndarray, *, data_range: float | None, **_: object
) -> dict[str, float]:
    """Score as the course report on Recurrent Feature Reasoning does.

    Intensities over ``data_range`` (255 for films). SSIM: 2-D window of sigma 4 (29 taps), slice by slice, range 1, on
    the composite. PSNR: the maximum is the largest *predicted* intensity in the hole, so a darker fill scores worse at
    the same error; only to compare with printed numbers.
    """
    width = check_data_range(data_range)
    output, target = composite / width, truth / width
    error = mse(output, target, where)
    return {
        "mae": mae(output, target, where),
        "rmse": math.sqrt(error),
        "psnr": decibel(float(output[where].max()), error),
        "ssim": ssim(output, target, where, data_range=1.0, sigma=_RFR_SIGMA, axes=(-2, -1)),
    }


CONVENTIONS: dict[str, Convention] = {
    entry.name: entry
    for entry in (
        Convention(
            name="masked",
            summary="errors over the hole; fixed R; SSIM (3-D in volumes) of the composite, Gaussian 1.5, averaged "
            "over the hole",
            context=window_radius(),
            compute=_masked,
        ),
        Convention(
            name="brats",
            summary="BraTS local synthesis: 0..1 by percentiles of the voided image; both images zeroed outside the "
            "hole; SSIM in 2-D planes; PSNR range from the target in the hole",
            context=None,
            compute=_brats,
        ),
        Convention(
            name="rfr-report",
            summary="RFR course report: intensities / R; SSIM 2-D, Gaussian 4, on the composite; PSNR maximum from the "
            "prediction",
            context=window_radius(_RFR_SIGMA),
            compute=_rfr_report,
        ),
    )
}
