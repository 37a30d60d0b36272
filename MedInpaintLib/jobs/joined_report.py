"""One report for all volumes of a 4-D image."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from ..report import FillReport, HoleFacts, PartFacts, UncertaintyFacts, VolumeFacts


def joined(reports: Sequence[FillReport]) -> FillReport:
    """Return the report of the worst volume, with holes, parts, warnings and seconds of all.

    The worst are, as among parts, those with warnings, then the deepest; volumes without a hole are last.
    """
    order = sorted(range(len(reports)), key=lambda number: (*_rank(reports[number]), number))
    worst = reports[order[0]]
    parts = [PartFacts(**{**part, "volume": number}) for number in order for part in reports[number]["parts"]]
    parts.sort(key=lambda part: (not part["warnings"], -_depth(part)))
    methods, parameters = _methods(reports)
    return FillReport(
        **{
            **worst,
            "method": ", ".join(methods) or worst["method"],
            "parameters": next(iter(parameters.values())) if len(parameters) == 1 else parameters,
            "image": {**worst["image"], "shape": [len(reports), *worst["image"]["shape"]]},
            "hole": _hole(reports),
            "parts": parts,
            "uncertainty": _uncertainty(reports),
            "warnings": _warnings(reports),
            "seconds": _seconds(reports),
            "volumes": [_facts(number, reports[number]) for number in order],
        }
    )


def _rank(report: FillReport) -> tuple[bool, bool, float]:
    return not report["parts"], not report["warnings"], -max(map(_depth, report["parts"]), default=0.0)


def _depth(part: PartFacts) -> float:
    """Return how deep a part is; where nothing is known, deeper than any other."""
    return part["depth_mm"] or math.inf


def _facts(number: int, report: FillReport) -> VolumeFacts:
    return VolumeFacts(
        number=number,
        method=report["method"],
        reason=report["reason"],
        modality=report["modality"],
        hole=report["hole"],
        warnings=report["warnings"],
        trust=report["trust"],
    )


def _hole(reports: Sequence[FillReport]) -> HoleFacts:
    """Return the counts of all volumes, and the ml of the largest hole: one place in the body is counted once."""
    holes = [report["hole"] for report in reports]
    largest = max(holes, key=lambda hole: hole["voxels"])
    return HoleFacts(
        voxels=sum(hole["voxels"] for hole in holes),
        volume_ml=largest["volume_ml"],
        components=sum(hole["components"] for hole in holes),
        regions=sum(hole["regions"] for hole in holes),
    )


def _uncertainty(reports: Sequence[FillReport]) -> UncertaintyFacts | None:
    """Return the report of the first volume without standard deviations, else of the first that was filled."""
    facts = [report["uncertainty"] for report in reports if report["uncertainty"] is not None]
    return next((each for each in facts if each["reason"]), facts[0] if facts else None)


def _methods(reports: Sequence[FillReport]) -> tuple[list[str], dict[str, Any]]:
    """Return the methods, those of most voxels first, and the parameters of each."""
    voxels: dict[str, int] = {}
    parameters: dict[str, Any] = {}
    for report in reports:
        if not report["parts"]:
            continue
        names = report["method"].split(", ")
        for name in names:
            voxels[name] = voxels.get(name, 0) + report["hole"]["voxels"]
        parameters |= {names[0]: report["parameters"]} if len(names) == 1 else report["parameters"]
    return sorted(voxels, key=lambda name: -voxels[name]), parameters


def _warnings(reports: Sequence[FillReport]) -> list[str]:
    """Return each warning once, with the volumes that it is about where it is not about all."""
    about: dict[str, list[int]] = {}
    for number, report in enumerate(reports):
        for warning in dict.fromkeys(report["warnings"]):
            about.setdefault(warning, []).append(number)
    return [
        warning if len(numbers) == len(reports) else f"Volume{'s' * (len(numbers) > 1)} {ranges(numbers)}: {warning}"
        for warning, numbers in about.items()
    ]


def ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers as a short text.

    >>> ranges([0, 1, 2, 5]), ranges([7])
    ('0-2, 5', '7')
    """
    runs = itertools.groupby(enumerate(numbers), key=lambda entry: entry[1] - entry[0])
    ends = [(run[0][1], run[-1][1]) for run in ([*entries] for _, entries in runs)]
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)


def _seconds(reports: Sequence[FillReport]) -> dict[str, float]:
    stages = dict.fromkeys(stage for report in reports for stage in report["seconds"])
    return {stage: round(sum(report["seconds"].get(stage, 0.0) for report in reports), 4) for stage in stages}
