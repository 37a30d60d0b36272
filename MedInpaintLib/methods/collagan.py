"""CollaGAN: estimate the hole from the other contrasts of the subject."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from ..errors import ParameterError
from ..frames import pose
from ..imputation.estimate import ARCHITECTURE, contrast_of, estimate, load_network
from ..imputation.grids import check_one_anatomy
from ..models.bundle import Bundle
from ..models.once import load_once
from ..parameters import parameter
from ..prediction import Prediction, Run, method
from ..region import Region
from ..subject import Subject

#: Voxels around the hole that the estimate's intensities are fitted to; fewer cannot determine two numbers.
FEWEST = 50
#: mm beyond the hole's slices to estimate, too, for that fit.
BEYOND_MM = 6.0
_HINT = "are they of one subject, and registered to each other?"


@dataclasses.dataclass(frozen=True)
class Parameters:
    target: str = parameter("", help="Which contrast the damaged image is: T1, T2, FLAIR or T1C. Must be given.")
    guides: str = parameter("", help="Which contrasts the guides are, in their order: T1, T2, say. Must be given.")
    model: str = parameter(
        "auto", help="A model by name or folder; auto takes the first of its kind that 'medinpaint models list' shows."
    )
    mirrored: bool = parameter(False, help="Average with the estimate from the mirrored slices.")


@method(
    name="collagan",
    title="Other contrasts (CollaGAN)",
    family="learned",
    summary="What this contrast would look like in the hole, estimated from the other contrasts of the same subject.",
    trust="The other contrasts' anatomy in this contrast's intensities: what they do not show cannot be in it.",
    reference="Lee et al.: CollaGAN: Collaborative GAN for missing image data imputation, CVPR 2019",
    parameters=Parameters,
    blend="poisson",
    context_mm=20.0,
    architecture=ARCHITECTURE,
    needs_model=True,
    uses_guides=True,
    needs_guides=True,
    wants_gpu=True,
    requires=("torch", "safetensors"),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Estimate the contrast all over the slices of the hole; fit its intensities to those around the hole."""
    subject = region.subject
    if not (parameters.target.strip() and parameters.guides.strip()):
        raise ParameterError(
            "Method 'collagan' must know which contrasts these are; set 'target' to that of the image, and 'guides' to "
            "those of the guides, in their order (--set target=FLAIR --set guides=T1,T2)."
        )
    model = load_once(subject, parameters.model, ARCHITECTURE, load_network, run.device)
    bundle = model.bundle
    target = contrast_of(bundle, parameters.target)
    names = _names(parameters.guides, target, bundle, len(subject.guides))
    guides = dict(zip(names, subject.guides, strict=True))
    on_device = model.on_device
    warnings = subject.cached(
        (check_one_anatomy, names, target),
        lambda: check_one_anatomy({target: subject.image, **guides}, target, hint=_HINT, hole=subject.whole.full()),
    )
    estimated = subject.cached(
        (estimate, bundle.folder, run.device, names, target, parameters.mirrored),
        lambda: estimate(
            guides,
            target,
            bundle,
            on_device,
            slices=_slices(subject, bundle.input["plane"]),
            mirrored=parameters.mirrored,
            progress=run.progress,
        ),
    )
    predicted = estimated[region.box].reshape(region.hole.shape)
    slope, offset = _fit(predicted, region)
    mean = slope * predicted + offset
    notes = {"model": bundle.name, "model_title": bundle.title, "estimated from": ", ".join(names), **on_device.notes}
    return Prediction(mean, notes=notes, warnings=(*on_device.warnings, *warnings), device=on_device.device)


def _names(text: str, target: str, bundle: Bundle, count: int) -> tuple[str, ...]:
    """Return the contrasts of the guides.

    Raises:
        ParameterError: there are no guides, or not as many names as guides, or a name twice.
    """
    if not count:
        raise ParameterError("Method 'collagan' estimates from other contrasts of the subject; give one guide or more.")
    names = tuple(contrast_of(bundle, each) for each in text.split(",") if each.strip())
    if len(names) != count:
        raise ParameterError(
            f"There are {count} guides, and 'guides' names {len(names)} contrasts ({text}); name each guide's contrast."
        )
    if len({*names, target}) <= len(names):
        raise ParameterError(f"Every contrast can be there once; found {target} to fill, guided by {', '.join(names)}.")
    return names


def _slices(subject: Subject, plane: str) -> tuple[int, int] | None:
    """Return the range of the hole's slices and some more; None in 2-D, where there is one slice."""
    if subject.image.array.ndim == 2:
        return None
    axis = pose(subject.image, plane).order[0]
    part, beyond = subject.whole.box[axis], math.ceil(BEYOND_MM / subject.image.spacing[axis])
    return max(part.start - beyond, 0), min(part.stop + beyond, subject.image.array.shape[axis])


def _fit(predicted: np.ndarray, region: Region) -> tuple[float, float]:
    """Fit slope and offset from the estimate to the image's known intensities around the hole; scanners differ."""
    # Where the surroundings do not determine the slope, it stays that of the whole image.
    around = ~region.hole & (predicted > 0)
    if np.count_nonzero(around) < FEWEST:
        around = ~region.hole
    seen, known = predicted[around].astype(np.float64), region.values[around].astype(np.float64)
    variance = float(seen.var()) if seen.size else 0.0
    if seen.size < FEWEST or variance < 1e-6:
        return 1.0, float(known.mean() - seen.mean()) if seen.size else 0.0
    slope = max(float(((seen - seen.mean()) * (known - known.mean())).mean()) / variance, 0.0)
    return slope, float(known.mean() - slope * seen.mean())
