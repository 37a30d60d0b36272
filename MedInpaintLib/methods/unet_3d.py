"""Fill by a 3-D network that corrects the consensus of other side and average head."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.registration import register, why_none
from ..calibration import AS_GIVEN
from ..consensus import join
from ..cubes import cubes_of
from ..independent_fills import fill_independently, mirror_instead
from ..models.bundle import Bundle, load_network
from ..models.once import load_once
from ..parameters import parameter
from ..prediction import Cost, Prediction, Run, method
from ..region import Region
from ..volume_inputs import Inputs, inputs_of, mirrored

if TYPE_CHECKING:
    import torch

#: The sides of what the network sees are multiples of this.
MULTIPLE = 8


@dataclasses.dataclass(frozen=True)
class Options:
    """Parameters of the method."""

    model: str = parameter(
        "auto", help="A model by name or folder; auto takes the first of its kind that 'medinpaint models list' shows."
    )
    mirrored: bool = parameter(True, help="Average with the fill of the mirrored volume.")
    any_modality: bool = parameter(False, help="Use the model on images of a modality that it has not learned, too.")


@method(
    name="unet-3d",
    title="3-D U-Net (corrects the consensus)",
    family="learned",
    summary="A 3-D U-Net corrects the consensus of other side and average head, and says how sure it is.",
    trust="The most probable brightness, as that of the consensus; detail that none of its fills has is faint.",
    reference="Çiçek et al.: 3D U-Net: Learning dense volumetric segmentation from sparse annotation, MICCAI 2016",
    parameters=Options,
    dimensions="3-D",
    context_mm=25.0,
    architecture="unet-3d",
    needs_model=True,
    requires=("torch", "safetensors"),
    cost=Cost(1.2, 0.6, few=4500, beyond=0.15, image=6.0),
    prepare=register,
)
def fill(region: Region, options: Options, run: Run) -> Prediction:
    """Correct the consensus in cubes of 1 mm; what the network adds is brought back onto the region's grid.

    An image without an atlas is filled by ``mirror``. Guides are left out: the network has learned without.

    Raises:
        ModelError: there is no model, or it has learned another modality.
    """
    region = region.alone()
    model = load_once(region.subject, options.model, "unet-3d", _load, run.device, options.any_modality)
    bundle, on_device = model.bundle, model.on_device
    registration = register(region.subject, run.progress.part(0.0, 0.3))
    reason = why_none(registration)
    if reason or registration is None:
        return mirror_instead(region, run, f"there is no atlas: {reason}")
    fills = fill_independently(region, registration, dataclasses.replace(run, progress=run.progress.part(0.3, 0.8)))
    consensus = join(region, fills)
    cubes = cubes_of(region)
    inputs = inputs_of(region, consensus.mean, fills, cubes)
    run.progress.update(0.85, "Correcting the consensus")
    centre, half = bundle.normalisation["centre"], bundle.normalisation["half_width"]
    results: list[tuple[np.ndarray, np.ndarray]] = []

    def work(network: torch.nn.Module, device: str, _: slice) -> None:
        results[:] = [_corrected(network, device, inputs, centre, half, options.mirrored)]

    on_device.portions(1, 1, work)
    added, deviation = (cubes.back(each) for each in results[0])
    known = region.values[~region.hole]
    mean = np.clip(consensus.mean + added, known.min(), known.max())
    notes = {**consensus.notes, "model": bundle.name, "model_title": bundle.title, "corrects": "consensus"}
    notes |= on_device.notes
    spread = np.where(region.fill, deviation, 0.0).astype(np.float32)
    warnings = (*on_device.warnings, *consensus.warnings)
    # It was trained by the likelihood of the errors, so it is the standard deviation already.
    return Prediction(mean, spread, notes, warnings, device=on_device.device, calibration=AS_GIVEN)


def _load(bundle: Bundle, device: str) -> Any:
    return load_network(bundle).to(device)


def _corrected(
    network: torch.nn.Module, device: str, inputs: Inputs, centre: float, half: float, both: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the network adds to the fill, and the standard deviation of its error, both in the region's scale.

    Args:
        network: on the device.
        device: of torch.
        inputs: of a region, in cubes.
        centre, half: the network sees ``(intensity - centre) / half``.
        both: whether to take the mean with the mirrored volume.
    """
    import torch

    base = inputs.intensities[0]
    totals = np.zeros((2, *base.shape), dtype=np.float32)
    passes = [inputs, mirrored(inputs)] if both else [inputs]
    with torch.inference_mode():
        for number, each in enumerate(passes):
            images = torch.from_numpy((_whole(each.intensities) - np.float32(centre)) / np.float32(half)).clamp(-1, 1)
            maps = torch.from_numpy(_whole(each.maps))
            mean, log_variance = network(images[None].to(device), maps[None].to(device))[0].cpu().numpy()
            deviation = np.exp(0.5 * np.clip(log_variance, -20.0, 5.0))
            depth, height, width = base.shape
            added = np.stack([mean - images[0].numpy(), deviation])[:, :depth, :height, :width]
            totals += added[..., ::-1] if number else added
    totals *= half / len(passes)
    return totals[0], totals[1]


def _whole(channels: np.ndarray) -> np.ndarray:
    """Continue channels at their far ends, so that all sides are multiples of :data:`MULTIPLE`."""
    padding = [(0, 0), *((0, -size % MULTIPLE) for size in channels.shape[1:])]
    return np.pad(channels, padding, mode="edge")
