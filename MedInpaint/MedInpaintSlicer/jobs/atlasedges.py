"""The job that brings the atlas onto the input of a fill and adds its edges as a label map."""

import dataclasses
from typing import TYPE_CHECKING, Any

from ..nodes.atlasedges import addEdges
from . import process
from .fill import FillJob, Request

if TYPE_CHECKING:
    from MedInpaintLib.jobs.job_file import JobFile

#: The options of the fill on which the registration of the atlas depends: the edges are those that the fill used.
_OPTIONS = ("labels", "dilate_mm", "modality", "force", "series", "volume", "allow_outside_data")


class AtlasEdgesJob(FillJob):
    """A registration of the atlas that runs, or has run; ``outputVolume`` is the label map of its edges."""

    def __init__(self, request: Request, runner: process.Runner, **callbacks) -> None:
        """Prepare a job for the input of a fill; arguments as for :class:`.fill.FillJob`."""
        super().__init__(dataclasses.replace(request, outputVolume=None, uncertainty=False), runner, **callbacks)

    def _write(self) -> "JobFile":
        from MedInpaintLib.jobs import atlas_edges as engine

        options = self.request.options.keywords()
        return engine.AtlasEdgesJob(
            job=engine.AtlasEdgesJob.KIND, **self._writeInputs(), **{name: options[name] for name in _OPTIONS}
        )

    def _addToScene(self, result: dict, outputVolume: Any):
        from MedInpaintLib import Volume

        labels = Volume.read(result["output"]).array
        node = addEdges(labels, self._image.ijkToRAS, self.inputVolume)
        self.created.append(node)
        return node
