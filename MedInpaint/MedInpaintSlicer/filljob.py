"""One filling, from the nodes to the result in the scene."""

import dataclasses
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from . import guides, layout, process, scene


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


class FillJob(VTKObservationMixin):
    """A filling that runs, or has run.

    The scene is touched only when the result is there: a job that was cancelled or failed leaves no trace. A job whose
    input volume is removed fails at once.

    Attributes:
        state: ``"running"``, ``"done"``, ``"failed"`` or ``"cancelled"``.
        outputVolume: the node that holds the result, once done.
        uncertaintyVolume: the node that holds its uncertainty, once done, if that was asked for.
        report: the engine's report, once done.
        error: why it failed.
        warnings: all that the user should know, in the order in which it was found.
    """

    def __init__(
        self,
        request: Request,
        runner: process.Runner,
        progress: Callable[[float, str], None] | None = None,
        warning: Callable[[str], None] | None = None,
        finished: Callable[["FillJob"], None] | None = None,
    ) -> None:
        """Callbacks come on the main thread.

        Args:
            runner: starts and ends the worker process.
            progress: called with a fraction of 0..1 and the name of the stage.
            warning: called with each warning.
            finished: called once with this job when it is done, failed or cancelled.
        """
        super().__init__()
        self.state = "running"
        self.outputVolume = None
        self.uncertaintyVolume = None
        self.report: dict | None = None
        self.error: Exception | None = None
        self.warnings: list[str] = []
        self._request = request
        self._runner = runner
        self._progress = progress or (lambda fraction, stage: None)
        self._onWarning = warning or (lambda message: None)
        self._onFinished = finished or (lambda job: None)
        self._conversation = process.Conversation(progress=self._tellProgress, warning=self._warn)
        self._folder: Path | None = None
        self._image: scene.Image | None = None
        self._segmentNames: tuple[str, ...] = ()

    def start(self) -> None:
        """Hand the image and the hole to a worker process.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used; no process was started.
        """
        request = self._request
        self._checkNodes()
        self._image = scene.imageOf(request.volumeNode)
        hole = scene.holeOf(request.segmentationNode, request.segmentIds, request.volumeNode)
        self._segmentNames = hole.names
        for message in (*self._image.warnings, *hole.warnings):
            self._warn(message)
        self._folder = Path(tempfile.mkdtemp(prefix="medinpaint-", dir=slicer.app.temporaryPath))
        try:
            jobFile = self._writeJob(hole, self._writeGuides(hole))
            self._runner.start(
                process.workerCommand(str(jobFile)), str(layout.engineFolder()), self._conversation.hear, self._onExit
            )
        except BaseException:
            # For example Ctrl+C while a script waits: nothing may go on behind the user's back.
            self._runner.kill()
            self.state = "failed"
            self._removeFiles()
            raise
        if self.state == "running":
            self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self._onNodeRemoved)

    def cancel(self) -> None:
        """Stop at once; the scene stays as it was. Nothing happens when the job has already ended."""
        if self.state != "running":
            return
        self._runner.kill()
        self._finish("cancelled")

    def _checkNodes(self) -> None:
        from MedInpaintLib.errors import InputError

        request = self._request
        if request.outputVolume is not None and request.outputVolume is request.volumeNode:
            raise InputError(_("The output must be another volume than the input, which is never changed."))
        wrong = guides.complaint(request.guides, request.volumeNode, request.outputVolume)
        if wrong:
            raise InputError(wrong)

    def _writeGuides(self, hole: scene.Hole) -> list[str]:
        paths = []
        for number, node in enumerate(self._request.guides, start=1):
            values = guides.onGridOf(self._request.volumeNode, node, hole.mask)
            # The engine calls a guide by its file, so the file is called like the node.
            name = re.sub(r"[^\w -]", "_", node.GetName(), flags=re.ASCII)[:60] or "guide"
            path = self._folder / f"guide-{number}" / f"{name}.nrrd"
            path.parent.mkdir()
            scene.fileVolume(values, self._image.geometry).write(path, compress=False)
            paths.append(str(path))
        return paths

    def _writeJob(self, hole: scene.Hole, guideFiles: list[str]) -> Path:
        files = {name: self._folder / f"{name}.nrrd" for name in ("image", "mask", "output")}
        # The files live for one run on the local disk: compressing a CT would take longer than filling it.
        scene.fileVolume(self._image.array, self._image.geometry).write(files["image"], compress=False)
        scene.fileVolume(hole.mask, self._image.geometry).write(files["mask"], compress=False)
        request = self._request
        job = {
            "job": "fill",
            **{name: str(path) for name, path in files.items()},
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
        jobFile = self._folder / "job.json"
        jobFile.write_text(json.dumps(job), encoding="utf-8")
        return jobFile

    def _onNodeRemoved(self, caller, event) -> None:
        if self.state == "running" and not slicer.mrmlScene.IsNodePresent(self._request.volumeNode):
            self._runner.kill()
            self.error = self._inputRemoved()
            self._finish("failed")

    def _inputRemoved(self) -> Exception:
        from MedInpaintLib.errors import InputError

        return InputError(_("The input volume was removed from the scene while it was being filled; filling stopped."))

    def _onExit(self, exitCode: int) -> None:
        if self.state != "running":  # cancelled; on Windows, the worker's files can be removed only now
            self._removeFiles()
            return
        try:
            if self._conversation.result is None or exitCode != 0:
                raise self._conversation.failure(exitCode)
            self._takeResult(self._conversation.result)
        except Exception as error:
            # Whatever went wrong, the one who waits for this job must hear of it.
            self.error = error
            self._finish("failed")
        else:
            self._finish("done")

    def _takeResult(self, result: dict) -> None:
        from MedInpaintLib import Volume

        request = self._request
        if not slicer.mrmlScene.IsNodePresent(request.volumeNode):
            raise self._inputRemoved()
        outputVolume = request.outputVolume
        if outputVolume is not None and not slicer.mrmlScene.IsNodePresent(outputVolume):
            outputVolume = None
        filled = Volume.read(result["output"]).array
        # Read before the scene is touched: what fails from here on must not leave half a result.
        uncertainty = Volume.read(self._uncertaintyFile()).array if request.uncertainty else None
        method = result["report"]["method"]
        node = scene.addResult(filled, self._image.ijkToRAS, request.volumeNode, method, outputVolume)
        provenance = scene.Provenance(
            {**result["report"], "warnings": self.warnings},
            request.volumeNode.GetName(),
            self._segmentNames,
            tuple(each.GetName() for each in request.guides),
            os.path.basename(os.path.abspath(request.exemplars)) if request.exemplars else "",
        )
        scene.describeResult(node, provenance)
        if uncertainty is not None:
            self.uncertaintyVolume = scene.addUncertainty(
                uncertainty, self._image.ijkToRAS, request.volumeNode, node, method
            )
        self.report = result["report"]
        self.outputVolume = node

    def _uncertaintyFile(self) -> Path:
        return self._folder / "uncertainty.nrrd"

    def _finish(self, state: str) -> None:
        self.state = state
        self.removeObservers()
        self._image = None
        self._removeFiles()
        self._onFinished(self)

    def _removeFiles(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _tellProgress(self, fraction: float, stage: str) -> None:
        if self.state == "running":
            self._progress(fraction, stage)

    def _warn(self, message: str) -> None:
        if self.state == "running" and message not in self.warnings:
            logging.warning("MedInpaint: %s", message)
            self.warnings.append(message)
            self._onWarning(message)
