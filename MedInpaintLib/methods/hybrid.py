"""Hybrid fill: structure from a smooth fill or from the mirror, texture from patches."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..blending.by_name import BLENDS
from ..initial_fill import initial_fill
from ..other_side import estimate, other_sides
from ..parameters import parameter
from ..patches.synthesis import Settings, fill_region
from ..prediction import Cost, Prediction, Run, method
from ..progress import Progress
from ..region import Region


@dataclasses.dataclass(frozen=True)
class Parameters:
    structure: str = parameter(
        "biharmonic",
        choices=("biharmonic", "mirror"),
        help="Where all that is coarser than the scale comes from: a smooth fill, or the other side of the head.",
    )
    scale: float = parameter(
        3.0,
        unit="mm",
        minimum=0.1,
        maximum=100,
        help="Detail finer than this comes from patches: small values keep to the structure, large ones look rougher.",
    )
    search: float = parameter(
        10.0, unit="mm", minimum=1, maximum=200, help="How far around the hole to look for patches; at most 40 voxels."
    )


@method(
    name="hybrid",
    title="Hybrid (smooth or mirror, and patches)",
    family="patch",
    summary="The coarse structure of a smooth fill or of the mirror, the fine texture of patches from around the hole.",
    trust="Structure as far as the smooth fill or the mirror can be trusted; the texture is believable, not true.",
    reference="Bertalmio et al.: Simultaneous structure and texture image inpainting, TIP 2003; Barnes et al.: "
    "PatchMatch, SIGGRAPH 2009",
    parameters=Parameters,
    blend="poisson",
    uses_guides=True,
    shares_sources=True,
    cost=Cost(0.2, 0.4),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Fill by ``low-pass(structure) + patches - low-pass(patches)``, both blended with the surroundings first.

    Better than guiding the search by the low-passed structure. Measured at a scale of 2 mm: 30.9 dB at 0.90 of the true
    gradient energy, guided 30.9 dB at 0.65 (squares of 64 px in films); 24.7 dB at 0.84, guided 23.3 dB at 0.85
    (spheres of 20 mm in heads).
    """
    coarse, structure, warnings = _structure(region, parameters.structure, run.progress.part(0.0, 0.3))
    settings = Settings(search=parameters.search)
    synthesis = fill_region(region, coarse, settings, run.rng(), run.progress.part(0.3, 0.9))
    notes = {"structure": structure}
    if synthesis is None:
        warnings += ("The image has no patch without a hole: the fill is the structure alone, without texture.",)
        return Prediction(coarse[0], notes=notes, warnings=warnings, instead=structure)
    sigma = [parameters.scale / mm for mm in region.spacing]
    predictions = []
    for each, smooth, found in zip(region.images, coarse, synthesis.images, strict=True):
        patches = BLENDS["poisson"](found.values, each, Progress())
        values = _low_pass(smooth, sigma) + patches - _low_pass(patches, sigma)
        predictions.append(Prediction(values, found.spread, notes, (*warnings, *found.warnings)))
    return dataclasses.replace(predictions[0], companions=tuple(predictions[1:]))


def _low_pass(values: np.ndarray, sigma: Sequence[float]) -> np.ndarray:
    from scipy import ndimage

    return ndimage.gaussian_filter(values, sigma, mode="nearest")


def _structure(region: Region, kind: str, progress: Progress) -> tuple[list[np.ndarray], str, tuple[str, ...]]:
    """Return the structure of each image (float32, continuous at the hole's edge), its name, and warnings."""
    smooth = [initial_fill(each, progress.part(0.0, 0.3)).astype(np.float32) for each in region.images]
    if kind == "biharmonic":
        return smooth, kind, ()
    compared = other_sides(region, progress.part(0.3, 1.0))
    if compared is None:
        return (
            smooth,
            "biharmonic",
            ("The image is not symmetric enough: the structure is that of the biharmonic fill.",),
        )
    parts = compared[0].parts
    left = sum(bool(part.reason) for part in parts)
    warning = (
        f"{left} of {len(parts)} parts of the hole cannot be filled from the other side: their structure is biharmonic."
    )
    blended = [
        BLENDS["poisson"](estimate(sides, own, match=True, full=False).astype(np.float32), each, Progress())
        for each, sides, own in zip(region.images, compared, smooth, strict=True)
    ]
    return blended, "biharmonic" if left == len(parts) else "mirror", (warning,) if left else ()
