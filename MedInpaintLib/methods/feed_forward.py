"""Networks that predict the hole in one pass: one method per architecture, all run the same way."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np

from ..errors import ModelError
from ..frames import PLANES, Frames, cut, pixel_size, views
from ..initial_fill import initial_fill
from ..memory import OnDevice
from ..models.bundle import Bundle, load_network
from ..models.limits import beyond_training
from ..models.once import load_once
from ..other_side import in_frames, other_side
from ..parameters import parameter
from ..prediction import Cost, Prediction, Run, fill_with, method
from ..progress import Progress
from ..region import Region

if TYPE_CHECKING:
    import torch

    from ..networks.feed_forward import FeedForward

#: Pixels of frames that go through a network at once, at most: more are no faster, and take more memory.
BATCH = 32 * 64 * 64


@dataclasses.dataclass(frozen=True)
class Options:
    """Parameters of these methods: model, number of slicing directions, mirrored test-time augmentation."""

    model: str = parameter(
        "auto", help="A model by name or folder; auto takes the first of its kind that 'medinpaint models list' shows."
    )
    directions: int = parameter(
        1, minimum=1, maximum=3, help="Average the fills of this many slicing directions, in volumes with cubic voxels."
    )
    mirrored: bool = parameter(
        True, help="Average with the fill of the mirrored slice, in planes that show left and right."
    )
    any_modality: bool = parameter(False, help="Use the model on images of a modality that it has not learned, too.")


def _fill(architecture: str, region: Region, parameters: Options, run: Run) -> Prediction:
    """Fill all slices of the hole in one pass, by the method that is named like its architecture."""
    return fill_in_one_pass(region, architecture, parameters, run)


def _register(name: str, title: str, *, summary: str, trust: str, reference: str) -> None:
    """Register a method for an architecture of the same name."""
    register = method(
        name=name,
        title=title,
        family="learned",
        summary=summary,
        trust=trust,
        reference=reference,
        parameters=Options,
        architecture=name,
        needs_model=True,
        wants_gpu=True,
        requires=("torch", "safetensors"),
        cost=Cost(0.6, 0.5, few=4500, beyond=0.17),
    )
    register(functools.partial(_fill, name))


_register(
    "boundary-aware",
    "Boundary-aware U-Net",
    summary="A U-Net that has also learned where tissues meet mixes and corrects other fills.",
    trust="Likely intensities; boundaries in the middle of the hole are guesses.",
    reference="Caruana: Multitask learning, Machine Learning 28, 1997",
)
_register(
    "context-encoder",
    "Context encoder",
    summary="Sees the slice through a bottleneck, mixes and corrects other fills; the first network made for holes.",
    trust="Detail is only what the fills have that it mixes: little comes through the bottleneck but broad shapes.",
    reference="Pathak et al.: Context encoders: Feature learning by inpainting, CVPR 2016",
)
_register(
    "edge-guided",
    "Edge-guided U-Net",
    summary="First completes the edges in the hole, then mixes and corrects other fills along them.",
    trust="An edge that was guessed wrong looks as sharp as one that was guessed right.",
    reference="Nazeri et al.: EdgeConnect: Structure guided image inpainting using edge prediction, ICCVW 2019",
)
_register(
    "pconv",
    "U-Net with partial convolutions",
    summary="A U-Net of partial convolutions, made for holes of any outline, mixes and corrects other fills.",
    trust="Shows mostly what other fills show, in heads also the other side; surest near the edge of the hole.",
    reference="Liu et al.: Image inpainting for irregular holes using partial convolutions, ECCV 2018",
)
_register(
    "rfr",
    "Recurrent Feature Reasoning",
    summary="Applies the same layers repeatedly, from the edge inwards, to combine and correct other fills.",
    trust="Shows mostly what other fills show, in heads also the other side; surest at the edge, less so inwards.",
    reference="Li et al.: Recurrent feature reasoning for image inpainting, CVPR 2020",
)
_register(
    "unet",
    "U-Net",
    summary="A U-Net sees what is around the hole, in heads the other side too; it mixes and corrects other fills.",
    trust="Shows mostly what other fills show, in heads also the other side; unlikely detail becomes faint.",
    reference="Ronneberger, Fischer, Brox: U-Net, MICCAI 2015",
)


def fill_in_one_pass(region: Region, architecture: str, options: Options, run: Run) -> Prediction:
    """Fill all slices of a region's hole at once.

    The network corrects a fill: the initial one, or the hint, which is another method's. Its correction is added in the
    region, so that this fill keeps the region's own resolution.

    Args:
        region: with its hole.
        architecture: of the network.
        options: model and test-time augmentation.
        run: device, progress; the CPU steps in where the device's memory is too small.

    Raises:
        ModelError: there is no model, or it has learned another modality.
    """
    progress = run.progress
    model = load_once(region.subject, options.model, architecture, _load, run.device, options.any_modality)
    bundle = model.bundle
    on_device = model.on_device
    seen = on_device.network.inputs
    smooth = initial_fill(region, progress.part(0.0, 0.05)).astype(np.float32)
    hint, warnings = _hint(region, bundle, run.seed, progress.part(0.05, 0.6)) if seen.hint else (None, [])
    compared = other_side(region, progress.part(0.6, 0.7)) if seen.other_side else None
    if seen.other_side and compared is None:
        warnings.append(
            f"The model '{bundle.name}' compares both sides of the body, and this image does not show both: it was "
            "trained on few such images."
        )
    rest = progress.part(0.7 if seen.hint or seen.other_side else 0.05, 1.0)
    planes = _planes(region, bundle, options.directions)
    total = np.zeros_like(smooth)
    count = 0
    for number, plane in enumerate(planes):
        share = rest.part(number / len(planes), (number + 1) / len(planes))
        frames = _cut(region, smooth, bundle, seen.slices, plane)
        corrected = frames.values if hint is None else _cut(region, hint, bundle, seen.slices, plane).values
        opposite = in_frames(compared, frames) if seen.other_side else None
        added = _added(frames, corrected, opposite, bundle, on_device, options.mirrored, share)
        total += frames.back(added, np.zeros_like(smooth))
        known = float(frames.known.mean(axis=(1, 2)).min())
        more = beyond_training(bundle, region.modality.name, frames.plane, known)
        warnings += [warning for warning in more if warning not in warnings]
        count += len(frames.with_hole)
    values = region.values[~region.hole]
    mean = np.clip((smooth if hint is None else hint) + total / len(planes), values.min(), values.max())
    notes = {"model": bundle.name, "model_title": bundle.title, "frames": count, "directions": len(planes)}
    notes |= on_device.notes
    if seen.hint:
        notes["corrects"] = bundle.input["hint"]
    return Prediction(mean, notes=notes, warnings=(*on_device.warnings, *warnings), device=on_device.device)


def _load(bundle: Bundle, device: str) -> FeedForward:
    return cast("FeedForward", load_network(bundle)).to(device)


def _hint(region: Region, bundle: Bundle, seed: int, progress: Progress) -> tuple[np.ndarray, list[str]]:
    """Return the other method's fill that a model corrects, and warnings."""
    name = bundle.input.get("hint", "")
    if not name:
        raise ModelError(
            f"The model '{bundle.name}' corrects another method's fill and does not name it; add it again."
        )
    prediction = fill_with(name, region, progress, seed=seed)
    return prediction.mean, [f"Of {name}, whose fill the network corrects: {each}" for each in prediction.warnings]


def _planes(region: Region, bundle: Bundle, directions: int) -> tuple[str, ...]:
    """Return the model's plane, then those that it has learned too, then the others."""
    own, also = bundle.input["plane"], bundle.input.get("also", [])
    rest = [*also, *(plane for plane in PLANES if plane != own and plane not in also)]
    return views(region.subject.image, own, rest, _pixel_mm(region, bundle))[:directions]


def _pixel_mm(region: Region, bundle: Bundle) -> float:
    return pixel_size(region.subject.image, bundle.input["pixel_mm"], bundle.input.get("across", 0))


def _cut(region: Region, filled: np.ndarray, bundle: Bundle, slices: int, plane: str) -> Frames:
    return cut(
        region,
        filled,
        pixels=bundle.input["pixels"],
        pixel_mm=_pixel_mm(region, bundle),
        plane=plane,
        slices=slices,
        slice_mm=bundle.input.get("slice_mm", bundle.input["pixel_mm"]),
    )


def _added(
    frames: Frames,
    corrected: np.ndarray,
    opposite: tuple[np.ndarray, np.ndarray] | None,
    bundle: Bundle,
    on_device: OnDevice[FeedForward],
    mirrored: bool,
    progress: Progress,
) -> np.ndarray:
    """Return what the network adds to ``corrected``: float32 of the frames' shape, 0 where there is no hole.

    Args:
        frames: with the smooth fill under the hole.
        corrected: of their shape: the hint where there is one, else their own values.
        opposite: of their shape: the other side and where it is known, for networks that see it.
        bundle: of the network.
        on_device: the network.
        mirrored: whether to take the mean with the mirrored frames.
        progress: reports and cancels.
    """
    import torch

    inputs = on_device.network.inputs
    centre, half = bundle.normalisation["centre"], bundle.normalisation["half_width"]
    extras = [corrected] * inputs.hint + ([opposite[0]] if opposite else [])
    images, *channels = (torch.from_numpy((each - centre) / half).clamp(-1, 1) for each in (frames.values, *extras))
    known, *opposite_known = (torch.from_numpy(each) for each in (frames.outside_hole, *(opposite or ())[1:]))
    added = np.zeros_like(frames.values)

    def work(network: FeedForward, device: str, part: slice) -> None:
        rows = frames.with_hole[part]
        stacks = frames.stacks[rows]
        slices = torch.cat([images[stacks], *(each[rows, None] for each in channels)], dim=1).to(device)
        where = torch.cat([known[stacks], *(each[rows, None] for each in opposite_known)], dim=1).to(device)
        predicted = torch.stack([*_passes(network, slices, where, mirrored and frames.symmetric)]).mean(dim=0)
        before = torch.from_numpy((corrected[rows] - centre) / half)
        # Where the network saw values cut off at -1 and 1, its correction is added to the full values.
        before = before if inputs.given == "nothing" else before.clamp(-1, 1)
        added[rows] = (predicted.cpu() - before).numpy() * half
        progress.update(part.stop / len(frames.with_hole), "Filling slices")

    with torch.inference_mode():
        on_device.portions(len(frames.with_hole), max(1, BATCH // frames.values[0].size), work)
    return added


def _passes(network: FeedForward, images: torch.Tensor, known: torch.Tensor, mirrored: bool) -> Iterator[torch.Tensor]:
    """Yield the network's output ``(B, H, W)`` for the images and, where asked, for their mirrored selves."""
    yield network(images, known)[:, 0]
    if mirrored:
        yield network(images.flip(-1), known.flip(-1))[:, 0].flip(-1)
