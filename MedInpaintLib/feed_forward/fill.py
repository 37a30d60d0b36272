"""From a region to its fill by a network that predicts the hole in one pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..errors import ModelError
from ..frames import PLANES, Frames, cut, pixel_size, views
from ..memory import OnDevice
from ..models.bundle import Bundle, load_into
from ..models.doubts import doubts
from ..models.store import choose
from ..progress import Progress
from ..region import Region
from ..solvers.start import thin_plate
from .options import Options
from .other_side import in_frames, other_side

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
        notes, warnings, device: as in a prediction.
    """

    mean: np.ndarray
    notes: dict[str, Any]
    warnings: tuple[str, ...]
    device: str


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
        device: a device of torch; the CPU steps in where its memory is too small.
        progress: reports and cancels.
        blended: how other methods fill, for networks that have learned to make use of it.

    Raises:
        ModelError: there is no model, or it has learned another modality.
    """
    bundle = choose(options.model, architecture, region.modality)
    _check_modality(bundle, region, options)
    on_device = region.scan.remember(
        (bundle.folder, device), lambda: OnDevice(lambda place: _load(bundle, place), device)
    )
    network = on_device.network
    start = thin_plate(region, progress.part(0.0, 0.05))
    hint, warnings = None, []
    if network.hint:
        name = bundle.input.get("hint", "")
        if not name:
            raise ModelError(
                f"The model '{bundle.name}' wants another method's fill and does not say which; get it again."
            )
        found = blended(name, region, progress.part(0.05, 0.6))
        hint, warnings = found.mean, [f"For the fill that is corrected, {name}: {each}" for each in found.warnings]
    across = other_side(region, progress.part(0.6, 0.7)) if network.other_side else None
    if network.other_side and across is None:
        warnings.append(
            f"The model '{bundle.name}' compares both sides of the body, and found none here: it has learned little of "
            "such images."
        )
    corrected = start if hint is None else hint
    rest = progress.part(0.7 if network.hint or network.other_side else 0.05, 1.0)
    planes = _planes(region, bundle, options.directions)
    total = np.zeros_like(start)
    count = 0
    for number, plane in enumerate(planes):
        share = rest.part(number / len(planes), (number + 1) / len(planes))
        frames = _cut(region, start, bundle, network, plane)
        before = frames.values if hint is None else _cut(region, hint, bundle, network, plane).values
        others = in_frames(across, frames) if network.other_side else None
        added = _added(frames, before, others, bundle, on_device, options.mirrored, share)
        total += frames.back(added, np.zeros_like(start))
        known = float(frames.known.mean(axis=(1, 2)).min())
        warnings += [each for each in doubts(bundle, region.modality, frames.plane, known) if each not in warnings]
        count += len(frames.wanted)
    values = region.values[~region.hole]
    mean = np.clip(corrected + total / len(planes), values.min(), values.max())
    notes = {"model": bundle.name, "frames": count, "directions": len(planes), **on_device.notes}
    if network.hint:
        notes["corrects"] = bundle.input["hint"]
    return Filled(mean, notes, (*on_device.warnings, *warnings), on_device.device)


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
    return views(region.scan.image, own, others, _pixel_mm(region, bundle))[:directions]


def _pixel_mm(region: Region, bundle: Bundle) -> float:
    return pixel_size(region.scan.image, bundle.input["pixel_mm"], bundle.input.get("across", 0))


def _cut(region: Region, start: np.ndarray, bundle: Bundle, network: FeedForward, plane: str) -> Frames:
    return cut(
        region,
        start,
        pixels=bundle.input["pixels"],
        pixel_mm=_pixel_mm(region, bundle),
        plane=plane,
        slices=network.slices,
        slice_mm=bundle.input.get("slice_mm", bundle.input["pixel_mm"]),
    )


def _added(
    frames: Frames,
    corrected: np.ndarray,
    others: tuple[np.ndarray, np.ndarray] | None,
    bundle: Bundle,
    on_device: OnDevice[FeedForward],
    mirrored: bool,
    progress: Progress,
) -> np.ndarray:
    """float32 of the frames' shape: what the network adds to ``corrected``; 0 where there is no hole.

    Args:
        frames: with the smooth fill under the hole.
        corrected: of their shape: the hint where there is one, else their own values.
        others: of their shape: the other side and where there is one, for networks that see it.
        bundle: of the network.
        on_device: the network.
        mirrored: whether to take the mean with the mirrored frames.
        progress: reports and cancels.
    """
    import torch

    wanted = frames.wanted
    centre, half = bundle.normalisation["centre"], bundle.normalisation["half_width"]
    beside = [corrected] * on_device.network.hint + ([others[0]] if others else [])
    images, *channels = (torch.from_numpy((each - centre) / half).clamp(-1, 1) for each in (frames.values, *beside))
    known, *there = (torch.from_numpy(each) for each in (frames.settled, *(others or ())[1:]))
    added = np.zeros_like(frames.values)

    def work(network: FeedForward, device: str, part: slice) -> None:
        rows = wanted[part]
        stacks = frames.stacks[rows]
        shown = torch.cat([images[stacks], *(each[rows, None] for each in channels)], dim=1).to(device)
        where = torch.cat([known[stacks], *(each[rows, None] for each in there)], dim=1).to(device)
        predicted = torch.stack([*_looks(network, shown, where, mirrored and frames.symmetric)]).mean(dim=0)
        before = torch.from_numpy((corrected[rows] - centre) / half)
        # Of what was cut off at -1 and 1, a correction is laid on what was there before.
        before = before if network.given == "nothing" else before.clamp(-1, 1)
        added[rows] = (predicted.cpu() - before).numpy() * half
        progress.update(part.stop / len(wanted), "Filling slices")

    with torch.inference_mode():
        on_device.portions(len(wanted), max(1, BATCH // frames.values[0].size), work)
    return added


def _looks(network: FeedForward, images: torch.Tensor, known: torch.Tensor, mirrored: bool) -> Iterator[torch.Tensor]:
    """``(B, H, W)``: what the network makes of the images, and of their mirrored selves."""
    yield network(images, known)[:, 0]
    if mirrored:
        yield network(images.flip(-1), known.flip(-1))[:, 0].flip(-1)
