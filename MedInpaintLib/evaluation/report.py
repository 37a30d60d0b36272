"""Tables of scores: one row per method and hole, and a summary paired hole by hole."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..files import write_text
from ..texts import csv_cell
from ..volume import Volume


@dataclasses.dataclass(frozen=True)
class MetricInfo:
    """Format of a metric: heading, decimals, and which values are better (``"higher"``, ``"lower"``, ``"one"``)."""

    heading: str
    digits: int
    better: str


METRICS = {
    "psnr": MetricInfo("PSNR dB", 2, "higher"),
    "psnr_01": MetricInfo("PSNR(1) dB", 2, "higher"),
    "ssim": MetricInfo("SSIM", 3, "higher"),
    "ssim_inner": MetricInfo("SSIM inner", 3, "higher"),
    "mae": MetricInfo("MAE", 4, "lower"),
    "rmse": MetricInfo("RMSE", 4, "lower"),
    "mse": MetricInfo("MSE", 4, "lower"),
    "nmse": MetricInfo("NMSE", 4, "lower"),
    "gradient_energy": MetricInfo("gradE", 2, "one"),
    "boundary_jump": MetricInfo("jump", 2, "one"),
}


def is_better(metric: str, mine: float, theirs: float) -> bool:
    """Return whether a score beats another one.

    >>> is_better("psnr", 30, 20), is_better("mae", 30, 20), is_better("gradient_energy", 0.9, 1.2)
    (True, False, True)
    """
    better = METRICS[metric].better
    if better == "one":
        return abs(mine - 1) < abs(theirs - 1)
    return mine > theirs if better == "higher" else mine < theirs


#: Columns of the summary, if the convention has them; the CSV file has every metric.
_SHOWN = ("psnr", "psnr_01", "ssim", "mae", "gradient_energy", "boundary_jump")
_PAIRED = ("psnr", "ssim")
#: Heading of the coverage: percent of the errors within one and two standard deviations.
WITHIN = "% within 1/2 SD"


@dataclasses.dataclass(frozen=True)
class Row:
    """One method's scores in one hole.

    Attributes:
        method, hole: name and label.
        voxels: number in the hole.
        centre: of mass, as array indices.
        scores: by metric.
        within: shares of the hole's errors within one and two of the method's standard deviations; None without any.
    """

    method: str
    hole: int
    voxels: int
    centre: tuple[float, ...]
    scores: dict[str, float]
    within: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (n - 1; NaN for one value) of the values that are not NaN, and their number."""

    mean: float
    sd: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        numbers = [value for value in values if not math.isnan(value)]
        if not numbers:
            return cls(math.nan, math.nan, 0)
        # A perfect fill has an infinite PSNR, which has a mean but no spread.
        finite = all(map(math.isfinite, numbers))
        sd = float(np.std(numbers, ddof=1)) if len(numbers) > 1 and finite else math.nan
        return cls(float(np.mean(numbers)) if finite else max(numbers, key=abs), sd, len(numbers))

    def to_dict(self) -> dict[str, float | None]:
        """Return the values for JSON; None if not finite."""
        return {"mean": _finite(self.mean), "sd": _finite(self.sd), "n": self.n}

    def text(self, digits: int, sign: str = "") -> str:
        """Format as ``"24.12 ± 3.41"``; only the mean when there is no spread."""
        if self.n == 0:
            return "-"
        mean = f"{self.mean:{sign}.{digits}f}"
        return mean if math.isnan(self.sd) else f"{mean} ± {self.sd:.{digits}f}"


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """The outcome of an evaluation.

    Attributes:
        rows: method by method, hole by hole.
        reference: the best trivial fill, to which paired differences refer.
        about: facts to judge the numbers by (data, split, protocol, range, n, machine), in printing order.
        constants: the same for the CSV file, as columns with equal rows.
        seconds: wall time of each method's fill of all holes, one run.
        image: with the truth in the holes.
        labels: the holes, int32, on the image's grid.
        fills: the filled arrays by method, if requested.
        reports: the engine's report by method; empty for fills from outside.
        left_out: methods that failed, with the reason.
        modality_reason: why the modality was guessed; empty where it was named.
        warnings: of the image as a whole.
    """

    rows: tuple[Row, ...]
    reference: str
    about: dict[str, str]
    constants: dict[str, str | float]
    seconds: dict[str, float]
    image: Volume
    labels: np.ndarray
    fills: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    reports: dict[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)
    modality_reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods in the order of the rows."""
        return tuple(self.seconds)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of the convention."""
        return tuple(self.rows[0].scores)

    def scores(self, method: str, metric: str) -> list[float]:
        """Return a method's scores, one per hole, in the same order for every method."""
        return [row.scores[metric] for row in self.rows if row.method == method]

    def spread(self, method: str, metric: str) -> Spread:
        """Return mean and standard deviation over the holes."""
        return Spread.of(self.scores(method, metric))

    def gain(self, method: str, metric: str = "psnr", over: str | None = None) -> Spread:
        """Return mean and standard deviation of paired differences to another method (:attr:`reference` by default).

        Holes differ far more (3 to 5 dB) than methods, so only paired differences distinguish methods.
        """
        pairs = zip(self.scores(method, metric), self.scores(over or self.reference, metric), strict=True)
        return Spread.of([mine - theirs if mine != theirs else 0.0 for mine, theirs in pairs])

    def wins(self, method: str, metric: str = "psnr", over: str | None = None) -> int:
        """Count the holes in which a method beats another one (:attr:`reference` by default)."""
        pairs = zip(self.scores(method, metric), self.scores(over or self.reference, metric), strict=True)
        return sum(is_better(metric, mine, theirs) for mine, theirs in pairs)

    def coverage(self, method: str) -> tuple[float, float] | None:
        """Return the shares of a method's errors within one and two of its standard deviations; None without any.

        All holes count alike. Calibrated standard deviations have 68 % and 95 %.
        """
        shares = [row.within for row in self.rows if row.method == method and row.within is not None]
        if not shares:
            return None
        one, two = np.mean(shares, axis=0).tolist()
        return one, two

    def mean_scores(self, method: str) -> dict[str, float]:
        """Return the mean of every metric over the holes."""
        return {metric: self.spread(method, metric).mean for metric in self.metrics}

    def to_text(self) -> str:
        """Format data and protocol, then the summary, for a terminal."""
        head, body = self._summary()
        width = max(map(len, self.about))
        about = "\n".join(f"{name:<{width}}  {text}" for name, text in self.about.items())
        return f"{about}\n\n{_columns(head, body)}\n"

    def to_markdown(self) -> str:
        """Format the summary as a Markdown table, with protocol and data beneath it."""
        head, body = self._summary()
        lines = [
            "| " + " | ".join(head) + " |",
            "|---" + "|---:" * (len(head) - 1) + "|",
            *("| " + " | ".join(cells) + " |" for cells in body),
            "",
            *(f"- **{name}**: {text}" for name, text in self.about.items()),
        ]
        return "\n".join(lines) + "\n"

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line per method and hole, with all metrics at full precision and the protocol.

        Raises:
            OutputError: the file could not be written.
        """
        write_csv(path, [self])

    def to_dict(self) -> dict[str, Any]:
        """Return the table for JSON; values that are not finite are None.

        Returns:
            ``about``, ``reference``, ``left_out``: as above.
            ``metrics``: metric -> ``heading``, ``digits``, ``better``.
            ``rows``: for each method and hole ``method``, ``hole``, ``voxels``, ``centre``, ``scores`` and ``within``,
            the shares of the errors within one and two standard deviations, or None.
            ``methods``: for each method ``method``; ``scores``: metric -> ``mean``, ``sd`` and ``n``; ``gain``: the
            same for differences in PSNR and SSIM to the reference; ``better``: in how many of ``count`` holes it beats
            the reference by PSNR; ``seconds``; ``coverage``: the shares of the errors within one and two standard
            deviations, or None.
        """
        return {
            "about": dict(self.about),
            "reference": self.reference,
            "left_out": dict(self.left_out),
            "metrics": {
                metric: {"heading": info.heading, "digits": self.digits(metric), "better": info.better}
                for metric, info in METRICS.items()
                if metric in self.metrics
            },
            "rows": [
                {
                    "method": row.method,
                    "hole": row.hole,
                    "voxels": row.voxels,
                    "centre": [round(index, 1) for index in row.centre],
                    "scores": {metric: _finite(value) for metric, value in row.scores.items()},
                    "within": None if row.within is None else [round(share, 4) for share in row.within],
                }
                for row in self.rows
            ],
            "methods": [self._of(method) for method in self.methods],
        }

    def _of(self, method: str) -> dict[str, Any]:
        """Return the part of :meth:`to_dict` for a method."""
        paired = [metric for metric in _PAIRED if metric in self.metrics]
        return {
            "method": method,
            "scores": {metric: self.spread(method, metric).to_dict() for metric in self.metrics},
            "gain": {metric: self.gain(method, metric).to_dict() for metric in paired},
            "better": self.wins(method),
            "count": len(self.rows) // len(self.methods),
            "seconds": round(self.seconds[method], 3),
            "coverage": None if (shares := self.coverage(method)) is None else [round(each, 4) for each in shares],
        }

    def digits(self, metric: str) -> int:
        """Return the decimals to print: fewer for intensities in the hundreds (MR, HU) than for those in 0..1."""
        digits = METRICS[metric].digits
        if METRICS[metric].better != "lower":
            return digits
        largest = max(self.spread(method, metric).mean for method in self.methods)
        return max(0, digits - 1 - int(math.log10(largest))) if 1 <= largest < math.inf else digits

    def __str__(self) -> str:
        return self.to_text()

    def _summary(self) -> tuple[list[str], list[list[str]]]:
        """Return heading and cells of the summary."""
        metrics = [metric for metric in _SHOWN if metric in self.metrics]
        paired = [metric for metric in _PAIRED if metric in self.metrics]
        holes = len(self.rows) // len(self.methods)
        head = ["method", *(METRICS[metric].heading for metric in metrics)]
        head += [f"Δ{METRICS[metric].heading}" for metric in paired] + ["better", "s"]
        coverage = {method: self.coverage(method) for method in self.methods}
        covered = any(coverage.values())
        head += [WITHIN] if covered else []
        body = []
        for method in self.methods:
            cells = [method]
            cells += [self.spread(method, metric).text(self.digits(metric)) for metric in metrics]
            if method == self.reference:
                cells += ["reference"] + [""] * len(paired)
            else:
                cells += [self.gain(method, metric).text(METRICS[metric].digits, "+") for metric in paired]
                cells.append(f"{self.wins(method)}/{holes}")
            cells.append(f"{self.seconds[method]:.2f}")
            if covered:
                shares = coverage[method]
                cells.append("-" if shares is None else " / ".join(f"{100 * each:.0f}" for each in shares))
            body.append(cells)
        return head, body


def write_csv(path: str | os.PathLike[str], tables: Sequence[Table]) -> None:
    """Write tables of one image and convention into one file, see :meth:`Table.to_csv`.

    Raises:
        OutputError: the file could not be written.
    """
    out, first = io.StringIO(), tables[0]
    writer = csv.writer(out, lineterminator="\n")
    centre = [f"centre_{axis}" for axis in "kji"[-len(first.rows[0].centre) :]]
    columns = [
        *first.constants,
        "method",
        "seconds",
        "hole",
        "voxels",
        *centre,
        *first.metrics,
        "within_1_sd",
        "within_2_sd",
    ]
    writer.writerow(map(csv_cell, columns))
    for table in tables:
        for row in table.rows:
            where = [f"{index:.1f}" for index in row.centre]
            seconds = f"{table.seconds[row.method]:.3f}"
            scores = [repr(row.scores[metric]) for metric in first.metrics]
            within = ["", ""] if row.within is None else [f"{share:.4f}" for share in row.within]
            cells = [*table.constants.values(), row.method, seconds, row.hole, row.voxels, *where, *scores, *within]
            writer.writerow(map(csv_cell, cells))
    write_text(path, out.getvalue())


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _columns(head: list[str], body: list[list[str]]) -> str:
    """Align columns: names to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    rule = "  ".join("-" * width for width in widths)

    def line(cells: list[str]) -> str:
        first, *rest = (
            f"{cell:{'<' if n == 0 else '>'}{width}}" for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join([first, *rest]).rstrip()

    return "\n".join([line(head), rule, *map(line, body)])
