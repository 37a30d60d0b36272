"""The base class of jobs: write the worker's files, run its process, and put its result into the scene."""

import logging
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from .. import layout
from ..nodes.images import Image, fileVolume, imageOf
from ..nodes.snapshot import Snapshot, removeVolume
from . import process

if TYPE_CHECKING:
    from MedInpaintLib.jobs.job_file import JobFile
    from MedInpaintLib.report import Report


class Job(VTKObservationMixin):
    """A task of the engine on nodes that runs, or has run.

    The scene changes only when the result is complete: a job that was cancelled or failed leaves no trace. A job whose
    input volume is removed fails at once.

    Attributes:
        state: ``"running"``, ``"done"``, ``"failed"`` or ``"cancelled"``.
        inputVolume: the node whose grid and parent transform the result gets.
        segmentation, segmentIds: mark the hole, if there is one.
        outputVolume: the node of the result, once done.
        report: the engine's report, once done.
        error: why it failed.
        warnings: the warnings for the user, in order.
        created: the nodes that were added to the scene, once done.
    """

    _image: Image  # while it runs

    def __init__(
        self,
        inputVolume: Any,
        outputVolume: Any,
        runner: process.Runner,
        progress: Callable[[float, str], None] | None = None,
        warning: Callable[[str], None] | None = None,
        finished: Callable[["Job"], None] | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare a job; callbacks come on the main thread.

        Args:
            inputVolume: the node whose grid and parent transform the result gets.
            outputVolume: takes the result; None: a new volume.
            runner: starts and ends the worker process.
            progress: called with a fraction of 0..1 and the name of the stage.
            warning: called with each warning.
            finished: called once with this job when it is done, failed or cancelled.
            log: called with each other line that the worker prints.
        """
        super().__init__()
        self.state = "running"
        self.segmentation = None
        self.segmentIds: tuple[str, ...] = ()
        self.outputVolume = None
        self.report: Report | None = None
        self.error: Exception | None = None
        self.warnings: list[str] = []
        self.created: list[Any] = []
        self._snapshot: Snapshot | None = None
        self.inputVolume = inputVolume
        self._chosenOutput = outputVolume
        self._runner = runner
        self._progress = progress or (lambda fraction, stage: None)
        self._onWarning = warning or (lambda message: None)
        self._onFinished = finished or (lambda job: None)
        self._conversation = process.Conversation(self._tellProgress, self._warn, log or (lambda line: None))
        self._folder: Path | None = None

    def start(self) -> None:
        """Start a worker process on the nodes' content.

        Raises:
            MedInpaintLib.errors.MedInpaintError: the input cannot be used; no process was started.
        """
        self._check()
        self._image = imageOf(self.inputVolume)
        for message in (*self._image.warnings, *self._prepare()):
            self._warn(message)
        self._folder = Path(tempfile.mkdtemp(prefix="medinpaint-", dir=slicer.app.temporaryPath))
        try:
            jobFile = self._folder / "job.json"
            self._write().write(jobFile)
            self._runner.start(
                process.workerCommand(str(jobFile)), str(layout.engineFolder()), self._hear, self._onExit
            )
        except BaseException:
            # For example Ctrl+C while a script waits: the worker must not go on.
            self._runner.kill()
            self.state = "failed"
            self._removeFiles()
            raise
        if self.state == "running":
            self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self._onNodeRemoved)

    def cancel(self) -> None:
        """Stop at once; the scene does not change. A job that has ended ignores this."""
        if self.state != "running":
            return
        self._runner.kill()
        self._finish("cancelled")

    def undo(self) -> None:
        """Remove new volumes and restore a chosen output volume, if the job is done and was not undone before."""
        created, self.created = self.created, []
        for node in created:
            removeVolume(node)
        snapshot, self._snapshot = self._snapshot, None
        if snapshot is not None:
            snapshot.restore()

    # Methods that subclasses implement.

    def _check(self) -> None:
        """Raise an error if the nodes cannot be used together, before any voxel is read."""

    def _prepare(self) -> tuple[str, ...]:
        """Read further nodes, besides the input volume; return warnings."""
        return ()

    def _write(self) -> "JobFile":
        """Write the worker's input files, and return the engine's job."""
        raise NotImplementedError

    def _addToScene(self, result: dict, outputVolume: Any):
        """Put the worker's output into the scene and return the result's node.

        Append each new node to ``created`` at once, so that it is removed if an error follows.

        Args:
            result: the worker's "result" event.
            outputVolume: the chosen output if it is still there; None: a new volume.
        """
        raise NotImplementedError

    # Methods that subclasses use.

    def _file(self, name: str) -> Path:
        """Return the path of a file of this run."""
        assert self._folder is not None, "there are files only while the job runs"
        return self._folder / f"{name}.nrrd"

    def _writeImage(self, folder: str, node, array: np.ndarray, geometry: np.ndarray) -> str:
        """Write voxels to a file with the node's name, which the engine's messages use, and return the path."""
        name = re.sub(r"[^\w -]", "_", node.GetName(), flags=re.ASCII)[:60] or "volume"
        if re.fullmatch("con|prn|aux|nul|(com|lpt)[0-9]", name, flags=re.IGNORECASE):
            name += "_"  # these names are devices on Windows
        path = self._file(f"{folder}/{name}")
        path.parent.mkdir()
        # The files live for one run on the local disk: compressing a CT would take longer than filling it.
        fileVolume(array, geometry).write(path, compress=False)
        return str(path)

    def _warn(self, message: str) -> None:
        if self.state == "running" and message not in self.warnings:
            logging.info("MedInpaint: %s", message)  # a logged warning would turn on Slicer's error indicator
            self.warnings.append(message)
            self._onWarning(message)

    # The course of a job.

    def _hear(self, line: str) -> None:
        """Handle a line of the worker; an error in a callback ends the job.

        Otherwise the polling of the worker would stop, and the job would never end.
        """
        try:
            self._conversation.hear(line)
        except Exception as error:
            if self.state == "running":
                self._runner.kill()
                self.error = error
                self._finish("failed")

    def _tellProgress(self, fraction: float, stage: str) -> None:
        if self.state == "running":
            self._progress(fraction, stage)

    def _onNodeRemoved(self, caller, event) -> None:
        if self.state == "running" and not slicer.mrmlScene.IsNodePresent(self.inputVolume):
            self._runner.kill()
            self.error = self._inputRemoved()
            self._finish("failed")

    def _inputRemoved(self) -> Exception:
        from MedInpaintLib.errors import InputError

        return InputError(_("The input volume was removed from the scene while it was in use; the run was stopped."))

    def _onExit(self, exitCode: int) -> None:
        if self.state != "running":  # cancelled; on Windows the worker's files can be removed only now
            self._removeFiles()
            return
        try:
            if self._conversation.result is None or exitCode != 0:
                raise self._conversation.failure(exitCode)
            self._takeResult(self._conversation.result)
        except Exception as error:
            # Every error must reach the caller, and no incomplete result may stay in the scene.
            self.undo()
            self.outputVolume = None
            self.error = error
            self._finish("failed")
        else:
            self._finish("done")

    def _takeResult(self, result: dict) -> None:
        if not slicer.mrmlScene.IsNodePresent(self.inputVolume):
            raise self._inputRemoved()
        self._image = self._imageNow()
        output = self._chosenOutput
        if output is not None and not slicer.mrmlScene.IsNodePresent(output):
            output = None
        # An existing output volume can be restored.
        self._snapshot = Snapshot(output) if output is not None else None
        self.outputVolume = self._addToScene(result, output)
        self.report = result["report"]

    def _imageNow(self) -> Image:
        """Return the input's current image: it may have been moved, or its transform hardened, since the start."""
        from MedInpaintLib.errors import InputError

        now = imageOf(self.inputVolume)
        if now.array.shape != self._image.array.shape:
            raise InputError(
                _("Volume '{name}' was replaced by one of another size while it was in use; start again.").format(
                    name=self.inputVolume.GetName()
                )
            )
        return now

    def _finish(self, state: str) -> None:
        self.state = state
        self.removeObservers()
        self._image = None  # type: ignore[assignment]  # it would keep the voxels
        self._removeFiles()
        self._onFinished(self)

    def _removeFiles(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
