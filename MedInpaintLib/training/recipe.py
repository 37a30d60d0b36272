"""Recipes: all settings of a training, in one TOML file."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..documents import read_toml
from ..errors import ParameterError
from ..frames import PLANES, pixel_size
from ..holes import Lesions, parse
from ..methods import registry
from ..modality import MODALITIES
from ..models.fields import NAME
from ..models.recipes import FOLDER
from ..networks import ESTIMATES, has_purpose
from ..volume import Volume

#: Largest validation hole, as a share of a frame's side.
MOST_HOLE = 0.75
#: Largest batch: 16,384 crops of 256 x 256 pixels take 4 GB.
MOST_AT_ONCE = 16_384

if TYPE_CHECKING:
    import torch

Table = TypeVar("Table")


@dataclasses.dataclass(frozen=True)
class Data:
    """The images to learn from, and how a network sees them.

    Attributes:
        modality: a name of :data:`.modality.MODALITIES`.
        contrasts: those to use; empty for all.
        plane, pixel_mm: of the slices and their pixels.
        centre, half_width: the network sees ``(scaled - centre) / half_width``, clipped to -1..1.

    For feed-forward networks only:

    Attributes:
        also: other planes, for volumes with voxels about as thick as wide.
        slice_mm: between the slices that the network sees.
        holes: to fill; see :func:`MedInpaintLib.holes.grammar`. Each case draws one, and of several holes one.
        cases: number of holes to make.
        hint: a method whose fill the network sees and corrects; none when empty.
        other_side: whether it also sees the other side of the body.
        across: pixels along an image's longer side, in place of ``pixel_mm``, for films; 0 for none.

    For networks that estimate contrasts only, with ``contrasts`` in the order of their channels:

    Attributes:
        wanted: the target contrasts of the validation; empty for all.
        inside: the manifest's contrast of the brain masks; sessions without one use the body.
    """

    modality: str
    contrasts: tuple[str, ...] = ()
    plane: str = "axial"
    pixel_mm: float = 1.0
    centre: float = 0.5
    half_width: float = 0.7
    also: tuple[str, ...] = ()
    slice_mm: float = 3.0
    holes: tuple[str, ...] = ("spheres:20mm",)
    cases: int = 2000
    hint: str = ""
    other_side: bool = False
    across: int = 0
    wanted: tuple[str, ...] = ()
    inside: str = ""

    def pixel_size(self, image: Volume) -> float:
        """Return the side of a pixel of an image's frames, mm."""
        return pixel_size(image, self.pixel_mm, self.across)

    @property
    def lesions(self) -> list[Path]:
        """The masks whose lesions are holes."""
        shapes = [parse(holes) for holes in self.holes]
        return [Path(shape.source) for shape in shapes if isinstance(shape, Lesions) and shape.source]

    @property
    def input(self) -> dict[str, Any]:
        """The entries of a bundle's ``input``, besides the size of frames."""
        return {
            "pixel_mm": self.pixel_mm,
            "plane": self.plane,
            "also": list(self.also),
            "slice_mm": self.slice_mm,
            "hint": self.hint,
            **({"across": self.across} if self.across else {}),
        }

    def normalise(self, images: torch.Tensor) -> torch.Tensor:
        """Convert scaled intensities to the network's scale; masks stay as they are."""
        if not images.is_floating_point():
            return images
        return ((images - self.centre) / self.half_width).clamp(-1.0, 1.0)


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The steps of a training.

    Attributes:
        steps: updates of the weights.
        batch: crops in each, over all processes.
        seed: of the weights and all random choices.
        ema: decay of the average of the weights that is validated and released (Polyak, Juditsky, 1992).
        clip: largest norm of a gradient.
        check_every: steps between two checks: validation, checkpoint, pictures.
        hole_mm: diameter of the validation holes: discs or, for feed-forward networks, spheres.
        holes: for validation of feed-forward networks, in place of spheres; each case draws one.
        crops: number of validation crops.
    """

    steps: int
    batch: int = 64
    seed: int = 0
    ema: float = 0.998
    clip: float = 10.0
    check_every: int = 1000
    hole_mm: float = 20.0
    holes: tuple[str, ...] = ()
    crops: int = 64


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All settings of a training.

    Attributes:
        name, title: of the model.
        architecture, arguments: of the network; see :func:`MedInpaintLib.networks.build`.
        data, schedule: see :class:`Data` and :class:`Schedule`.
        task: options of the task, such as learning rates and weights of losses; see :mod:`.tasks`.
    """

    name: str
    title: str
    architecture: str
    arguments: dict[str, Any]
    data: Data
    schedule: Schedule
    task: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def pixels(self) -> int:
        """Side of a crop."""
        return int(self.arguments["pixels"])

    @property
    def slices(self) -> int:
        """Number of slices that the network sees at once."""
        return int(self.arguments.get("slices", 1))

    @property
    def hint(self) -> bool:
        """Whether the network sees another method's fill."""
        return bool(self.arguments.get("hint", False))

    @property
    def other_side(self) -> bool:
        """Whether the network also sees the other side of the body."""
        return bool(self.arguments.get("other_side", False))


def read_recipe(source: str | os.PathLike[str]) -> Recipe:
    """Read a recipe from a file, or one of MedInpaint's own by its name.

    Raises:
        ParameterError: no such recipe, or an entry is missing, unknown or of the wrong kind.
        MissingDependencyError: Python is older than 3.11 and tomli is not installed.
    """
    path = Path(source)
    if not path.is_file():
        path = FOLDER / f"{source}.toml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.toml")))
        raise ParameterError(f"There is no recipe '{source}': give a TOML file or one of {known}.")
    content = read_toml(path, f"The recipe '{path}'", ParameterError)
    recipe = _table(Recipe, content, str(path))
    wrong = NAME.misfit(recipe.name, "name")
    if wrong:
        raise ParameterError(f"The recipe '{path}' cannot be used: {wrong}.")
    pixels = recipe.arguments.get("pixels")
    if not isinstance(pixels, int) or isinstance(pixels, bool) or pixels < 1:
        entry = "no 'pixels'" if pixels is None else f"pixels = {pixels!r}"
        raise ParameterError(
            f"The recipe ({path}, [arguments]) has {entry}; give the side of a frame as a whole number."
        )
    recipe = dataclasses.replace(
        recipe,
        data=_checked(_table(Data, recipe.data, f"{path}, [data]"), path),
        schedule=_possible(_table(Schedule, recipe.schedule, f"{path}, [schedule]"), recipe.architecture, path),
    )
    for holes in (*recipe.data.holes, *recipe.schedule.holes):
        parse(holes)  # before any image is read
    _check_hole(recipe, path)
    _check_hint(recipe, path)
    return recipe


def least_batch(architecture: str) -> int:
    """Return the least number of crops in a batch: one has no statistics for batch normalisation.

    >>> least_batch("unet"), least_batch("collagan")  # the latter has instance normalisation
    (2, 1)
    """
    return 1 if has_purpose(architecture, ESTIMATES) else 2


def _table(kind: type[Table], table: Any, where: str) -> Table:
    """Convert a TOML table to a dataclass; numbers and lists get the types of its fields."""
    if not isinstance(table, Mapping):
        raise ParameterError(f"The recipe ({where}) must have a table here; found {table!r}.")
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = [name for name in table if name not in fields]
    missing = [name for name, field in fields.items() if name not in table and _is_needed(field)]
    if unknown or missing:
        what = f"knows no '{unknown[0]}'" if unknown else f"lacks '{missing[0]}'"
        raise ParameterError(f"The recipe ({where}) {what}; its entries are: {', '.join(fields)}.")
    return kind(**{name: _value(fields[name], value, where) for name, value in table.items()})


def _is_needed(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "dict[str, Any]": (Mapping,),
}


def _value(field: dataclasses.Field, value: Any, where: str) -> Any:
    if field.type == "tuple[str, ...]":
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ParameterError(f"The recipe ({where}) must have a list of texts as '{field.name}'; found {value!r}.")
        return tuple(value)
    kinds: Any = _KINDS.get(str(field.type), (object,))
    if not isinstance(value, kinds) or isinstance(value, bool) is not (field.type == "bool"):
        raise ParameterError(f"The recipe ({where}) has a '{field.name}' that is no {field.type}: {value!r}.")
    return float(value) if field.type == "float" else value


def _checked(data: Data, path: Path) -> Data:
    for name, value, known in (("modality", data.modality, tuple(MODALITIES)), ("plane", data.plane, tuple(PLANES))):
        if value not in known:
            raise ParameterError(f"The recipe '{path}' has the {name} '{value}'; choose one of {', '.join(known)}.")
    for plane in data.also:
        if plane not in PLANES:
            raise ParameterError(f"The recipe '{path}' has the plane '{plane}'; choose one of {', '.join(PLANES)}.")
    for mask in data.lesions:
        if not mask.is_file():
            raise ParameterError(f"The recipe '{path}' takes lesions from '{mask}', and there is no such file.")
    if not data.holes or data.cases < 1:
        raise ParameterError(f"The recipe '{path}' has no holes to learn from; give 'holes' and 'cases'.")
    if data.across < 0:
        raise ParameterError(f"The recipe '{path}' has across = {data.across}; give a number of pixels, or 0 for none.")
    positive = {"pixel_mm": data.pixel_mm, "half_width": data.half_width, "slice_mm": data.slice_mm}
    for name, number in positive.items():
        if not 0 < number < math.inf:
            raise ParameterError(f"The recipe '{path}' has {name} = {number:g}; it must be above 0.")
    return data


def _possible(schedule: Schedule, architecture: str, path: Path) -> Schedule:
    least = {"steps": 1, "batch": least_batch(architecture), "seed": 0, "check_every": 1, "crops": 1}
    for name, value in least.items():
        if getattr(schedule, name) < value:
            number = getattr(schedule, name)
            raise ParameterError(f"The recipe '{path}' has {name} = {number}; it must be {value} or more.")
    for name in ("batch", "crops"):
        if getattr(schedule, name) > MOST_AT_ONCE:
            raise ParameterError(
                f"The recipe '{path}' has {name} = {getattr(schedule, name)}; it must be {MOST_AT_ONCE} or less: all "
                "of them are in memory at once."
            )
    if not 0 <= schedule.ema < 1:
        raise ParameterError(f"The recipe '{path}' has ema = {schedule.ema}; it must be at least 0 and below 1.")
    if not schedule.clip > 0:
        raise ParameterError(f"The recipe '{path}' has clip = {schedule.clip:g}; it must be above 0.")
    return schedule


def _check_hole(recipe: Recipe, path: Path) -> None:
    """Check that the validation's holes contain pixels and leave some of the frame around them."""
    mm, hole = recipe.data.pixel_mm, recipe.schedule.hole_mm
    least, most = 2 * mm, MOST_HOLE * recipe.pixels * mm
    if not least <= hole <= most:
        raise ParameterError(
            f"The recipe '{path}' has hole_mm = {hole:g}; with {recipe.pixels} pixels of {mm:g} mm it must be between "
            f"{least:g} and {most:g}."
        )


def _check_hint(recipe: Recipe, path: Path) -> None:
    """Check that a network gets all its inputs, and its hint from a method that runs on any image."""
    if recipe.arguments.get("other_side", False) is not recipe.data.other_side:
        raise ParameterError(
            f"The recipe '{path}' must have the same other_side, true or false, in [arguments] and in [data]."
        )
    name, uses_hint = recipe.data.hint, recipe.arguments.get("hint", False)
    if uses_hint is not bool(name):
        raise ParameterError(
            f"The recipe '{path}' has hint = {uses_hint!r} in [arguments] and hint = '{name}' in [data]; give hint = "
            "true and the name of a method, or neither."
        )
    method = registry.get(name) if name else None
    if method and (method.needs_model or method.needs_exemplars):
        raise ParameterError(f"The recipe '{path}' has the hint '{name}', which needs a model or other scans itself.")
