"""Figures of fills on the slice where the hole is largest."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..appearance import Appearance
from ..data_range import data_range_of
from ..errors import GeometryError, MaskError, MissingDependencyError, OutputPathError
from ..files import replacing
from ..intensity import sample_known
from ..mask import Hole
from ..modality import Modality
from ..no_data import find
from ..texts import escaped
from ..volume import Volume

_BACK, _INK, _DIM, _OUTLINE = "#101214", "#f2f2f2", "#a7adb5", "#ffb000"
_PANEL = 3.2  # inches, the height of a panel
#: Colours of the difference: dark at zero, so that a perfect fill draws no attention.
_DIVERGING = ("#7fd8ff", "#2a7fb8", "#23272c", "#c2402f", "#ffc08a")
_CLOSER = 3.0  # width of a close-up over width of the hole
_SMALL = 0.25  # a hole below this share of the slice's width gets a close-up
_MM_CLOSEST = 40.0
#: Ending -> options of the encoder, of which the one with the fewest bytes is taken. Of 21 pictures on the pages of
#: studies, six took fewer bytes without any loss (large flat pixels, plots). The slowest method takes about a second.
_FORMATS: dict[str, tuple[dict[str, Any], ...]] = {
    ".png": ({},),
    ".webp": ({"method": 6}, {"lossless": True, "quality": 100, "method": 6}),
}
#: Quality of WebP with loss. On the pages of studies 85 took 41 % of the bytes of PNG, with no artefacts to be seen; 70
#: takes fewer, for the size of the repository, and smooths the finest texture.
QUALITY = 70


def save_figure(
    path: str | os.PathLike[str],
    image: Volume,
    hole: np.ndarray,
    filled: np.ndarray,
    *,
    method: str = "",
    scores: Mapping[str, float] | None = None,
    window: tuple[float, float] | None = None,
    truth_known: bool = True,
    dpi: int = 110,
) -> None:
    """Write a figure of a fill, as PNG or WebP.

    Panels: before, hole, after, difference (after - before, in the hole). Pixels keep their shape in mm; axes are as in
    radiology (anterior and superior up, the patient's left at the right) if the image has an orientation. Small holes
    are shown close up, after a panel with the whole slice.

    Args:
        path: of the picture; ends in ``.png`` or ``.webp``.
        image: before; ``(k, j, i)`` or ``(j, i)``.
        hole, filled: mask (bool) and filled array, of the image's shape.
        method, scores: for the title; psnr, ssim and mae are shown.
        window: ``(black, white)`` in the image's intensities; by default the range R of the scores
            (:func:`MedInpaintLib.data_range.data_range_of`).
        truth_known: whether ``image`` holds the truth under the hole (synthetic holes); if not, the last panel is named
            "change".

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OutputPathError: the path has another ending.
        OutputError: the file could not be written.
    """
    _need_matplotlib()
    _format(path)
    if not (image.array.shape == hole.shape == filled.shape):
        raise GeometryError(
            f"Image, hole and fill must have one shape; found {image.array.shape}, {hole.shape} and {filled.shape}."
        )
    hole = np.asarray(hole, dtype=bool)
    if not hole.any():
        raise MaskError("The hole is empty, so there is no slice to show.")
    black, white = window or _window(image, hole)
    where, index = _slice(hole)
    flips = _flips(image)
    before, after = (np.flip(array[where].astype(np.float64), flips) for array in (image.array, filled))
    mask = np.flip(hole[where], flips)
    tall, wide = image.spacing[-2:]
    view = _view(mask, tall, wide)
    close_up = view is not None
    part = view or (slice(0, mask.shape[0]), slice(0, mask.shape[1]))

    panels = ["before", "hole", "after", "difference" if truth_known else "change"]
    ratio = _width(part, tall, wide)
    widths = [ratio] * 4
    if close_up:
        panels.insert(0, "slice")
        widths.insert(0, _width((slice(0, mask.shape[0]), slice(0, mask.shape[1])), tall, wide))
    figure, axes = _layout(widths, dpi)
    step = after - before
    reach = max(float(np.percentile(np.abs(step[mask]), 99)), 1e-3 * (white - black))
    for axis, name in zip(axes, panels, strict=True):
        area = (slice(0, mask.shape[0]), slice(0, mask.shape[1])) if name == "slice" else part
        extent = _extent(area, tall, wide)
        grey: dict[str, Any] = {
            "cmap": "gray",
            "vmin": black,
            "vmax": white,
            "extent": extent,
            "interpolation": "nearest",
        }
        axis.set_title(escaped(name), color=_INK, fontsize=11, pad=5, parse_math=False)
        axis.set_axis_off()
        if name == "slice":
            axis.imshow(before[area], **grey)
            _frame(axis, part, tall, wide)
        elif name == "hole":
            axis.imshow(np.where(mask, np.nan, before)[area], **grey)
            axis.imshow(_tint(mask[area]), extent=extent, interpolation="nearest")
        elif name in ("difference", "change"):
            axis.imshow(before[area], **{**grey, "alpha": 0.35})
            drawn = axis.imshow(
                np.where(mask, step, np.nan)[area],
                cmap=_diverging(),
                vmin=-reach,
                vmax=reach,
                extent=extent,
                interpolation="nearest",
            )
        else:
            axis.imshow((before if name == "before" else after)[area], **grey)
        if name not in ("slice", "after"):  # the outline would hide the seam in "after"
            _outline(axis, mask, tall, wide)
        if name != "slice":
            axis.set_xlim(extent[0], extent[1])
            axis.set_ylim(extent[2], extent[3])
    _colorbar(figure, axes[-1], drawn)
    _write_words(figure, method, scores, index, image, black, white)

    write_figure(figure, path, dpi=dpi, facecolor=_BACK)


def save_comparison(
    path: str | os.PathLike[str],
    image: Volume,
    hole: np.ndarray,
    fills: Mapping[str, np.ndarray],
    scores: Mapping[str, Mapping[str, float]] | None = None,
    *,
    differences: bool = False,
    dpi: int = 100,
) -> None:
    """Write a figure of truth, hole and several fills side by side, with one orientation and crop, as PNG or WebP.

    Args:
        path: of the picture; ends in ``.png`` or ``.webp``.
        image: with the truth under the hole; ``(k, j, i)`` or ``(j, i)``.
        hole: bool, the image's shape; a small one is shown close up.
        fills: label -> filled array of the image's shape.
        scores: label -> metric -> score, for the headings; psnr is shown.
        differences: show fill - truth beside each fill, all at one scale.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OutputPathError: the path has another ending.
        OutputError: the file could not be written.
    """
    _need_matplotlib()
    _format(path)
    black, white = _window(image, hole)
    where, _ = _slice(hole)
    flips = _flips(image)
    mask = np.flip(hole[where], flips)
    tall, wide = image.spacing[-2:]
    part = _view(mask, tall, wide) or (slice(0, mask.shape[0]), slice(0, mask.shape[1]))
    images = {"truth": image.array, "hole": np.where(hole, np.nan, image.array.astype(np.float64)), **fills}
    extent = _extent(part, tall, wide)
    steps = {label: np.where(hole, array.astype(np.float64) - image.array, np.nan) for label, array in fills.items()}
    reach = max(float(np.percentile(np.abs(each[hole]), 99)) for each in steps.values()) or 1.0
    grey: dict[str, Any] = {"cmap": "gray", "vmin": black, "vmax": white}
    red: dict[str, Any] = {"cmap": _diverging(), "vmin": -reach, "vmax": reach}
    panels = []
    for label, array in images.items():
        psnr = (scores or {}).get(label, {}).get("psnr")
        panels.append((label if psnr is None else f"{label}\n{psnr:.1f} dB", array, grey))
        if differences and label in fills:
            panels.append(("fill - truth", steps[label], red))
    figure, axes = _layout([_width(part, tall, wide)] * len(panels), dpi)
    for axis, (title, array, colours) in zip(axes, panels, strict=True):
        axis.set_title(escaped(title, keep="\n"), color=_INK, fontsize=11, pad=5, parse_math=False)
        axis.set_axis_off()
        axis.imshow(
            np.flip(array[where].astype(np.float64), flips)[part], extent=extent, interpolation="nearest", **colours
        )
        if title in ("truth", "hole"):  # the outline would hide the seams of the fills
            _outline(axis, mask, tall, wide)
        axis.set_xlim(extent[0], extent[1])
        axis.set_ylim(extent[2], extent[3])
    write_figure(figure, path, dpi=dpi, facecolor=_BACK)


def write_figure(figure: Any, path: str | os.PathLike[str], *, quality: int = QUALITY, **options: Any) -> None:
    """Write a matplotlib figure in the format that its path ends in.

    Args:
        figure: to write.
        path: of the picture; ends in ``.png`` or ``.webp``.
        quality: of WebP with loss, up to 100.
        options: of matplotlib's ``savefig``.

    Raises:
        OutputPathError: the path has another ending.
        OutputError: the file could not be written.
    """
    ending = _format(path)
    pictures = []
    for encoder in _FORMATS[ending]:
        content = io.BytesIO()
        figure.savefig(content, format=ending[1:], pil_kwargs={"quality": quality, **encoder}, **options)
        pictures.append(content.getvalue())
    with replacing(path) as temporary:
        temporary.write_bytes(min(pictures, key=len))


def _format(path: str | os.PathLike[str]) -> str:
    """Return the ending of a picture's path in lower case.

    Raises:
        OutputPathError: there is no such format.
    """
    ending = Path(path).suffix.lower()
    if ending not in _FORMATS:
        raise OutputPathError(f"'{Path(path).name}' must end in {' or '.join(_FORMATS)}.")
    return ending


def _need_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingDependencyError(
            "Figures need matplotlib, which is not installed; install it with: pip install matplotlib"
        ) from None


def _layout(widths: list[float], dpi: int) -> tuple[Any, list[Any]]:
    """Return a figure with panels of one height and space for title, text line and colorbar."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    gap, top, bottom, right, left = 0.08, 0.72, 0.38, 0.75, 0.12
    panel_widths = [ratio * _PANEL for ratio in widths]
    whole = (left + sum(panel_widths) + gap * (len(widths) - 1) + right, top + _PANEL + bottom)
    # The object interface, not pyplot, has no global state, so it works inside any application.
    figure = Figure(figsize=whole, dpi=dpi)
    FigureCanvasAgg(figure)
    axes, x = [], left
    for width in panel_widths:
        axes.append(figure.add_axes((x / whole[0], bottom / whole[1], width / whole[0], _PANEL / whole[1])))
        x += width + gap
    return figure, axes


def _slice(hole: np.ndarray) -> tuple[tuple[Any, ...], int | None]:
    """Return the index of the slice with most voxels to fill, and its number (None in 2-D)."""
    if hole.ndim == 2:
        return (), None
    index = int(np.argmax(np.count_nonzero(hole, axis=(1, 2))))
    return (index,), index


def _flips(image: Volume) -> tuple[int, ...]:
    """Return the axes of a slice to flip to put the patient's left at the right and superior up; none in 2-D."""
    dimensions = image.array.ndim
    if dimensions == 2:
        return ()
    direction = np.array(image.direction).reshape(dimensions, dimensions)
    flips = []
    for axis, column in ((0, 1), (1, 0)):  # rows run along j, columns along i
        along = direction[:, column]
        anatomical = int(np.argmax(np.abs(along)))
        sign = -1 if anatomical == 2 else 1  # LPS: left and posterior grow rightwards or downwards, superior upwards
        if along[anatomical] * sign < 0:
            flips.append(axis)
    return tuple(flips)


def _view(mask: np.ndarray, tall: float, wide: float) -> tuple[slice, slice] | None:
    """Return the close-up around a small hole, square in mm; None for a large hole."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    size = max((rows[-1] + 1 - rows[0]) * tall, (columns[-1] + 1 - columns[0]) * wide)
    field = max(mask.shape[0] * tall, mask.shape[1] * wide)
    if size > _SMALL * field:
        return None
    side = min(max(_CLOSER * size, min(_MM_CLOSEST, field)), field)
    return (
        _window_of((rows[0] + rows[-1] + 1) / 2, side / tall, mask.shape[0]),
        _window_of((columns[0] + columns[-1] + 1) / 2, side / wide, mask.shape[1]),
    )


def _window_of(centre: float, length: float, size: int) -> slice:
    """Return a slice of ``length`` pixels around the centre, moved inwards at the border."""
    length = min(round(length), size)
    start = min(max(round(centre - length / 2), 0), size - length)
    return slice(start, start + length)


def _width(part: tuple[slice, slice], tall: float, wide: float) -> float:
    """Return width over height in mm."""
    return (part[1].stop - part[1].start) * wide / ((part[0].stop - part[0].start) * tall)


def _extent(part: tuple[slice, slice], tall: float, wide: float) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top in mm."""
    return (part[1].start * wide, part[1].stop * wide, part[0].stop * tall, part[0].start * tall)


def _window(image: Volume, hole: np.ndarray) -> tuple[float, float]:
    box = tuple(slice(0, size) for size in hole.shape)
    no_data, _ = find(image)
    known = sample_known(image.array, hole, box, no_data)
    modality = Modality.guess(Appearance.of(image, Hole(hole, box, hole.shape), no_data)).modality
    scale = data_range_of(known, modality, image.array.dtype)
    return scale.black, scale.black + scale.width


def _tint(mask: np.ndarray) -> np.ndarray:
    """Return the hole as a translucent layer of the outline's colour."""
    from matplotlib.colors import to_rgba

    layer = np.zeros((*mask.shape, 4))
    layer[mask] = to_rgba(_OUTLINE, 0.8)
    return layer


def _diverging() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("difference", _DIVERGING)


def _outline(axis: Any, mask: np.ndarray, tall: float, wide: float) -> None:
    """Draw a thin line along the edges of the hole's pixels."""
    padded = np.pad(mask, 1)
    sides = []
    for r, c in np.argwhere(np.diff(padded, axis=0)):
        sides.append((((c - 1) * wide, r * tall), (c * wide, r * tall)))
    for r, c in np.argwhere(np.diff(padded, axis=1)):
        sides.append(((c * wide, (r - 1) * tall), (c * wide, r * tall)))
    from matplotlib.collections import LineCollection

    axis.add_collection(LineCollection(sides, colors=_OUTLINE, linewidths=0.8, capstyle="projecting"))


def _frame(axis: Any, part: tuple[slice, slice], tall: float, wide: float) -> None:
    from matplotlib.patches import Rectangle

    left, right, bottom, top = _extent(part, tall, wide)
    axis.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=_OUTLINE, linewidth=1.2))


def _colorbar(figure: Any, axis: Any, drawn: Any) -> None:
    box = axis.get_position()
    width = figure.get_size_inches()[0]
    place = figure.add_axes((box.x1 + 0.1 / width, box.y0 + 0.1 * box.height, 0.1 / width, 0.8 * box.height))
    bar = figure.colorbar(drawn, cax=place)
    bar.ax.tick_params(colors=_DIM, labelsize=8, length=2)
    bar.outline.set_visible(False)


def _write_words(
    figure: Any,
    method: str,
    scores: Mapping[str, float] | None,
    index: int | None,
    image: Volume,
    black: float,
    white: float,
) -> None:
    width, height = figure.get_size_inches()
    title = escaped(method)
    named = {"psnr": "PSNR {:.2f} dB", "ssim": "SSIM {:.3f}", "mae": "MAE {:.4g}"}
    numbers = "   ".join(text.format(scores[name]) for name, text in named.items() if scores and name in scores)
    figure.text(
        0.12 / width, 1 - 0.2 / height, title, color=_INK, fontsize=13, weight="bold", va="center", parse_math=False
    )
    figure.text(1 - 0.15 / width, 1 - 0.2 / height, numbers, color=_INK, fontsize=11, va="center", ha="right")
    where = "" if index is None else f"slice {index} of {image.array.shape[0]}   "
    voxel = " x ".join(f"{mm:.3g}" for mm in image.spacing)
    words = f"{where}voxels {voxel} mm   window {black:.4g} .. {white:.4g}   synthetic voxels, not for clinical use"
    figure.text(0.12 / width, 0.17 / height, words, color=_DIM, fontsize=8.5, va="center")
