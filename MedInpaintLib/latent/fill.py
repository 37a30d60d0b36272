"""From a region to its fill by latent search, for any generator."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ParameterError
from ..frames import Frames, cut
from ..memory import OnDevice
from ..models.bundle import Bundle
from ..models.doubts import doubts
from ..progress import Progress
from ..region import Region
from ..solvers.start import thin_plate
from .options import Options

if TYPE_CHECKING:
    import torch

    from .search import Found, Prior, Settings

#: Every such slice is searched first; the ones between start where their neighbours ended.
STRIDE = 3
#: Frames that are searched at once, at most: more are no faster, and take more memory.
BATCH = 64


@dataclasses.dataclass(frozen=True)
class Generative:
    """A generator as a search needs it.

    Attributes:
        bundle: the model that it is of.
        decode, encode: latents to images, and a guess of the latents of images.
        prior: see :mod:`.search`.
    """

    bundle: Bundle
    decode: Callable[[torch.Tensor], torch.Tensor]
    encode: Callable[[torch.Tensor], torch.Tensor]
    prior: Prior


@dataclasses.dataclass(frozen=True)
class Filled:
    """What a latent search makes of a region.

    Attributes:
        mean: float32 of the region's shape, in its scale: what the generator shows, in the hole and around it.
        spread: standard deviation over the restarts; None with one.
        notes, warnings, device: as in a prediction.
    """

    mean: np.ndarray
    spread: np.ndarray | None
    notes: dict[str, Any]
    warnings: tuple[str, ...]
    device: str


def fill(region: Region, on_device: OnDevice[Generative], options: Options, seed: int, progress: Progress) -> Filled:
    """Cut frames, search their latents all at once, and lay what the generator shows back into the region.

    Args:
        region: with its hole.
        on_device: the generator.
        options: how to search.
        seed: of the starts.
        progress: reports and cancels.
    """
    import torch

    bundle = on_device.network.bundle
    start = thin_plate(region, progress.part(0.0, 0.05))
    side, mm, plane = (bundle.input[name] for name in ("pixels", "pixel_mm", "plane"))
    frames = cut(region, start, pixels=side, pixel_mm=mm, plane=plane)
    centre, half = bundle.normalisation["centre"], bundle.normalisation["half_width"]
    images = torch.from_numpy((frames.values - centre) / half).clamp(-1, 1)[:, None]
    mask = torch.from_numpy(frames.known)[:, None]
    found = _search(on_device, images, mask, frames, options, seed, progress.part(0.05, 1.0))
    shown = [(each.images[:, 0].numpy() * half + centre).astype(np.float32) for each in found]
    losses = torch.stack([each.losses for each in found])
    best = losses.argmin(dim=0).numpy()
    mean = frames.back(np.stack(shown)[best, np.arange(len(best))])
    spread = np.std([frames.back(each) for each in shown], axis=0) if len(shown) > 1 else None
    steps = float(torch.stack([each.steps for each in found]).float().mean())
    notes = {"model": bundle.name, "frames": len(best), "search_steps": round(steps, 1)}
    notes["search_loss"] = round(float(losses.min(dim=0).values.mean()), 6)
    notes |= on_device.notes
    known = float(frames.known.mean(axis=(1, 2)).min())
    warnings = (*on_device.warnings, *doubts(bundle, region.modality, frames.plane, known))
    return Filled(mean, spread, notes, warnings, on_device.device)


def _search(
    on_device: OnDevice[Generative],
    images: torch.Tensor,
    known: torch.Tensor,
    frames: Frames,
    options: Options,
    seed: int,
    progress: Progress,
) -> list[Found]:
    """One result for each restart: every third slice from its own start, the others from their neighbours' latents.

    All tensors that are kept are on the CPU; only those that are searched at once are on the device.
    """
    import torch

    settings = _settings(options)
    inside = torch.from_numpy(np.ascontiguousarray(frames.inside))[:, None]
    first = _first(frames.tiles)
    nearest = torch.from_numpy(_nearest(frames.tiles, frames.slices, first))
    stages = [first, ~first] if options.steps else [np.ones_like(first)]
    chance = torch.Generator().manual_seed(seed)
    guess = _encoded(on_device, images)
    results = []
    for number in range(options.restarts):
        latents = guess if number == 0 else _another(guess, chance)
        share = progress.part(number / options.restarts, (number + 1) / options.restarts)
        parts: list[tuple[torch.Tensor, Found]] = []
        for stage, chosen in enumerate(stages):
            rows = torch.from_numpy(np.flatnonzero(chosen))
            part = share.part(stage / len(stages), (stage + 1) / len(stages))
            found = _found(on_device, images[rows], known[rows], latents[rows], inside[rows], settings, part)
            latents = latents.clone()
            for some, each in found:
                parts.append((rows[some], each))
                latents[rows[some]] = each.latents
            latents = latents[nearest]
        results.append(_joined(parts))
    return results


def _encoded(on_device: OnDevice[Generative], images: torch.Tensor) -> torch.Tensor:
    """The generator's guess of the latents of images."""
    import torch

    latents: list[torch.Tensor] = []

    def work(generative: Generative, device: str, rows: slice) -> None:
        latents.append(generative.encode(images[rows].to(device)).cpu())

    on_device.portions(len(images), BATCH, work)
    return torch.cat(latents)


def _found(
    on_device: OnDevice[Generative],
    images: torch.Tensor,
    known: torch.Tensor,
    latents: torch.Tensor,
    inside: torch.Tensor,
    settings: Settings,
    progress: Progress,
) -> list[tuple[slice, Found]]:
    """What searches found for frames, some at a time: which frames, and that."""
    from .search import search

    parts: list[tuple[slice, Found]] = []

    def work(generative: Generative, device: str, rows: slice) -> None:
        share = progress.part(rows.start / len(images), rows.stop / len(images))
        shown, there, start, within = (each[rows].to(device) for each in (images, known, latents, inside))
        found = search(generative.decode, shown, there, start, settings, generative.prior, share, within)
        parts.append((rows, found.cpu()))

    on_device.portions(len(images), BATCH, work)
    return parts


def _another(guess: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """A start between the encoder's guess and a random one, as far from 0 as both."""
    import torch

    noise = torch.randn(guess.shape, generator=chance).to(guess)
    return (guess + noise) / 2**0.5


def _joined(parts: list[tuple[torch.Tensor, Found]]) -> Found:
    """The results of several sets of frames, in the frames' order."""
    import torch

    from .search import Found

    order = torch.argsort(torch.cat([rows for rows, _ in parts]))
    fields = [field.name for field in dataclasses.fields(Found)]
    return Found(**{name: torch.cat([getattr(found, name) for _, found in parts])[order] for name in fields})


def _first(tiles: np.ndarray) -> np.ndarray:
    """bool ``(n,)``: of each tile every third frame, from the second on."""
    starts = np.searchsorted(tiles, np.arange(tiles.max() + 1))
    counts = np.bincount(tiles)
    return (np.arange(len(tiles)) - starts[tiles]) % STRIDE == np.minimum(1, counts[tiles] - 1)


def _nearest(tiles: np.ndarray, slices: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """For each frame the chosen one of its tile whose slice is nearest; a chosen one is its own.

    Args:
        tiles, slices: int ``(n,)``, of the frames.
        chosen: bool ``(n,)``, some of each tile.
    """
    candidates = np.flatnonzero(chosen)
    apart = np.abs(slices[:, None] - slices[candidates])
    elsewhere = tiles[:, None] != tiles[candidates]
    return candidates[np.argmin(np.where(elsewhere, apart.max() + 1, apart), axis=1)]


def _settings(options: Options) -> Settings:
    from ..losses.context import ContextLoss, ContextWeights
    from .search import Settings

    if options.window % 2 == 0:
        raise ParameterError(f"Parameter 'window' must be odd; found {options.window}.")
    if options.context == "off" and options.prior == 0:
        raise ParameterError("With the context off and no prior there is nothing to search for; switch one on.")
    return Settings(
        steps=options.steps,
        polish=options.polish,
        context=0.0 if options.context == "off" else 1.0,
        loss=ContextLoss(power=1 if options.context == "L1" else 2),
        weights=ContextWeights(window=options.window, far=options.far, weighted=options.weighting),
        prior=options.prior,
    )
