"""The pictures of the study: fills side by side, and the edges of the warped atlas over a damaged head."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from MedInpaintLib.atlas.maps import head_maps
from MedInpaintLib.atlas.registration import register, why_none
from MedInpaintLib.evaluation.figure import save_comparison, write_figure
from MedInpaintLib.frames import PLANES, pose
from MedInpaintLib.manifest import read_manifest
from MedInpaintLib.volume import Volume

from ..shared.cases import Case, Task
from ..shared.subjects import damaged_subject
from .holes import cut, read
from .measure import METHODS, MODELS, fill, no_registrations

FILLS, EDGES = "fills.webp", "edges.webp"
_BACK, _INK, _HOLE = "#101214", "#f2f2f2", "#ffb000"
#: Map -> the colour of its edge, where it falls below one half.
_COLOURS = {"white matter": "#ff5a4f", "grey matter": "#5ad1ff", "brain": "#9be564"}


def draw(case: Case, task: Task, data: Path, split: str, out: Path) -> None:
    """Draw the fills of a case that need no network, and the warped atlas over its damaged image.

    Args:
        case: to draw.
        task: its kind of holes.
        data: folder with MANIFEST.csv and the shapes of strokes.
        split: of the data.
        out: an existing folder.
    """
    entry = next(each for each in read_manifest(data, split) if each.name == case["image"])
    head = read(data, entry)
    labels = cut(task, head, data, case["seed"])
    if labels is None:
        return
    arms = {label: {**options, "workers": 1} for label, options in METHODS.items() if label not in MODELS}
    with no_registrations():
        table = fill(head.image, labels, entry, case["seed"], arms, keep_fills=True)
        draw_edges(head.image, labels > 0, out / EDGES)
    fills = {label: table.fills[label] for label in arms}
    scores = {label: table.mean_scores(label) for label in arms}
    save_comparison(out / FILLS, head.image, labels > 0, fills, scores)


def warped(image: Volume, hole: np.ndarray) -> dict[str, np.ndarray]:
    """Return the shares of tissues that the atlas expects in each voxel of a damaged image, 0..1; none if it fails."""
    registration = register(damaged_subject(image, hole))
    if registration is None or why_none(registration):
        return {}
    maps = head_maps()
    places = registration.places(tuple(slice(0, size) for size in image.array.shape))
    channels = {"white matter": maps.channels[1], "grey matter": maps.channels[0], "brain": maps.brain}
    return {name: maps.sample(channels[name], places) for name in _COLOURS}


def draw_edges(image: Volume, hole: np.ndarray, path: Path) -> None:
    """Draw three slices through the middle of a hole, without and with the edges of the warped atlas."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    maps = warped(image, hole)
    middle = [round(float(index.mean())) for index in np.nonzero(hole)]
    voided = np.where(hole, 0, image.array)
    white = float(np.percentile(voided[voided > 0], 99.5))
    figure = Figure(figsize=(4.0 * len(PLANES), 8.2), dpi=90, layout="constrained", facecolor=_BACK)
    axes = figure.subplots(2, len(PLANES))
    for plane, (above, below) in zip(PLANES, axes.T, strict=True):
        turned = pose(image, plane)
        axis = turned.order[0]
        number = middle[axis]
        if 0 in turned.flips:
            number = image.array.shape[axis] - 1 - number
        aspect = image.spacing[turned.order[1]] / image.spacing[turned.order[2]]
        for each in (above, below):
            each.imshow(turned.turn(voided)[number], cmap="gray", vmin=0, vmax=white, aspect=aspect)
            each.contour(turned.turn(hole)[number], [0.5], colors=_HOLE, linewidths=1.2)
            each.set_axis_off()
        for name, shares in maps.items():
            below.contour(turned.turn(shares)[number], [0.5], colors=_COLOURS[name], linewidths=0.6)
        above.set_title(plane, color=_INK, fontsize=12)
    lines = [Line2D([], [], color=colour, label=name) for name, colour in (*_COLOURS.items(), ("hole", _HOLE))]
    figure.legend(
        handles=lines, loc="outside lower center", ncols=len(lines), frameon=False, labelcolor=_INK, fontsize=11
    )
    write_figure(figure, path, facecolor=_BACK)
