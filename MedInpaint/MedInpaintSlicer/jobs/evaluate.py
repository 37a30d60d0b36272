"""One evaluation of methods on synthetic holes, from the volume to tables and plots in the scene."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from .. import evaluation
from ..nodes import evaluations, plots
from ..nodes.hierarchy import addFolderBeside, removeWithFolders
from ..nodes.holes import Hole, holeOf
from . import process
from .job import Job

if TYPE_CHECKING:
    from MedInpaintLib.jobs import evaluate as engine
    from MedInpaintLib.report import EvaluationReport


@dataclasses.dataclass(frozen=True)
class Request:
    """A request for an evaluation; the other fields are those of the engine's job.

    Attributes:
        holes: descriptions such as ``"spheres:10mm:6"``.
        segmentationNode, segmentIds: mark holes, one for each connected part, or None.
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

    report: "EvaluationReport | None"

    def __init__(self, request: Request, runner: process.Runner, **callbacks) -> None:
        super().__init__(request.volumeNode, None, runner, **callbacks)
        self.summaryTable = None
        self.charts: tuple[Any, ...] = ()
        self._request = request
        self._marked: Hole | None = None
        self._avoided: Hole | None = None
        self._segmentationName = ""

    @property
    def scoresTable(self):
        """The result, which is not a volume in this kind of job."""
        return self.outputVolume

    def undo(self) -> None:
        """Remove the tables and plots that are still there; a second call does nothing."""
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
            self._marked = holeOf(request.segmentationNode, request.segmentIds, request.volumeNode)
            self._segmentationName = request.segmentationNode.GetName()
        if request.avoidNode is not None:
            self._avoided = holeOf(request.avoidNode, request.avoidSegmentIds, request.volumeNode)
        return tuple(warning for hole in (self._marked, self._avoided) if hole is not None for warning in hole.warnings)

    def _write(self) -> "engine.EvaluateJob":
        from MedInpaintLib.jobs import evaluate as engine

        request, image = self._request, self._image
        holes = list(request.holes)
        if self._marked is not None:
            holes.append(self._writeImage("given", request.segmentationNode, self._marked.mask, image.geometry))
        avoid = None
        if self._avoided is not None:
            avoid = self._writeImage("avoid", request.avoidNode, self._avoided.mask, image.geometry)
        self._marked = self._avoided = None
        return engine.EvaluateJob(
            job=engine.EvaluateJob.KIND,
            image=self._writeImage("image", request.volumeNode, image.array, image.geometry),
            holes=holes,
            methods=list(request.methods),
            output=str(self._file("scores").with_suffix(".csv")),
            parameters={method: dict(values) for method, values in request.parameters.items()},
            convention=request.convention,
            avoid=avoid,
            device=request.device,
            seed=request.seed,
        )

    def _addToScene(self, result: dict, outputVolume: Any):
        report, volume, titles = self._shownReport(result["report"]), self.inputVolume, methodTitles()
        result["report"] = report  # becomes the job's report
        scores = self._recorded(evaluations.addScores(report, volume, self._image.ijkToRAS))
        summary = self._recorded(evaluations.addSummary(report, titles, volume))
        charts = [self._addPlot(report, holes, titles) for holes in evaluation.sets(report)]
        evaluations.refer(scores, summary, charts)
        evaluations.describe(self.created, report, volume.GetName())
        addFolderBeside(volume, scores.GetName(), self.created)
        self.summaryTable, self.charts = summary, tuple(charts)
        return scores

    def _addPlot(self, report: "EvaluationReport", holes: str, titles: Mapping[str, str]):
        """Add the plot of a set of holes with its table, and return the chart."""
        byHole = self._recorded(evaluations.addPsnrByHole(report, holes, titles, self.inputVolume))
        name = _("{volume} PSNR plot ({holes})").format(volume=self.inputVolume.GetName(), holes=holes)
        means = evaluation.meanPsnr(report, holes)
        chart, series = plots.addPsnrPlot(byHole, means, titles, name)
        self.created += [chart, *series]
        return chart

    def _recorded(self, node):
        """Record a new node, so that it is removed after an error or by Undo, and return it."""
        self.created.append(node)
        return node

    def _shownReport(self, report: "EvaluationReport") -> "EvaluationReport":
        """Return the report with all warnings; marked holes have the name of their segmentation."""
        report = {**report, "warnings": self.warnings}
        if self._request.segmentationNode is None:
            return report
        return evaluation.renamed(report, report["holes"][-1]["holes"], self._segmentationName)


def methodTitles() -> dict[str, str]:
    """Return method name -> title in the panel."""
    import MedInpaintLib

    return {"auto": _("Automatic"), **{name: info.title for name, info in MedInpaintLib.list_methods().items()}}
