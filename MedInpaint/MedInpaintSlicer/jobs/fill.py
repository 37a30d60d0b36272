"""The job that fills one volume."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from slicer.i18n import tr as _

from .. import options
from ..nodes import arguments, results
from ..nodes import guides as guidenodes
from ..nodes.holes import Hole, holeOf
from ..nodes.images import fileVolume
from ..nodes.samples import addSamples, removeSamples
from ..nodes.uncertainty import addUncertainty
from . import process
from .job import Job

if TYPE_CHECKING:
    from MedInpaintLib.jobs.job_file import JobFile
    from MedInpaintLib.options import FillOptions
    from MedInpaintLib.report import FillReport, PartFacts


@dataclasses.dataclass(frozen=True)
class Request:
    """A request for a fill.

    Attributes:
        volumeNode, segmentationNode, segmentIds: the volume, and the segments that mark its hole.
        options: the engine's options.
        guides: volumes with other contrasts of the same subject.
        exemplars: a folder with scans of other subjects, or None.
        outputVolume: takes the result; None: a new volume.
        uncertainty: whether to add a second volume with the uncertainty.
        samples: how many plausible fills to add as a sequence.
    """

    volumeNode: Any
    segmentationNode: Any
    segmentIds: tuple[str, ...]
    options: "FillOptions"
    guides: tuple[Any, ...] = ()
    exemplars: str | None = None
    outputVolume: Any = None
    uncertainty: bool = False
    samples: int = 0


def requestOf(
    volumeNode=None,
    segmentationNode=None,
    segmentIds=(),
    /,
    *,
    guides=(),
    exemplars=None,
    outputVolume=None,
    uncertainty=False,
    samples=0,
    **values: Any,
) -> Request:
    """Return the request for a fill, or for all fills of a batch.

    Raises:
        TypeError: there is no such option.
        MedInpaintLib.errors.InputError: a value has the wrong type.
    """
    unknown = values.keys() - options.names().values()
    if unknown:
        raise TypeError(f"There is no option '{min(unknown)}'.")
    arguments.checkPath("exemplars", exemplars)
    return Request(
        volumeNode,
        segmentationNode,
        segmentIds,
        options.fromArguments(values),
        guides=arguments.volumes("guides", guides),
        exemplars=str(exemplars) if exemplars else None,
        outputVolume=outputVolume,
        uncertainty=bool(uncertainty),
        samples=arguments.wholeNumber("samples", samples),
    )


class FillJob(Job):
    """A fill that runs, or has run.

    Attributes:
        request: what was asked for.
        uncertaintyVolume: the node of the result's uncertainty, once done, if requested and there is one.
        centers: a point in each part of the hole, in mm in RAS under the volume's transform, in the report's order.
        samplesSequence: the sequence node of the samples, once done, if requested and drawn.
    """

    report: "FillReport | None"

    def __init__(self, request: Request, runner: process.Runner, **callbacks) -> None:
        super().__init__(request.volumeNode, request.outputVolume, runner, **callbacks)
        self.segmentation = request.segmentationNode
        self.segmentIds = request.segmentIds
        self.uncertaintyVolume = None
        self.samplesSequence = None
        self.centers: tuple[tuple[float, float, float], ...] = ()
        self.request = request
        self._hole: Hole | None = None
        self._segmentNames: tuple[str, ...] = ()

    def _check(self) -> None:
        from MedInpaintLib.errors import InputError

        request = self.request
        if request.outputVolume is not None and request.outputVolume is request.volumeNode:
            raise InputError(_("The output must be another volume than the input, which is never changed."))
        wrong = guidenodes.complaint(request.guides, request.volumeNode, request.outputVolume)
        if wrong:
            raise InputError(wrong)

    def _prepare(self) -> tuple[str, ...]:
        request = self.request
        self._hole = holeOf(request.segmentationNode, request.segmentIds, request.volumeNode)
        self._segmentNames = self._hole.names
        return self._hole.warnings

    def _write(self) -> "JobFile":
        from MedInpaintLib.jobs import fill as engine

        request = self.request
        return engine.FillJob(
            job=engine.FillJob.KIND,
            **self._writeInputs(),
            # The worker runs in another folder.
            exemplars=os.path.abspath(os.path.expanduser(request.exemplars)) if request.exemplars else None,
            uncertainty=str(self._uncertaintyFile()) if request.uncertainty else None,
            **{**request.options.keywords(), "samples": request.samples},
        )

    def _writeInputs(self) -> dict[str, Any]:
        """Write image, mask and guides; return the fields of the engine's job that say where all images lie."""
        request, geometry = self.request, self._image.geometry
        hole, self._hole = self._hole, None
        assert hole is not None, "_prepare has read it"
        mask = hole.mask
        fileVolume(self._image.array, geometry).write(self._file("image"), compress=False)
        fileVolume(mask, geometry).write(self._file("mask"), compress=False)
        guideFiles = [
            self._writeImage(f"guide-{number}", node, guidenodes.onGridOf(request.volumeNode, node, mask), geometry)
            for number, node in enumerate(request.guides, start=1)
        ]
        return {
            "image": str(self._file("image")),
            "mask": str(self._file("mask")),
            "output": str(self._file("output")),
            "guides": guideFiles,
            "compress": False,
        }

    def _addToScene(self, result: dict, outputVolume: Any):
        from MedInpaintLib import Volume
        from MedInpaintLib.saving import sample_paths

        request = self.request
        filled = Volume.read(result["output"]).array
        # Read all files before changing the scene, so that an error leaves no incomplete result.
        uncertainty = self._readUncertainty()
        method = result["report"]["method"]
        count = result["report"]["samples"] if self.request.samples else 0
        samples = [Volume.read(path).array for path in sample_paths(result["output"], count)]
        node = results.addResult(filled, self._image.ijkToRAS, request.volumeNode, method, outputVolume)
        if outputVolume is None:
            self.created.append(node)
        self._describe(node, result["report"])
        self.centers = _centers(result["report"]["parts"], self._image.ijkToRAS)
        if uncertainty is not None:
            facts = result["report"].get("uncertainty") or {}
            self.uncertaintyVolume = addUncertainty(
                uncertainty, self._image.ijkToRAS, request.volumeNode, node, method, facts.get("basis", "")
            )
            self.created.append(self.uncertaintyVolume)
        if samples:
            self.samplesSequence = addSamples(samples, request.volumeNode, node, method)
        return node

    def undo(self) -> None:
        sequence, self.samplesSequence = self.samplesSequence, None
        removeSamples(sequence)
        super().undo()

    def _describe(self, node, report: "FillReport") -> None:
        """Write to a result how it was made."""
        request = self.request
        provenance = results.Provenance(
            {**report, "warnings": self.warnings},
            request.volumeNode.GetName(),
            self._segmentNames,
            tuple(each.GetName() for each in request.guides),
            os.path.basename(os.path.abspath(request.exemplars)) if request.exemplars else "",
        )
        results.describeResult(node, provenance)

    def _readUncertainty(self) -> np.ndarray | None:
        """Return the uncertainty; None where it was not asked for, or where there is none, as a warning says."""
        from MedInpaintLib import Volume

        written = self.request.uncertainty and self._uncertaintyFile().exists()
        return Volume.read(self._uncertaintyFile()).array if written else None

    def _uncertaintyFile(self) -> Path:
        return self._file("uncertainty")


def _centers(parts: "list[PartFacts]", ijkToRAS: np.ndarray) -> tuple[tuple[float, float, float], ...]:
    """Return the middle of each part in mm in RAS."""
    return tuple(tuple((ijkToRAS @ [*reversed(part["middle"]), 1.0])[:3].tolist()) for part in parts)
