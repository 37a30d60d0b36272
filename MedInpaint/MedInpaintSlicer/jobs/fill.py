"""One filling, from the nodes to the result in the scene."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from ..nodes import guides, results
from ..nodes.holes import Hole, centersOf, holeOf
from ..nodes.images import fileVolume
from ..nodes.uncertainty import addUncertainty
from . import process
from .job import Job


@dataclasses.dataclass(frozen=True)
class Request:
    """What to fill and how; the fields mean what they mean in the engine's job file."""

    volumeNode: Any
    segmentationNode: Any
    segmentIds: tuple[str, ...]
    method: str = "auto"
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    blend: str = "auto"
    device: str = "auto"
    seed: int = 0
    dilateMm: float = 0.0
    guides: tuple[Any, ...] = ()
    exemplars: str | None = None
    selfCheck: bool = False
    outputVolume: Any = None
    uncertainty: bool = False


class FillJob(Job):
    """A filling that runs, or has run.

    Attributes:
        uncertaintyVolume: the node that holds its uncertainty, once done, if that was asked for.
        centers: a point in each piece of the hole, in mm in RAS under the volume's transform, the largest piece first.
    """

    def __init__(self, request: Request, runner: process.Runner, **callbacks) -> None:
        """Runner and callbacks are those of :class:`Job`."""
        super().__init__(request.volumeNode, request.outputVolume, runner, **callbacks)
        self.segmentation = request.segmentationNode
        self.segmentIds = request.segmentIds
        self.uncertaintyVolume = None
        self.centers: tuple[tuple[float, float, float], ...] = ()
        self._request = request
        self._hole: Hole | None = None
        self._segmentNames: tuple[str, ...] = ()

    def _check(self) -> None:
        from MedInpaintLib.errors import InputError

        request = self._request
        if request.outputVolume is not None and request.outputVolume is request.volumeNode:
            raise InputError(_("The output must be another volume than the input, which is never changed."))
        wrong = guides.complaint(request.guides, request.volumeNode, request.outputVolume)
        if wrong:
            raise InputError(wrong)

    def _prepare(self) -> tuple[str, ...]:
        request = self._request
        self._hole = holeOf(request.segmentationNode, request.segmentIds, request.volumeNode)
        self._segmentNames = self._hole.names
        self.centers = centersOf(self._hole.mask, self._image.ijkToRAS)
        return self._hole.warnings

    def _write(self) -> dict[str, Any]:
        request, geometry = self._request, self._image.geometry
        mask, self._hole = self._hole.mask, None
        fileVolume(self._image.array, geometry).write(self._file("image"), compress=False)
        fileVolume(mask, geometry).write(self._file("mask"), compress=False)
        guideFiles = [
            self._writeImage(f"guide-{number}", node, guides.onGridOf(request.volumeNode, node, mask), geometry)
            for number, node in enumerate(request.guides, start=1)
        ]
        return {
            "job": "fill",
            **{name: str(self._file(name)) for name in ("image", "mask", "output")},
            "labels": None,
            "dilate_mm": float(request.dilateMm),
            "method": request.method,
            "parameters": dict(request.parameters),
            "blend": request.blend,
            "device": request.device,
            "seed": int(request.seed),
            "guides": guideFiles,
            # The worker runs in another folder.
            "exemplars": os.path.abspath(os.path.expanduser(request.exemplars)) if request.exemplars else None,
            "self_check": bool(request.selfCheck),
            "uncertainty": str(self._uncertaintyFile()) if request.uncertainty else None,
            "report": None,
            "compress": False,
        }

    def _addToScene(self, result: dict, outputVolume: Any):
        from MedInpaintLib import Volume

        request = self._request
        filled = Volume.read(result["output"]).array
        # Read before the scene is touched: what fails from here on must not leave half a result.
        uncertainty = Volume.read(self._uncertaintyFile()).array if request.uncertainty else None
        method = result["report"]["method"]
        node = results.addResult(filled, self._image.ijkToRAS, request.volumeNode, method, outputVolume)
        if outputVolume is None:
            self.created.append(node)
        self._describe(node, result["report"])
        if uncertainty is not None:
            self.uncertaintyVolume = addUncertainty(uncertainty, self._image.ijkToRAS, request.volumeNode, node, method)
            self.created.append(self.uncertaintyVolume)
        return node

    def _describe(self, node, report: dict) -> None:
        """Write onto a result how it was made."""
        request = self._request
        provenance = results.Provenance(
            {**report, "warnings": self.warnings},
            request.volumeNode.GetName(),
            self._segmentNames,
            tuple(each.GetName() for each in request.guides),
            os.path.basename(os.path.abspath(request.exemplars)) if request.exemplars else "",
        )
        results.describeResult(node, provenance)

    def _uncertaintyFile(self) -> Path:
        return self._file("uncertainty")
