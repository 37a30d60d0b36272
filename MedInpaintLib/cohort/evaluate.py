"""Evaluations as cases: methods are scored in each person's image, and once more over all of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..jobs.evaluate import EvaluateJob
from ..progress import Progress
from ..report import EvaluationReport
from .case import DONE, FAILED, CaseKind, facts_of_warnings
from .cells import pairs
from .networks import files_of_model, networks

#: The table over the study, and its columns.
SCORES = "scores.tsv"
COLUMNS = ("convention", "holes", "method", "metric", "n", "mean", "sd", "gain", "gain_sd", "better")
#: What tells the rows of the table apart.
Key = tuple[str, str, str, str]


class Evaluate(CaseKind[EvaluateJob]):
    """Evaluations, see :func:`MedInpaintLib.evaluate`."""

    job = EvaluateJob
    reads = ("image", "avoid", "holes")
    writes = ("output",)
    without_effect = ("workers",)
    columns = ("modality", "holes", "methods", "left_out", "warnings", "first_warning")
    counted: ClassVar = {DONE: "evaluated", FAILED: "failed"}
    ending = ".json"
    readers: ClassVar = {"parameters": lambda cell: _by_method(cell)}
    tables: ClassVar = {SCORES: COLUMNS}

    def inputs(self, job: EvaluateJob) -> dict[str, str]:
        from ..holes import file_of

        masks = {f"mask of holes {number}": file_of(holes) for number, holes in enumerate(job.holes, start=1)}
        paths = {"image": job.image, "avoid": job.avoid, **masks}
        return {name: path for name, path in paths.items() if path is not None}

    def check(self, job: EvaluateJob) -> None:
        job.check_options()

    def further_inputs(self, job: EvaluateJob) -> tuple[list[Path], dict[str, Any]]:
        from ..holes import is_spec

        files = [file for values in job.parameters.values() for file in files_of_model(values)]
        # Masks are inputs by their content; the folder that they lie in does not matter.
        holes = [_without_folder(each) if is_spec(each) else "mask" for each in job.holes]
        models = {
            name: networks(name, False, str(job.parameters.get(name, {}).get("model", "auto"))) for name in job.methods
        }
        return files, {"holes": holes, "models": models}

    def run(self, job: EvaluateJob, progress: Progress) -> tuple[str, EvaluationReport]:
        return DONE, job.run(progress)

    def facts(self, report: EvaluationReport) -> dict[str, Any]:
        methods = report["methods"]
        names = _names_of_sets([each["holes"] for each in report["holes"]])
        return {
            "modality": report["modality"],
            "holes": sum(each["count"] for each in report["holes"]),
            "methods": len({each["method"] for each in methods}),
            "left_out": ", ".join(report["left_out"]),
            **facts_of_warnings(report["warnings"]),
            "trivial": report["trivial"],
            "convention": report["convention"].partition(":")[0],
            "scores": [
                {
                    "holes": names[each["holes"]],
                    "method": each["method"],
                    "means": {metric: spread["mean"] for metric, spread in each["scores"].items()},
                }
                for each in methods
            ],
        }

    def describe(self, status: str, facts: Mapping[str, Any]) -> str:
        return f"{facts['methods']} methods scored in {facts['holes']} hole(s)"

    def rows(self, table: str, facts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return a row for each set of holes, method and metric: mean and spread over the cases.

        ``gain`` is the mean of the differences to the trivial fill in the same image, ``better`` the number of cases in
        which the method beats it. A score that is not finite, such as the PSNR of a perfect fill, is left out.
        """
        values: dict[Key, list[float]] = {}
        rivals: dict[Key, list[tuple[float, float]]] = {}
        for each in facts:
            trivial = {entry["holes"]: entry["means"] for entry in each["scores"] if entry["method"] == each["trivial"]}
            for entry in each["scores"]:
                for metric, value in entry["means"].items():
                    if value is None:
                        continue
                    key = each["convention"], entry["holes"], entry["method"], metric
                    values.setdefault(key, []).append(value)
                    other = trivial[entry["holes"]][metric]
                    if other is not None and entry["method"] != each["trivial"]:
                        rivals.setdefault(key, []).append((value, other))
        return [_row(key, numbers, rivals.get(key, [])) for key, numbers in values.items()]


def _row(key: Key, numbers: Sequence[float], rivals: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return a row of the table; cells without a value, such as the spread of a single case, are None."""
    from ..evaluation.report import is_better

    convention, holes, method, metric = key
    gains = [mine - theirs for mine, theirs in rivals]
    return {
        "convention": convention,
        "holes": holes,
        "method": method,
        "metric": metric,
        "n": len(numbers),
        "mean": _rounded(numbers, statistics.fmean, least=1),
        "sd": _rounded(numbers, statistics.stdev, least=2),
        "gain": _rounded(gains, statistics.fmean, least=1),
        "gain_sd": _rounded(gains, statistics.stdev, least=2),
        "better": sum(is_better(metric, mine, theirs) for mine, theirs in rivals) if rivals else None,
    }


def _rounded(numbers: Sequence[float], statistic: Callable[[Iterable[float]], float], *, least: int) -> float | None:
    """Return a statistic with six digits; None of fewer than ``least`` numbers."""
    return float(f"{statistic(numbers):.6g}") if len(numbers) >= least else None


def _names_of_sets(holes: Sequence[str]) -> dict[str, str]:
    """Return what a set of holes is called in all images: its description, or "mask", whatever the file's name."""
    from ..holes import is_spec

    masks = [each for each in holes if not is_spec(each)]
    return {
        each: _without_folder(each) if is_spec(each) else "mask" if len(masks) == 1 else f"mask {masks.index(each) + 1}"
        for each in holes
    }


def _without_folder(holes: str) -> str:
    """Return a description of holes with the name alone of the file that it takes them from."""
    from ..holes import file_of

    file = file_of(holes)
    return holes if file is None else holes.replace(file, Path(file).name)


def _by_method(cell: str) -> dict[str, dict[str, str]]:
    """Return the parameters in a cell by their methods, from entries such as ``patch.size=5``.

    Raises:
        ValueError: an entry is no METHOD.NAME=VALUE.
    """
    parameters: dict[str, dict[str, str]] = {}
    for name, value in pairs(cell).items():
        method, point, parameter = name.partition(".")
        if not point:
            raise ValueError(f"it must hold METHOD.NAME=VALUE, such as patch.size=5; found '{name}={value}'")
        parameters.setdefault(method, {})[parameter] = value
    return parameters
