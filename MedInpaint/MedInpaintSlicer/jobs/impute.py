"""The job that estimates a missing contrast."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from slicer.i18n import tr as _

from ..nodes import estimates, guides
from ..nodes.images import imageOf
from . import process
from .job import Job

if TYPE_CHECKING:
    from MedInpaintLib.jobs import impute as engine
    from MedInpaintLib.report import ImputeReport


@dataclasses.dataclass(frozen=True)
class Request:
    """A request for an estimate; the other fields are those of the engine's job.

    Attributes:
        volumes: contrast -> scalar volume. That of the target is ignored.
        reference: the contrast whose grid the result gets; None: the first one.
        like: a volume of the target contrast whose intensities the result gets, or None.
    """

    volumes: Mapping[str, Any]
    target: str
    like: Any = None
    register: bool = False
    model: str = "auto"
    reference: str | None = None
    outputVolume: Any = None
    device: str = "auto"


def sourcesOf(volumes: Mapping[str, Any], target: str) -> dict[str, Any]:
    """Return the volumes to estimate from: contrast -> volume, without the target's own."""
    return {name: node for name, node in volumes.items() if node is not None and not _isSame(name, target)}


def complaint(volumes: Mapping[str, Any], target: str, like: Any = None, outputVolume: Any = None) -> str:
    """Say in a line why nothing can be estimated from these volumes; empty when something can."""
    sources = sourcesOf(volumes, target)
    if not sources:
        return _("{target} can only be estimated from other contrasts; choose one or more of them.").format(
            target=target
        )
    if like is not None and any(each is like for each in sources.values()):
        return _("'{like}' is another contrast: intensities can only be like those of a {target} volume.").format(
            like=like.GetName(), target=target
        )
    used = [each for each in (*volumes.values(), like) if each is not None]
    return commonComplaint(sources, used, outputVolume)


def commonComplaint(volumes: Mapping[str, Any], used: Iterable[Any], outputVolume: Any) -> str:
    """Say in a line what is wrong with the volumes of an estimate or a repair; empty when nothing is.

    Args:
        volumes: contrast -> volume.
        used: all input volumes.
        outputVolume: the chosen output, or None.
    """
    for (first, node), (second, other) in itertools.combinations(volumes.items(), 2):
        if node is other:
            return _("Volume '{volume}' is chosen for {first} and for {second}; each needs its own.").format(
                volume=node.GetName(), first=first, second=second
            )
    if any(each is outputVolume for each in used):
        return _("Choose another output volume: the inputs are never changed.")
    return ""


class ImputeJob(Job):
    """An estimate of a contrast that runs, or has run."""

    report: "ImputeReport | None"

    def __init__(self, request: Request, runner: process.Runner, **callbacks) -> None:
        self._request = request
        self._sources = sourcesOf(request.volumes, request.target)
        self._reference = _reference(self._sources, request.reference)
        super().__init__(self._sources.get(self._reference), request.outputVolume, runner, **callbacks)
        self._names = {name: node.GetName() for name, node in self._sources.items()}
        self._likeName = request.like.GetName() if request.like is not None else ""

    def _check(self) -> None:
        from MedInpaintLib.errors import InputError, ParameterError

        request = self._request
        wrong = complaint(request.volumes, request.target, request.like, request.outputVolume)
        if wrong:
            raise InputError(wrong)
        if self._reference not in self._sources:
            raise ParameterError(
                _("The reference must be one of {names}; found '{reference}'.").format(
                    names=", ".join(self._sources), reference=request.reference
                )
            )

    def _prepare(self) -> tuple[str, ...]:
        # Read all of them before writing any file, so that an unusable volume is a one-line error.
        used = (*self._sources.values(), self._request.like)
        images = [imageOf(node) for node in used if node is not None and node is not self.inputVolume]
        return tuple(warning for image in images for warning in image.warnings)

    def _write(self) -> "engine.ImputeJob":
        from MedInpaintLib.jobs import impute as engine

        request = self._request
        images = {
            name: self._writeImage(f"source-{number}", node, *self._voxelsAndGrid(node))
            for number, (name, node) in enumerate(self._sources.items(), start=1)
        }
        like = None
        if request.like is not None:
            image = imageOf(request.like)  # only its intensities count, wherever it lies
            like = self._writeImage("like", request.like, image.array, image.geometry)
        return engine.ImputeJob(
            job=engine.ImputeJob.KIND,
            images=images,
            target=request.target,
            output=str(self._file("output")),
            like=like,
            model=str(request.model),
            reference=self._reference,
            register=bool(request.register),
            device=request.device,
            compress=False,
        )

    def _voxelsAndGrid(self, node) -> tuple[np.ndarray, np.ndarray]:
        """Return a volume's voxels and the matrix of their grid.

        That is its own grid if the engine can resample it onto the reference, else the reference's.
        """
        image = imageOf(node)
        inOneSpace = node.GetParentTransformNode() is self.inputVolume.GetParentTransformNode()
        straight = image.geometry is image.ijkToRAS and self._image.geometry is self._image.ijkToRAS
        if node is self.inputVolume or (inOneSpace and straight):
            return image.array, image.geometry
        return guides.allOnGridOf(self.inputVolume, node), self._image.geometry

    def _addToScene(self, result: dict, outputVolume: Any):
        from MedInpaintLib import Volume

        report: ImputeReport = result["report"]
        estimated = Volume.read(result["output"]).array
        node = estimates.addEstimate(
            estimated, self._image.ijkToRAS, self.inputVolume, report["target"], self._request.like, outputVolume
        )
        if outputVolume is None:
            self.created.append(node)
        estimates.describeEstimate(node, {**report, "warnings": self.warnings}, self._names, self._likeName)
        return node


def _reference(sources: Mapping[str, Any], chosen: str | None) -> str:
    if chosen is None:
        return next(iter(sources), "")
    return next((name for name in sources if _isSame(name, chosen)), "")


def _isSame(name: str, other: str) -> bool:
    """Return whether two names mean the same contrast; case does not matter, as in the engine."""
    return name.strip().lower() == other.strip().lower()
