"""The job that fills many volumes."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..nodes.segments import allSegmentIds
from . import process
from .batch import BatchJob, checkPresent
from .fill import FillJob, Request


class VolumesJob(BatchJob):
    """Fills of many volumes; each result is a new volume beside its input. The items are the volume nodes."""

    def __init__(
        self,
        volumeNodes: Iterable[Any],
        segmentations: Any,
        segmentIds: Any,
        request: Request,
        makeRunner: Callable[[], process.Runner],
        **callbacks,
    ) -> None:
        """Prepare a batch.

        Args:
            volumeNodes: scalar volumes.
            segmentations: a segmentation for all of them, or volume -> segmentation.
            segmentIds: ids for all of them, or volume -> ids; None, or no entry for a volume: all segments.
            request: the request for all; its volume and segments are ignored. A volume is never its own guide.
            makeRunner, callbacks: those of :class:`BatchJob`.
        """
        super().__init__(volumeNodes, request, makeRunner, **callbacks)
        self._segmentations = segmentations
        self._segmentIds = segmentIds

    def name(self, item: Any) -> str:
        return item.GetName()

    def _open(self, item: Any, **callbacks) -> FillJob:
        segmentation = _of(item, self._segmentations)
        checkPresent(item, segmentation)
        segmentIds = _of(item, self._segmentIds)
        request = dataclasses.replace(
            self._request,
            volumeNode=item,
            segmentationNode=segmentation,
            segmentIds=allSegmentIds(segmentation) if segmentIds is None else tuple(segmentIds),
            guides=tuple(each for each in self._request.guides if each is not item),
        )
        return FillJob(request, self._makeRunner(), **callbacks)

    def _conclude(self) -> None:
        self.outputVolume = self.results[self.filled[0]]


def _of(item: Any, value: Any) -> Any:
    """Return an item's value from a mapping, or the value that is the same for all items."""
    return value.get(item) if isinstance(value, Mapping) else value
