"""SSIM, PSNR and RMSE of trainings against updates: a table, and a picture that is drawn from it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from MedInpaintLib.errors import InputError
from MedInpaintLib.evaluation.figure import write_figure

from .manifests import read_rows, write_rows
from .trainings import validations

TABLE = "curves.csv.gz"
PICTURE = "curves.webp"
#: What the picture shows; its caption begins with it.
CAPTION = (
    "SSIM, PSNR and RMSE in validation (split val) against updates. Each network fills holes of the kind that it "
    "learns; dashed: the thin plate in the same holes, in the same colour where networks have different holes. For "
    "PSNR and RMSE intensities are scaled as the recipe does, and the range is 1."
)
#: A score of the network, the same score of the thin plate, and the axis.
_PANELS = (
    ("ssim", "start_ssim", "SSIM"),
    ("psnr", "start_psnr", "PSNR at a range of 1, dB"),
    ("rmse", "start_rmse", "RMSE at a range of 1"),
)
#: Markers and lines that tell networks with one colour apart: there are ten colours, and up to eleven networks.
_STYLES = (("o", "-"), ("^", "-."), ("s", ":"))
_COLUMNS_OF_LEGEND = 4
_GREY = "0.45"
_DASHED: dict[str, Any] = {"linewidth": 0.9, "linestyle": "--"}


@dataclasses.dataclass(frozen=True)
class Point:
    """A validation of a training.

    Attributes:
        step: updates so far.
        psnr: dB at a range of 1 of the scaled intensities.
        gain: in PSNR over the thin plate, dB.
        ssim: in the hole.
        rmse: at a range of 1 of the scaled intensities.
        start_ssim, start_rmse: of the thin plate.
    """

    step: int
    psnr: float
    gain: float
    ssim: float
    rmse: float
    start_ssim: float
    start_rmse: float

    @property
    def start_psnr(self) -> float:
        """The PSNR of the thin plate, dB."""
        return self.psnr - self.gain


#: Label of a network -> its validations.
Curves = Mapping[str, Sequence[Point]]


def read_history(folder: Path, half_width: float) -> list[Point]:
    """Return the validations of a training.

    Args:
        folder: of the training.
        half_width: of its recipe, by which an error in the network's scale, which histories have, is multiplied to be
            one of the scaled intensities.

    Raises:
        InputError: the training was validated by PSNR alone.
    """
    points = []
    for numbers in validations(folder):
        if "ssim" not in numbers:
            raise InputError(
                f"The training in '{folder}' was validated without SSIM and RMSE; delete it and train again."
            )
        points.append(
            Point(
                numbers["step"],
                numbers["psnr"],
                numbers["gain"],
                numbers["ssim"],
                numbers["rmse"] * half_width,
                numbers["start/ssim"],
                numbers["start/rmse"] * half_width,
            )
        )
    return points


def write_curves(path: Path, curves: Curves) -> None:
    """Write a CSV file with a line for each validation of each network."""
    names = [field.name for field in dataclasses.fields(Point)]
    rows: list[list[object]] = [["network", *names]]
    for network, points in curves.items():
        rows += [[network, point.step, *(f"{getattr(point, name):.5g}" for name in names[1:])] for point in points]
    write_rows(path, rows)


def read_curves(path: Path) -> Curves:
    """Return the curves that :func:`write_curves` wrote, in the same order."""
    curves: dict[str, list[Point]] = {}
    for row in read_rows(path):
        numbers = {name: float(cell) for name, cell in row.items() if name not in ("network", "step")}
        curves.setdefault(row["network"], []).append(Point(step=int(row["step"]), **numbers))
    return curves


def draw_curves(curves: Curves, path: Path) -> None:
    """Draw SSIM, PSNR and RMSE side by side: a line for each network, and a dashed one for the thin plate.

    The thin plate has the colour of the first network that is validated in these holes; it is grey where all networks
    are validated in the same holes.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    rows = -(-(len(curves) + 1) // _COLUMNS_OF_LEGEND)
    figure = Figure(figsize=(11, 3.3 + 0.22 * rows), dpi=110, layout="constrained")
    axes = figure.subplots(1, len(_PANELS))
    styles = dict(zip(curves, _styles(), strict=False))
    plates = _thin_plates(curves)
    for axis, (score, start, title) in zip(axes, _PANELS, strict=True):
        for network, points in curves.items():
            axis.plot([point.step for point in points], [getattr(point, score) for point in points], **styles[network])
        for network, point in plates.items():
            colour = styles[network]["color"] if len(plates) > 1 else _GREY
            axis.axhline(getattr(point, start), color=colour, **_DASHED)
        axis.set_xlabel("updates")
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    drawn = [Line2D([], [], label=network, **style) for network, style in styles.items()]
    drawn.append(Line2D([], [], color=_GREY, label="thin plate", **_DASHED))
    figure.legend(handles=drawn, loc="outside lower center", ncols=_COLUMNS_OF_LEGEND, frameon=False, fontsize=9)
    write_figure(figure, path)


def _thin_plates(curves: Curves) -> dict[str, Point]:
    """Return the first validation of the first network in each set of holes, by the network's label."""
    plates: dict[tuple[float, float], tuple[str, Point]] = {}
    for network, points in curves.items():
        # Not the PSNR: a difference of two rounded numbers is not the same for all networks.
        plates.setdefault((points[0].start_ssim, points[0].start_rmse), (network, points[0]))
    return dict(plates.values())


def _styles() -> itertools.chain[dict[str, Any]]:
    """Return as many different lines as a picture can have."""
    from matplotlib import color_sequences

    colours = color_sequences["tab10"]
    return itertools.chain.from_iterable(
        (
            {"color": colour, "marker": marker, "linestyle": line, "markersize": 3.5, "linewidth": 1.4}
            for colour in colours
        )
        for marker, line in _STYLES
    )
