"""The contract of a method: its card, what it is given, what it returns, and how one method runs another.

A method is a function ``fill(region, parameters, run) -> Prediction`` under the :func:`method` decorator, which
carries all that the command line, the panel and the documentation say about it.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .blending.by_name import BLENDS
from .calibration import Calibration
from .errors import ParameterError
from .initial_fill import initial_fill
from .parameters import ParameterInfo, describe
from .progress import Progress
from .region import Region
from .subject import Subject


@dataclasses.dataclass(frozen=True)
class NoParameters:
    """Parameters of methods that need none."""


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a method returns for a region.

    Attributes:
        mean: float, of the region's shape and scale: under the hole the fill, elsewhere the method's own estimate where
            it has one (blending compares the two), else the known values. Ignored where there is no data.
        spread: optional standard deviation of the fill, in the region's shape and scale: how far the truth may be off
            by what the method itself knows. The road calibrates it.
        notes: facts for the report (iterations, residual, ...); plain numbers and text.
        warnings: for the user, above all where another method replaced this one and why.
        instead: the method that replaced this one in all of the region; None when this one filled some of it.
        device: of torch, where its network ran in the end: the CPU if memory was too small. None without a network.
        companions: the predictions for the region's companions, from the same sources; empty where there are none, and
            where this method fills each image on its own.
        calibration: how the spread becomes a calibrated standard deviation where the method has constants of its own,
            such as those of a model; :data:`.calibration.AS_GIVEN` where it is one. None: the shipped constants.
    """

    mean: np.ndarray
    spread: np.ndarray | None = None
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    instead: str | None = None
    device: str | None = None
    companions: tuple[Prediction, ...] = ()
    calibration: Calibration | None = None


@dataclasses.dataclass(frozen=True)
class Run:
    """What a method may need besides the region: the seed, the device and the progress.

    The same seed gives the same output on the same number of threads: on others the BLAS adds up in another order
    (patch-regression with one and with two of them: up to 6e-5 apart at float32 intensities of 800).
    """

    seed: int = 0
    device: str = "cpu"
    progress: Progress = dataclasses.field(default_factory=Progress)

    def rng(self) -> np.random.Generator:
        """Return a fresh generator; the same seed gives the same numbers."""
        return np.random.default_rng(self.seed)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a method takes on one 2 GHz core.

    Attributes:
        region: seconds for a region.
        thousand: seconds for each 1000 voxels to fill in it, up to ``few`` of them.
        few, beyond: seconds for each 1000 voxels more than so many.
        box: seconds for each 1000 voxels of the boxes around the parts: solvers work on all of a box, and of that of a
            confluent lesion 5 % are to be filled, of that of a ball half.
        image: seconds once an image, for what all its regions share.
    """

    region: float
    thousand: float
    few: float = math.inf
    beyond: float = 0.0
    box: float = 0.0
    image: float = 0.0

    def seconds(self, voxels: int, box: int | None = None) -> float:
        """Return about what a region takes.

        Args:
            voxels: to fill in it.
            box: voxels of the boxes around its parts; twice the ones to fill when None, as for balls.

        >>> Cost(0.5, 1.0, few=2000, beyond=0.1).seconds(3000)
        2.6
        """
        few = min(voxels, self.few)
        boxed = self.box * (2 * voxels if box is None else box)
        return self.region + (self.thousand * few + self.beyond * (voxels - few) + boxed) / 1000


@dataclasses.dataclass(frozen=True)
class MethodInfo:
    """One method, as the user meets it.

    Attributes:
        name: as users type it, e.g. ``"harmonic"``.
        title: what the panel shows.
        family: ``"trivial"``, ``"PDE"``, ``"interpolation"``, ...
        summary: one line: what it does and what it is good for.
        trust: one line: how far to trust the result; goes into every report.
        reference: the source, as one would cite it.
        parameters: a frozen dataclass of :func:`~.parameters.parameter` fields.
        dimensions: ``"2-D"``, ``"3-D"`` or ``"2-D and 3-D"`` (``"2-D"`` methods fill volumes slice by slice).
        context_mm: how much known tissue around the hole the method sees.
        blend: the blending that suits it.
        needs_model: whether it needs a trained model bundle.
        architecture: of the models that it can use; None for methods that need none.
        needs_exemplars: whether it needs scans of other subjects, of the same contrast; other methods use none.
        uses_guides: whether it uses other contrasts of the same subject where there are any.
        shares_sources: whether it fills several images with one hole from the same sources; others fill each alone.
        needs_guides: whether it can do nothing without them.
        wants_gpu: whether it is quick only on a GPU.
        requires: packages beyond the engine's own, as pip names them.
        cost: measured by ``Testing/Benchmarks/costs.py``; divides up the progress.
        prepare: computes what all regions of an image share and caches it in the subject, before they are filled and
            before worker processes get the subject.
        fill: the function itself.
    """

    name: str
    title: str
    family: str
    summary: str
    trust: str
    reference: str
    parameters: type = NoParameters
    dimensions: str = "2-D and 3-D"
    context_mm: float = 5.0
    blend: str = "paste"
    needs_model: bool = False
    architecture: str | None = None
    needs_exemplars: bool = False
    uses_guides: bool = False
    shares_sources: bool = False
    needs_guides: bool = False
    wants_gpu: bool = False
    requires: tuple[str, ...] = ()
    cost: Cost = Cost(0.005, 0.02)
    prepare: Callable[[Subject, Progress], Any] | None = None
    fill: Callable[[Region, Any, Run], Prediction] | None = None

    def missing(self) -> tuple[str, ...]:
        """Return those of ``requires`` that are not installed."""
        return tuple(package for package in self.requires if not _is_installed(package))

    def modalities(self) -> list[str]:
        """Return the modalities that there are models of this method for; none for a method that needs no model.

        >>> from MedInpaintLib import list_methods
        >>> "MR" in list_methods()["unet"].modalities(), list_methods()["harmonic"].modalities()
        (True, [])
        """
        from .models.store import modalities

        return modalities(self.architecture) if self.architecture else []

    def describe(self) -> list[ParameterInfo]:
        """Return the method's parameters, for a form, a help page or a table."""
        return describe(self.parameters)


#: The methods by name whose files were imported; :func:`.methods.registry.methods` imports them all.
METHODS: dict[str, MethodInfo] = {}


def method(**info: Any) -> Callable:
    """Register the decorated ``fill(region, parameters, run)`` under ``MethodInfo(**info)``."""

    def register(fill: Callable[[Region, Any, Run], Prediction]) -> Callable[[Region, Any, Run], Prediction]:
        entry = MethodInfo(fill=fill, **info)
        METHODS[entry.name] = entry
        return fill

    return register


def fill_with(name: str, region: Region, progress: Progress | None = None, *, seed: int = 0) -> Prediction:
    """Run another method with its defaults and blend the result, for methods that refine an existing fill.

    Guides and companions are left out: the networks that refine a fill have learned from fills that were made without.

    Args:
        name: of the method.
        region: to fill.
        progress: reports and cancels.
        seed: for chance.

    Returns:
        the method's prediction, whose mean is float32 and the region's values where these are known; without data, as
        :func:`.initial_fill`.

    Raises:
        ParameterError: there is no such method, or it needs a model or other scans itself.
    """
    progress = progress or Progress()
    info = METHODS.get(name)
    if info is None:
        raise ParameterError(f"There is no method '{name}'; the methods are: {', '.join(sorted(METHODS))}.")
    if info.needs_model or info.needs_exemplars or info.needs_guides:
        raise ParameterError(f"Method '{name}' needs a model or other scans itself, so nothing can go on from it.")
    assert info.fill is not None  # the decorator fills it in
    region = region.alone()
    prediction = info.fill(region, info.parameters(), Run(seed, progress=progress.part(0.0, 0.9)))
    mean = BLENDS[info.blend](prediction.mean, region, progress.part(0.9, 1.0)).astype(np.float32)
    if region.no_data is not None:
        # Interpolation of this fill meets these voxels.
        mean[region.no_data] = initial_fill(region)[region.no_data]
    return dataclasses.replace(prediction, mean=mean)


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
