"""Latent search: the image of a generator that agrees best with the tissue around the hole; in a VAE and in a GAN."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np

from ..errors import ParameterError
from ..frames import Frames, cut, pixel_size
from ..initial_fill import initial_fill
from ..memory import OnDevice
from ..models.bundle import Bundle, load_network
from ..models.limits import beyond_training
from ..models.once import load_once
from ..parameters import parameter
from ..prediction import Prediction, Run, method
from ..progress import Progress
from ..region import Region

if TYPE_CHECKING:
    import torch

    from ..latent.search import Found, Prior, Settings
    from ..networks.dcgan import Dcgan
    from ..networks.vae import Vae

#: Every such slice is searched first; the ones between start where their neighbours ended.
STRIDE = 3
#: Frames that are searched at once, at most: more are no faster, and take more memory.
BATCH = 64


@dataclasses.dataclass(frozen=True)
class Options:
    """Parameters of latent search in a VAE; those for a GAN differ in two defaults."""

    model: str = parameter(
        "auto", help="A model by name or folder; auto takes the first of its kind that 'medinpaint models list' shows."
    )
    steps: int = parameter(100, minimum=0, maximum=10_000, help="Steps of Adam at most; 0 takes the start as it is.")
    polish: int = parameter(0, minimum=0, maximum=1000, help="Steps of L-BFGS after that.")
    restarts: int = parameter(
        1, minimum=1, maximum=64, help="Searches of each slice, from different starts; their spread is the uncertainty."
    )
    context: str = parameter(
        "L2", choices=("L1", "L2", "off"), help="How to compare with the known pixels; off leaves only the prior."
    )
    weighting: bool = parameter(True, help="Let known pixels near the hole count more.")
    window: int = parameter(
        7, unit="px", minimum=3, maximum=63, help="Side of the square in which a known pixel sees the hole; odd."
    )
    far: float = parameter(0.5, minimum=0.0, maximum=1.0, help="What a known pixel counts that sees none of the hole.")
    prior: float = parameter(3.0, minimum=0.0, maximum=1000.0, help="Weight of the prior; 0 leaves it out.")
    any_modality: bool = parameter(False, help="Use the model on images of a modality that it has not learned, too.")


@dataclasses.dataclass(frozen=True)
class GanOptions(Options):
    """Parameters of latent search in a GAN."""

    restarts: int = parameter(
        2, minimum=1, maximum=64, help="Searches of each slice, from different starts; their spread is the uncertainty."
    )
    prior: float = parameter(0.001, minimum=0.0, maximum=1000.0, help="Weight of the prior; 0 leaves it out.")


@dataclasses.dataclass(frozen=True)
class Generative:
    """A generator as a search needs it.

    Attributes:
        decode, encode: latents to images, and a guess of the latents of images.
        prior: the cost of latents and their images; see :mod:`..latent.search`.
    """

    decode: Callable[[torch.Tensor], torch.Tensor]
    encode: Callable[[torch.Tensor], torch.Tensor]
    prior: Prior


def _load_vae(bundle: Bundle, device: str) -> Generative:
    from ..losses.prior import VaePrior

    network = cast("Vae", load_network(bundle)).to(device)
    prior = VaePrior()
    return Generative(network.decode, network.encode, lambda latents, _: prior(latents))


def _load_gan(bundle: Bundle, device: str) -> Generative:
    from ..losses.prior import GanPrior

    network = cast("Dcgan", load_network(bundle)).to(device)
    prior = GanPrior()
    return Generative(network.decode, network.encode, lambda _, images: prior(network.logits(images)))


def _fill(
    architecture: str, load: Callable[[Bundle, str], Generative], region: Region, parameters: Options, run: Run
) -> Prediction:
    """Search from the encoder's guess and, with restarts, beside it."""
    return fill_by_search(region, architecture, load, parameters, run)


def _register(
    name: str,
    title: str,
    architecture: str,
    load: Callable[[Bundle, str], Generative],
    options: type[Options],
    *,
    summary: str,
    trust: str,
    reference: str,
) -> None:
    """Register the search in generators of an architecture as a method."""
    register = method(
        name=name,
        title=title,
        family="learned",
        summary=summary,
        trust=trust,
        reference="Yeh et al.: Semantic image inpainting with deep generative models, CVPR 2017; " + reference,
        parameters=options,
        blend="poisson",
        architecture=architecture,
        needs_model=True,
        wants_gpu=True,
        requires=("torch", "safetensors"),
    )
    register(functools.partial(_fill, architecture, load))


_register(
    "vae-latent",
    "Latent search (VAE)",
    "vae",
    _load_vae,
    Options,
    summary="The image of a variational auto-encoder that agrees best with the tissue around the hole.",
    trust="What an average anatomy would look like here; smooth, and never better than what the model has seen.",
    reference="Kingma, Welling: Auto-encoding variational Bayes, ICLR 2014",
)
_register(
    "gan-latent",
    "Latent search (GAN)",
    "dcgan",
    _load_gan,
    GanOptions,
    summary="The image of an adversarially trained generator that agrees best with the tissue around the hole.",
    trust="Looks like tissue, but what it shows is made up: the generator knows no patient.",
    reference="Radford et al.: DCGAN, ICLR 2016",
)


def fill_by_search(
    region: Region, architecture: str, load: Callable[[Bundle, str], Generative], options: Options, run: Run
) -> Prediction:
    """Cut frames, search their latents all at once, and put the generator's images back into the region.

    Args:
        region: with its hole.
        architecture: of the model.
        load: loads a generator from its bundle onto a device of torch.
        options: how to search.
        run: seed of the starts, device, progress.
    """
    import torch

    model = load_once(region.subject, options.model, architecture, load, run.device, options.any_modality)
    bundle, on_device = model.bundle, model.on_device
    smooth = initial_fill(region, run.progress.part(0.0, 0.05)).astype(np.float32)
    side, plane = (bundle.input[name] for name in ("pixels", "plane"))
    mm = pixel_size(region.subject.image, bundle.input["pixel_mm"], bundle.input.get("across", 0))
    frames = cut(region, smooth, pixels=side, pixel_mm=mm, plane=plane)
    centre, half = bundle.normalisation["centre"], bundle.normalisation["half_width"]
    images = torch.from_numpy((frames.values - centre) / half).clamp(-1, 1)[:, None]
    mask = torch.from_numpy(frames.known)[:, None]
    results = _search(on_device, images, mask, frames, options, run.seed, run.progress.part(0.05, 1.0))
    frame_values = [(each.images[:, 0].numpy() * half + centre).astype(np.float32) for each in results]
    losses = torch.stack([each.losses for each in results])
    best = losses.argmin(dim=0).numpy()
    mean = frames.back(np.stack(frame_values)[best, np.arange(len(best))])
    spread = np.std([frames.back(each) for each in frame_values], axis=0) if len(frame_values) > 1 else None
    steps = float(torch.stack([each.steps for each in results]).float().mean())
    notes = {"model": bundle.name, "model_title": bundle.title, "frames": len(best), "search_steps": round(steps, 1)}
    notes["search_loss"] = round(float(losses.min(dim=0).values.mean()), 6)
    notes |= on_device.notes
    known = float(frames.known.mean(axis=(1, 2)).min())
    warnings = (*on_device.warnings, *beyond_training(bundle, region.modality.name, frames.plane, known))
    return Prediction(mean, spread, notes, warnings, device=on_device.device)


def _search(
    on_device: OnDevice[Generative],
    images: torch.Tensor,
    known: torch.Tensor,
    frames: Frames,
    options: Options,
    seed: int,
    progress: Progress,
) -> list[Found]:
    """Search once a restart: every third slice from its own start, the others from their neighbours' latents."""
    # Kept tensors stay on the CPU; only those that are searched at once are on the device.
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
            portions = _portions(on_device, images[rows], known[rows], latents[rows], inside[rows], settings, part)
            latents = latents.clone()
            for some, each in portions:
                parts.append((rows[some], each))
                latents[rows[some]] = each.latents
            latents = latents[nearest]
        results.append(_joined(parts))
    return results


def _encoded(on_device: OnDevice[Generative], images: torch.Tensor) -> torch.Tensor:
    """Return the generator's guess of the latents of images."""
    import torch

    latents: list[torch.Tensor] = []

    def work(generative: Generative, device: str, rows: slice) -> None:
        latents.append(generative.encode(images[rows].to(device)).cpu())

    on_device.portions(len(images), BATCH, work)
    return torch.cat(latents)


def _portions(
    on_device: OnDevice[Generative],
    images: torch.Tensor,
    known: torch.Tensor,
    latents: torch.Tensor,
    inside: torch.Tensor,
    settings: Settings,
    progress: Progress,
) -> list[tuple[slice, Found]]:
    """Search some frames at a time; return pairs of their rows and the result."""
    from ..latent.search import search

    parts: list[tuple[slice, Found]] = []

    def work(generative: Generative, device: str, rows: slice) -> None:
        share = progress.part(rows.start / len(images), rows.stop / len(images))
        values, mask, start, within = (each[rows].to(device) for each in (images, known, latents, inside))
        result = search(generative.decode, values, mask, start, settings, generative.prior, share, within)
        parts.append((rows, result.cpu()))

    on_device.portions(len(images), BATCH, work)
    return parts


def _another(guess: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Return a start between the encoder's guess and a random one, as far from 0 as both."""
    import torch

    noise = torch.randn(guess.shape, generator=chance).to(guess)
    return (guess + noise) / 2**0.5


def _joined(parts: list[tuple[torch.Tensor, Found]]) -> Found:
    """Join the results of several sets of frames, in the frames' order."""
    import torch

    from ..latent.search import Found

    order = torch.argsort(torch.cat([rows for rows, _ in parts]))
    fields = [field.name for field in dataclasses.fields(Found)]
    return Found(**{name: torch.cat([getattr(result, name) for _, result in parts])[order] for name in fields})


def _first(tiles: np.ndarray) -> np.ndarray:
    """Mark every third frame of each tile, from the second on: bool ``(n,)``."""
    starts = np.searchsorted(tiles, np.arange(tiles.max() + 1))
    counts = np.bincount(tiles)
    return (np.arange(len(tiles)) - starts[tiles]) % STRIDE == np.minimum(1, counts[tiles] - 1)


def _nearest(tiles: np.ndarray, slices: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return for each frame the chosen frame of its tile whose slice is nearest; a chosen one is its own.

    Args:
        tiles, slices: int ``(n,)``, of the frames.
        chosen: bool ``(n,)``, some of each tile.
    """
    candidates = np.flatnonzero(chosen)
    apart = np.abs(slices[:, None] - slices[candidates])
    elsewhere = tiles[:, None] != tiles[candidates]
    return candidates[np.argmin(np.where(elsewhere, apart.max() + 1, apart), axis=1)]


def _settings(options: Options) -> Settings:
    from ..latent.search import Settings
    from ..losses.context import ContextLoss, ContextWeights

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
