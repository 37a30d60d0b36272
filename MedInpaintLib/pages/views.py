"""Views of a fill: before, after, outline and uncertainty in one plane, ready for a page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..mask import Box, Hole
from ..no_data import find
from ..parts import Part
from ..volume import Volume
from .pictures import Window, grey_uri, outline, spread_uri
from .planes import Letters, Plane, around, planes_of

#: Pixels of a picture along each side; of larger sections every n-th voxel is shown.
MOST_PIXELS = 256
#: The slice around a view is shown too, unless the view has at least this share of both its sides.
NEARLY_ALL = 0.8
_AXES = "kji"


@dataclasses.dataclass(frozen=True)
class View:
    """One plane through a part of the hole.

    Attributes:
        caption: plane and index, such as ``"axial, k = 54"``.
        ratio: width over height, in mm.
        size: columns and rows of the pictures.
        before, after: data URIs.
        outline: of the hole, an SVG path in pixels.
        spread: data URI of the uncertainty, or None.
        letters: of the directions, or None.
        frame: left, top, width and height of the close views in this one, as shares of it; None in a close view.
        step: every n-th voxel is shown, 1 for all.
        has_no_data: whether voxels without data are in sight.
    """

    caption: str
    ratio: float
    size: tuple[int, int]
    before: str
    after: str
    outline: str
    spread: str | None
    letters: Letters | None
    frame: tuple[float, float, float, float] | None
    step: int
    has_no_data: bool

    def bytes(self) -> int:
        """Return about what the view takes in a page."""
        return len(self.before) + len(self.after) + 2 * len(self.outline) + len(self.spread or "")


class Scene:
    """A fill, ready to be viewed.

    Attributes:
        planes: the ways to cut it.
        window: of all its views.
        most: the uncertainty with the last color, or None without one.
    """

    def __init__(
        self, image: Volume, filled: np.ndarray, hole: Hole, modality: str, spread: np.ndarray | None = None
    ) -> None:
        self._image, self._filled, self._hole, self._spread = image, filled, hole, spread
        self._no_data = find(image, hole, hole)[0]
        self.planes = planes_of(image)
        self.window = Window.of(image, hole, self._no_data, modality)
        self.most = None if spread is None else _most(spread[hole.box][hole.voxels])

    def views(self, part: Part) -> list[View]:
        """Return the views of a part: through its middle in each plane, and the whole slice around the first."""
        if not self.planes:
            return []
        middle, close = part.middle(), around(part.box, self._image)
        views = [self._view(plane, plane.section(close, middle)) for plane in self.planes]
        plane = self.planes[0]
        inner, outer = plane.section(close, middle), plane.section(self._everything(), middle)
        frame = plane.place(inner, outer)
        if min(frame[2:]) < NEARLY_ALL:
            views.append(self._view(plane, outer, frame))
        return views

    def _everything(self) -> Box:
        return tuple(slice(0, size) for size in self._image.array.shape)

    def _view(self, plane: Plane, box: Box, frame: tuple[float, float, float, float] | None = None) -> View:
        axes = (plane.down, plane.right)
        sides = [box[axis].stop - box[axis].start for axis in axes]
        tall, wide = (side * self._image.spacing[axis] for side, axis in zip(sides, axes, strict=True))
        step = -(-max(sides) // MOST_PIXELS)
        hole = _thinned(plane.turned(self._hole.crop(box)), step)
        no_data = None if self._no_data is None else _thinned(plane.turned(self._no_data[box]), step)
        before = self.window.pixels(_thinned(plane.turned(self._image.array[box]), step), no_data)
        after = self.window.pixels(_thinned(plane.turned(self._filled[box]), step), no_data)
        spread = None
        if self._spread is not None and self.most is not None and hole.any():
            spread = spread_uri(_thinned(plane.turned(self._spread[box]), step), hole, self.most)
        index = "" if plane.across is None else f", {_AXES[plane.across]} = {box[plane.across].start}"
        return View(
            caption=f"{plane.name}{index}",
            ratio=wide / tall,
            size=(hole.shape[1], hole.shape[0]),
            before=grey_uri(before),
            after=grey_uri(after),
            outline=outline(hole),
            spread=spread,
            letters=plane.letters,
            frame=frame,
            step=step,
            has_no_data=bool((before == 0).any()),
        )


def _thinned(picture: np.ndarray, step: int) -> np.ndarray:
    return picture[::step, ::step]


def _most(spread: Sequence[float] | np.ndarray) -> float | None:
    """Return the uncertainty that 99 % of the filled voxels do not exceed; None where there is none at all."""
    finite = np.asarray(spread, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    most = float(np.percentile(finite, 99)) if finite.size else 0.0
    return most if most > 0 else None
