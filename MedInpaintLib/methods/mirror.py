"""Enantiomorphic fill: the other side of the body, mirrored."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from .. import other_side as sides
from ..initial_fill import initial_fill
from ..mask import relative
from ..parameters import parameter
from ..patches.synthesis import Settings, Source, Synthesis, fill_region
from ..prediction import Cost, Prediction, Run, method
from ..progress import Progress
from ..region import Region


@dataclasses.dataclass(frozen=True)
class Parameters:
    detail: str = parameter(
        "patches",
        choices=("patches", "likely", "all"),
        help="How to take over the mirrored detail: in patches that fit here; blurred to the share that is likely to "
        "be true; or all of it as it is.",
    )
    match: bool = parameter(
        True, help="Fit the mirrored intensities to the tissue around the hole; scans are brighter on one side."
    )


@method(
    name="mirror",
    title="Mirror (other hemisphere)",
    family="symmetry",
    summary="The same place on the other side of the head, mirrored, fitted, and copied in patches that fit.",
    trust="Anatomy of the other side, not of this one: gyri and vessels differ, and what is missing or diseased there "
    "is copied as such.",
    reference="Nachev et al.: Enantiomorphic normalization of focally lesioned brains, NeuroImage 39:1215, 2008",
    parameters=Parameters,
    blend="poisson",
    uses_guides=True,
    shares_sources=True,
    cost=Cost(0.5, 0.4, few=4500, beyond=0.014, box=0.003),
)
def fill(region: Region, parameters: Parameters, run: Run) -> Prediction:
    """Fill from the other side where there is one; by patches of this side, or a biharmonic fill, where there is none.

    Gyri are no mirror images of each other: over 19 lateral spheres of 20 mm in seven heads, the mirror image as it is
    lost 1.7 dB against a biharmonic fill (at 1.00 of the true gradient energy), the likely share of it gained 0.4 dB
    (at 0.64), patches of this side gained 0.2 dB, and patches of both sides 1.2 dB (at 0.84).

    Parts of :data:`.other_side.LARGE` ml or more take :func:`.other_side.estimate` instead of patches.
    """
    # Patches grow inwards from the rim: of a large part they take minutes, and lose to the joined mirror image.
    patches = parameters.detail == "patches" and not sides.has_large_part(region)
    for_symmetry, for_initial, for_other, for_rest = run.progress.remaining(*_seconds(region, patches))
    symmetry = sides.symmetry_of(region.subject, for_symmetry)
    values = [initial_fill(each, for_initial) for each in region.images]
    all_compared, alone = sides.other_sides(region, for_other), sides.why_none(symmetry)
    compared = None if all_compared is None else all_compared[0]
    alone = alone and f"{alone}; there is no other side to copy from"
    notes = {"similarity of the sides": 0.0 if symmetry is None else symmetry.similarity, **_notes(compared)}
    nothing = compared is None or all(part.reason for part in compared.parts)
    if patches:
        values = [each.astype(np.float32) for each in values]
        synthesis = _patches(region, values, all_compared or (), parameters.match, run, for_rest)
        if synthesis is None:
            warning = f"All of the hole was filled by biharmonic: {alone + ', and ' if alone else ''}no patch is whole."
            return Prediction(values[0], notes=notes, warnings=(warning,), instead="biharmonic")
        # Where only some parts are left out, patches from further away on the other side may still fit them best.
        warnings = _warnings(compared, alone, f"{'' if nothing else 'mostly '}by patches of this side")
        instead = "patch" if nothing else None
        warnings = (*warnings, *synthesis.warnings)
        return _together([Prediction(each.values, each.spread, notes, warnings, instead) for each in synthesis.images])
    if all_compared is not None:
        full = parameters.detail == "all"
        values = [
            sides.estimate(each, smooth, match=parameters.match, full=full, progress=for_rest)
            for each, smooth in zip(all_compared, values, strict=True)
        ]
    warnings, instead = _warnings(compared, alone, "by biharmonic"), "biharmonic" if nothing else None
    return _together([Prediction(each, notes=notes, warnings=warnings, instead=instead) for each in values])


def _together(predictions: Sequence[Prediction]) -> Prediction:
    """Return the predictions of a region and its companions as one."""
    return dataclasses.replace(predictions[0], companions=tuple(predictions[1:]))


def _patches(
    region: Region,
    smooth: Sequence[np.ndarray],
    compared: Sequence[sides.Comparison],
    match: bool,
    run: Run,
    progress: Progress,
) -> Synthesis | None:
    """Fill by patches of both sides, or of this one where there is no other."""

    def mirrored(window: Region) -> list[Source]:
        if not compared:
            return []
        images, usable = zip(*(each.image(window.place, match=match) for each in compared), strict=True)
        unlike = np.logical_or.reduce([each.unlike() for each in compared])
        # Guides are not mirrored: they say where on this side a patch belongs.
        channels = np.concatenate([images, window.guides])
        return [Source(channels, np.logical_and.reduce(usable) & ~_around(unlike, region, window))]

    return fill_region(region, smooth, Settings(), run.rng(), progress, mirrored)


def _seconds(region: Region, patches: bool) -> tuple[float, float, float, float]:
    """Return about what symmetry, initial fill, comparison and the rest take; from balls, strokes and tumours."""
    thousands = np.count_nonzero(region.fill) / 1000
    symmetry = 0.0 if sides.is_symmetry_known(region.subject) else 0.7
    around = [size + 2 * sides.AROUND / mm for size, mm in zip(region.hole.shape, region.spacing, strict=True)]
    initial = 0.004 * thousands + 2.8e-6 * region.hole.size
    return symmetry, initial, 1.5e-6 * math.prod(around), (0.3 if patches else 0.007) * thousands


def _around(left: np.ndarray, region: Region, window: Region) -> np.ndarray:
    """Mark the region's voxels that must not be mirrored, and all of the window when that is all of them."""
    around = np.full(window.hole.shape, bool(left[region.fill].all()))
    inside = relative(region.place, window.place)
    around[inside] |= left
    return around


def _notes(compared: sides.Comparison | None) -> dict[str, object]:
    if compared is None:
        return {}
    smooth = sum(part.voxels if part.reason else part.voxels - part.mirrored for part in compared.parts)
    alike = [part.correlation for part in compared.parts if not part.reason]
    notes: dict[str, object] = {"voxels that were not mirrored": smooth}
    return {**notes, "correlation around the hole": max(alike)} if alike else notes


def _warnings(compared: sides.Comparison | None, alone: str, instead: str) -> tuple[str, ...]:
    """Say in one sentence for each reason what was not mirrored; ``alone`` is the reason for all of the hole."""
    if compared is None:
        return (f"All of the hole was filled {instead}: {alone}.",)
    parts, sentences = compared.parts, []
    for reason in (sides.NO_MIRROR, sides.UNLIKE):
        left = [part.voxels for part in parts if part.reason == reason]
        if left:
            parted = f"{len(left)} of {len(parts)} part{'s' if len(parts) > 1 else ''} of the hole ({sum(left)} voxels)"
            were = "were" if len(left) > 1 else "was"
            sentences.append(f"{parted} {were} filled {instead}, not from the other side: {reason}.")
    lacking = sum(part.voxels - part.mirrored for part in parts if not part.reason)
    if lacking:
        voxels = f"{lacking} voxels of the hole were" if lacking > 1 else "1 voxel of the hole was"
        sentences.append(f"{voxels} filled {instead}: {sides.NO_MIRROR}.")
    return tuple(sentences)
