"""From a region to its fill by a network that predicts the hole in one pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..errors import ModelError
from ..frames import PLANES, Frames, cut, views
from ..models.bundle import Bundle, load_into
from ..models.doubts import doubts
from ..models.store import choose
from ..progress import Progress
from ..region import Region
from ..solvers.start import thin_plate
from .options import Options

if TYPE_CHECKING:
    import torch

    from ..methods.registry import Prediction
    from ..networks.feed_forward import FeedForward

#: Pixels of frames that go through a network at once, at most: more are no faster, and take more memory.
BATCH = 32 * 64 * 64


@dataclasses.dataclass(frozen=True)
class Filled:
    """What a network makes of a region.

    Attributes:
        mean: float32 of the region's shape, in its scale.
        notes, warnings: as in a prediction.
    """

    mean: np.ndarray
    notes: dict[str, Any]
    warnings: tuple[str, ...]


#: From the name of a method, a region and a progress to what the method makes of it, blended.
Blended = Callable[[str, Region, Progress], "Prediction"]


def fill(
    region: Region, architecture: str, options: Options, device: str, progress: Progress, blended: Blended
) -> Filled:
    """Fill all slices of a region's hole at once.

    What a network adds to the fill that it corrects, the thin plate or the hint, is laid back into the region, so that
    this fill keeps the region's own resolution.

    Args:
        region: with its hole.
        architecture: of the network.
        options: which model, and how often it looks.
        device: a device of torch.
        progress: reports and cancels.
        blended: how other methods fill, for networks that have learned to make use of it.

    Raises:
        ModelError: there is no model, or it has learned another modality.
    """
    bundle = choose(options.model, architecture, region.modality)
    _check_modality(bundle, region, options)
    network = region.scan.remember((bundle.folder, device), lambda: _load(bundle, device))
    start = thin_plate(region, progress.part(0.0, 0.05))
    hint, warnings = None, []
    if network.hint:
        name = bundle.input.get("hint", "")
        found = blended(name, region, progress.part(0.05, 0.6))
        hint, warnings = found.mean, [f"For the fill that is corrected, {name}: {each}" for each in found.warnings]
    corrected, rest = (start, progress.part(0.05, 1.0)) if hint is None else (hint, progress.part(0.6, 1.0))
    planes = _planes(region, bundle, options.directions)
    total = np.zeros_like(start)
    count = 0
    for number, plane in enumerate(planes):
        share = rest.part(number / len(planes), (number + 1) / len(planes))
        frames = _cut(region, start, bundle, network, plane)
        hints = None if hint is None else _cut(region, hint, bundle, network, plane).values
        added = _added(frames, hints, bundle, network, device, options.mirrored, share)
        total += frames.back(added, np.zeros_like(start))
        known = float(frames.known.mean(axis=(1, 2)).min())
        warnings += [each for each in doubts(bundle, region.modality, frames.plane, known) if each not in warnings]
        count += len(frames.slices)
    values = region.values[~region.hole]
    mean = np.clip(corrected + total / len(planes), values.min(), values.max())
    notes = {"model": bundle.name, "frames": count, "directions": len(planes)}
    if network.hint:
        notes["corrects"] = bundle.input["hint"]
    return Filled(mean, notes, tuple(warnings))


def _check_modality(bundle: Bundle, region: Region, options: Options) -> None:
    if bundle.modality != region.modality and not options.any_modality:
        raise ModelError(
            f"The model '{bundle.name}' has learned from {bundle.modality} images, and this one is taken for "
            f"{region.modality}; choose another model or method, or set any_modality to use it all the same."
        )


def _load(bundle: Bundle, device: str) -> FeedForward:
    from ..networks import build

    network = cast("FeedForward", build(bundle.architecture, bundle.arguments))
    return load_into(network, bundle).to(device)


def _planes(region: Region, bundle: Bundle, directions: int) -> tuple[str, ...]:
    """The model's plane first, then those that it has learned too, then the others."""
    own, also = bundle.input["plane"], bundle.input.get("also", [])
    others = [*also, *(plane for plane in PLANES if plane != own and plane not in also)]
    return views(region.scan.image, own, others, bundle.input["pixel_mm"])[:directions]


def _cut(region: Region, start: np.ndarray, bundle: Bundle, network: FeedForward, plane: str) -> Frames:
    return cut(
        region,
        start,
        pixels=bundle.input["pixels"],
        pixel_mm=bundle.input["pixel_mm"],
        plane=plane,
        slices=network.slices,
        slice_mm=bundle.input.get("slice_mm", bundle.input["pixel_mm"]),
    )


def _added(
    frames: Frames,
    hints: np.ndarray | None,
    bundle: Bundle,
    network: FeedForward,
    device: str,
    mirrored: bool,
    progress: Progress,
) -> np.ndarray:
    """float32 of the frames' shape: what the network adds to them, in the region's scale; 0 where there is no hole."""
    import torch

    wanted = np.flatnonzero(~frames.settled.all(axis=(1, 2)))
    centre, half = bundle.normalisation["centre"], bundle.normalisation["half_width"]
    images, others = (
        torch.from_numpy((values - centre) / half).clamp(-1, 1)
        for values in (frames.values, frames.values[:0] if hints is None else hints)
    )
    known = torch.from_numpy(frames.settled)
    chunk = max(1, BATCH // frames.values[0].size)
    added = np.zeros_like(frames.values)
    with torch.inference_mode():
        for first in range(0, len(wanted), chunk):
            rows = wanted[first : first + chunk]
            some, there = images[frames.stacks[rows]], known[frames.stacks[rows]].to(device)
            if network.hint:
                some = torch.cat([some, others[rows, None]], dim=1)
            some = some.to(device)
            predicted = torch.stack([*_looks(network, some, there, mirrored and frames.symmetric)]).mean(dim=0)
            # Of what was cut off at -1 and 1, a correction is laid on what was there before.
            before = others[rows] if network.hint else images[rows]
            if network.given == "nothing":
                before = torch.from_numpy((frames.values[rows] - centre) / half)
            added[rows] = (predicted.cpu() - before).numpy() * half
            progress.update((first + len(rows)) / len(wanted), "Filling slices")
    return added


def _looks(network: FeedForward, images: torch.Tensor, known: torch.Tensor, mirrored: bool) -> Iterator[torch.Tensor]:
    """``(B, H, W)``: what the network makes of the images, and of their mirrored selves."""
    yield network(images, known)[:, 0]
    if mirrored:
        yield network(images.flip(-1), known.flip(-1))[:, 0].flip(-1)
