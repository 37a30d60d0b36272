"""Estimate a contrast of a head from others, slice by slice, by a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

from ..errors import ModelError
from ..frames import LEFT_AND_RIGHT, Pose, along, pose, sample
from ..memory import OnDevice
from ..models.bundle import Bundle
from ..models.bundle import load_network as bundle_network
from ..progress import Progress
from ..volume import Volume
from .core import fit_core_scaling

if TYPE_CHECKING:
    from ..networks.imputer import Imputer

#: Largest number of pixels in a batch of slices: takes 1 GB of memory with the released model.
BATCH = 8 * 256 * 256
#: The architecture of models that estimate contrasts.
ARCHITECTURE = "collagan"


def load_network(bundle: Bundle, device: str) -> Imputer:
    """Load the network of a model onto a device.

    Raises:
        ModelError: see :func:`MedInpaintLib.models.bundle.load_network`.
        MissingDependencyError: PyTorch or safetensors is not installed.
    """
    return cast("Imputer", bundle_network(bundle)).to(device)


def contrast_of(bundle: Bundle, name: str) -> str:
    """Return the model's name of a contrast, ignoring case.

    Raises:
        ModelError: the model does not know it.
    """
    for known in bundle.contrasts:
        if known.lower() == name.strip().lower():
            return known
    raise ModelError(
        f"The model '{bundle.name}' knows no contrast '{name.strip()}'; its contrasts are: "
        f"{', '.join(bundle.contrasts)}."
    )


def estimate(
    images: Mapping[str, Volume],
    target: str,
    bundle: Bundle,
    on_device: OnDevice[Imputer],
    *,
    slices: tuple[int, int] | None = None,
    mirrored: bool = False,
    progress: Progress | None = None,
) -> np.ndarray:
    """Estimate a contrast: float32 of the images' shape, on the scale of :mod:`.core`, 0 or more.

    Args:
        images: the model's name of a contrast -> image; all on one grid, 3-D, or 2-D for a single slice.
        target: the contrast to estimate; an image of it is ignored.
        bundle, on_device: of the network, from :func:`load_network`.
        slices: start and end (excluded) along the array's axis across the model's plane; others are 0; all when None.
        mirrored: average with the estimate from the mirrored slices, in planes that show left and right.
        progress: reports and cancels.
    """
    progress = progress or Progress()
    first = next(iter(images.values()))
    turned = pose(first, bundle.input["plane"])
    scaled = {
        name: _whole(fit_core_scaling(image.array, image.spacing).forward(image.array), turned)
        for name, image in images.items()
        if name != target
    }
    shape = next(iter(scaled.values())).shape
    low, high = _range(slices, turned, shape[0])
    ratio = _ratio(first, turned, bundle.input["pixel_mm"])
    out = np.zeros(shape, dtype=np.float32)
    mirrored = mirrored and bundle.input["plane"] in LEFT_AND_RIGHT
    rows, columns = (
        along((size - 1) / 2, max(1, round(size / each)), each) for size, each in zip(shape[1:], ratio, strict=True)
    )
    back = [
        (np.arange(size) - at[0]) / (at[1] - at[0]) if len(at) > 1 else np.zeros(size)
        for size, at in zip(shape[1:], (rows, columns), strict=True)
    ]

    def work(network: Imputer, device: str, part: slice) -> None:
        here = slice(low + part.start, low + part.stop)
        seen = {name: sample(each[here], rows, columns, ratio) for name, each in scaled.items()}
        values = _slices(seen, target, bundle, network, device, mirrored)
        out[here] = sample(values, back[0], back[1], (1.0, 1.0))
        progress.update(part.stop / (high - low), f"Estimating {target}, slice {part.stop} of {high - low}")

    on_device.portions(high - low, max(1, BATCH // (len(rows) * len(columns))), work)
    return turned.back(out).reshape(first.array.shape)


def _whole(array: np.ndarray, turned: Pose) -> np.ndarray:
    """Return an array as (slice, row, column)."""
    return turned.turn(array.reshape([1] * (3 - array.ndim) + list(array.shape)))


def _range(slices: tuple[int, int] | None, turned: Pose, count: int) -> tuple[int, int]:
    """Return start and end of the slices in the turned array."""
    if slices is None:
        return 0, count
    return (count - slices[1], count - slices[0]) if 0 in turned.flips else slices


def _ratio(image: Volume, turned: Pose, pixel_mm: float) -> list[float]:
    spacing = (1.0,) * (3 - image.array.ndim) + tuple(image.spacing)
    return [pixel_mm / spacing[axis] for axis in turned.order[1:]]


def _slices(
    seen: Mapping[str, np.ndarray], target: str, bundle: Bundle, network: Imputer, device: str, mirrored: bool
) -> np.ndarray:
    """Estimate float32 ``(n, rows, columns)`` from slices of that shape of each contrast."""
    import torch

    from ..networks.tiles import tiled

    names = bundle.contrasts
    blank = np.zeros_like(next(iter(seen.values())))
    images = np.stack([seen.get(name, blank) for name in names], axis=1)
    centre, half = bundle.normalisation["centre"], bundle.normalisation["half_width"]
    inputs = ((torch.from_numpy(images) - centre) / half).clamp(-1, 1).to(device)
    present = torch.tensor([name in seen for name in names]).expand(len(inputs), -1).to(device)
    targets = torch.full((len(inputs),), names.index(target)).to(device)
    with torch.inference_mode():
        outputs = tiled(network, inputs, present, targets)
        if mirrored:
            outputs = (outputs + tiled(network, inputs.flip(-1), present, targets).flip(-1)) / 2
    values = outputs[:, 0].float().cpu().numpy() * half + centre
    if not np.isfinite(values).all():
        raise ModelError(f"The model '{bundle.name}' made values that are no numbers of these images; check them.")
    return np.maximum(values, 0)
