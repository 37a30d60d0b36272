"""Hybrid fill: structure from a smooth fill or from the mirror, texture from patches."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..blending.by_name import BLENDS
from ..initial_fill import initial_fill
from ..other_side import estimate, other_side
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
        return Prediction(coarse, notes=notes, warnings=warnings, instead=structure)
    patches = BLENDS["poisson"](synthesis.values, region, Progress())
    sigma = [parameters.scale / mm for mm in region.spacing]
    values = _low_pass(coarse, sigma) + patches - _low_pass(patches, sigma)
    return Prediction(values, synthesis.spread, notes, (*warnings, *synthesis.warnings))


def _low_pass(values: np.ndarray, sigma: Sequence[float]) -> np.ndarray:
    from scipy import ndimage

    return ndimage.gaussian_filter(values, sigma, mode="nearest")


def _structure(region: Region, kind: str, progress: Progress) -> tuple[np.ndarray, str, tuple[str, ...]]:
    """Return the structure (float32, continuous at the hole's edge), its name, and warnings."""
    smooth = initial_fill(region, progress.part(0.0, 0.3)).astype(np.float32)
    if kind == "biharmonic":
        return smooth, kind, ()
    compared = other_side(region, progress.part(0.3, 1.0))
    if compared is None:
        return (
            smooth,
            "biharmonic",
            ("The image is not symmetric enough: the structure is that of the biharmonic fill.",),
        )
    mirrored, parts = estimate(compared, smooth, match=True, full=False), compared.parts
    left = sum(bool(part.reason) for part in parts)
    warning = (
        f"{left} of {len(parts)} parts of the hole cannot be filled from the other side: their structure is biharmonic."
    )
    blended = BLENDS["poisson"](mirrored.astype(np.float32), region, Progress())
    return blended, "biharmonic" if left == len(parts) else "mirror", (warning,) if left else ()
