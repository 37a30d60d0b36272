"""Types of voxels: conversion to an image's own, and the one in which it is stored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def to_dtype(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Convert intensities to an image's dtype: integers are rounded and clipped to its range, bool is >= 0.5.

    >>> to_dtype(np.array([-3.0, 0.5, 2.5, 300.0]), np.dtype("uint8"))
    array([  0,   0,   2, 255], dtype=uint8)
    """
    if dtype.kind == "b":
        return values >= 0.5
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        # float64 cannot hold 2**63 - 1: clip to the largest float below it, or the cast would wrap round.
        top = float(limits.max) if limits.bits < 64 else np.nextafter(float(limits.max), 0)
        values = np.clip(np.rint(values), float(limits.min), top)
    return values.astype(dtype)


def stored_dtype(dtype: np.dtype) -> np.dtype:
    """Return the dtype in which voxels are written: in the machine's byte order, and one that every format knows."""
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype == np.float16:
        return np.dtype(np.float32)
    return dtype.newbyteorder("=")


def holding(dtype: np.dtype, numbers: Sequence[int]) -> np.dtype:
    """Return the dtype if it holds these whole numbers exactly, else the smallest of int16, int32 and int64 that does.

    >>> holding(np.dtype("uint8"), [0, 99]), holding(np.dtype("uint8"), [0, 1000])
    (dtype('uint8'), dtype('int16'))
    """
    candidates = (dtype, *map(np.dtype, (np.int16, np.int32, np.int64)))
    return next(each for each in candidates if all(_holds(each, number) for number in numbers))


def _holds(dtype: np.dtype, number: int) -> bool:
    if dtype.kind == "f":
        return abs(number) <= 2 ** (np.finfo(dtype).nmant + 1)
    limits = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return limits[0] <= number <= limits[1]
