"""One evaluation of methods on synthetic holes, from the volume to tables and plots in the scene."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from slicer.i18n import tr as _

from .. import evaluation
from ..nodes import evaluations, plots
from ..nodes.hierarchy import addFolderBeside, removeWithFolders
from ..nodes.holes import Hole, holeOf
from . import process
from .job import Job


@dataclasses.dataclass(frozen=True)
class Request:
    """What to cut out and how to fill it; the fields mean what they mean in the engine's job file.

    Attributes:
        holes: descriptions such as ``"spheres:10mm:6"``.
        segmentationNode, segmentIds: holes that are given, or None; each connected part is one.
        avoidNode, avoidSegmentIds: mark where no hole may lie, or None.
    """

    volumeNode: Any
    holes: tuple[str, ...]
    methods: tuple[str, ...]
    segmentationNode: Any = None
    segmentIds: tuple[str, ...] = ()
    avoidNode: Any = None
    avoidSegmentIds: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    convention: str = "masked"
    device: str = "auto"
    seed: int = 0


class EvaluateJob(Job):
    """An evaluation that runs, or has run.

    Attributes:
        scoresTable: the table with a row for each method and hole, once done.
        summaryTable: the table with a row for each method, once done.
        charts: a plot for each set of holes, once done.
    """

    def __init__(self, request: Request, runner: process.Runner, **callbacks) -> None:
        """Runner and callbacks are those of :class:`Job`."""
        super().__init__(request.volumeNode, None, runner, **callbacks)
        self.summaryTable = None
        self.charts: tuple[Any, ...] = ()
        self._request = request
        self._given: Hole | None = None
        self._avoided: Hole | None = None
        self._segmentationName = ""

    @property
    def scoresTable(self):
        return self.outputVolume

    def undo(self) -> None:
        """Remove the tables and the plots, as far as they are there; nothing happens a second time."""
        created, self.created = self.created, []
        removeWithFolders(created)

    def _check(self) -> None:
        from MedInpaintLib.errors import ParameterError

        if not self._request.holes and self._request.segmentationNode is None:
            raise ParameterError(_("There is nothing to cut out; describe holes, or give a segmentation of them."))
        if not self._request.methods:
            raise ParameterError(_("There is nothing to score; name one or more methods."))

    def _prepare(self) -> tuple[str, ...]:
        request = self._request
        if request.segmentationNode is not None:
            self._given = holeOf(request.segmentationNode, request.segmentIds, request.volumeNode)
            self._segmentationName = request.segmentationNode.GetName()
        if request.avoidNode is not None:
            self._avoided = holeOf(request.avoidNode, request.avoidSegmentIds, request.volumeNode)
        return tuple(warning for hole in (self._given, self._avoided) if hole is not None for warning in hole.warnings)

    def _write(self) -> dict[str, Any]:
        request, image = self._request, self._image
        holes = list(request.holes)
        if self._given is not None:
            holes.append(self._writeImage("given", request.segmentationNode, self._given.mask, image.geometry))
        avoid = None
        if self._avoided is not None:
            avoid = self._writeImage("avoid", request.avoidNode, self._avoided.mask, image.geometry)
        self._given = self._avoided = None
        return {
            "job": "evaluate",
            "image": self._writeImage("image", request.volumeNode, image.array, image.geometry),
            "holes": holes,
            "methods": list(request.methods),
            "output": str(self._file("scores").with_suffix(".csv")),
            "parameters": {method: dict(values) for method, values in request.parameters.items()},
            "convention": request.convention,
            "avoid": avoid,
            "device": request.device,
            "seed": int(request.seed),
        }

    def _addToScene(self, result: dict, outputVolume: Any):
        report, volume, titles = self._told(result["report"]), self.inputVolume, methodTitles()
        result["report"] = report  # from where the job's own comes
        scores = self._kept(evaluations.addScores(report, volume, self._image.ijkToRAS))
        summary = self._kept(evaluations.addSummary(report, titles, volume))
        charts = [self._addPlot(report, holes, titles) for holes in evaluation.sets(report)]
        evaluations.refer(scores, summary, charts)
        evaluations.describe(self.created, report, volume.GetName())
        addFolderBeside(volume, scores.GetName(), self.created)
        self.summaryTable, self.charts = summary, tuple(charts)
        return scores

    def _addPlot(self, report: dict, holes: str, titles: Mapping[str, str]):
        """The plot of a set of holes, with its table; returns the chart."""
        byHole = self._kept(evaluations.addPsnrByHole(report, holes, titles, self.inputVolume))
        name = _("{volume} PSNR plot ({holes})").format(volume=self.inputVolume.GetName(), holes=holes)
        means = evaluation.meanPsnr(report, holes)
        chart, series = plots.addPsnrPlot(byHole, means, titles, name)
        self.created += [chart, *series]
        return chart

    def _kept(self, node):
        """A node that has just been made: from now on, it goes when something fails, or when it is taken back."""
        self.created.append(node)
        return node

    def _told(self, report: dict) -> dict:
        """The report as the user is told it: with all warnings, and given holes called like their segmentation."""
        report = {**report, "warnings": self.warnings}
        if self._request.segmentationNode is None:
            return report
        return evaluation.renamed(report, report["holes"][-1]["holes"], self._segmentationName)


def methodTitles() -> dict[str, str]:
    """Method -> what the panel calls it."""
    import MedInpaintLib

    return {"auto": _("Automatic"), **{name: info.title for name, info in MedInpaintLib.list_methods().items()}}
