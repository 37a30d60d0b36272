"""The known voxels of exactly 0 around a body, found plane by plane and kept in bits: memory follows a plane.

Labelling the whole image at once would take four times the memory of an image of 16 bits, for any hole.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from .mask import Box
from .subject import Subject

#: An image has a background of exact zeros if it holds at least this share of the voxels at the image's border: all of
#: them around the stripped heads of the data, 80 % around heads that were cut off at the neck, 11 % in a raw scan.
AT_BORDER = 0.5


@dataclasses.dataclass(frozen=True)
class OuterZeros:
    """The known voxels of exactly 0 that are connected with the image's border.

    Attributes:
        planes: the bits of each plane along the first axis.
        shape: of a plane.
    """

    planes: list[np.ndarray]
    shape: tuple[int, ...]

    def crop(self, box: Box) -> np.ndarray:
        """Return them in a box of the image, bool."""
        count = math.prod(self.shape)
        bits = (np.unpackbits(plane, count=count).reshape(self.shape)[box[1:]] for plane in self.planes[box[0]])
        return np.stack(list(bits)).astype(bool)


def find_outer_zeros(subject: Subject) -> OuterZeros | None:
    """Return the zeros that are connected with the image's border; None where they are few there."""
    from scipy import sparse

    shape = subject.image.array.shape
    known_at_border, zero_at_border = 0, 0
    count = 1  # label 0 is the outside of the image
    links = []
    before = np.zeros(shape[1:], dtype=np.int64)
    for index in range(shape[0]):
        known, border = _known(subject, index), _border(subject, index)
        labels, more = _label(subject, index, known)
        labels[labels > 0] += count - 1
        count += more
        known_at_border += int(np.count_nonzero(known & border))
        zero_at_border += int(np.count_nonzero(labels[border]))
        links += [_pairs(np.zeros_like(labels), labels, border), _pairs(before, labels, before > 0)]
        before = labels
    if zero_at_border < AT_BORDER * known_at_border:
        return None
    pairs = np.concatenate(links)
    graph = sparse.coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    components = sparse.csgraph.connected_components(graph, directed=False)[1]
    outer = components == components[0]
    outer[0] = False
    return OuterZeros(_bits(subject, outer), shape[1:])


def _bits(subject: Subject, outer: np.ndarray) -> list[np.ndarray]:
    """Return the bits of the voxels whose labels are ``outer``; labelling a plane again is cheaper than keeping it."""
    planes = []
    count = 1
    for index in range(subject.image.array.shape[0]):
        labels, more = _label(subject, index, _known(subject, index))
        labels[labels > 0] += count - 1
        count += more
        planes.append(np.packbits(outer[labels]))
    return planes


def _pairs(first: np.ndarray, second: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return each pair of labels that meet in ``where`` once, (n, 2); the second one is a label of a zero."""
    where = where & (second > 0)
    base = int(second.max(initial=0)) + 1
    return np.stack(np.divmod(np.unique(first[where] * base + second[where]), base), axis=1)


def _label(subject: Subject, index: int, known: np.ndarray) -> tuple[np.ndarray, int]:
    """Return a plane's zeros as int64 labels from 1 of those that are connected, and how many labels there are."""
    from scipy import ndimage

    labels, count = ndimage.label(known & (subject.image.array[index] == 0))
    return labels.astype(np.int64), int(count)


def _known(subject: Subject, index: int) -> np.ndarray:
    """Mark the known voxels of a plane."""
    shape = subject.image.array.shape
    plane = (slice(index, index + 1), *(slice(0, size) for size in shape[1:]))
    known = ~subject.whole.crop(plane)[0]
    return known if subject.no_data is None else known & ~subject.no_data[index]


def _border(subject: Subject, index: int) -> np.ndarray:
    """Mark a plane's voxels at the border of the image: the first and last ones along each of its axes."""
    shape = subject.image.array.shape
    if 0 in subject.axes and index in (0, shape[0] - 1):
        return np.ones(shape[1:], dtype=bool)
    border = np.zeros(shape[1:], dtype=bool)
    for axis in subject.axes:
        if axis > 0:
            np.moveaxis(border, axis - 1, 0)[[0, -1]] = True
    return border
