"""What the report of a fill says."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .atlas.regions import Anatomy
from .choice import Choice
from .filled import Filled, Filling
from .mask import relative
from .methods import registry
from .parts import Part
from .report import (
    NO_REGIONS,
    FillReport,
    ImageFacts,
    MaskFacts,
    PartFacts,
    TogetherFacts,
    UncertaintyFacts,
    now,
    software,
)
from .result import Patch
from .selfcheck import SelfCheck
from .subject import Subject
from .tasks import Plan

#: Deeper holes are warned of in the report: beyond this, smooth fills have nothing left to continue.
DEEP_MM = 12.0


def write_report(
    subject: Subject,
    choices: Sequence[Choice],
    filling: Filling,
    *,
    modality_reason: str,
    image: ImageFacts,
    mask: MaskFacts,
    together: TogetherFacts | None,
    samples: int,
    grain: bool,
    uncertainty: UncertaintyFacts | None,
    warnings: list[str],
    seconds: dict[str, float],
    anatomy: Anatomy | None = None,
) -> FillReport:
    """Write the report."""
    hole, volume = subject.whole, subject.image
    plans = {plan.method.name: plan for plan in _by_voxels(choices)}
    used = _methods_used(filling)
    parts = parts_table(subject, choices, filling, anatomy)
    checked = {id(choice.checked): choice.checked for choice in choices if choice.checked is not None}
    if checked and filling.instead:
        names = ", ".join(plans)
        warnings = [
            *warnings,
            f"The self-check's scores are those of '{names}', but the hole was filled by {filling.instead}.",
        ]
    settings = {name: dataclasses.asdict(plan.settings) for name, plan in plans.items()}
    return FillReport(
        software=software(),
        date=now(),
        method=", ".join(used),
        reason=_reason(choices, 1 if together is None else len(together["images"])),
        parameters=next(iter(settings.values())) if len(settings) == 1 else settings,
        blend=", ".join(dict.fromkeys(plan.blend for plan in plans.values())),
        seed=next(iter(plans.values())).seed,
        device=filling.device or next(iter(plans.values())).device,
        modality=subject.modality.name,
        modality_reason=modality_reason,
        image=image,
        mask=mask,
        hole={
            "voxels": hole.count(),
            "volume_ml": hole.count() * math.prod(volume.spacing) / 1000 if volume.array.ndim == 3 else None,
            "components": len(parts),
            "regions": len(filling.regions),
        },
        parts=parts,
        samples=samples,
        grain=grain,
        self_check=[_checked_kind(each, choices) for each in checked.values()] or None,
        uncertainty=uncertainty,
        filled_together=together,
        notes=filling.notes if anatomy is None or not anatomy.reason else {**filling.notes, NO_REGIONS: anatomy.reason},
        warnings=[*warnings, *filling.warnings],
        seconds=seconds,
        trust=_trust(used, filling, subject, [mm for choice in choices for mm in choice.depths], together),
    )


def together_facts(names: Sequence[str], filling: Filling) -> TogetherFacts:
    """Return which parts of the hole were filled from the same places in all images.

    Args:
        names: of the images.
        filling: of the first one, with its companions.
    """

    def numbers(shared: bool) -> list[int]:
        return sorted(
            part.number for region in filling.regions if region.shared is shared for part in region.task.group.parts
        )

    return TogetherFacts(images=list(names), shared=numbers(True), own=numbers(False))


def parts_table(
    subject: Subject, choices: Sequence[Choice], filling: Filling, anatomy: Anatomy | None = None
) -> list[PartFacts]:
    """Return the facts of each part, the worst first: those with warnings, then those whose middle is deepest."""
    regions = {part.number: region for region in filling.regions for part in region.task.group.parts}
    table = [
        _facts(part, mm, choice, regions[part.number], subject, anatomy)
        for choice in choices
        for part, mm in zip(choice.group.parts, choice.depths, strict=True)
    ]
    return sorted(table, key=lambda facts: (not facts["warnings"], -(facts["depth_mm"] or math.inf)))


def _facts(
    part: Part, depth: float, choice: Choice, region: Filled, subject: Subject, anatomy: Anatomy | None
) -> PartFacts:
    count = int(part.voxels.sum())
    spacing = subject.image.spacing
    facts = PartFacts(
        number=part.number,
        voxels=count,
        volume_ml=round(count * math.prod(spacing) / 1000, 4) if len(spacing) == 3 else None,
        depth_mm=round(depth, 2) if math.isfinite(depth) else None,
        middle=list(part.middle()),
        method=region.method,
        reason=choice.reason,
        warnings=[*([region.doubts[part.number]] if part.number in region.doubts else []), *region.warnings],
        scores=choice.checked.expected() if choice.checked else None,
    )
    if anatomy is not None and part.number in anatomy.regions:
        facts["regions"], facts["tissues"] = anatomy.regions[part.number], anatomy.tissues[part.number]
    if region.patch.spread is not None:
        facts["deviation"] = _deviation(part, region.patch)
    return facts


def _deviation(part: Part, patch: Patch) -> float:
    """Return the root mean square of a part's standard deviations, to four digits."""
    spread = np.zeros(patch.hole.shape)
    assert patch.spread is not None
    spread[patch.hole] = patch.spread
    inside = spread[relative(part.box, patch.box)][part.voxels]
    return float(f"{np.sqrt(np.mean(inside**2)):.4g}")


def _by_voxels(choices: Sequence[Choice]) -> list[Plan]:
    """Return the plans, those that fill most voxels first, each once."""
    counts: dict[str, int] = {}
    plans = {choice.plan.method.name: choice.plan for choice in choices}
    for choice in choices:
        name = choice.plan.method.name
        counts[name] = counts.get(name, 0) + choice.group.hole.count()
    return [plans[name] for name in sorted(counts, key=lambda name: -counts[name])]


def _methods_used(filling: Filling) -> list[str]:
    """Return the names of the methods that filled in the end, those of most voxels first."""
    counts: dict[str, int] = {}
    for region in filling.regions:
        counts[region.method] = counts.get(region.method, 0) + region.task.group.hole.count()
    return sorted(counts, key=lambda name: -counts[name])


def _reason(choices: Sequence[Choice], images: int) -> str:
    """Say why these methods were chosen, in one sentence."""
    reason = _reason_of(choices)
    return f"{reason}; chosen for the first of {images} images, and used for all" if reason and images > 1 else reason


def _reason_of(choices: Sequence[Choice]) -> str:
    counts: dict[tuple[str, str], int] = {}
    for choice in choices:
        key = choice.plan.method.name, choice.reason
        counts[key] = counts.get(key, 0) + len(choice.group.parts)
    if len(counts) == 1:
        return choices[0].reason
    return "; ".join(
        f"{name} for {count} part{'s' if count > 1 else ''}: {reason}" for (name, reason), count in counts.items()
    )


def _checked_kind(checked: SelfCheck, choices: Sequence[Choice]) -> dict[str, Any]:
    """Return a self-check, ready for JSON, with the numbers of the parts that it speaks of."""
    numbers = [part.number for choice in choices if choice.checked is checked for part in choice.group.parts]
    return {"parts": numbers, **checked.report()}


def _trust(
    used: Sequence[str], filling: Filling, subject: Subject, depths: Sequence[float], together: TogetherFacts | None
) -> str:
    """Say how far to trust the fill: the methods, what a model knows, the hole's depth, and what always holds."""
    infos = [registry.get(name) for name in used]
    depth = max((mm for mm in depths if mm < math.inf), default=0.0)
    sentences = [infos[0].trust] if len(infos) == 1 else [f"{info.title}: {info.trust}" for info in infos]
    if "model_title" in filling.notes:
        sentences.append(f"The model ({filling.notes['model_title']}) knows no other anatomy or kind of image.")
    if depth > DEEP_MM:
        # A picture without a pixel size has pixels of "1 mm".
        unit = "mm" if subject.image.array.ndim == 3 or subject.image.has_place else "pixels"
        sentences.append(
            f"The middle of the hole is {depth:.0f} {unit} from what is known: do not expect anatomy there."
        )
    if together is not None:
        sentences.append(_agreement(together))
    return " ".join([*sentences, "Synthetic voxels: not for clinical use."])


def _agreement(together: TogetherFacts) -> str:
    """Say whether images that were filled together show one anatomy."""
    images, shared, own = len(together["images"]), len(together["shared"]), len(together["own"])
    if not own:
        return f"The {images} images took this hole's tissue from the same places, so their fills show one anatomy."
    if not shared:
        return f"Each of the {images} images was filled on its own: in the hole they need not show the same anatomy."
    return (
        f"The {images} images took {shared} of {shared + own} parts from the same places; in the others, filled image "
        "by image, they need not show the same anatomy."
    )
