"""The job that fills all frames of a sequence."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import slicer
from slicer.i18n import tr as _

from ..nodes import sequences
from ..nodes.segments import allSegmentIds
from . import process
from .batch import BatchJob, checkPresent, inOneLine
from .fill import FillJob, Request


class SequenceJob(BatchJob):
    """Fills of all frames of a sequence into a new sequence, which is added to the scene at the end.

    The items are the index values. Frames that were not filled are copied unchanged.

    Attributes:
        outputSequence: the new sequence, if any frame was filled.
        uncertaintySequence: the uncertainty of its frames, if requested.
        outputVolume: the proxy of the new sequence, if a browser shows the input.
    """

    def __init__(
        self,
        sequenceNode: Any,
        browserNode: Any,
        segmentation: Any,
        segmentIds: Iterable[str] | None,
        request: Request,
        makeRunner: Callable[[], process.Runner],
        **callbacks,
    ) -> None:
        """Prepare a batch.

        Args:
            sequenceNode: a sequence of scalar volumes.
            browserNode: the browser that shows it, or None.
            segmentation: a segmentation, the proxy of a sequence of segmentations in the browser, or that sequence.
            segmentIds: None: all segments.
            request: the request for all frames; its volume and segments are ignored. Guides may be proxies, too.
            makeRunner, callbacks: those of :class:`BatchJob`.
        """
        if request.samples:
            from MedInpaintLib.errors import InputError

            raise InputError(_("Samples are drawn for volumes, not for the frames of a sequence."))
        super().__init__(sequences.indexValues(sequenceNode), request, makeRunner, **callbacks)
        self.outputSequence = None
        self.uncertaintySequence = None
        self._sequence = sequenceNode
        self._browser = browserNode
        self._segmentation = segmentation
        self._segmentIds = segmentIds if segmentIds is None else tuple(segmentIds)
        self._filled = sequences.FilledSequence(sequenceNode, request.uncertainty)
        self._moment: sequences.Moment | None = None

    def name(self, item: str) -> str:
        return sequences.frameName(self._sequence, item)

    def _open(self, item: str, **callbacks) -> FillJob:
        checkPresent(self._sequence, self._segmentation)
        self._moment = moment = sequences.Moment(self._browser, item)
        isSequence = sequences.isSequence(self._segmentation)
        segmentation = moment.frameOf(self._segmentation) if isSequence else moment.at(self._segmentation)
        volume = moment.frameOf(self._sequence)
        guides = (moment.at(each) for each in self._request.guides)
        request = dataclasses.replace(
            self._request,
            volumeNode=volume,
            segmentationNode=segmentation,
            segmentIds=allSegmentIds(segmentation) if self._segmentIds is None else self._segmentIds,
            guides=tuple(each for each in guides if each is not volume),
        )
        return _FrameJob(request, self._makeRunner(), self._filled, item, **callbacks)

    def _close(self) -> None:
        if self._moment is not None:
            self._moment.close()
            self._moment = None

    def _refuse(self, item: str, error: Exception) -> None:
        self._filled.leave(item, inOneLine(error))

    def _conclude(self) -> None:
        for item in self.items[len(self.results) :]:
            self._filled.leave(item, _("The run was cancelled before."))
        methods = {report["method"] for report in self.reports.values()}
        method = methods.pop() if len(methods) == 1 else self._request.options.method
        description = _("{filled} of {count} frames of '{name}' filled, each by itself.").format(
            filled=len(self.reports), count=len(self.items), name=self._sequence.GetName()
        )
        self._filled.show(self._browser, method, description)
        self.outputSequence, self.uncertaintySequence = self._filled.result, self._filled.uncertainty
        self.outputVolume = self._filled.resultProxy
        self.created = self._filled.nodes()

    def _remove(self, created: list[Any]) -> None:
        self._filled.remove()

    def _missing(self) -> Exception | None:
        from MedInpaintLib.errors import InputError

        if slicer.mrmlScene.IsNodePresent(self._sequence):
            return None
        return InputError(_("The sequence was removed from the scene while it was in use; the run was stopped."))


class _FrameJob(FillJob):
    """A fill of a frame, whose result is added to a sequence instead of the scene."""

    def __init__(
        self, request: Request, runner: process.Runner, filled: sequences.FilledSequence, indexValue: str, **callbacks
    ) -> None:
        super().__init__(request, runner, **callbacks)
        self._filled = filled
        self._indexValue = indexValue

    def _addToScene(self, result: dict, outputVolume: Any):
        from MedInpaintLib import Volume

        array = Volume.read(result["output"]).array
        frame = self._filled.add(self._indexValue, array, self._readUncertainty())
        self._describe(frame, result["report"])
        return frame
